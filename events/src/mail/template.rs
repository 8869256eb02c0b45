use minijinja::{
    AutoEscape, Environment, Error, UndefinedBehavior,
    value::{Serde, Value},
};
use serde::Serialize;
use tenancy::Failure;
use thiserror::Error;

use super::{Mail, Recipient};

/// The template of one kind of mail, with `{{ name }}` placeholders.
///
/// Values are escaped in the HTML body only. Every placeholder needs a value.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// The name of the template, for error messages.
    pub name: &'static str,
    /// The subject.
    pub subject: &'static str,
    /// The body as text.
    pub text: &'static str,
    /// The body as HTML.
    pub html: &'static str,
}

/// Why a mail cannot be rendered: always a programming error.
#[derive(Debug, Error)]
enum TemplateError {
    #[error("the mail {name:?} lacks {missing:?} in its {part}")]
    Missing { name: &'static str, part: &'static str, missing: Vec<String> },
    #[error("the mail {name:?} cannot be written: {error:#}")]
    Broken { name: &'static str, error: Error },
}

impl Template {
    /// Renders the mail.
    ///
    /// # Errors
    /// An internal error: a placeholder has no value, or the template has a syntax error. The error
    /// names the template and the placeholder.
    pub fn render(&self, to: Recipient, values: impl Serialize) -> Result<Mail, Failure> {
        self.write(to, &Value::from(Serde(values))).map_err(Failure::internal)
    }

    fn write(&self, to: Recipient, values: &Value) -> Result<Mail, TemplateError> {
        let environment = environment();
        let part = |part, source| self.part(&environment, part, source, values);
        Ok(Mail {
            to: Recipient { name: one_line(&to.name), email: to.email },
            subject: one_line(&part("subject", self.subject)?),
            text: part("text", self.text)?,
            html: part("html", self.html)?,
        })
    }

    fn part(
        &self,
        environment: &Environment<'_>,
        part: &'static str,
        source: &str,
        values: &Value,
    ) -> Result<String, TemplateError> {
        let name = self.name;
        let broken = |error| TemplateError::Broken { name, error };
        let template = environment.template_from_named_str(part, source).map_err(broken)?;
        // Strict rendering rejects missing values too, but does not name them.
        let absent = |name: &String| values.get_attr(name).map_or(true, |value| value.is_undefined());
        let mut missing: Vec<_> = template.undeclared_variables(false).into_iter().filter(absent).collect();
        if !missing.is_empty() {
            missing.sort_unstable();
            return Err(TemplateError::Missing { name, part, missing });
        }
        template.render(values).map_err(broken)
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|part| match part {
        "html" => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    environment
}

/// Replaces control characters and line separators by spaces, against header injection.
pub(super) fn one_line(text: &str) -> String {
    let text: String =
        text.chars().map(|c| if c.is_control() || is_separator(c) { ' ' } else { c }).collect();
    text.trim().to_owned()
}

/// Unicode's line and paragraph separators, which are not control characters.
fn is_separator(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: Template = Template {
        name: "greeting",
        subject: "Hello {{ name }}",
        text: "Dear {{ name }},\nopen {{ link }}\n",
        html: "<p>Dear {{ name }}, <a href=\"{{ link }}\">open</a></p>",
    };

    #[derive(Serialize)]
    struct Values {
        name: &'static str,
        link: &'static str,
    }

    fn to(name: &str) -> Recipient {
        Recipient { name: name.to_owned(), email: "ada@example.org".to_owned() }
    }

    fn complaint(template: Template, values: impl Serialize) -> String {
        let Err(Failure::Internal(error)) = template.render(to("Ada"), values) else { panic!("written") };
        error.to_string()
    }

    #[test]
    fn values_are_escaped_in_html_alone() {
        let values = Values { name: "<b>Ada</b> & \"Sons\"", link: "https://example.org/?a=1&b=2" };
        let mail = TEMPLATE.render(to("Ada"), values).unwrap();
        assert_eq!(mail.subject, "Hello <b>Ada</b> & \"Sons\"");
        assert_eq!(mail.text, "Dear <b>Ada</b> & \"Sons\",\nopen https://example.org/?a=1&b=2");
        assert!(
            mail.html.contains("&lt;b&gt;Ada") && mail.html.contains("&amp; &quot;Sons&quot;"),
            "{}",
            mail.html
        );
        assert!(!mail.html.contains("<b>"), "{}", mail.html);
    }

    #[test]
    fn a_value_that_breaks_out_of_an_attribute_is_escaped() {
        let values = Values { name: "Ada", link: "\" onclick=\"alert(1)" };
        let html = TEMPLATE.render(to("Ada"), values).unwrap().html;
        assert!(!html.contains("\" onclick"), "{html}");
    }

    #[test]
    fn a_missing_value_is_named_with_its_template() {
        #[derive(Serialize)]
        struct Nameless {
            link: &'static str,
        }
        let said = complaint(TEMPLATE, Nameless { link: "" });
        assert_eq!(said, r#"the mail "greeting" lacks ["name"] in its subject"#);
        #[derive(Serialize)]
        struct Person {
            person: Nameless,
        }
        let nested = Template { subject: "{{ person.name }}", ..TEMPLATE };
        let said = complaint(nested, Person { person: Nameless { link: "" } });
        assert!(said.contains("greeting") && said.contains("undefined value"), "{said}");
    }

    #[test]
    fn a_template_that_is_none_is_named() {
        let said = complaint(Template { text: "{{ name", ..TEMPLATE }, Values { name: "", link: "" });
        assert!(said.starts_with("the mail \"greeting\" cannot be written: syntax error"), "{said}");
    }

    #[test]
    fn nothing_adds_a_line_to_the_head() {
        for ending in ["\r\n", "\n", "\r", "\u{2028}", "\u{85}", "\0"] {
            let name: &'static str = format!("Ada{ending}Bcc: all@example.org").leak();
            let mail = TEMPLATE.render(to(name), Values { name, link: "" }).unwrap();
            for line in [mail.subject, mail.to.name] {
                assert!(line.contains("Ada") && !line.contains(ending), "{line:?}");
            }
        }
    }
}

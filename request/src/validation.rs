//! Parses and validates a document, and puts the diagnostics of apollo-compiler into sentences.

use apollo_compiler::{
    ExecutableDocument, Schema,
    ast::Document,
    diagnostic::ToCliReport,
    schema::ExtendedType,
    validation::{DiagnosticList, Valid},
};

use crate::{
    limit::BRACKETS,
    model::Model,
    position::Positions,
    problems::{MAX_PROBLEMS, cut},
    refusal::{Problem, Refused},
    suggestion::closest,
};

/// How many characters of the compiler's message are repeated: it may hold a name of any length.
const MAX_REPEATED: usize = 300;

/// The names that the parser gives to tokens, and how a document writes them.
const TOKENS: [(&str, &str); 14] = [
    ("L_CURLY", "{"),
    ("R_CURLY", "}"),
    ("L_PAREN", "("),
    ("R_PAREN", ")"),
    ("L_BRACK", "["),
    ("R_BRACK", "]"),
    ("BANG", "!"),
    ("DOLLAR", "$"),
    ("SPREAD", "..."),
    ("COLON", ":"),
    ("EQ", "="),
    ("AT", "@"),
    ("PIPE", "|"),
    ("AMP", "&"),
];

/// Parses a text into definitions.
///
/// # Errors
/// Where the text is not GraphQL.
pub(crate) fn parse(text: &str) -> Result<Document, Refused> {
    // Each bracket costs the parser at most one level, also one that nothing closes.
    let mut parser = apollo_compiler::parser::Parser::new().recursion_limit(BRACKETS.most + 1);
    parser.parse_ast(text, "document").map_err(|found| {
        let Refused(mut problems) = refused(&found.errors, text, None);
        // What follows the first mistake is often no mistake.
        problems.truncate(1);
        Refused(problems)
    })
}

/// The document with the schema's types at every place.
///
/// # Errors
/// Fields and types that the schema does not have.
pub(crate) fn typed(model: &Model, document: &Document, text: &str) -> Result<ExecutableDocument, Refused> {
    let typed = document.to_executable(&model.schema);
    typed.map_err(|found| refused(&found.errors, text, Some(&model.schema)))
}

/// The document, if every rule of the specification holds.
///
/// # Errors
/// The rules that it breaks.
pub(crate) fn validate(
    model: &Model,
    document: ExecutableDocument,
    text: &str,
) -> Result<Valid<ExecutableDocument>, Refused> {
    document.validate(&model.schema).map_err(|found| refused(&found.errors, text, Some(&model.schema)))
}

fn refused(found: &DiagnosticList, text: &str, schema: Option<&Schema>) -> Refused {
    let mut positions = Positions::in_text(text);
    let mut found: Vec<_> = found.iter().take(MAX_PROBLEMS).map(|diagnostic| diagnostic.error).collect();
    // In ascending order, so that the text is read once.
    found.sort_by_key(|error| error.location().map(|span| span.offset()));
    let problems = found.into_iter().map(|error| {
        let span = error.location();
        let (said, position) = (error.to_string(), span.map(|_| positions.of(span)));
        let hint = schema.map(|schema| suggestion(schema, &said)).unwrap_or_default();
        let message = match said.contains("must have a subselection set") {
            true => needs_selections(text, span.map_or(0, |span| span.offset())),
            false => cut_long(&sentence(&said)),
        };
        Problem { position, ..Problem::new(format!("{message}{hint}")) }
    });
    Refused(problems.collect())
}

/// The compiler does not name the field, which begins at this offset.
fn needs_selections(text: &str, offset: usize) -> String {
    let field = text.get(offset..).unwrap_or_default();
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let name = field.split(|character| !is_name(character)).next().unwrap_or_default();
    let name = cut(name);
    format!("The field {name} answers an object: select fields of it, as in {name} {{ id }}.")
}

/// What the compiler says, with a capital letter, a full stop, and tokens as they are written.
fn sentence(said: &str) -> String {
    let said = match said.strip_prefix("syntax error: ") {
        Some(error) => format!("syntax error: {}", syntax_error(error)),
        None => said.trim_end_matches('.').to_owned(),
    };
    let mut characters = said.chars();
    let first = characters.next().map(char::to_uppercase);
    format!("{}{}.", first.into_iter().flatten().collect::<String>(), characters.as_str())
}

fn syntax_error(error: &str) -> String {
    let token = |name: &str| TOKENS.iter().find(|(known, _)| *known == name).map(|(_, written)| *written);
    match error.split_once(", got ") {
        Some((expected, found)) => {
            let expected = match expected.strip_prefix("expected ") {
                Some(name) => match token(name) {
                    Some(written) => format!("expected \"{written}\""),
                    None => format!("expected {name}"),
                },
                None => expected.to_owned(),
            };
            let found = match found {
                "EOF" => "the end of the document".to_owned(),
                found => format!("\"{}\"", cut(found)),
            };
            format!("{expected}, got {found}")
        }
        None => {
            let error = error.trim_end_matches('.').replace("<EOF>", "end of the document");
            error.replacen("Unexpected", "unexpected", 1)
        }
    }
}

/// A message that repeats a part of the document, which may be long.
fn cut_long(message: &str) -> String {
    match message.char_indices().nth(MAX_REPEATED) {
        Some((end, _)) => format!("{}…", message.get(..end).unwrap_or_default()),
        None => message.to_owned(),
    }
}

/// Suggests a name for a field or an argument that does not exist. The validator keeps its data
/// private, so the names are read from its message.
fn suggestion(schema: &Schema, text: &str) -> String {
    let quoted: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    match quoted.as_slice() {
        [ty, field] if text.contains("does not have a field") => {
            let fields = match schema.types.get(*ty) {
                Some(ExtendedType::Object(object)) => object.fields.keys(),
                Some(ExtendedType::Interface(interface)) => interface.fields.keys(),
                _ => return String::new(),
            };
            closest(field, fields.map(|field| field.as_str()))
        }
        [argument, coordinate] if text.contains("is not supported by") => {
            let (ty, field) = coordinate.split_once('.').unwrap_or_default();
            let field = schema.type_field(ty, field).ok();
            let arguments = field.map(|field| field.arguments.iter()).into_iter().flatten();
            closest(argument, arguments.map(|argument| argument.name.as_str()))
        }
        _ => String::new(),
    }
}

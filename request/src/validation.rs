//! Validates a document for the schema, and puts the validator's findings into sentences.

use apollo_compiler::{
    ExecutableDocument, Schema,
    ast::Document,
    diagnostic::Diagnostic,
    schema::ExtendedType,
    validation::{DiagnosticData, DiagnosticList, Valid},
};
use async_graphql::Pos;

use crate::{Model, Problem, Refused, suggestion::closest};

/// How many findings are reported; the first ones show what is wrong.
const MAX_FINDINGS: usize = 100;

/// The names that the parser gives to tokens, and how a document writes them.
const TOKENS: [(&str, &str); 15] = [
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
    ("EOF", "the end of the document"),
];

/// Parses a text into definitions.
///
/// # Errors
/// Where the text is not GraphQL.
pub(crate) fn parse(text: &str) -> Result<Document, Refused> {
    // The text was counted before; the parser's own limits must not be met earlier.
    let mut parser = apollo_compiler::parser::Parser::new().recursion_limit(1_000);
    parser.parse_ast(text, "document").map_err(|found| refused(&found.errors, None))
}

/// The document with the schema's types at every place.
///
/// # Errors
/// Fields and types that the schema does not have.
pub(crate) fn typed(model: &Model, document: &Document) -> Result<ExecutableDocument, Refused> {
    document.to_executable(&model.schema).map_err(|found| refused(&found.errors, Some(&model.schema)))
}

/// The document, if every rule of the specification holds.
///
/// # Errors
/// The rules that it breaks.
pub(crate) fn validate(
    model: &Model,
    document: ExecutableDocument,
) -> Result<Valid<ExecutableDocument>, Refused> {
    document.validate(&model.schema).map_err(|found| refused(&found.errors, Some(&model.schema)))
}

fn refused(found: &DiagnosticList, schema: Option<&Schema>) -> Refused {
    let mut problems: Vec<_> =
        found.iter().take(MAX_FINDINGS).map(|finding| problem(&finding, schema)).collect();
    // The parser repeats itself where a document ends too early.
    problems.dedup();
    Refused(problems)
}

fn problem(finding: &Diagnostic<'_, DiagnosticData>, schema: Option<&Schema>) -> Problem {
    let position =
        finding.line_column_range().map(|range| Pos { line: range.start.line, column: range.start.column });
    let text = finding.error.to_string();
    let hint = schema.map(|schema| suggestion(schema, &text)).unwrap_or_default();
    Problem { position, ..Problem::new(format!("{}{hint}", sentence(&text))) }
}

/// The finding with a capital letter, a full stop, and tokens as they are written.
fn sentence(text: &str) -> String {
    let mut text = text.trim_end_matches('.').to_owned();
    if text.starts_with("syntax error") {
        for (name, written) in TOKENS {
            text = text.replace(name, written);
        }
        text = text.replace("<the end of the document>", "end of the document");
    }
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    format!("{}{}.", first.into_iter().flatten().collect::<String>(), characters.as_str())
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

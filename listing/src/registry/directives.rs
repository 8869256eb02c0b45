//! The directives that the schema uses to say what GraphQL's own types cannot.

#![expect(missing_docs, reason = "the macro makes undocumented items")]

use async_graphql::TypeDirective;

use super::{Input, Output, Registry};
use crate::limits::{DEFAULT_HITS, DEFAULT_PAGE, MAX_PAGE};

/// How many rows a field may answer: the directive of the GraphQL cost specification (IBM, 2021).
/// The gateway bounds the cost of a request by it.
#[TypeDirective(name = "listSize", location = "FieldDefinition")]
fn list_size(
    #[graphql(desc = "How many rows are counted if no argument says how many.")] assumed_size: Option<i32>,
    #[graphql(
        desc = "The arguments that say how many rows are answered at most: a number, or a list with an item for each row."
    )]
    slicing_arguments: Option<Vec<String>>,
    #[graphql(desc = "The fields of the answer that are lists of the rows; none if it is itself the list.")]
    sized_fields: Option<Vec<String>>,
    #[graphql(desc = "Whether one of the slicing arguments must be given.", default = true)]
    require_one_slicing_argument: bool,
) {
}

/// How the number of rows of a field is found.
pub(crate) struct RowCount {
    assumed: usize,
    arguments: &'static [&'static str],
    fields: &'static [&'static str],
}

/// The rows of a connection's page.
pub(crate) const PAGE: RowCount =
    RowCount { assumed: DEFAULT_PAGE, arguments: &["first", "last"], fields: &["nodes", "edges"] };
/// What a bulk made: no argument says how many, so it counts as a full page.
pub(crate) const BULK: RowCount = RowCount { assumed: MAX_PAGE, arguments: &[], fields: &[] };
/// Groups of an aggregate.
pub(crate) const GROUPS: RowCount = RowCount { assumed: MAX_PAGE, arguments: &["first"], fields: &[] };
/// Hits of a search in several lists.
pub(crate) const HITS: RowCount = RowCount { assumed: DEFAULT_HITS, arguments: &["first"], fields: &[] };
/// A row for each id.
pub(crate) const IDS: RowCount = RowCount { assumed: 1, arguments: &["ids"], fields: &[] };

/// A field that answers several rows.
pub(crate) fn rows(registry: &mut Registry, rows: &RowCount, mut field: Output) -> Output {
    TypeDirective::register(&list_size, registry);
    let names = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        (!names.is_empty()).then_some(names)
    };
    let assumed = i32::try_from(rows.assumed).ok();
    let directive = list_size::apply(assumed, names(rows.arguments), names(rows.fields), false);
    field.directive_invocations.push(directive);
    field
}

/// The field is null only where it failed, and its error says so: the directive of the proposal for
/// semantic nullability, as Relay, Apollo and GraphQL Code Generator read it.
#[TypeDirective(name = "semanticNonNull", location = "FieldDefinition")]
pub fn semantic_non_null(
    #[graphql(
        desc = "At which depth of a list: 0 is the field itself, 1 its items.",
        default_with = "vec![0]"
    )]
    levels: Vec<i32>,
) {
}

/// A field that is null only where it failed.
pub(crate) fn never_null(registry: &mut Registry, mut field: Output) -> Output {
    TypeDirective::register(&semantic_non_null, registry);
    let mut directive = semantic_non_null::apply(vec![0]);
    // The default.
    directive.args.clear();
    field.directive_invocations.push(directive);
    field
}

/// How long a text is at most, so that a form can say it before it is sent.
#[TypeDirective(name = "length", location = "InputFieldDefinition", location = "ArgumentDefinition")]
pub fn length(#[graphql(desc = "The most characters that are accepted.")] max: i32) {}

/// An input that takes at most so many characters.
pub(crate) fn longest(registry: &mut Registry, max: usize, mut input: Input) -> Input {
    TypeDirective::register(&length, registry);
    input.directive_invocations.push(length::apply(i32::try_from(max).unwrap_or(i32::MAX)));
    input
}

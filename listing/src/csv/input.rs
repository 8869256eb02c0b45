//! The input of an import, as the schema describes it: the fields that columns can fill are an enum.

use async_graphql::{Enum, InputType, Name, OutputType, Value as GraphQLValue};
use tenancy::{ErrorCode, Failure};

use crate::{
    any::AnyEntity,
    csv::import::{CsvColumn, ImportInput},
    limits::MAX_ROWS,
    registry::{self, Registry},
    write::input::{Input, describe_key},
};

/// What stands between the cells of a CSV.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
enum CsvSeparator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
}

impl CsvSeparator {
    fn character(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
            Self::Tab => '\t',
        }
    }
}

/// A field as its enum calls it: `POSTAL_CODE`.
fn enum_name(field: &str) -> String {
    let mut name = String::with_capacity(field.len() + 4);
    for letter in field.chars() {
        if letter.is_uppercase() {
            name.push('_');
        }
        name.extend(letter.to_uppercase());
    }
    name
}

/// Reads the input of an import whose columns can fill these fields.
///
/// # Errors
/// INVALID for what cannot be read.
pub(crate) fn read(mut input: Input, fields: &[&'static str]) -> Result<ImportInput, Failure> {
    let separator: Option<CsvSeparator> = input.take("separator")?;
    let columns = input.list("columns").into_iter().map(|column| {
        let mut column = Input::from(column);
        let field: Option<Name> = match column.take_value("field") {
            Some(GraphQLValue::Enum(name)) => Some(name),
            Some(GraphQLValue::String(name)) => Some(Name::new(name)),
            _ => None,
        };
        let named = |name: &Name| fields.iter().find(|field| enum_name(field) == name.as_str());
        let field = match &field {
            Some(name) => Some((*named(name).ok_or_else(|| unknown(name))?).to_owned()),
            None => None,
        };
        Ok(CsvColumn { column: column.take("column")?.unwrap_or_default(), field })
    });
    Ok(ImportInput {
        columns: columns.collect::<Result<_, Failure>>()?,
        separator: separator.map(CsvSeparator::character),
        csv: input.take("csv")?.unwrap_or_default(),
        dry_run: input.take("dryRun")?.unwrap_or_default(),
        skip_invalid: input.take("skipInvalid")?.unwrap_or_default(),
    })
}

fn unknown(name: &Name) -> Failure {
    Failure::user(ErrorCode::Invalid, "columns", format!("There is no field {name}."))
}

/// `ImportContactsInput`, with the types of its columns.
pub(crate) fn describe(entity: &AnyEntity, fields: &[&'static str], registry: &mut Registry) -> String {
    let field = format!("{}CsvField", entity.name);
    registry::define(registry, &field.clone(), |_| {
        let value = |name: &&str| (enum_name(name), format!("The field `{name}`."));
        let about = format!("A field of {} that a column of a CSV can fill.", entity.many);
        registry::enumeration(&field, &about, fields.iter().map(value))
    });
    let column = format!("{}CsvColumn", entity.name);
    registry::define(registry, &column.clone(), |_| {
        let inputs = [
            registry::input(
                "column",
                "String!",
                "The column, as the first row names it; the case does not matter.",
            ),
            registry::input("field", &field, "The field that it fills; null to ignore the column."),
        ];
        registry::input_object_named(&column, "Which column of a CSV fills which field.", inputs)
    });
    <CsvSeparator as InputType>::create_type_info(registry);
    let separator = <CsvSeparator as OutputType>::type_name();
    let me = format!("Import{}Input", entity.plural());
    registry::define(registry, &me.clone(), |_| {
        let about_csv =
            format!("The file's text: a first row that names the columns, and at most {MAX_ROWS} rows.");
        let about_columns = "Which column fills which field. A column with the name of a field needs no entry; \
                             any other is ignored.";
        let about_separator = "What stands between cells. By default, what a first line such as `sep=;` says, \
                               or the separator that occurs most in the first row.";
        let about_skip =
            "Writes the valid rows even if others are invalid. By default, one invalid row prevents all.";
        let inputs = [
            registry::input("csv", "String!", &about_csv),
            registry::input("separator", &separator, about_separator),
            registry::input("columns", &format!("[{column}!]"), about_columns),
            registry::defaulted(registry::input("skipInvalid", "Boolean!", about_skip), false),
            registry::defaulted(
                registry::input("dryRun", "Boolean!", "Only validates; writes nothing."),
                false,
            ),
            describe_key(),
        ];
        let about = format!("The input of `import{}`.", entity.plural());
        registry::input_object_named(&me, &about, inputs)
    })
}

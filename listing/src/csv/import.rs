//! CSV in: a sheet of rows under the names of an entity's fields, with errors per row and column.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use async_graphql::{Json, SimpleObject};
use serde::{Deserialize, Serialize};
use tenancy::{ErrorCode, Failure, UserError};

use crate::{
    csv::records::{Record, Records},
    limits::MAX_ROWS,
};

/// How many columns a sheet has at most.
const MAX_COLUMNS: usize = 100;
/// How many characters the name of a column has at most: each error repeats it.
const MAX_TITLE: usize = 200;

/// What is to be imported.
#[derive(Clone, Debug, Default)]
pub struct ImportInput {
    /// The file's text: UTF-8, with a first row that names the columns, and at most 1,000 further rows.
    pub csv: String,
    /// What stands between cells; found in the first row unless given.
    pub separator: Option<char>,
    /// Which column fills which field. Columns with the name of a field need no entry; others are
    /// ignored.
    pub columns: Vec<CsvColumn>,
    /// Only validates.
    pub dry_run: bool,
    /// Imports the valid rows even if others are not.
    pub skip_invalid: bool,
}

/// Which column of a CSV fills which field.
#[derive(Clone, Debug)]
pub struct CsvColumn {
    /// The column, as the CSV's first row names it, whatever the case.
    pub column: String,
    /// The field that it fills; none to ignore the column.
    pub field: Option<String>,
}

/// What is wrong with one of several rows.
#[derive(SimpleObject, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The row, counted from 0 in the order of the input. In a CSV, the row of names and blank rows do
    /// not count.
    pub index: usize,
    /// The line of the CSV where the row begins, counted from 1; null if the rows are no CSV.
    pub line: Option<usize>,
    /// The column, as the CSV names it; null if the rows are no CSV, or the error concerns no single
    /// column.
    pub column: Option<String>,
    /// The path of the field in the row, outermost first; null if the error concerns no single field.
    pub field: Option<Vec<String>>,
    /// The kind of error, for programs; stable.
    pub code: ErrorCode,
    /// A sentence for users; may change.
    pub message: String,
    /// What else a program may need, as in `userErrors`.
    pub details: Option<Json<serde_json::Value>>,
}

/// The rows of a CSV, read.
#[derive(Debug)]
pub(crate) struct CsvSheet {
    /// The rows that could be read.
    pub(crate) rows: Vec<CsvRow>,
    /// Those that could not.
    pub(crate) errors: Vec<RowError>,
    /// Columns that fill no field.
    pub(crate) ignored: Vec<String>,
}

/// One row of a CSV.
#[derive(Clone, Debug)]
pub struct CsvRow {
    /// Counted from 0, without the row of names and blank rows.
    pub(crate) index: usize,
    /// The line of the file where it begins, from 1.
    pub(crate) line: usize,
    cells: HashMap<&'static str, Cell>,
}

#[derive(Clone, Debug)]
struct Cell {
    column: String,
    text: String,
}

impl RowError {
    /// An error of a row, placed at the line and the column of the CSV if it came from one.
    pub(crate) fn of(index: usize, csv: Option<&CsvRow>, error: UserError) -> Self {
        let UserError { code, message, field, details } = error;
        let cell = csv.and_then(|csv| csv.cells.get(field.as_ref()?.first()?.as_str()));
        let (line, column) = (csv.map(|csv| csv.line), cell.map(|cell| cell.column.clone()));
        Self { index, line, column, field, code, message, details }
    }
}

impl CsvRow {
    /// What stands in the column of this field; empty cells are none.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.cells.get(field).map(|cell| cell.text.as_str()).filter(|text| !text.is_empty())
    }
}

impl CsvSheet {
    /// Reads a CSV with a row of names. A column fills the field that `columns` says, else the field of
    /// its own name, whatever the case; other columns are ignored. Rows without any text are left out.
    ///
    /// # Errors
    /// INVALID for what is no CSV, lacks a required column or maps columns wrongly; LIMIT_REACHED
    /// for too many rows.
    pub(crate) fn read(
        input: &ImportInput,
        fields: &[&'static str],
        required: &[&'static str],
    ) -> Result<Self, Failure> {
        let invalid = |message: String| Failure::user(ErrorCode::Invalid, "csv", message);
        let mut records = Records::new(&input.csv, input.separator);
        let header = match records.next().map(|record| record.cells) {
            Some(cells) => cells.map_err(&invalid)?,
            None => vec![],
        };
        if is_blank(&header) {
            return Err(invalid("The CSV is empty: its first row names the columns.".to_owned()));
        }
        if header.len() > MAX_COLUMNS {
            return Err(invalid(format!("The CSV has more than {MAX_COLUMNS} columns.")));
        }
        if header.iter().any(|name| name.chars().count() > MAX_TITLE) {
            return Err(invalid(format!("A name of a column has more than {MAX_TITLE} characters.")));
        }
        let (places, ignored) = assign(&header, &input.columns, fields)?;
        let is_missing = |field: &&&str| !places.iter().any(|place| place.field == **field);
        if let Some(field) = required.iter().find(is_missing) {
            let message =
                format!("No column fills the field {field:?}: name one so, or map one in `columns`.");
            return Err(Failure::user(ErrorCode::Invalid, "csv", message));
        }
        let mut sheet = Self { rows: vec![], errors: vec![], ignored };
        for Record { line, cells } in records {
            let index = sheet.rows.len() + sheet.errors.len();
            if cells.as_ref().is_ok_and(|cells| is_blank(cells)) {
                continue;
            }
            if index >= MAX_ROWS {
                let message = format!("An import takes at most {MAX_ROWS} rows; split the file.");
                return Err(Failure::user(ErrorCode::LimitReached, "csv", message));
            }
            let read = cells.map_err(|message| (None, message));
            match read.and_then(|cells| self::cells(&cells, header.len(), &places)) {
                Ok(cells) => sheet.rows.push(CsvRow { index, line, cells }),
                Err((column, message)) => sheet.errors.push(RowError {
                    index,
                    line: Some(line),
                    column,
                    field: None,
                    code: ErrorCode::Invalid,
                    message,
                    details: None,
                }),
            }
        }
        Ok(sheet)
    }
}

/// Whether a row has no text at all; spreadsheets keep such rows.
fn is_blank(cells: &[Cow<'_, str>]) -> bool {
    cells.iter().all(|cell| cell.trim().is_empty())
}

/// The cells of a row by the fields they fill, or what is wrong, and in which column.
fn cells(
    record: &[Cow<'_, str>],
    width: usize,
    places: &[Place],
) -> Result<HashMap<&'static str, Cell>, (Option<String>, String)> {
    let beyond = record.iter().skip(width).all(|cell| cell.trim().is_empty());
    if record.len() < width || !beyond {
        let message = format!("This row has {} cells; the row of names has {width}.", record.len());
        return Err((None, message));
    }
    let mut cells = HashMap::with_capacity(places.len());
    for Place { index, column, field } in places {
        let text = record.get(*index).map_or("", |cell| cell.trim()).to_owned();
        if text.contains('\u{fffd}') {
            let message = "This is not UTF-8: save the file in that encoding.".to_owned();
            return Err((Some(column.clone()), message));
        }
        if text.contains('\0') {
            return Err((Some(column.clone()), "Text must not contain the character NUL.".to_owned()));
        }
        cells.insert(*field, Cell { column: column.clone(), text });
    }
    Ok(cells)
}

/// Where a field's text stands.
struct Place {
    index: usize,
    column: String,
    field: &'static str,
}

/// Which columns fill fields, and the names of the others.
fn assign(
    header: &[Cow<'_, str>],
    columns: &[CsvColumn],
    fields: &[&'static str],
) -> Result<(Vec<Place>, Vec<String>), Failure> {
    let wrong = |message: String| Failure::user(ErrorCode::Invalid, "columns", message);
    let same = |one: &str, other: &str| one.trim().to_lowercase() == other.trim().to_lowercase();
    if columns.len() > MAX_COLUMNS {
        return Err(wrong(format!("Map at most {MAX_COLUMNS} columns.")));
    }
    for CsvColumn { column, .. } in columns {
        if !header.iter().any(|name| same(name, column)) {
            let column: String = column.chars().take(MAX_TITLE).collect();
            return Err(wrong(format!("The CSV has no column {column:?}.")));
        }
    }
    let (mut places, mut ignored, mut filled) = (vec![], vec![], HashSet::new());
    for (index, column) in header.iter().map(|name| name.trim()).enumerate() {
        let mapped = columns.iter().find(|mapped| same(&mapped.column, column));
        let named = match mapped {
            Some(CsvColumn { field, .. }) => field.as_deref(),
            // An export calls what is known by the name of a related row `company.name`.
            None => Some(strip_name(column)),
        };
        match named.and_then(|named| fields.iter().find(|field| same(field, named))) {
            Some(field) if !filled.insert(*field) => {
                return Err(wrong(format!("Two columns fill the field {field:?}.")));
            }
            Some(field) => places.push(Place { index, column: column.to_owned(), field }),
            None => match mapped {
                Some(CsvColumn { field: Some(field), .. }) => {
                    return Err(wrong(format!(
                        "There is no field {field:?}; there are {}.",
                        fields.join(", ")
                    )));
                }
                _ => ignored.push(column.to_owned()),
            },
        }
    }
    Ok((places, ignored))
}

/// The relation of a column that holds the names of related rows.
fn strip_name(column: &str) -> &str {
    let relation = column.rsplit_once('.').filter(|(_, last)| last.eq_ignore_ascii_case("name"));
    relation.map_or(column, |(relation, _)| relation)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[&str] = &["name", "phone", "company"];

    fn read(csv: &str, columns: &[(&str, Option<&str>)]) -> Result<CsvSheet, Failure> {
        let column = |(column, field): &(&str, Option<&str>)| CsvColumn {
            column: (*column).into(),
            field: field.map(str::to_owned),
        };
        let columns = columns.iter().map(column).collect();
        CsvSheet::read(&ImportInput { csv: csv.to_owned(), columns, ..Default::default() }, FIELDS, &["name"])
    }

    fn refused(csv: &str, columns: &[(&str, Option<&str>)]) -> String {
        match read(csv, columns) {
            Err(Failure::User(errors)) => errors.into_iter().map(|error| error.message).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn columns_fill_fields_by_name_or_as_mapped() {
        let sheet = read(
            "\u{feff}WHO,Phone,fax,Company.name\n\"Ada, Countess\",1 ,2,Acme\n",
            &[("who", Some("name"))],
        )
        .unwrap();
        assert_eq!(sheet.ignored, ["fax"]);
        let row = &sheet.rows[0];
        assert_eq!((row.index, row.line), (0, 2));
        let texts = ["name", "phone", "company"].map(|field| row.get(field));
        assert_eq!(texts, [Some("Ada, Countess"), Some("1"), Some("Acme")]);
    }

    #[test]
    fn a_column_can_be_ignored() {
        let sheet = read("name,phone\nAda,+43\n", &[("PHONE", None)]).unwrap();
        assert_eq!((sheet.ignored, sheet.rows[0].get("phone")), (vec!["phone".to_owned()], None));
    }

    #[test]
    fn a_sheet_that_cannot_be_meant_is_refused() {
        assert!(refused("", &[]).contains("empty"));
        assert!(refused(";;\nAda", &[]).contains("empty"));
        assert!(refused("phone\n1\n", &[]).contains("\"name\""));
        assert!(refused("name\nA\n", &[("nome", Some("name"))]).contains("nome"));
        assert!(refused("name,x\nA,B\n", &[("x", Some("age"))]).contains("age"));
        assert!(refused("name,x\nA,B\n", &[("x", Some("name"))]).contains("Two columns"));
        assert!(refused("name,NAME\nA,B\n", &[]).contains("Two columns"));
        assert!(refused("\"name\nA\n", &[]).contains("quote"));
        assert!(refused(&format!("name\n{}", "A\n".repeat(MAX_ROWS + 1)), &[]).contains("1000"));
    }

    #[test]
    fn a_broken_row_is_named_by_its_line_and_the_others_are_read() {
        let sheet =
            read("name,phone\n\"A\nB\",1\n;,\n\nB\n,\nC\u{fffd},3\nD,4,,\n\"E\"x,5\nF,6\n", &[]).unwrap();
        let rows = sheet.rows.iter().map(|row| (row.index, row.line, row.get("name").unwrap()));
        assert_eq!(rows.collect::<Vec<_>>(), [(0, 2, "A\nB"), (1, 4, ";"), (4, 9, "D"), (6, 11, "F")]);
        let errors = sheet.errors.iter().map(|error| (error.index, error.line.unwrap()));
        assert_eq!(errors.collect::<Vec<_>>(), [(2, 6), (3, 8), (5, 10)]);
    }
}

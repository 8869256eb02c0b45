//! CSV in: a sheet of rows under the names of an entity's fields, with errors per row and column.

use std::collections::{HashMap, HashSet};

use async_graphql::{InputObject, Json, SimpleObject};
use serde::{Deserialize, Serialize};
use tenancy::{ErrorCode, Failure, UserError};

use crate::limits::MAX_ROWS;

/// How many columns a sheet has at most.
const MAX_COLUMNS: usize = 100;
/// How many characters the name of a column has at most: each error repeats it.
const MAX_TITLE: usize = 200;

/// A CSV, UTF-8, with a first line that names the columns.
#[derive(InputObject)]
pub struct ImportInput {
    /// The file's text: at most 1,000 rows.
    pub csv: String,
    /// Which column fills which field. Columns with the name of a field need no entry; others are
    /// ignored.
    pub columns: Option<Vec<CsvColumn>>,
    /// Only tell what would happen.
    #[graphql(default = false)]
    pub dry_run: bool,
    /// Import the rows that are in order and leave the others out, instead of none at all.
    #[graphql(default = false)]
    pub skip_invalid: bool,
    /// Any text that names this wish: repeated with the same input it answers the same again, for 24
    /// hours.
    pub idempotency_key: Option<String>,
}

/// Which column of a CSV fills which field.
#[derive(InputObject, Clone)]
pub struct CsvColumn {
    /// The column, as the CSV's first line names it.
    pub column: String,
    /// The field it fills, as the description of the mutation lists them.
    pub field: String,
}

/// What is wrong with one of several rows.
#[derive(SimpleObject, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The row, counted from 1; in a CSV, behind the line of names.
    pub row: usize,
    /// The column as the CSV names it, or the field of the input, dotted; absent if the whole row is
    /// to blame.
    pub column: Option<String>,
    /// What kind of mistake it is; stable, for programs.
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
    /// Counted from 1 behind the line of names.
    pub(crate) number: usize,
    cells: HashMap<&'static str, Cell>,
}

#[derive(Clone, Debug)]
struct Cell {
    column: String,
    text: String,
}

impl RowError {
    /// An error of a numbered row, placed at the column of the CSV if it came from one.
    pub(crate) fn of(row: usize, csv: Option<&CsvRow>, error: UserError) -> Self {
        let UserError { code, message, field, details } = error;
        let cell = csv.and_then(|csv| csv.cells.get(field.as_ref()?.first()?.as_str()));
        let column = cell.map(|cell| cell.column.clone()).or_else(|| field.map(|path| path.join(".")));
        Self { row, column, code, message, details }
    }
}

impl CsvRow {
    /// What stands in the column of this field; empty cells are none.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.cells.get(field).map(|cell| cell.text.as_str()).filter(|text| !text.is_empty())
    }
}

impl CsvSheet {
    /// Reads a CSV with a line of names. A column fills the field that `columns` says, else the
    /// field of its own name; other columns are ignored.
    ///
    /// # Errors
    /// INVALID for what is no CSV, lacks a required column or maps columns wrongly; LIMIT_REACHED
    /// for too many rows.
    pub(crate) fn read(
        csv: &str,
        columns: &[CsvColumn],
        fields: &[&'static str],
        required: &[&'static str],
    ) -> Result<Self, Failure> {
        let invalid = |message: String| Failure::user(ErrorCode::Invalid, "csv", message);
        // A mark that spreadsheets put in front of UTF-8.
        let csv = csv.trim_start_matches('\u{feff}');
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv.as_bytes());
        let header = reader.headers().map_err(|error| invalid(error.to_string()))?.clone();
        if header.iter().all(|name| name.trim().is_empty()) {
            return Err(invalid("The CSV is empty: its first line names the columns.".to_owned()));
        }
        if header.len() > MAX_COLUMNS {
            return Err(invalid(format!("The CSV has more than {MAX_COLUMNS} columns.")));
        }
        if header.iter().any(|name| name.chars().count() > MAX_TITLE) {
            return Err(invalid(format!("A name of a column has more than {MAX_TITLE} characters.")));
        }
        let (places, ignored) = assign(&header, columns, fields)?;
        let missing: Vec<_> =
            required.iter().filter(|field| !places.iter().any(|place| place.field == **field)).collect();
        if let Some(field) = missing.first() {
            let message =
                format!("No column fills the field {field:?}: name one so, or map one in `columns`.");
            return Err(Failure::user(ErrorCode::Invalid, "csv", message));
        }
        let mut sheet = Self { rows: vec![], errors: vec![], ignored };
        let mut swallowed = false;
        for (index, record) in reader.records().enumerate() {
            if index >= MAX_ROWS {
                let message = format!("An import takes at most {MAX_ROWS} rows; split the file.");
                return Err(Failure::user(ErrorCode::LimitReached, "csv", message));
            }
            let record = record.map_err(|error| invalid(error.to_string()))?;
            swallowed = record.iter().any(|cell| cell.contains('\n'));
            sheet.add(index + 1, &record, header.len(), &places);
        }
        // A quote that is never closed swallows the rest of the file into the last cell.
        if swallowed && csv.matches('"').count() % 2 == 1 {
            let last = sheet.rows.len() + sheet.errors.len();
            return Err(invalid(format!("The quote that row {last} opens is never closed.")));
        }
        Ok(sheet)
    }

    fn add(&mut self, number: usize, record: &csv::StringRecord, width: usize, places: &[Place]) {
        let mut wrong = |column, message: String| {
            self.errors.push(RowError {
                row: number,
                column,
                code: ErrorCode::Invalid,
                message,
                details: None,
            });
        };
        if record.len() != width {
            return wrong(
                None,
                format!("This row has {} cells, the line of names has {width}.", record.len()),
            );
        }
        let mut cells = HashMap::with_capacity(places.len());
        for Place { index, column, field } in places {
            let text = record.get(*index).unwrap_or_default().trim().to_owned();
            if text.contains('\u{fffd}') {
                return wrong(
                    Some(column.clone()),
                    "This is not UTF-8: save the file in that encoding.".to_owned(),
                );
            }
            if text.contains('\0') {
                let message = "Text must not contain the character NUL.".to_owned();
                return wrong(Some(column.clone()), message);
            }
            cells.insert(*field, Cell { column: column.clone(), text });
        }
        self.rows.push(CsvRow { number, cells });
    }
}

/// Where a field's text stands.
struct Place {
    index: usize,
    column: String,
    field: &'static str,
}

fn assign(
    header: &csv::StringRecord,
    columns: &[CsvColumn],
    fields: &[&'static str],
) -> Result<(Vec<Place>, Vec<String>), Failure> {
    let wrong = |message: String| Failure::user(ErrorCode::Invalid, "columns", message);
    if columns.len() > MAX_COLUMNS {
        return Err(wrong(format!("Map at most {MAX_COLUMNS} columns.")));
    }
    for CsvColumn { column, .. } in columns {
        if !header.iter().any(|name| name.trim() == column) {
            return Err(wrong(format!("The CSV has no column {column:?}.")));
        }
    }
    let (mut places, mut ignored, mut filled) = (vec![], vec![], HashSet::new());
    for (index, column) in header.iter().map(str::trim).enumerate() {
        let mapped =
            columns.iter().find(|mapped| mapped.column == column).map(|mapped| mapped.field.as_str());
        let field = fields.iter().find(|field| **field == mapped.unwrap_or(column));
        match (field, mapped) {
            (Some(field), _) if !filled.insert(*field) => {
                return Err(wrong(format!("Two columns fill the field {field:?}.")));
            }
            (Some(field), _) => places.push(Place { index, column: column.to_owned(), field }),
            (None, Some(mapped)) => {
                return Err(wrong(format!("There is no field {mapped:?}; there are {}.", fields.join(", "))));
            }
            (None, None) => ignored.push(column.to_owned()),
        }
    }
    Ok((places, ignored))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[&str] = &["name", "phone"];

    fn read(csv: &str, columns: &[(&str, &str)]) -> Result<CsvSheet, Failure> {
        let column =
            |(column, field): &(&str, &str)| CsvColumn { column: (*column).into(), field: (*field).into() };
        CsvSheet::read(csv, &columns.iter().map(column).collect::<Vec<_>>(), FIELDS, &["name"])
    }

    fn refused(csv: &str, columns: &[(&str, &str)]) -> String {
        match read(csv, columns) {
            Err(Failure::User(errors)) => errors.into_iter().map(|error| error.message).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn columns_fill_fields_by_name_or_as_mapped() {
        let sheet = read("\u{feff}who,phone,fax\n\"Ada, Countess\", 1 ,2\n", &[("who", "name")]).unwrap();
        assert_eq!(sheet.ignored, ["fax"]);
        let row = &sheet.rows[0];
        assert_eq!((row.number, row.get("name"), row.get("phone")), (1, Some("Ada, Countess"), Some("1")));
    }

    #[test]
    fn a_sheet_that_cannot_be_meant_is_refused() {
        assert!(refused("", &[]).contains("empty"));
        assert!(refused("phone\n1\n", &[]).contains("\"name\""));
        assert!(refused("name\nA\n", &[("nome", "name")]).contains("nome"));
        assert!(refused("name,x\nA,B\n", &[("x", "age")]).contains("age"));
        assert!(refused("name,x\nA,B\n", &[("x", "name")]).contains("Two columns"));
        assert!(refused("name\n\"A\nB\nC\n", &[]).contains("never closed"));
        assert!(refused(&format!("name\n{}", "A\n".repeat(MAX_ROWS + 1)), &[]).contains("1000"));
    }

    #[test]
    fn a_broken_row_is_named_and_the_others_are_read() {
        assert_eq!(read("name\n5\" disk\n", &[]).unwrap().rows.len(), 1);
        let sheet = read("name,phone\nA,1\nB\nC\u{fffd},3\nD,4\n", &[]).unwrap();
        assert_eq!(sheet.rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 4]);
        assert_eq!(sheet.errors.iter().map(|error| error.row).collect::<Vec<_>>(), [2, 3]);
    }
}

//! The rows of a CSV (RFC 4180), each with its line. A library's reader takes a stray quote for a part
//! of the text; here it is a mistake of its row, and the rows after it are read.

use std::borrow::Cow;

/// What separators there are.
pub(crate) const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// A row of a CSV.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record<'c> {
    /// The line of the file where it begins, from 1.
    pub(crate) line: usize,
    /// Its cells, or what is wrong with it.
    pub(crate) cells: Result<Vec<Cow<'c, str>>, String>,
}

/// Reads the rows of a CSV.
pub(crate) struct Records<'c> {
    rest: &'c str,
    line: usize,
    separator: char,
}

impl<'c> Records<'c> {
    /// The rows of a text. The separator is the given one, that of a first line `sep=;`, or the one that
    /// occurs most in the first row.
    pub(crate) fn new(csv: &'c str, separator: Option<char>) -> Self {
        // A mark that spreadsheets put in front of UTF-8.
        let csv = csv.trim_start_matches('\u{feff}');
        let (mut rest, mut line, mut told) = (csv, 1, None);
        if let Some((first, behind)) = csv.split_once('\n')
            && let Some(separator) = separator_line(first.trim_end_matches('\r'))
        {
            (rest, line, told) = (behind, 2, Some(separator));
        }
        let separator = separator.or(told).unwrap_or_else(|| most_frequent(rest));
        Self { rest, line, separator }
    }

    /// The separator in use.
    #[cfg(test)]
    fn separator(&self) -> char {
        self.separator
    }

    /// Ends a row: what is left begins there.
    fn end(&mut self, rest: &'c str) {
        let read = self.rest.len() - rest.len();
        self.line += self.rest.bytes().take(read).filter(|byte| *byte == b'\n').count();
        self.rest = rest;
    }

    /// Reads the cells of the next row, and moves behind it.
    fn cells(&mut self) -> Result<Vec<Cow<'c, str>>, String> {
        let (mut cells, mut rest) = (vec![], self.rest);
        loop {
            let behind = match rest.strip_prefix('"') {
                Some(inside) => match quoted(inside).filter(|(_, behind)| self.may_follow(behind)) {
                    Some((text, behind)) => {
                        cells.push(Cow::Owned(text));
                        behind
                    }
                    None => {
                        // The row ends with the line on which the quote opens.
                        self.end(inside.split_once('\n').map_or("", |(_, behind)| behind));
                        return Err(
                            "A quote opens in this row that is not closed where a cell ends. Double \
                                    each quote inside a quoted cell."
                                .to_owned(),
                        );
                    }
                },
                None => {
                    let end = rest.find([self.separator, '\n']).unwrap_or(rest.len());
                    let (text, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
                    let at_end = !behind.starts_with(self.separator);
                    cells.push(Cow::Borrowed(if at_end { text.trim_end_matches('\r') } else { text }));
                    behind
                }
            };
            rest = match behind.strip_prefix(self.separator) {
                Some(behind) => behind,
                None => {
                    self.end(behind.trim_start_matches('\r').strip_prefix('\n').unwrap_or_default());
                    return Ok(cells);
                }
            };
        }
    }

    /// Whether a cell may end before this.
    fn may_follow(&self, behind: &str) -> bool {
        let line_end = behind.trim_start_matches('\r');
        behind.starts_with(self.separator) || line_end.is_empty() || line_end.starts_with('\n')
    }
}

impl<'c> Iterator for Records<'c> {
    type Item = Record<'c>;

    fn next(&mut self) -> Option<Record<'c>> {
        if self.rest.is_empty() {
            return None;
        }
        let line = self.line;
        Some(Record { line, cells: self.cells() })
    }
}

/// The text of a quoted cell, and what stands behind its closing quote; nothing if it has none.
fn quoted(inside: &str) -> Option<(String, &str)> {
    let (mut text, mut rest) = (String::new(), inside);
    loop {
        let (part, behind) = rest.split_once('"')?;
        text.push_str(part);
        match behind.strip_prefix('"') {
            Some(behind) => {
                text.push('"');
                rest = behind;
            }
            None => return Some((text, behind)),
        }
    }
}

/// The separator that a first line for spreadsheets names: `sep=;`.
fn separator_line(line: &str) -> Option<char> {
    let named = line.strip_prefix("sep=")?.chars().next()?;
    SEPARATORS.contains(&named).then_some(named)
}

/// The separator that stands most often in the first row, outside of quotes; a comma if there is none.
fn most_frequent(csv: &str) -> char {
    let mut counts = SEPARATORS.map(|separator| (separator, 0_usize));
    let mut is_quoted = false;
    for character in csv.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            '\n' if !is_quoted => break,
            _ if is_quoted => {}
            _ => counts
                .iter_mut()
                .filter(|(separator, _)| *separator == character)
                .for_each(|(_, count)| *count += 1),
        }
    }
    // The first of those that are equal.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(',', |(separator, _)| *separator)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn read(csv: &str) -> Vec<(usize, Result<Vec<String>, ()>)> {
        let cells = |cells: Vec<Cow<'_, str>>| cells.into_iter().map(Cow::into_owned).collect();
        Records::new(csv, None).map(|record| (record.line, record.cells.map(cells).map_err(drop))).collect()
    }

    fn row(line: usize, cells: &[&str]) -> (usize, Result<Vec<String>, ()>) {
        (line, Ok(cells.iter().map(|cell| (*cell).to_owned()).collect()))
    }

    #[test]
    fn the_separator_is_found_in_the_first_row() {
        for (csv, separator) in [
            ("a,b\n1;2;3", ','),
            ("a;b\n1,5;2", ';'),
            ("a\tb,c\td\n", '\t'),
            ("name\nx", ','),
            ("\"a,b,c\";d\n", ';'),
            ("sep=;\r\na,b,c\n", ';'),
            ("sep=\t\na,b\n", '\t'),
        ] {
            assert_eq!(Records::new(csv, None).separator(), separator, "{csv:?}");
        }
        assert_eq!(Records::new("a;b", Some(',')).separator(), ',');
        assert_eq!(read("sep=;\na;b\n"), [row(2, &["a", "b"])]);
    }

    #[test]
    fn rows_have_the_lines_of_the_file() {
        let csv = "\u{feff}a,b\r\n1,\"two\r\nlines\"\r\n\r\n\"x \"\"y\"\"\",\r\n5\" disk,z";
        let expected = [
            row(1, &["a", "b"]),
            row(2, &["1", "two\r\nlines"]),
            row(4, &[""]),
            row(5, &["x \"y\"", ""]),
            row(6, &["5\" disk", "z"]),
        ];
        assert_eq!(read(csv), expected);
    }

    #[test]
    fn a_stray_quote_is_a_mistake_of_its_row_alone() {
        let read = read("name,notes\nA,\"oops\nB,x\nC,\"y\nD,z");
        assert_eq!(
            read,
            [
                row(1, &["name", "notes"]),
                (2, Err(())),
                row(3, &["B", "x"]),
                (4, Err(())),
                row(5, &["D", "z"])
            ]
        );
    }

    proptest! {
        #[test]
        fn what_a_writer_wrote_is_read(rows in vec(vec("[a\";,\n\r\t ü]{0,6}", 2..4), 1..5)) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(vec![]);
            rows.iter().for_each(|row| writer.write_record(row).unwrap());
            let csv = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let read: Vec<_> = Records::new(&csv, Some(',')).map(|record| record.cells.unwrap()).collect();
            prop_assert_eq!(read, rows);
        }

        #[test]
        fn nothing_is_lost_or_read_twice(csv in "[a\",\n\r]{0,40}") {
            let mut records = Records::new(&csv, Some(','));
            while records.next().is_some() {}
            prop_assert_eq!(records.line, 1 + csv.matches('\n').count());
        }
    }
}

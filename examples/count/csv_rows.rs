//! CSV: the rows of a file, and what its columns are.
//!
//! On the parser's core rather than its reader, because messages name lines,
//! and only the bytes taken say on which one a row begins.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::BufRead;

use csv_core::ReadRecordResult;
use headcount::UserRecord;

use crate::columns::{Column, nobody, printable};
use crate::fault::Failure;
use crate::rows::{Block, RawRow, unreadable};

/// The rows of a CSV file.
pub struct CsvRows<'f> {
    pub file: &'f str,
    reader: Box<dyn BufRead + Send>,
    parser: csv_core::Reader,
    lines: Lines,
    /// On which the row read last begins.
    row_line: u64,
    /// Whether the input is at its end, and its last line ended.
    ended: bool,
}

impl<'f> CsvRows<'f> {
    pub fn new(file: &'f str, reader: Box<dyn BufRead + Send>) -> CsvRows<'f> {
        let lines = Lines { line: 1, after_return: false };
        CsvRows { file, reader, parser: csv_core::Reader::new(), lines, row_line: 1, ended: false }
    }

    /// Fills a block with the next rows; false where there are no more.
    pub fn fill(&mut self, block: &mut Block) -> Result<bool, Failure> {
        self.fill_up_to(Block::ROWS, block)
    }

    fn fill_up_to(&mut self, rows: usize, block: &mut Block) -> Result<bool, Failure> {
        let mut text = std::mem::take(&mut block.text).into_bytes();
        // Not to their capacity: one huge row would make every later block as dear.
        text.resize(1 << 16, 0);
        block.ends.resize(1 << 12, 0);
        block.rows.clear();
        let mut used = (0, 0);
        let mut more = Ok(true);
        while matches!(more, Ok(true)) && block.rows.len() < rows {
            more = self.next(&mut text, block, &mut used);
        }
        text.truncate(used.0);
        block.set_text(self.file, text, self.row_line)?;
        more
    }

    /// Reads one row behind what is used of the text and the ends.
    fn next(&mut self, text: &mut Vec<u8>, block: &mut Block, used: &mut (usize, usize)) -> Result<bool, Failure> {
        self.skip_line_ends()?;
        self.row_line = self.lines.line;
        let line = self.row_line;
        let start = *used;
        loop {
            if used.0 == text.len() {
                text.resize(text.len() * 2, 0);
            }
            if used.1 == block.ends.len() {
                block.ends.resize(block.ends.len() * 2, 0);
            }
            let input = self.reader.fill_buf().map_err(|error| unreadable(self.file, &error))?;
            let (places, ends) = (&mut text[used.0..], &mut block.ends[used.1..]);
            let (result, taken, written, ended) = match (input, self.ended) {
                // The end of the input ends a line. Inside quotes it does not.
                ([], false) => {
                    self.ended = true;
                    let (result, _, written, ended) = self.parser.read_record(b"\n", places, ends);
                    if written > 0 {
                        let message = "a quote opens in this row and never closes: everything behind it would be lost";
                        return Err(Failure::Input(format!("{}, line {line}: {message}", self.file)));
                    }
                    (result, 0, 0, ended)
                }
                (input, _) => self.parser.read_record(input, places, ends),
            };
            self.lines.pass(&input[..taken]);
            self.reader.consume(taken);
            used.0 += written;
            used.1 += ended;
            match result {
                ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {}
                ReadRecordResult::Record => {
                    block.rows.push(RawRow { line, text: start.0..used.0, ends: start.1..used.1 });
                    return Ok(true);
                }
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// Passes the end of the line before, and blank lines.
    fn skip_line_ends(&mut self) -> Result<(), Failure> {
        loop {
            let input = self.reader.fill_buf().map_err(|error| unreadable(self.file, &error))?;
            let len = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            let all = len == input.len();
            self.lines.pass(&input[..len]);
            self.reader.consume(len);
            if !all || len == 0 {
                return Ok(());
            }
        }
    }
}

/// Counts lines, whichever of the three line ends they have.
struct Lines {
    line: u64,
    after_return: bool,
}

impl Lines {
    fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            // A line feed behind a carriage return is the same line's end.
            let ends = *byte == b'\r' || *byte == b'\n' && !self.after_return;
            self.line += u64::from(ends);
            self.after_return = *byte == b'\r';
        }
    }
}

/// What the columns of a CSV file are.
pub struct Header {
    /// The known ones, by their place.
    columns: Vec<(usize, Column)>,
    width: usize,
    pub ignored: BTreeSet<String>,
}

impl Header {
    /// Reads the first row of a file.
    pub fn read(rows: &mut CsvRows<'_>, has_default_runtime: bool) -> Result<Header, Failure> {
        let mut block = Block::default();
        rows.fill_up_to(1, &mut block)?;
        let file = rows.file;
        let Some(row) = block.rows.first() else {
            return Err(Failure::Input(format!("{file}: the file is empty: expected a header row")));
        };
        let names: Option<Vec<&str>> = fields(&block, row).collect();
        let names: Vec<&str> = names.unwrap_or_default().into_iter().map(str::trim).collect();
        let known = names.iter().enumerate().filter_map(|(place, name)| Some((place, Column::named(name)?)));
        let columns: Vec<(usize, Column)> = known.collect();
        let has = |wanted: &dyn Fn(Column) -> bool| columns.iter().any(|(_, column)| wanted(*column));
        // Before any name is shown: what has none of these may be no header.
        if !has(&Column::identifies) {
            return Err(nobody(&format!("{file}, line {}", row.line), "the header has none of"));
        }
        for (at, (place, column)) in columns.iter().enumerate() {
            if let Some((first, _)) = columns[..at].iter().find(|(_, other)| other == column) {
                let (one, other) = (printable(names[*first]), printable(names[*place]));
                return Err(twice(
                    file,
                    row,
                    [*first, *place],
                    &format!("`{one}` and `{other}`, the same: expected one"),
                ));
            }
        }
        let mut ignored = BTreeSet::new();
        for (place, name) in names.iter().enumerate().filter(|(_, name)| Column::named(name).is_none()) {
            // A column without a name is nobody's duplicate, and not worth a note.
            if name.is_empty() {
                continue;
            }
            let first = names.iter().position(|other| other == name).unwrap_or_default();
            ignored.insert(printable(name));
            if first != place {
                // What no rule knows is not shown: where a header is missing it may be a person's name.
                return Err(twice(file, row, [first, place], "of one name: expected different ones"));
            }
        }
        if !has_default_runtime && !has(&|column| column == Column::Runtime) {
            let message = "the header has no `runtime`: expected that column, or --runtime NAME";
            return Err(Failure::Input(format!("{file}, line {}: {message}", row.line)));
        }
        Ok(Header { columns, width: names.len(), ignored })
    }

    /// The record of a row.
    pub fn record<'b>(&self, block: &'b Block, row: &RawRow) -> Result<UserRecord<'b>, String> {
        let width = row.ends.len();
        if width != self.width {
            return Err(format!("expected {} fields, as the header has, found {width}", self.width));
        }
        let mut record = UserRecord::default();
        for (place, column) in &self.columns {
            let Some(text) = field(block, row, *place) else {
                return Err(column.expected("expected UTF-8"));
            };
            column.set(&mut record, Cow::Borrowed(text))?;
        }
        let row_text = block.text.get(row.text.clone()).ok_or("expected UTF-8")?;
        if row_text.contains('\n') && fields(block, row).flatten().any(|text| self.holds_row(text)) {
            return Err("expected one row, found several in one field: a quote is unbalanced here".to_owned());
        }
        Ok(record)
    }

    /// Whether a line inside a text is a row of this file, swallowed by a stray
    /// quote: as many commas, and an `@` where the email would be. Honest text
    /// of several lines is seldom both.
    fn holds_row(&self, text: &str) -> bool {
        let Some((place, _)) = self.columns.iter().find(|(_, column)| *column == Column::Email) else { return false };
        text.lines().skip(1).any(|line| {
            let mut pieces = line.split(',');
            pieces.clone().count() == self.width && pieces.nth(*place).is_some_and(|piece| piece.contains('@'))
        })
    }
}

fn twice(file: &str, row: &RawRow, places: [usize; 2], fact: &str) -> Failure {
    let [first, second] = places.map(|place| place + 1);
    Failure::Input(format!("{file}, line {}: columns {first} and {second} are {fact}", row.line))
}

/// The fields of a row; `None` for one that is not UTF-8 by itself.
fn fields<'b>(block: &'b Block, row: &RawRow) -> impl Iterator<Item = Option<&'b str>> {
    (0..row.ends.len()).map(move |place| field(block, row, place))
}

fn field<'b>(block: &'b Block, row: &RawRow, place: usize) -> Option<&'b str> {
    let ends = block.ends.get(row.ends.clone())?;
    let start = match place.checked_sub(1) {
        None => 0,
        Some(before) => *ends.get(before)?,
    };
    block.text.get(row.text.start + start..row.text.start + ends.get(place)?)
}

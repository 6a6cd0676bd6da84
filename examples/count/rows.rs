//! From inputs to rows, and from rows to records (R2, X2, X3).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::sync::mpsc;

use csv::StringRecord;
use headcount::UserRecord;
use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::columns::{self, Column};
use crate::fault::{Failure, Place};
use crate::input::{self, Form, Input};

/// How inputs are read.
pub struct Reading {
    /// The runtime of records that name none.
    pub default_runtime: Option<String>,
    /// Whether to read on a thread of its own.
    pub threaded: bool,
    pub quiet: bool,
}

/// One row of an input.
pub struct Row<'r> {
    /// Counted from 1 over all inputs.
    pub number: u64,
    pub place: Place<'r>,
    /// The record, or why the row is malformed (X2).
    pub record: Result<UserRecord<'r>, String>,
}

/// Rows that travel from the reader to the counter together.
const BLOCK: usize = 512;

/// A row before it is looked at.
#[derive(Default)]
struct RawRow {
    line: u64,
    csv: StringRecord,
    json: String,
}

/// A handful of raw rows, used again and again.
#[derive(Default)]
struct Block {
    rows: Vec<RawRow>,
    len: usize,
}

impl Block {
    fn next(&mut self) -> &mut RawRow {
        if self.len == self.rows.len() {
            self.rows.push(RawRow::default());
        }
        &mut self.rows[self.len]
    }

    fn filled(&self) -> &[RawRow] {
        &self.rows[..self.len]
    }
}

impl Reading {
    /// Gives every row of every input to `visit`, in order. Returns notes on
    /// columns that were ignored, one an input.
    pub fn each(
        &self,
        inputs: &mut [Input],
        mut visit: impl FnMut(Row<'_>) -> Result<(), Failure>,
    ) -> Result<Vec<String>, Failure> {
        let progress = input::progress(inputs, self.quiet);
        let mut notes = Vec::new();
        let mut number = 0;
        for input in inputs {
            let reader = input.reader(&progress)?;
            let mut numbered = |row: Row<'_>| {
                number += 1;
                visit(Row { number, ..row })
            };
            let ignored = match input.form {
                Form::Csv => self.csv(&input.name, reader, &mut numbered)?,
                Form::Jsonl => self.jsonl(&input.name, reader, &mut numbered)?,
            };
            if !ignored.is_empty() {
                let names: Vec<&str> = ignored.iter().map(String::as_str).collect();
                notes.push(format!("{}: ignored columns: {}", input.name, names.join(", ")));
            }
        }
        progress.finish_and_clear();
        Ok(notes)
    }

    fn csv(
        &self,
        file: &str,
        reader: Box<dyn BufRead + Send>,
        visit: &mut dyn FnMut(Row<'_>) -> Result<(), Failure>,
    ) -> Result<BTreeSet<String>, Failure> {
        let mut rows = CsvRows::new(file, reader)?;
        let header = Header::read(file, &rows.header, self.default_runtime.is_some())?;
        self.pump(
            |block| rows.fill(block),
            |row| {
                let place = Place { file, line: row.line };
                let record = header.record(&row.csv, self.default_runtime.as_deref());
                visit(Row { number: 0, place, record })
            },
        )?;
        Ok(header.ignored)
    }

    fn jsonl(
        &self,
        file: &str,
        mut reader: Box<dyn BufRead + Send>,
        visit: &mut dyn FnMut(Row<'_>) -> Result<(), Failure>,
    ) -> Result<BTreeSet<String>, Failure> {
        let mut line = 0;
        let mut seen = Seen::default();
        let mut rows = 0_u64;
        self.pump(
            |block| fill_lines(file, &mut reader, &mut line, block),
            |row| {
                rows += 1;
                let place = Place { file, line: row.line };
                let record = json_record(&row.json, self.default_runtime.as_deref(), &mut seen);
                visit(Row { number: 0, place, record })
            },
        )?;
        if rows > 0 && !seen.identifies {
            return Err(nobody(file, "no object has"));
        }
        Ok(seen.ignored)
    }

    /// Lets `fill` fill blocks, on a thread of its own where there is one to
    /// spare, and gives their rows to `take`. An error of `fill` comes behind
    /// the rows before it.
    fn pump(
        &self,
        mut fill: impl FnMut(&mut Block) -> Result<bool, Failure> + Send,
        mut take: impl FnMut(&RawRow) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if !self.threaded {
            let mut block = Block::default();
            loop {
                block.len = 0;
                let more = fill(&mut block);
                block.filled().iter().try_for_each(&mut take)?;
                if !more? {
                    return Ok(());
                }
            }
        }
        std::thread::scope(|scope| {
            let (full, blocks) = mpsc::sync_channel::<(Block, Result<bool, Failure>)>(4);
            let (empty, spare) = mpsc::channel::<Block>();
            scope.spawn(move || {
                loop {
                    let mut block = spare.try_recv().unwrap_or_default();
                    block.len = 0;
                    let more = fill(&mut block);
                    let last = !matches!(more, Ok(true));
                    if full.send((block, more)).is_err() || last {
                        return;
                    }
                }
            });
            for (block, more) in blocks {
                block.filled().iter().try_for_each(&mut take)?;
                more?;
                // The reader may be done and need no more of them.
                let _ = empty.send(block);
            }
            Ok(())
        })
    }
}

fn nobody(file: &str, what: &str) -> Failure {
    Failure::Input(format!("{file}: {what} `username`, `email` or `key`: nobody could be told apart"))
}

fn not_utf8(file: &str, line: u64) -> Failure {
    Failure::Input(format!("{file}, line {line}: expected UTF-8: save or export the file as that"))
}

/// A row that stands behind the end of every CSV input. Where it comes out as
/// part of another row, that row opened a quote which never closes.
const END: &str = "\u{1e}end of input\u{1e}";

struct CsvRows<'f> {
    file: &'f str,
    reader: csv::Reader<io::Chain<Box<dyn BufRead + Send>, io::Cursor<Vec<u8>>>>,
    header: StringRecord,
    done: bool,
}

impl<'f> CsvRows<'f> {
    fn new(file: &'f str, reader: Box<dyn BufRead + Send>) -> Result<CsvRows<'f>, Failure> {
        let end = io::Cursor::new(format!("\n{END}\n").into_bytes());
        // Rows of the wrong width are ours to name.
        let reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(reader.chain(end));
        let mut rows = CsvRows { file, reader, header: StringRecord::new(), done: false };
        let mut header = RawRow::default();
        rows.read(&mut header)?;
        if rows.done {
            return Err(Failure::Input(format!("{file}: the file is empty: expected a header row")));
        }
        rows.header = header.csv;
        Ok(rows)
    }

    /// Reads one row, or finds that there is no more.
    fn read(&mut self, row: &mut RawRow) -> Result<(), Failure> {
        let read = self.reader.read_record(&mut row.csv);
        row.line = row.csv.position().map_or(0, csv::Position::line);
        match read {
            Ok(true) => {}
            Ok(false) => self.done = true,
            Err(error) => {
                let line = error.position().map_or(row.line, csv::Position::line);
                return Err(match error.kind() {
                    csv::ErrorKind::Utf8 { .. } => not_utf8(self.file, line),
                    _ => Failure::Input(format!("{}: {error}", self.file)),
                });
            }
        }
        if let Some(last) = row.csv.iter().next_back() {
            if last == END && row.csv.len() == 1 {
                self.done = true;
            } else if last.trim_end().ends_with(END) {
                let message = "a quote opens in this row and never closes: everything behind it is lost";
                return Err(Failure::Input(format!("{}, line {}: {message}", self.file, row.line)));
            }
        }
        Ok(())
    }

    fn fill(&mut self, block: &mut Block) -> Result<bool, Failure> {
        while block.len < BLOCK {
            self.read(block.next())?;
            if self.done {
                return Ok(false);
            }
            block.len += 1;
        }
        Ok(true)
    }
}

/// What the columns of a CSV file are.
struct Header {
    columns: Vec<Option<Column>>,
    ignored: BTreeSet<String>,
}

impl Header {
    fn read(file: &str, names: &StringRecord, has_default_runtime: bool) -> Result<Header, Failure> {
        let mut header = Header { columns: Vec::with_capacity(names.len()), ignored: BTreeSet::new() };
        for name in names.iter().map(str::trim) {
            let column = Column::named(name);
            let fresh = match column {
                Some(column) => !header.columns.contains(&Some(column)),
                // A column without a name is nobody's duplicate.
                None => name.is_empty() || header.ignored.insert(printable(name)),
            };
            if !fresh {
                let name = printable(name);
                return Err(Failure::Input(format!(
                    "{file}, line 1: the column `{name}` is there twice: expected once"
                )));
            }
            header.columns.push(column);
        }
        let has = |wanted: &dyn Fn(Column) -> bool| header.columns.iter().flatten().any(|column| wanted(*column));
        if !has(&Column::identifies) {
            return Err(nobody(file, "line 1: the header has none of"));
        }
        if !has_default_runtime && !has(&|column| column == Column::Runtime) {
            let message = "the header has no `runtime`: expected that column, or --runtime NAME";
            return Err(Failure::Input(format!("{file}, line 1: {message}")));
        }
        Ok(header)
    }

    fn record<'r>(&self, row: &'r StringRecord, default_runtime: Option<&'r str>) -> Result<UserRecord<'r>, String> {
        if row.len() != self.columns.len() {
            return Err(format!("expected {} fields, as the header has, found {}", self.columns.len(), row.len()));
        }
        let mut record = UserRecord::default();
        for (column, text) in self.columns.iter().zip(row) {
            if let Some(column) = column {
                column.set(&mut record, Cow::Borrowed(text))?;
            }
        }
        if row.as_slice().contains('\n') && row.iter().any(|text| self.is_row_like(text)) {
            return Err("expected one row, found several in one field: a quote is unbalanced here".to_owned());
        }
        finish(record, default_runtime)
    }

    /// Whether a text has as many commas behind a line break as a row of this
    /// file: then it is one, swallowed by a stray quote.
    fn is_row_like(&self, text: &str) -> bool {
        self.columns.len() > 1
            && text
                .lines()
                .skip(1)
                .any(|line| line.bytes().filter(|byte| *byte == b',').count() + 1 >= self.columns.len())
    }
}

/// The last steps for a record of any form.
fn finish<'r>(mut record: UserRecord<'r>, default_runtime: Option<&'r str>) -> Result<UserRecord<'r>, String> {
    if record.runtime.trim().is_empty() {
        match default_runtime {
            Some(name) => record.runtime = Cow::Borrowed(name),
            None => return Err(Column::Runtime.expected("expected a name, or --runtime NAME for records without")),
        }
    }
    columns::check(&record)?;
    Ok(record)
}

/// A column's name as notes show it.
fn printable(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_debug).collect()
}

/// Fills a block with the next lines that are not blank.
fn fill_lines(file: &str, reader: &mut impl BufRead, line: &mut u64, block: &mut Block) -> Result<bool, Failure> {
    while block.len < BLOCK {
        let row = block.next();
        let mut bytes = std::mem::take(&mut row.json).into_bytes();
        bytes.clear();
        let read = reader.read_until(b'\n', &mut bytes);
        *line += 1;
        match read {
            Ok(0) => return Ok(false),
            Ok(_) => {}
            Err(error) => return Err(Failure::Input(format!("{file}, line {line}: {error}"))),
        }
        row.json = String::from_utf8(bytes).map_err(|_| not_utf8(file, *line))?;
        row.line = *line;
        if !row.json.trim().is_empty() {
            block.len += 1;
        }
    }
    Ok(true)
}

/// What the objects of a JSONL file had in them.
#[derive(Default)]
struct Seen {
    identifies: bool,
    ignored: BTreeSet<String>,
}

/// Messages are ours throughout: those of the JSON library quote values.
fn json_record<'r>(line: &'r str, default_runtime: Option<&'r str>, seen: &mut Seen) -> Result<UserRecord<'r>, String> {
    let mut record = UserRecord::default();
    let mut fault = None;
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let object = ObjectReader { record: &mut record, seen, fault: &mut fault };
    let parsed = deserializer.deserialize_map(object).and_then(|()| deserializer.end());
    match (fault, parsed) {
        (Some(fault), _) => Err(fault),
        (None, Ok(())) => finish(record, default_runtime),
        (None, Err(error)) if error.is_data() => Err("expected a JSON object".to_owned()),
        (None, Err(error)) => Err(format!("not JSON at column {}: expected one object a line", error.column())),
    }
}

struct ObjectReader<'m, 'r> {
    record: &'m mut UserRecord<'r>,
    seen: &'m mut Seen,
    /// The first thing wrong with a field.
    fault: &'m mut Option<String>,
}

impl<'r> Visitor<'r> for ObjectReader<'_, 'r> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'r>>(self, mut map: M) -> Result<(), M::Error> {
        let mut known = [false; 12];
        let mut others: BTreeSet<String> = BTreeSet::new();
        while let Some(name) = map.next_key::<JsonText<'r>>()? {
            let value: &'r RawValue = map.next_value()?;
            let column = Column::named(&name.0);
            let fresh = match column {
                Some(column) => !std::mem::replace(&mut known[column as usize], true),
                None => others.insert(name.0.to_string()),
            };
            let result = match column {
                _ if !fresh => Err(format!("the key `{}` is there twice: expected once", printable(&name.0))),
                Some(column) => set_json(column, self.record, value.get()),
                None => Ok(()),
            };
            if let Some(column) = column {
                self.seen.identifies |= column.identifies();
            }
            if let (Err(fault), None) = (result, &self.fault) {
                *self.fault = Some(fault);
            }
        }
        for name in others {
            if self.seen.ignored.len() < 100 {
                self.seen.ignored.insert(printable(&name));
            }
        }
        Ok(())
    }
}

/// A key of an object, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct JsonText<'r>(#[serde(borrow)] Cow<'r, str>);

fn set_json<'r>(column: Column, record: &mut UserRecord<'r>, value: &'r str) -> Result<(), String> {
    let wrong_type = || Err(column.json_type());
    match value.as_bytes().first() {
        Some(b'n') => Ok(()),
        Some(b'"') => column.set(record, unescaped(value).ok_or_else(|| column.json_type())?),
        Some(b't' | b'f') if column.is_boolean() => column.set(record, Cow::Borrowed(value)),
        Some(b'0' | b'1') if column.is_boolean() && value.len() == 1 => column.set(record, Cow::Borrowed(value)),
        Some(b'-' | b'0'..=b'9') if column == Column::Key => column.set(record, Cow::Borrowed(value)),
        _ => wrong_type(),
    }
}

/// The text of a JSON string, borrowed where it has no escapes.
fn unescaped(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(value).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

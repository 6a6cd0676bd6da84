//! From inputs to records, in order, wherever they are read (R2, X2).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, BufRead};
use std::ops::Range;
use std::sync::mpsc;

use headcount::UserRecord;

use crate::columns::{self, Column};
use crate::csv_rows::{CsvRows, Header};
use crate::fault::{Failure, Place};
use crate::input::{self, Form, Input};
use crate::json_rows::{self, JsonRows, Seen};

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
#[derive(Default)]
pub struct Block {
    pub text: String,
    /// Where the fields of a CSV row end, counted from where it begins.
    pub ends: Vec<usize>,
    pub rows: Vec<RawRow>,
}

/// A row before it is looked at.
pub struct RawRow {
    /// The line on which it begins, counted from 1.
    pub line: u64,
    pub text: Range<usize>,
    pub ends: Range<usize>,
}

impl Block {
    /// Enough to keep both threads busy, and small enough for the cache.
    pub const ROWS: usize = 1024;

    /// Turns the bytes read into text. What is not UTF-8 ends the block before
    /// the row that it is in; `line` is that of a row that is not finished.
    pub fn set_text(&mut self, file: &str, bytes: Vec<u8>, line: u64) -> Result<(), Failure> {
        match String::from_utf8(bytes) {
            Ok(text) => {
                self.text = text;
                Ok(())
            }
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let line = self.rows.iter().find(|row| row.text.end > good).map_or(line, |row| row.line);
                self.rows.retain(|row| row.text.end <= good);
                self.text = String::from_utf8_lossy(error.as_bytes().get(..good).unwrap_or_default()).into_owned();
                Err(not_utf8(file, line))
            }
        }
    }
}

pub fn not_utf8(file: &str, line: u64) -> Failure {
    Failure::Input(format!("{file}, line {line}: expected UTF-8: save or export the file as that"))
}

pub fn unreadable(file: &str, error: &io::Error) -> Failure {
    Failure::Input(format!("{file}: {error}"))
}

pub type Visit<'v> = dyn FnMut(Row<'_>) -> Result<(), Failure> + 'v;

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
            let ignored = self.rows(&input.name, input.form, reader, &mut numbered)?;
            if !ignored.is_empty() {
                let names: Vec<&str> = ignored.iter().map(String::as_str).collect();
                notes.push(format!("{}: ignored columns: {}", input.name, names.join(", ")));
            }
        }
        progress.finish_and_clear();
        Ok(notes)
    }

    /// Gives every row of one reader to `visit`, in order. Returns the names of
    /// columns that were ignored.
    pub fn rows(
        &self,
        file: &str,
        form: Form,
        reader: Box<dyn BufRead + Send>,
        visit: &mut Visit<'_>,
    ) -> Result<BTreeSet<String>, Failure> {
        match form {
            Form::Csv => self.csv(CsvRows::new(file, reader), visit),
            Form::Jsonl => self.jsonl(JsonRows::new(file, reader), visit),
        }
    }

    fn csv(&self, mut rows: CsvRows<'_>, visit: &mut Visit<'_>) -> Result<BTreeSet<String>, Failure> {
        let file = rows.file;
        let header = Header::read(&mut rows, self.default_runtime.is_some())?;
        self.pump(
            |block| rows.fill(block),
            |block, row| {
                let record = header.record(block, row).and_then(|record| self.finish(record));
                visit(Row { number: 0, place: Place { file, line: row.line }, record })
            },
        )?;
        Ok(header.ignored)
    }

    fn jsonl(&self, mut rows: JsonRows<'_>, visit: &mut Visit<'_>) -> Result<BTreeSet<String>, Failure> {
        let file = rows.file;
        let mut seen = Seen::default();
        self.pump(
            |block| rows.fill(block),
            |block, row| {
                let line = block.text.get(row.text.clone()).ok_or_else(|| "expected UTF-8".to_owned());
                let record = line.and_then(|line| json_rows::record(line, &mut seen));
                let record = record.and_then(|record| self.finish(record));
                visit(Row { number: 0, place: Place { file, line: row.line }, record })
            },
        )?;
        seen.check(file)?;
        Ok(seen.ignored)
    }

    /// The last steps for a record of any form.
    fn finish<'r>(&'r self, mut record: UserRecord<'r>) -> Result<UserRecord<'r>, String> {
        if record.runtime.trim().is_empty() {
            match &self.default_runtime {
                Some(name) => record.runtime = Cow::Borrowed(name),
                None => return Err(Column::Runtime.expected("expected a name, or --runtime NAME for records without")),
            }
        }
        columns::check(&record)?;
        Ok(record)
    }

    /// Lets `fill` fill blocks, on a thread of its own where there is one to
    /// spare, and gives their rows to `take`. An error of `fill` comes behind
    /// the rows before it.
    fn pump(
        &self,
        mut fill: impl FnMut(&mut Block) -> Result<bool, Failure> + Send,
        mut take: impl FnMut(&Block, &RawRow) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut take_all = |block: &Block| block.rows.iter().try_for_each(|row| take(block, row));
        if !self.threaded {
            let mut block = Block::default();
            loop {
                let more = fill(&mut block);
                take_all(&block)?;
                if !more? {
                    return Ok(());
                }
            }
        }
        std::thread::scope(|scope| {
            let (filled, blocks) = mpsc::sync_channel::<(Block, Result<bool, Failure>)>(4);
            let (used, spare) = mpsc::channel::<Block>();
            scope.spawn(move || {
                loop {
                    let mut block = spare.try_recv().unwrap_or_default();
                    let more = fill(&mut block);
                    let last = !matches!(more, Ok(true));
                    if filled.send((block, more)).is_err() || last {
                        return;
                    }
                }
            });
            for (block, more) in blocks {
                take_all(&block)?;
                more?;
                // The reader may be done and need no more of them.
                let _ = used.send(block);
            }
            Ok(())
        })
    }
}

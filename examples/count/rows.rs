//! From inputs to records, in order, wherever they are read (R2, X2).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::num::NonZeroUsize;

use headcount::UserRecord;

use crate::columns::{self, Column};
use crate::csv_rows::{self, Header, Splitter};
use crate::fault::{Failure, Place};
use crate::input::{self, Form, Input};
use crate::json_rows::{self, Seen};
use crate::pieces::Pieces;
use crate::relay::relay;

/// How inputs are read.
pub struct Reading {
    /// The runtime of records that name none.
    pub default_runtime: Option<String>,
    /// On how many threads.
    pub threads: NonZeroUsize,
    /// Bytes that are read and looked at at once.
    pub piece: usize,
    pub quiet: bool,
}

/// Where a piece begins.
#[derive(Clone, Copy)]
pub struct Start<'f> {
    /// Rows before it in all inputs.
    pub rows: u64,
    /// Where its first line stands.
    pub place: Place<'f>,
}

impl<'f> Start<'f> {
    /// Where a line of the piece stands.
    pub fn place_of(&self, line: u64) -> Place<'f> {
        Place { line: self.place.line + line, ..self.place }
    }
}

/// Some whole rows of an input.
pub struct Rows<'h> {
    shape: &'h Shape,
    default_runtime: Option<&'h str>,
    bytes: Vec<u8>,
    /// Why nothing could be read behind them.
    failure: Option<Failure>,
    splitter: Splitter,
    seen: Seen,
    passed: Passed,
}

/// What is known of an input before its rows.
enum Shape {
    Csv(Header),
    Jsonl,
}

/// What came of the rows of a piece.
#[derive(Default)]
pub struct Passed {
    pub rows: u64,
    pub lines: u64,
    /// The line behind which no row can be told, and why.
    pub broken: Option<(u64, &'static str)>,
}

/// Whether a record may have control characters inside (X3).
#[derive(Clone, Copy)]
pub enum MayBreak {
    Yes,
    No,
}

pub const NOT_UTF8: &str = "expected UTF-8: save or export the file as that";

pub fn unreadable(file: &str, error: &io::Error) -> Failure {
    Failure::Input(format!("{file}: {error}"))
}

impl Reading {
    /// Bytes enough for a thousand rows or two, few enough for a core's own cache.
    pub const PIECE: usize = 1 << 17;

    /// Gives every row of every input to `visit`, in order: its number, counted
    /// from 1 over all inputs, and the record, or why the row is malformed (X2).
    /// Returns notes on columns that were ignored, one an input.
    pub fn each(
        &self,
        inputs: &mut [Input],
        mut visit: impl FnMut(u64, Result<UserRecord<'_>, String>) -> Result<(), Failure> + Send,
    ) -> Result<Vec<String>, Failure> {
        // One to visit, one to read meanwhile.
        let mut workers = vec![(); self.threads.get().min(2)];
        self.each_piece(inputs, &mut workers, |_, ()| {}, |rows, (), start| rows.visit(start.rows, &mut visit))
    }

    /// Has workers `prepare` pieces of every input side by side, and `take` them
    /// in order. One of the two goes through the rows. Returns notes as above.
    pub fn each_piece<W: Send>(
        &self,
        inputs: &mut [Input],
        workers: &mut [W],
        prepare: impl Fn(&mut Rows<'_>, &mut W) + Sync,
        mut take: impl FnMut(&mut Rows<'_>, &mut W, Start<'_>) -> Result<(), Failure> + Send,
    ) -> Result<Vec<String>, Failure> {
        let progress = input::progress(inputs, self.quiet);
        let mut notes = Vec::new();
        let mut before = 0;
        for input in inputs {
            let reader = input.reader(&progress)?;
            let mut start = Start { rows: before, place: Place { file: &input.name, line: 1 } };
            let ignored = self.pieces(input.form, reader, &mut start, workers, &prepare, &mut take)?;
            before = start.rows;
            if !ignored.is_empty() {
                let names: Vec<&str> = ignored.iter().map(String::as_str).collect();
                notes.push(format!("{}: ignored columns: {}", input.name, names.join(", ")));
            }
        }
        progress.finish_and_clear();
        Ok(notes)
    }

    /// The same for one reader. Returns the names of columns that were ignored.
    pub fn pieces<W: Send>(
        &self,
        form: Form,
        reader: Box<dyn Read + Send>,
        start: &mut Start<'_>,
        workers: &mut [W],
        prepare: impl Fn(&mut Rows<'_>, &mut W) + Sync,
        mut take: impl FnMut(&mut Rows<'_>, &mut W, Start<'_>) -> Result<(), Failure> + Send,
    ) -> Result<BTreeSet<String>, Failure> {
        let file = start.place.file;
        let mut pieces = Pieces::new(file, reader, self.piece, form.whole());
        let shape = match form {
            Form::Csv => Shape::Csv(Header::read(&mut pieces, self.default_runtime.is_some())?),
            Form::Jsonl => Shape::Jsonl,
        };
        if let Shape::Csv(header) = &shape {
            start.place.line += header.lines;
        }
        let mut seen = Seen::default();
        let mut workers: Vec<(Rows<'_>, &mut W)> =
            workers.iter_mut().map(|worker| (Rows::new(&shape, self.default_runtime.as_deref()), worker)).collect();
        relay(
            &mut workers,
            |(rows, _)| rows.fill(&mut pieces),
            |(rows, worker)| prepare(rows, worker),
            |(rows, worker)| {
                take(rows, worker, *start)?;
                rows.end(start, &mut seen)
            },
        )?;
        match shape {
            Shape::Csv(header) => Ok(header.ignored),
            Shape::Jsonl => {
                seen.check(file)?;
                Ok(seen.ignored.into_iter().collect())
            }
        }
    }
}

impl<'h> Rows<'h> {
    fn new(shape: &'h Shape, default_runtime: Option<&'h str>) -> Rows<'h> {
        Rows {
            shape,
            default_runtime,
            bytes: Vec::new(),
            failure: None,
            splitter: Splitter::default(),
            seen: Seen::default(),
            passed: Passed::default(),
        }
    }

    /// Reads the next piece; false where it is the last one.
    fn fill(&mut self, pieces: &mut Pieces<'_>) -> bool {
        match pieces.fill(&mut self.bytes) {
            Ok(more) => more,
            Err(failure) => {
                self.failure = Some(failure);
                false
            }
        }
    }

    /// Gives each row to `visit`, with its line counted from 0.
    pub fn each(&mut self, mut visit: impl FnMut(u64, Result<UserRecord<'_>, String>)) {
        let Rows { shape, default_runtime, bytes, splitter, seen, passed, .. } = self;
        let (text, is_all) = text(bytes, shape);
        let finish = |line, record: Result<UserRecord<'_>, String>, may_break| {
            // Changed in place: a record is some hundred bytes.
            let mut record = record;
            let finished = record.as_mut().map_or(Ok(()), |record| finish(record, *default_runtime, may_break));
            if let Err(fact) = finished {
                record = Err(fact);
            }
            visit(line, record);
        };
        *passed = match shape {
            Shape::Csv(header) => splitter.each_row(header, text, finish),
            Shape::Jsonl => json_rows::each_row(text, seen, finish),
        };
        if !is_all {
            passed.broken = Some((passed.lines, NOT_UTF8));
        }
    }

    /// Gives each row to `visit`, with its number, up to a failure.
    fn visit(
        &mut self,
        before: u64,
        mut visit: impl FnMut(u64, Result<UserRecord<'_>, String>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut number = before;
        let mut result = Ok(());
        self.each(|_, record| {
            number += 1;
            if result.is_ok() {
                result = visit(number, record);
            }
        });
        result
    }

    /// Moves the start behind these rows, unless something failed there.
    fn end(&mut self, start: &mut Start<'_>, seen: &mut Seen) -> Result<(), Failure> {
        seen.append(&mut self.seen);
        if let Some((line, fact)) = self.passed.broken {
            return Err(Failure::Input(format!("{}: {fact}", start.place_of(line))));
        }
        start.rows += self.passed.rows;
        start.place.line += self.passed.lines;
        self.failure.take().map_or(Ok(()), Err)
    }
}

impl Form {
    /// How many of some bytes are whole rows.
    fn whole(self) -> fn(&[u8]) -> usize {
        match self {
            Form::Csv => csv_rows::whole_rows,
            Form::Jsonl => json_rows::whole_lines,
        }
    }
}

/// The text of some bytes, and whether it is all of them. What is not UTF-8 ends
/// it before the row that it is in.
fn text<'b>(bytes: &'b [u8], shape: &Shape) -> (&'b str, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text, true),
        Err(error) => {
            let form = match shape {
                Shape::Csv(_) => Form::Csv,
                Shape::Jsonl => Form::Jsonl,
            };
            // With the byte that is wrong: a line's end before it is a whole one.
            let whole = form.whole()(&bytes[..=error.valid_up_to()]);
            (std::str::from_utf8(&bytes[..whole]).unwrap_or_default(), false)
        }
    }
}

/// The last steps for a record of any form.
#[inline]
fn finish<'r>(
    record: &mut UserRecord<'r>,
    default_runtime: Option<&'r str>,
    may_break: MayBreak,
) -> Result<(), String> {
    if record.runtime.trim_start().is_empty() {
        match default_runtime {
            Some(name) => record.runtime = Cow::Borrowed(name),
            None => return Err(Column::Runtime.expected("expected a name, or --runtime NAME for records without")),
        }
    }
    match may_break {
        MayBreak::Yes => columns::check(record),
        MayBreak::No => Ok(()),
    }
}

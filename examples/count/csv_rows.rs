//! CSV: the rows of a file, and what its columns are.
//!
//! Most rows have neither a quote nor a carriage return inside: their fields
//! are found by their commas, in all of a piece at once, and borrowed from it.
//! The parser's core reads the others, a row at a time.

use std::borrow::Cow;
use std::collections::BTreeSet;

use csv_core::ReadRecordResult;
use headcount::UserRecord;
use memchr::{memchr, memchr2, memrchr2};

use crate::columns::{Column, nobody, printable};
use crate::fault::Failure;
use crate::pieces::Pieces;
use crate::rows::{MayBreak, NOT_UTF8, Passed};

const NEVER_CLOSES: &str = "a quote opens in this row and never closes: everything behind it would be lost";

/// How many of some bytes, which begin with a row, are whole rows.
pub fn whole_rows(bytes: &[u8]) -> usize {
    let mut whole = 0;
    let mut from = 0;
    while let Some(outside) = bytes.get(from..) {
        let quote = memchr(b'"', outside).map_or(bytes.len(), |at| from + at);
        whole = last_line_end(&bytes[..bytes.len().min(quote + 1)], from).unwrap_or(whole);
        let opens = quote == 0 || matches!(bytes[quote - 1], b',' | b'\n' | b'\r');
        from = match opens {
            true => behind_quotes(bytes, quote + 1),
            false => quote + 1,
        };
    }
    whole
}

/// Where the last line that ends behind `from` does. A carriage return at the
/// very end may be half of a line's end, so it is none.
fn last_line_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut outside = bytes.get(from..)?;
    if let Some((b'\r', before)) = outside.split_last() {
        outside = before;
    }
    memrchr2(b'\n', b'\r', outside).map(|at| from + at + 1)
}

/// Where the quotes close that are open at `from`; behind everything where they
/// do not.
fn behind_quotes(bytes: &[u8], mut from: usize) -> usize {
    while let Some(at) = bytes.get(from..).and_then(|inside| memchr(b'"', inside)) {
        from += at + 1;
        if bytes.get(from) != Some(&b'"') {
            return from;
        }
        from += 1;
    }
    bytes.len() + 1
}

/// Reads the rows of pieces; kept for its memory.
pub struct Splitter {
    /// Where the commas and line feeds of a piece are.
    separators: Vec<u32>,
    parser: csv_core::Reader,
    row: Row,
}

/// A row by the parser: its fields one behind the other, and where they end.
#[derive(Default)]
struct Row {
    text: Vec<u8>,
    ends: Vec<usize>,
    text_len: usize,
    width: usize,
}

impl Default for Splitter {
    fn default() -> Splitter {
        Splitter { separators: Vec::new(), parser: parser(), row: Row::default() }
    }
}

fn parser() -> csv_core::Reader {
    let mut parser = csv_core::Reader::new();
    // It would take off a byte order mark from the first thing that it reads.
    parser.read_record(b"\n", &mut [0], &mut [0]);
    parser
}

impl Splitter {
    /// Gives each row of some whole ones to `visit`, with its line counted from
    /// 0.
    pub fn each_row(
        &mut self,
        header: &Header,
        text: &str,
        mut visit: impl FnMut(u64, Result<UserRecord<'_>, String>, MayBreak),
    ) -> Passed {
        let bytes = text.as_bytes();
        let may_break = if holds_control(bytes) { MayBreak::Yes } else { MayBreak::No };
        index(bytes, &mut self.separators);
        let mut passed = Passed::default();
        let (mut at, mut next) = (0, 0);
        let mut special = find_special(bytes, 0);
        while let Some(first) = bytes.get(at) {
            if matches!(first, b'\r' | b'\n') {
                at += if bytes[at..].starts_with(b"\r\n") { 2 } else { 1 };
                passed.lines += 1;
                continue;
            }
            while self.separators.get(next).is_some_and(|place| (*place as usize) < at) {
                next += 1;
            }
            if special < at {
                special = find_special(bytes, at);
            }
            let ends = self.separators.get(next..next + header.width).unwrap_or_default();
            if let Some((len, taken)) = plain_row(&bytes[at..], at, ends, special) {
                visit(passed.lines, header.plain_record(text, at, ends, at + len), may_break);
                at += taken;
                next += header.width;
                passed.lines += 1;
            } else {
                let Some(taken) = self.row.read(&mut self.parser, &bytes[at..]) else {
                    passed.broken = Some((passed.lines, NEVER_CLOSES));
                    return passed;
                };
                visit(passed.lines, header.record(&self.row), MayBreak::Yes);
                passed.lines += lines(&bytes[at..at + taken]);
                at += taken;
            }
            passed.rows += 1;
        }
        passed
    }
}

/// Where the next byte is that only the parser understands, or the end.
fn find_special(bytes: &[u8], from: usize) -> usize {
    memchr2(b'"', b'\r', &bytes[from..]).map_or(bytes.len(), |at| from + at)
}

/// The length of a row without its line's end and with it, if its fields end
/// where `ends` says and there is nothing special in it.
#[inline]
fn plain_row(row: &[u8], at: usize, ends: &[u32], special: usize) -> Option<(usize, usize)> {
    let (last, commas) = ends.split_last()?;
    let is = |end: &u32, byte| row.get(*end as usize - at) == Some(&byte);
    let len = *last as usize - at;
    if !is(last, b'\n') || !commas.iter().all(|end| is(end, b',')) {
        return None;
    }
    match special.checked_sub(at) {
        Some(special) if special >= len => Some((len, len + 1)),
        Some(special) if special + 1 == len && row.get(special) == Some(&b'\r') => Some((special, len + 1)),
        _ => None,
    }
}

/// Whether there are bytes of control characters beside those of line ends, or
/// such as may begin one.
fn holds_control(bytes: &[u8]) -> bool {
    let is_odd = |byte: u8| byte < b' ' && byte != b'\n' && byte != b'\r' || byte == 0x7f || byte == 0xc2;
    // In blocks that are looked at without a branch.
    bytes.chunks(1 << 10).any(|block| block.iter().fold(false, |odd, byte| odd | is_odd(*byte)))
}

/// Lists where commas and line feeds are, 64 bytes at a time. Nothing of what is
/// too long for the list.
fn index(bytes: &[u8], separators: &mut Vec<u32>) {
    separators.clear();
    if u32::try_from(bytes.len()).is_err() {
        return;
    }
    for (place, block) in (0..).step_by(64).zip(bytes.chunks(64)) {
        let mut marks = [0; 64];
        for (mark, byte) in marks.iter_mut().zip(block) {
            *mark = u8::from(*byte == b',') | u8::from(*byte == b'\n');
        }
        let mut bits = 0;
        for word in marks.chunks_exact(8).rev() {
            let word = word.iter().rev().fold(0, |word, mark| word << 8 | u64::from(*mark));
            // The lowest bits of eight bytes, side by side.
            bits = bits << 8 | word.wrapping_mul(0x0102_0408_1020_4080) >> 56;
        }
        while bits != 0 {
            separators.push(place + bits.trailing_zeros());
            bits &= bits - 1;
        }
    }
}

/// How many lines end, whichever of the three line ends they have.
fn lines(bytes: &[u8]) -> u64 {
    let ends = |pair: &[u8]| matches!(pair, [b'\n', ..] | [b'\r']) || matches!(pair, [b'\r', next] if *next != b'\n');
    (0..bytes.len()).filter(|at| ends(&bytes[*at..bytes.len().min(at + 2)])).count() as u64
}

impl Row {
    /// Reads the first row of some bytes, which begin with one, and says how
    /// many are of it. `None` where it does not end.
    fn read(&mut self, parser: &mut csv_core::Reader, bytes: &[u8]) -> Option<usize> {
        self.text.resize(self.text.len().clamp(1 << 12, 1 << 16), 0);
        self.ends.resize(self.ends.len().clamp(1 << 6, 1 << 12), 0);
        (self.text_len, self.width) = (0, 0);
        let mut taken = 0;
        loop {
            let (text, ends) = (&mut self.text[self.text_len..], &mut self.ends[self.width..]);
            let (result, read, written, ended) = parser.read_record(&bytes[taken..], text, ends);
            taken += read;
            self.text_len += written;
            self.width += ended;
            match result {
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return None,
            }
        }
        let in_pair = bytes[..taken].ends_with(b"\r") && bytes.get(taken) == Some(&b'\n');
        Some(taken + usize::from(in_pair))
    }

    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.text[..self.text_len]).ok()
    }

    /// The fields of the row's text.
    fn fields<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        (0..self.width).map(move |place| self.field(text, place))
    }

    fn field<'t>(&self, text: &'t str, place: usize) -> &'t str {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        text.get(start..self.ends[place]).unwrap_or_default()
    }
}

/// What the columns of a CSV file are.
pub struct Header {
    /// The known ones, by their place.
    columns: Vec<(usize, Column)>,
    width: usize,
    pub ignored: BTreeSet<String>,
    /// How many lines the file has up to its end.
    pub lines: u64,
}

impl Header {
    /// Reads the first row of a file.
    pub fn read(pieces: &mut Pieces<'_>, has_default_runtime: bool) -> Result<Header, Failure> {
        let file = pieces.file;
        let mut bytes = Vec::new();
        let mut before = 0;
        let start = loop {
            let more = pieces.fill(&mut bytes)?;
            let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
            before += lines(&bytes[..start.unwrap_or(bytes.len())]);
            match start {
                Some(start) => break start,
                None if more => {}
                None => return Err(Failure::Input(format!("{file}: the file is empty: expected a header row"))),
            }
        };
        let place = format!("{file}, line {}", before + 1);
        let rows = &bytes[start..];
        let mut row = Row::default();
        let taken = row.read(&mut parser(), rows);
        let header = &rows[..taken.unwrap_or(rows.len())];
        pieces.put_back(&rows[header.len()..]);
        let (Ok(_), Some(text)) = (std::str::from_utf8(header), row.text()) else {
            return Err(Failure::Input(format!("{place}: {NOT_UTF8}")));
        };
        if taken.is_none() {
            return Err(Failure::Input(format!("{place}: {NEVER_CLOSES}")));
        }
        let names: Vec<&str> = row.fields(text).map(str::trim).collect();
        Header::new(&place, &names, before + lines(header), has_default_runtime)
    }

    fn new(place: &str, names: &[&str], lines: u64, has_default_runtime: bool) -> Result<Header, Failure> {
        let known = names.iter().enumerate().filter_map(|(place, name)| Some((place, Column::named(name)?)));
        let columns: Vec<(usize, Column)> = known.collect();
        let has = |wanted: &dyn Fn(Column) -> bool| columns.iter().any(|(_, column)| wanted(*column));
        // Before any name is shown: what has none of these may be no header.
        if !has(&Column::identifies) {
            return Err(nobody(place, "the header has none of"));
        }
        for (at, (second, column)) in columns.iter().enumerate() {
            if let Some((first, _)) = columns[..at].iter().find(|(_, other)| other == column) {
                let (one, other) = (printable(names[*first]), printable(names[*second]));
                let fact = format!("`{one}` and `{other}`, the same: expected one");
                return Err(twice(place, [*first, *second], &fact));
            }
        }
        let mut ignored = BTreeSet::new();
        for (second, name) in names.iter().enumerate().filter(|(_, name)| Column::named(name).is_none()) {
            // A column without a name is nobody's duplicate, and not worth a note.
            if name.is_empty() {
                continue;
            }
            let first = names.iter().position(|other| other == name).unwrap_or_default();
            ignored.insert(printable(name));
            if first != second {
                // What no rule knows is not shown: where a header is missing it may be a person's name.
                return Err(twice(place, [first, second], "of one name: expected different ones"));
            }
        }
        if !has_default_runtime && !has(&|column| column == Column::Runtime) {
            let message = "the header has no `runtime`: expected that column, or --runtime NAME";
            return Err(Failure::Input(format!("{place}: {message}")));
        }
        Ok(Header { columns, width: names.len(), ignored, lines })
    }

    /// The record of a row from `start` to `end`, each of its fields but the
    /// last one up to a comma.
    #[expect(clippy::inline_always, reason = "a record that is returned is copied")]
    #[inline(always)]
    fn plain_record<'t>(
        &self,
        text: &'t str,
        start: usize,
        commas: &[u32],
        end: usize,
    ) -> Result<UserRecord<'t>, String> {
        let mut record = UserRecord::default();
        for (place, column) in &self.columns {
            let start = if *place == 0 { start } else { commas[place - 1] as usize + 1 };
            let end = if place + 1 == self.width { end } else { commas[*place] as usize };
            column.set(&mut record, Cow::Borrowed(&text[start..end]))?;
        }
        Ok(record)
    }

    /// The record of a row by the parser.
    fn record<'t>(&self, row: &'t Row) -> Result<UserRecord<'t>, String> {
        if row.width != self.width {
            return Err(format!("expected {} fields, as the header has, found {}", self.width, row.width));
        }
        let text = row.text().ok_or("expected UTF-8")?;
        let mut record = UserRecord::default();
        for (place, column) in &self.columns {
            column.set(&mut record, Cow::Borrowed(row.field(text, *place)))?;
        }
        if text.contains('\n') && row.fields(text).any(|text| self.holds_row(text)) {
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

fn twice(place: &str, columns: [usize; 2], fact: &str) -> Failure {
    let [first, second] = columns.map(|column| column + 1);
    Failure::Input(format!("{place}: columns {first} and {second} are {fact}"))
}

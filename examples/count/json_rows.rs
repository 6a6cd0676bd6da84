//! JSONL: one object a line. Messages are ours throughout: those of the JSON
//! library quote values.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use headcount::UserRecord;
use memchr::memrchr;
use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::columns::{Column, nobody, printable};
use crate::fault::Failure;
use crate::rows::{MayBreak, Passed};

/// How many of some bytes are whole lines.
pub fn whole_lines(bytes: &[u8]) -> usize {
    memrchr(b'\n', bytes).map_or(0, |at| at + 1)
}

/// Gives each line that is not blank to `visit`, with its number counted from 0.
pub fn each_row(
    text: &str,
    seen: &mut Seen,
    mut visit: impl FnMut(u64, Result<UserRecord<'_>, String>, MayBreak),
) -> Passed {
    let mut passed = Passed::default();
    for line in text.split_inclusive('\n') {
        if !line.trim_ascii().is_empty() {
            visit(passed.lines, record(line, seen), MayBreak::Yes);
            passed.rows += 1;
        }
        passed.lines += 1;
    }
    passed
}

/// What the objects of a file had in them.
#[derive(Default)]
pub struct Seen {
    objects: u64,
    identifies: bool,
    /// Names of ignored keys, in the order in which they came.
    pub ignored: Vec<String>,
}

impl Seen {
    /// Names of ignored keys that are kept to be named.
    const NAMED: usize = 100;

    /// Adds what the objects behind those had, and forgets it there.
    pub fn append(&mut self, behind: &mut Seen) {
        let Seen { objects, identifies, ignored } = std::mem::take(behind);
        self.objects += objects;
        self.identifies |= identifies;
        for shown in ignored {
            self.name(shown);
        }
    }

    /// Takes note of a key that no rule knows.
    fn ignore(&mut self, name: &str) {
        let is_known = self.ignored.iter().any(|known| known == name);
        // Without an escape, a name is shown as it is.
        if !is_known || name.contains('\\') {
            self.name(printable(name));
        }
    }

    fn name(&mut self, shown: String) {
        if self.ignored.len() < Seen::NAMED && !self.ignored.contains(&shown) {
            self.ignored.push(shown);
        }
    }

    /// Refuses a file in which nobody can be told apart.
    pub fn check(&self, file: &str) -> Result<(), Failure> {
        match self.objects > 0 && !self.identifies {
            true => Err(nobody(file, "no object has")),
            false => Ok(()),
        }
    }
}

/// The record of a line.
pub fn record<'b>(line: &'b str, seen: &mut Seen) -> Result<UserRecord<'b>, String> {
    let mut record = UserRecord::default();
    let mut fault = None;
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let object = ObjectReader { record: &mut record, seen, fault: &mut fault };
    let parsed = deserializer.deserialize_map(object).and_then(|()| deserializer.end());
    seen.objects += u64::from(parsed.is_ok());
    match (fault, parsed) {
        (Some(fault), _) => Err(fault),
        (None, Ok(())) => Ok(record),
        (None, Err(error)) if error.is_eof() => {
            Err("not JSON: the line ends inside an object: expected one object a line".to_owned())
        }
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
        let mut known: Vec<Column> = Vec::with_capacity(12);
        let mut others: BTreeSet<Cow<'r, str>> = BTreeSet::new();
        while let Some(Key(name)) = map.next_key()? {
            let value: &'r RawValue = map.next_value()?;
            let result = match Column::named(&name) {
                Some(column) if known.contains(&column) => {
                    Err(format!("`{}` is there twice, perhaps by another name: expected once", printable(&name)))
                }
                Some(column) => {
                    known.push(column);
                    self.seen.identifies |= column.identifies();
                    set(column, self.record, value.get())
                }
                // What no rule knows is not shown: it may be a person's name.
                None if others.contains(&name) => Err("two keys have one name: expected different ones".to_owned()),
                None => {
                    others.insert(name);
                    Ok(())
                }
            };
            if let (Err(fault), None) = (result, &self.fault) {
                *self.fault = Some(fault);
            }
        }
        for name in &others {
            self.seen.ignore(name);
        }
        Ok(())
    }
}

/// A key of an object, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'r>(#[serde(borrow)] Cow<'r, str>);

/// Puts a JSON value where it belongs, or says what was expected of it.
fn set<'r>(column: Column, record: &mut UserRecord<'r>, value: &'r str) -> Result<(), String> {
    let as_it_is = |record: &mut UserRecord<'r>| column.set(record, Cow::Borrowed(value));
    match value.as_bytes().first() {
        Some(b'n') => Ok(()), // R2: null is an absent field
        Some(b'"') => column.set(record, unescaped(value).ok_or_else(|| column.json_type())?),
        Some(b't' | b'f') if column.is_boolean() => as_it_is(record),
        Some(b'0' | b'1') if column.is_boolean() && value.len() == 1 => as_it_is(record),
        Some(b'-' | b'0'..=b'9') if column == Column::Key => as_it_is(record),
        _ => Err(column.json_type()),
    }
}

/// The text of a JSON string, borrowed where it has no escapes.
fn unescaped(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(value).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

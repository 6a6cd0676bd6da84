//! Any bytes as a file of the `count` example.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{Cursor, Read};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::LazyLock;

use headcount::{AddError, Counter, FingerprintKey, Subscription, UserRecord};

use crate::fault::{Failure, Place, Rejections};
use crate::input::{Form, without_mark};
use crate::rows::{Reading, Rows, Start};
use crate::{columns, counting, table, terms};

/// Files up to so many bytes are read in pieces however small, longer ones in
/// 64 or so.
const SHORT: usize = 512;

/// The name that messages give the file.
const FILE: &str = "in";

const TERMS: &str = r#"
platform = "o11"
[[runtime]]
name = "prod"
version = "11.28.0"
internal_domains = "corp.example"
[[runtime]]
name = "prod-eu"
version = "11.11.2"
[[runtime]]
name = "legacy"
version = "11.6.0"
"#;

/// The target `csv`.
///
/// # Panics
///
/// Where an assertion fails.
pub fn csv(data: &[u8]) {
    let data = &grown(data);
    let contents = read_in_both_ways(data, Form::Csv);
    if contents.end.is_ok() {
        check_against_csv_crate(data, &contents.rows);
    }
}

/// Some of the inputs over and over, up to more text and fields than the
/// reader has room for at first.
fn grown(data: &[u8]) -> Cow<'_, [u8]> {
    match data.len() {
        len if len % 64 == 5 => Cow::Owned(data.repeat(1 + 100_000 / len)),
        _ => Cow::Borrowed(data),
    }
}

/// The target `jsonl`.
///
/// # Panics
///
/// Where an assertion fails.
pub fn jsonl(data: &[u8]) {
    let contents = read_in_both_ways(data, Form::Jsonl);
    if contents.end.is_ok() {
        let lines = data.split(|byte| *byte == b'\n').collect::<Vec<_>>();
        let marks = data.len() - without_marks(data).len();
        let blank = |place: usize| lines[place][if place == 0 { marks } else { 0 }..].trim_ascii().is_empty();
        let expected: Vec<u64> =
            (1..).zip(0..lines.len()).filter(|(_, at)| !blank(*at)).map(|(line, _)| line).collect();
        let found: Vec<u64> = contents.rows.iter().map(|row| row.line).collect();
        assert_eq!(found, expected, "a row a line that is not blank");
    }
}

/// The target `toml`: a subscription file reads back from what is written of
/// it, and a refusal is a message.
///
/// # Panics
///
/// Where an assertion fails.
pub fn toml(data: &[u8]) {
    match terms::parse(Path::new(FILE), data) {
        Ok(subscription) => {
            let json = serde_json::to_string(&subscription).expect("a subscription is JSON");
            let again: Subscription = serde_json::from_str(&json).expect("a written subscription reads back");
            assert_eq!(again, subscription);
            for (place, runtime) in subscription.runtimes().iter().enumerate() {
                assert_eq!(subscription.place_of(&runtime.name), Some(place));
            }
            let counter = Counter::new(subscription, &FingerprintKey::public_for_tests(1));
            check_shown(&table::render(&counter.report(), counter.subscription()));
        }
        Err(failure) => {
            let message = failure.to_string();
            assert!(message.starts_with("in: "), "{message}");
            let commands = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
            assert!(!message.contains(commands), "{message:?}");
        }
    }
}

/// What came of a file.
#[derive(Debug, PartialEq)]
struct Contents {
    rows: Vec<Row>,
    /// The names of ignored columns, or why reading stopped.
    end: Result<BTreeSet<String>, String>,
}

#[derive(Debug, PartialEq)]
struct Row {
    line: u64,
    /// Login, email and key, or why the row is malformed.
    texts: Result<[Option<String>; 3], String>,
}

/// Reads a file in large pieces on one thread and in small ones on some: that
/// must not matter. Then it is counted, by batches and one by one.
fn read_in_both_ways(data: &[u8], form: Form) -> Contents {
    let default_runtime = (data.len() % 2 == 0).then(|| "prod".to_owned());
    let reading = Reading { default_runtime, threads: NonZeroUsize::MIN, piece: Reading::PIECE, quiet: true };
    let mut counter = counter();
    let contents = read(&reading, data, form, &mut counter);
    check_shown(&table::render(&counter.report(), counter.subscription()));

    let threads = NonZeroUsize::new(1 + data.len() % 64 % 5).unwrap_or(NonZeroUsize::MIN);
    let piece = [1, 2, 3, 5, 8, 61][data.len() / 2 % 6];
    // Taking turns is what takes longest.
    let piece = if data.len() > SHORT { piece.max(data.len() / 64) } else { piece };
    let reading = Reading { threads, piece, ..reading };
    assert_eq!(contents, read(&reading, data, form, &mut self::counter()), "pieces of {piece} bytes");

    let mut in_batches = self::counter();
    let unknown = columns::unknown_runtime(in_batches.subscription());
    let end = {
        let mut workers = counting::workers(&reading, &in_batches);
        let mut rejections = Rejections::new(false);
        let mut start = start();
        let reader = without_mark(Cursor::new(data.to_vec()), FILE);
        reader.and_then(|reader| {
            reading.pieces(
                form,
                reader,
                &mut start,
                &mut workers,
                |rows, prepared| prepared.fill(rows, &unknown),
                |_, prepared, start| prepared.take(start, &mut in_batches, &mut rejections),
            )
        })
    };
    let malformed = contents.rows.iter().find_map(|row| Some((row.line, row.texts.as_ref().err()?)));
    match (malformed, &contents.end) {
        (Some((line, fact)), _) => {
            assert_eq!(end.expect_err("a malformed row").to_string(), format!("in, line {line}: {fact}"));
        }
        (None, Err(message)) => assert_eq!(end.expect_err("as before").to_string(), *message),
        (None, Ok(ignored)) => {
            assert_eq!(end.expect("as before"), *ignored);
            assert_eq!(in_batches.report(), counter.report());
        }
    }
    contents
}

fn start() -> Start<'static> {
    Start { rows: 0, place: Place { file: FILE, line: 1 } }
}

fn counter() -> Counter {
    static SUBSCRIPTION: LazyLock<Subscription> =
        LazyLock::new(|| terms::parse(Path::new(FILE), TERMS.as_bytes()).expect("a subscription"));
    Counter::new(SUBSCRIPTION.clone(), &FingerprintKey::public_for_tests(1))
}

fn read(reading: &Reading, data: &[u8], form: Form, counter: &mut Counter) -> Contents {
    read_from(reading, Cursor::new(data.to_vec()), form, counter)
}

fn read_from(reading: &Reading, file: impl Read + Send + 'static, form: Form, counter: &mut Counter) -> Contents {
    let mut rows = Vec::new();
    let mut visit = |line: u64, record: Result<UserRecord<'_>, String>| {
        let texts = record.and_then(|record| match counter.add(&record) {
            Ok(_) => Ok([&record.username, &record.email, &record.key].map(|text| text.as_deref().map(str::to_owned))),
            Err(AddError::UnknownRuntime) => Err(columns::unknown_runtime(counter.subscription())),
            Err(error) => Err(error.to_string()),
        });
        if let Err(fact) = &texts {
            counter.reject();
            check_message(fact);
        }
        rows.push(Row { line, texts });
    };
    let mut workers = vec![(); reading.threads.get()];
    let end = without_mark(file, FILE).and_then(|reader| {
        let take = |piece: &mut Rows<'_>, (): &mut (), start: Start<'_>| {
            piece.each(|line, record| visit(start.place_of(line).line, record));
            Ok(())
        };
        reading.pieces(form, reader, &mut start(), &mut workers, |_, ()| {}, take)
    });
    let report = counter.report();
    assert_eq!(report.records + report.rejected, rows.len() as u64);
    let end = end.map_err(|failure| match failure {
        Failure::Input(message) => {
            check_message(&message);
            message
        }
        Failure::Usage(message) => panic!("not bad input: {message}"),
    });
    if let Ok(ignored) = &end {
        assert!(ignored.iter().all(|name| !name.contains(char::is_control)), "{ignored:?}");
    }
    Contents { rows, end }
}

/// X2: a message never shows what is in the file. Ours are ASCII; what is in
/// files need not be.
fn check_message(message: &str) {
    assert!(message.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{message:?}");
    assert!(!message.to_ascii_lowercase().contains("canary"), "{message:?}");
}

/// Nothing in the report breaks a line or a terminal.
fn check_shown(report: &str) {
    assert!(!report.contains(|character: char| character.is_control() && character != '\n'), "{report:?}");
}

/// Where both read a file to its end, they read the same rows and texts.
fn check_against_csv_crate(data: &[u8], rows: &[Row]) {
    let data = without_marks(data);
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(data);
    let records: Result<Vec<::csv::ByteRecord>, _> = reader.byte_records().collect();
    let records = records.expect("flexible, and from memory");
    assert_eq!(records.len(), rows.len() + 1, "a header, and rows");
    let header = &records[0];
    let place = |wanted| {
        let name = |field: &[u8]| std::str::from_utf8(field).ok().and_then(columns::Column::named);
        header.iter().position(|field| name(field) == Some(wanted))
    };
    let places = [columns::Column::Username, columns::Column::Email, columns::Column::Key].map(place);
    let lines = lines(data);
    for (record, row) in records.iter().skip(1).zip(rows) {
        let start = usize::try_from(record.position().map_or(0, ::csv::Position::byte)).expect("from memory");
        let blank = data[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        assert_eq!(row.line, lines[start + blank]);
        let Ok(texts) = &row.texts else { continue };
        assert_eq!(record.len(), header.len());
        for (place, text) in places.iter().zip(texts) {
            assert_eq!(place.map(|place| &record[place]), text.as_ref().map(String::as_bytes));
        }
    }
}

/// What stands behind all byte order marks.
fn without_marks(mut data: &[u8]) -> &[u8] {
    while let Some(rest) = data.strip_prefix(b"\xef\xbb\xbf") {
        data = rest;
    }
    data
}

/// The line of each byte, whichever of the three line ends a file has.
fn lines(data: &[u8]) -> Vec<u64> {
    let mut line = 1;
    let mut lines = Vec::with_capacity(data.len());
    for (place, byte) in data.iter().enumerate() {
        lines.push(line);
        let pair = *byte == b'\r' && data.get(place + 1) == Some(&b'\n');
        line += u64::from(matches!(byte, b'\r' | b'\n') && !pair);
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// Fails behind its bytes.
    struct Failing(Cursor<Vec<u8>>);

    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 if !buffer.is_empty() => Err(io::Error::other("the disk is gone")),
                read => Ok(read),
            }
        }
    }

    /// The lines of a file, the third of which is malformed.
    const CSV: &str =
        "runtime,username,email\nprod,ana,ana@corp.example\nelsewhere,bo,\nprod,\"c\nd\",\nprod,eva,eva@corp.example\n";
    const JSONL: &str = concat!(
        "{\"runtime\":\"prod\",\"username\":\"ana\"}\n",
        "{\"runtime\":\"prod\",\"username\":\"bo\"}\n",
        "{\"runtime\":\"elsewhere\"}\n",
        "{\"runtime\":\"prod\",\"username\":\"eva\"}\n",
    );

    /// Whatever the pieces and threads: first the rows that are there, then why
    /// there are no more.
    #[test]
    fn a_reader_that_fails_in_the_middle_gives_the_rows_before() {
        for (form, text) in [(Form::Csv, CSV), (Form::Jsonl, JSONL)] {
            let reading = |piece, threads| {
                let threads = NonZeroUsize::new(threads).expect("a thread at least");
                Reading { default_runtime: None, threads, piece, quiet: true }
            };
            let whole = read(&reading(Reading::PIECE, 1), text.as_bytes(), form, &mut counter());
            assert_eq!((whole.rows.len(), whole.end), (4, Ok(BTreeSet::new())));
            let mut most = 0;
            for cut in 0..=text.len() {
                for (piece, threads) in [(Reading::PIECE, 1), (Reading::PIECE, 3), (1, 1), (1, 4), (30, 2)] {
                    let file = Failing(Cursor::new(text[..cut].into()));
                    let found = read_from(&reading(piece, threads), file, form, &mut counter());
                    let rows = text[..cut].matches('\n').count();
                    // A header; the line end in quotes.
                    let rows = match form {
                        Form::Csv => rows.saturating_sub(1) - usize::from(rows > 3),
                        Form::Jsonl => rows,
                    };
                    assert_eq!(found.rows, whole.rows[..rows], "{rows} rows in {cut} bytes, pieces of {piece}");
                    assert_eq!(found.end, Err("in: the disk is gone".to_owned()));
                    most = most.max(found.rows.len());
                }
            }
            assert_eq!(most, 4);
        }
    }
}

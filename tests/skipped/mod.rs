//! What a test says when what it needs is not there.

use std::io::Write as _;

/// Past the test harness, which swallows what is printed.
pub fn say_skipped(what: &str) {
    let line = format!("SKIPPED: {what}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

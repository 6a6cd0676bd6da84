//! The time forms that `count` reads (COUNT.md, R5), in unix seconds.

#![cfg(feature = "public-suffix-list")] // `count` needs it.

#[path = "../examples/count/columns.rs"]
#[allow(dead_code)]
mod columns;
#[path = "../examples/count/fault.rs"]
#[allow(dead_code)]
mod fault;

use headcount::UnixSeconds;

#[test]
fn times_by_count_md() {
    let at = |text: &str| columns::time(text).map(|UnixSeconds(seconds)| seconds);
    for (text, seconds) in [
        ("1970-01-02", Some(86_400)),
        ("1970-01-01 00:01", Some(60)),
        ("1970-01-01 00:01:01", Some(61)),
        ("1970-01-01 00:00:01.5", Some(2)),
        ("1970-01-01 00:00:01.000", Some(1)),
        ("1969-12-31 23:59:58.5", Some(-1)),
        ("1970-01-01 00:00:01.0000000001", Some(2)),
        ("1970-01-01 00:00:01.00000000000", Some(1)),
        ("1970-01-01T00:00:01Z", Some(1)),
        ("1970-01-01t00:00:01z", Some(1)),
        ("1970-01-01 00:00:01Z", Some(1)),
        ("1970-01-01T02:00:00+02:00", Some(0)),
        ("1969-12-31T22:30:00.25-01:30", Some(1)),
        ("1900-01-01", Some(-2_208_988_800)),
        ("1900-01-01T23:59:59.001Z", Some(-2_208_902_400)),
        ("0001-01-01 00:00:00", Some(-62_135_596_800)),
        ("", None),
        ("yesterday", None),
        ("1970-13-01", None),
        ("1970-02-30", None),
        ("1970-1-1", None),
        ("19700101", None),
        ("1970-01-01T00:00:01", None),
        ("1970-01-01 00", None),
        ("1970-01-01 00:01.5", None),
        ("1970-01-01 00:00:01.", None),
        ("1970-01-01T00:00Z", None),
        ("1970-01-01T00:00:01+02", None),
        ("1970-01-01T00:00:01Z[Europe/Lisbon]", None),
        ("1970-01-01T00:00:00-23:59", Some(86_340)),
        ("1970-01-01T00:00:00+24:00", None),
        ("1970-01-01T00:00:00+02:60", None),
        ("9999-12-31T23:59:59-23:59", Some(253_402_387_139)),
        ("0000-01-01T00:00:00+23:59", Some(-62_167_305_540)),
        ("1970-01-01T00:00:60Z", Some(59)),
        ("31/12/1999", None),
        ("1970-01-01 25:00", None),
    ] {
        assert_eq!(at(text), seconds, "{text}");
    }
}

//! The example programs as processes: `count` held against its interface
//! (COUNT.md) and the rules, on files made here and on those of
//! `examples/data`; `embed` as it stands.
//!
//! Expected values come from the document beside each row or are derived by
//! hand. `canary` and `secret.example` stand for personal data: they are in
//! rows, and must never be in a message (X2).

// Both examples read policies against the bundled list (P3).
#![cfg(feature = "public-suffix-list")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

/// An example's binary, as this test's own profile builds it. A whole
/// `cargo test` has built it; `cargo test --test examples` builds no example,
/// so cargo is asked once, which takes a moment where all is fresh.
fn example(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile_folder = test.parent().and_then(Path::parent).unwrap();
        let profile = match profile_folder.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            other => other,
        };
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--examples", "--profile", profile, "--target-dir"])
            .arg(profile_folder.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.unwrap().success(), "the examples do not build");
        profile_folder.join("examples")
    });
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// A folder with the files of one case. `count` runs in it, so its messages
/// name the files as they are named here.
struct Folder(TempDir);

/// What a run of `count` came to.
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Folder {
    /// With the subscription in `sub.toml`.
    fn new(subscription: &str) -> Folder {
        Folder(TempDir::new().unwrap()).with("sub.toml", subscription)
    }

    fn with(self, name: &str, contents: impl AsRef<[u8]>) -> Folder {
        std::fs::write(self.0.path().join(name), contents).unwrap();
        self
    }

    /// Runs `count sub.toml` with more arguments, separated by spaces.
    fn count(&self, arguments: &str) -> Run {
        self.count_fed(arguments, b"")
    }

    fn count_fed(&self, arguments: &str, input: &[u8]) -> Run {
        run_count(self.0.path(), &format!("sub.toml {arguments}"), input)
    }

    /// The report, where the run must succeed.
    fn report(&self, arguments: &str) -> Value {
        self.count(&format!("--format json {arguments}")).report()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path().join(name)).unwrap()
    }

    /// The individuals file of a run that must succeed.
    fn individuals(&self, arguments: &str) -> Vec<Standing> {
        self.report(&format!("--individuals who.csv {arguments}"));
        standings(&self.read("who.csv"))
    }
}

fn run_count(folder: &Path, arguments: &str, input: &[u8]) -> Run {
    let mut child = Command::new(example("count"))
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A run that fails early does not read it.
    let _ = child.stdin.take().unwrap().write_all(input);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

impl Run {
    fn report(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// X2 and COUNT.md: bad input is exit code 1, nothing on standard output,
    /// and a message with these parts in it that shows nobody's data.
    fn assert_refused(&self, parts: &[&str], case: &str) {
        assert_eq!(self.code, Some(1), "{case}: {}", self.stderr);
        assert_eq!(self.stdout, "", "{case}");
        self.assert_says(parts, case);
    }

    fn assert_says(&self, parts: &[&str], case: &str) {
        for part in parts {
            assert!(self.stderr.contains(part), "{case}: `{part}` is not in: {}", self.stderr);
        }
        let lower = self.stderr.to_lowercase();
        for personal in ["canary", "secret.example"] {
            assert!(!lower.contains(personal), "{case}: personal data in: {}", self.stderr);
        }
    }
}

/// A row of the individuals file.
#[derive(Debug, Clone)]
struct Standing {
    record: u64,
    runtime: String,
    /// The class or the reason, and the rule: `internal C4`, `inactive`.
    outcome: String,
    individual: Option<u64>,
    class: String,
}

fn standings(file: &[u8]) -> Vec<Standing> {
    let mut reader = csv::Reader::from_reader(file);
    let header: Vec<&str> = reader.headers().unwrap().iter().collect();
    assert_eq!(header, ["record", "runtime", "outcome", "rule", "individual", "individual_class"], "COUNT.md");
    let standing = |row: csv::StringRecord| Standing {
        record: row[0].parse().unwrap(),
        runtime: row[1].to_owned(),
        outcome: format!("{} {}", &row[2], &row[3]).trim().to_owned(),
        individual: row[4].parse().ok(),
        class: row[5].to_owned(),
    };
    reader.records().map(|row| standing(row.unwrap())).collect()
}

/// A report's counts that are not zero, and its totals, on one line.
fn summary(report: &Value) -> String {
    let mut words = vec![format!("records {}", report["records"])];
    let mut add = |name: &str, count: u64| {
        if count > 0 {
            words.push(format!("{name} {count}"));
        }
    };
    add("rejected", number(&report["rejected"]));
    for reason in REASONS {
        add(reason, sum(&report["runtimes"], |runtime| &runtime["excluded"][reason]));
    }
    for class in CLASSES {
        add(class, number(&report["global"]["individuals"][class]));
    }
    add("duplicates", number(&report["global"]["duplicates"]));
    add("mixed_class", number(&report["global"]["mixed_class"]));
    words.join(", ")
}

const REASONS: [&str; 5] = ["disabled_provider", "it_user", "inactive", "anonymous", "never_logged_in"];
const CLASSES: [&str; 3] = ["internal", "external", "unclassified"];

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is not a count"))
}

fn sum(list: &Value, of: impl Fn(&Value) -> &Value) -> u64 {
    list.as_array().unwrap().iter().map(|entry| number(of(entry))).sum()
}

const O11: &str = r#"
platform = "o11"
[[runtime]]
name = "prod"
version = "11.28.0"
internal_domains = "mycompany.com, sales.mycompany.com"
"#;

const TWO_RUNTIMES: &str = r#"
platform = "o11"
[[runtime]]
name = "prod"
version = "11.28.0"
internal_domains = "mycompany.com"
[[runtime]]
name = "lab"
version = "11.28.0"
internal_domains = "mycompany.com"
"#;

const ODC: &str = r#"
platform = "odc"
[[runtime]]
name = "prod"
internal_domains = "mycompany.com"
"#;

/// Username, email and class of the vendor's own table [CI], under the internal
/// domains `mycompany.com, sales.mycompany.com`; and the rule.
const VENDOR: [(&str, &str, &str); 6] = [
    ("sgreen", "scott.green@mycompany.com", "internal C5"),
    ("sgreen", "scott.green@sales.mycompany.com", "internal C5"),
    ("jane.green@mycompany.com", "", "internal C5"), // C3: the login is the address
    ("sjones", "scarlett.jones@outsourcing.com", "external C5"),
    ("sdavidson", "samantha.davidson@finance.mycompany.com", "external C5"), // a subdomain is another domain
    ("mjohnson", "", "internal C4"),
];

/// The vendor's table as a file. Its two rows of `sgreen` are two situations,
/// not one person (D2 would merge them), so the second has another login.
fn vendor_file() -> String {
    let rows = VENDOR.iter().enumerate().map(|(place, (username, email, _))| match place {
        1 => format!("prod,sgreen2,{email}\n"),
        _ => format!("prod,{username},{email}\n"),
    });
    "runtime,username,email\n".to_owned() + &rows.collect::<String>()
}

fn vendor_folder(capacity: &str) -> Folder {
    Folder::new(&format!("{O11}\n{capacity}")).with("users.csv", vendor_file())
}

#[test]
fn c_the_vendors_table() {
    for (username, email, outcome) in VENDOR {
        let folder = Folder::new(O11).with("users.csv", format!("username,email\n{username},{email}\n"));
        let found = folder.individuals("users.csv");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].outcome, outcome, "{username}, {email}");
        assert_eq!(found[0].class, outcome[..8], "C6 of a single record: {username}, {email}");
    }
}

/// The JSON of COUNT.md, which is about these six records.
#[test]
fn the_json_report_is_that_of_count_md() {
    let expected = json!({
        "platform": "o11", "records": 6, "rejected": 0,
        "runtimes": [{
            "name": "prod", "records": 6,
            "excluded": {"disabled_provider": 0, "it_user": 0, "inactive": 0, "anonymous": 0, "never_logged_in": 0},
            "counted": 6,
            "individuals": {"internal": 4, "external": 2, "unclassified": 0, "total": 6},
            "duplicates": 0, "mixed_class": 0,
            "providers": [{"name": "Users", "internal": 4, "external": 2, "unclassified": 0, "total": 6}]
        }],
        "global": {
            "individuals": {"internal": 4, "external": 2, "unclassified": 0, "total": 6},
            "duplicates": 0, "mixed_class": 0
        },
        "capacity": {
            "internal": {
                "used": 4, "capacity": 500, "remaining": 496, "overage": 0, "utilisation": 0.008, "packs_to_buy": 0
            },
            "external": {
                "used": 2, "capacity": 20000, "remaining": 19998, "overage": 0, "utilisation": 0.0001, "packs_to_buy": 0
            }
        }
    });
    let folder = vendor_folder("[capacity]\ninternal = 500\nexternal = 20000");
    assert_eq!(folder.report("users.csv"), expected);
}

/// D2 and T4: as the vendor's rows stand, the two of `sgreen` are one person.
#[test]
fn d2_the_vendors_rows_together() {
    let rows = VENDOR.map(|(username, email, _)| format!("{username},{email}\n")).concat();
    let folder = Folder::new(O11).with("users.csv", format!("username,email\n{rows}"));
    assert_eq!(summary(&folder.report("users.csv")), "records 6, internal 3, external 2, duplicates 1");
}

#[test]
fn the_table_is_the_default_and_has_the_same_numbers() {
    let folder = vendor_folder("[capacity]\ninternal = 3\nexternal = 20000");
    let run = folder.count("users.csv");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "neither bar nor notes where there is no terminal");
    assert_eq!(run.stdout, folder.count("users.csv --format table").stdout);
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = run.stdout.lines().map(cells).collect();
    let has = |row: &[&str]| rows.iter().any(|cells| row.iter().all(|part| cells.iter().any(|cell| cell == part)));
    for row in [&["prod", "4", "2", "6"][..], &["internal", "4", "3", "1"], &["external", "2", "20,000"]] {
        assert!(has(row), "{row:?} in\n{}", run.stdout);
    }
}

#[test]
fn exit_codes() {
    let over = "[capacity]\ninternal = 3\nexternal = 2";
    let full = "[capacity]\ninternal = 4\nexternal = 2";
    for (origin, capacity, arguments, code) in [
        ("0: done", full, "users.csv", 0),
        ("S3: exceeding is no failure of the count", over, "users.csv", 0),
        ("3: a capacity is exceeded", over, "users.csv --fail-over-capacity", 3),
        ("3 is for any capacity", "[capacity]\nnamed = 5", "users.csv --fail-over-capacity", 3),
        ("S3: full is not exceeded", full, "users.csv --fail-over-capacity", 0),
        ("no capacity to exceed", "", "users.csv --fail-over-capacity", 0),
        ("1: bad input goes before 3", over, "users.csv absent.csv --fail-over-capacity", 1),
        ("1: bad input", full, "absent.csv", 1),
        ("2: an option that is none", full, "users.csv --loud", 2),
        ("2: no such format", full, "users.csv --format xml", 2),
        ("2: threads are a number", full, "users.csv --threads many", 2),
        ("2: an option without its value", full, "users.csv --individuals", 2),
    ] {
        let run = vendor_folder(capacity).count(&format!("--format json {arguments}"));
        assert_eq!(run.code, Some(code), "{origin}: {}", run.stderr);
        assert_eq!(run.stdout.is_empty(), code == 1 || code == 2, "{origin}: standard output carries the report alone");
    }
    let nothing_named = run_count(Path::new("."), "", b"");
    assert_eq!((nothing_named.code, nothing_named.stdout.as_str()), (Some(2), ""), "2: no subscription");
}

/// S2 to S4 on the vendor's 4 internal and 2 external individuals.
#[test]
fn s_capacities() {
    for (origin, capacity, pointer, expected) in [
        ("S3 over", "internal = 4\nexternal = 1", "/external/overage", json!(1)),
        ("S3 remaining is not below 0", "internal = 4\nexternal = 1", "/external/remaining", json!(0)),
        ("S3 utilisation", "internal = 8\nexternal = 1", "/internal/utilisation", json!(0.5)),
        ("S3 utilisation above 1", "internal = 4\nexternal = 1", "/external/utilisation", json!(2.0)),
        ("S3 overage is not below 0", "internal = 9\nexternal = 1", "/internal/overage", json!(0)),
        ("S4 the packs: 100", "internal = 0\nexternal = 2", "/internal/packs_to_buy", json!(1)),
        ("S4 the packs: 10,000", "internal = 4\nexternal = 0", "/external/packs_to_buy", json!(1)),
        ("S4 ceil(3 / 2)", "internal = 1\nexternal = 2\ninternal_pack = 2", "/internal/packs_to_buy", json!(2)),
        ("S4 none", "internal = 4\nexternal = 2", "/internal/packs_to_buy", json!(0)),
        ("S2 named: every individual", "named = 5", "/named/used", json!(6)),
        ("S3 named", "named = 5", "/named/overage", json!(1)),
        ("S3 named", "named = 7", "/named/remaining", json!(1)),
    ] {
        let report = vendor_folder(&format!("[capacity]\n{capacity}")).report("users.csv");
        assert_eq!(report["capacity"].pointer(pointer), Some(&expected), "{origin}: {capacity}");
    }
    let names = |capacity: &str| {
        let report = vendor_folder(capacity).report("users.csv");
        report.get("capacity").map(|usage| usage.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" "))
    };
    assert_eq!(names(""), None, "COUNT.md: absent when the subscription has none");
    assert_eq!(names("[capacity]\nnamed = 5").as_deref(), Some("named"), "COUNT.md: the one key");
    let without = vendor_folder("[capacity]\ninternal = 0\nexternal = 0").report("users.csv");
    assert_eq!(without["capacity"]["internal"].get("utilisation"), None, "S3: absent when the capacity is 0");
}

#[test]
fn s2_the_unclassified_use_internal_licences() {
    let subscription = O11.replace("11.28.0", "11.6.4") + "[capacity]\ninternal = 5\nexternal = 0";
    let report = Folder::new(&subscription).with("users.csv", vendor_file()).report("users.csv");
    assert_eq!(summary(&report), "records 6, unclassified 6", "C1");
    assert_eq!(report["capacity"]["internal"]["used"], 6);
    assert_eq!(report["capacity"]["internal"]["overage"], 1);
}

#[test]
fn runtimes_are_named_by_column_option_or_alone() {
    let rows = "username\nana\n";
    let named = "runtime,username\nlab,ana\n,ben\n prod ,cem\n";
    for (origin, subscription, contents, arguments, expected) in [
        ("one runtime, no column", O11, rows, "", &[("prod", 1)][..]),
        ("one runtime, empty cell", O11, "runtime,username\n,ana\n", "", &[("prod", 1)]),
        ("--runtime, no column", TWO_RUNTIMES, rows, "--runtime lab", &[("prod", 0), ("lab", 1)]),
        ("--runtime is for those that name none", TWO_RUNTIMES, named, "--runtime lab", &[("prod", 1), ("lab", 2)]),
    ] {
        let folder = Folder::new(subscription).with("users.csv", contents);
        let report = folder.report(&format!("users.csv {arguments}"));
        let found: Vec<(&str, u64)> = report["runtimes"].as_array().unwrap().iter().map(records).collect();
        assert_eq!(found, expected, "{origin}");
    }
    let folder = Folder::new(TWO_RUNTIMES).with("users.csv", rows);
    folder
        .count("users.csv")
        .assert_refused(&["users.csv", "runtime", "--runtime"], "COUNT.md: no column, two runtimes");
    let unlisted = folder.count("users.csv --runtime Lab");
    assert!(matches!(unlisted.code, Some(1 | 2)) && unlisted.stdout.is_empty(), "R1: names are exact");
    unlisted.assert_says(&["--runtime", "prod", "lab"], "R1");
}

fn records(runtime: &Value) -> (&str, u64) {
    (runtime["name"].as_str().unwrap(), number(&runtime["records"]))
}

#[test]
fn other_columns_are_noted_once_unless_quiet() {
    let csv = "username,Creation_Date,Shoe_Size\nana,2020-01-01,44\nben,2020-01-01,45\n";
    let jsonl = "{\"username\":\"cem\",\"badge\":1}\n{\"username\":\"dag\",\"badge\":[2],\"floor\":null}\n";
    let folder = Folder::new(O11).with("a.csv", csv).with("b.jsonl", jsonl);
    let run = folder.count("a.csv b.jsonl --format json");
    assert_eq!(summary(&run.report()), "records 4, internal 4");
    for name in ["a.csv", "Creation_Date", "Shoe_Size", "b.jsonl", "badge", "floor"] {
        assert_eq!(run.stderr.matches(name).count(), 1, "{name} in {}", run.stderr);
    }
    let with_file = folder.count("a.csv b.jsonl --format json --individuals who.csv");
    assert_eq!(with_file.stderr, run.stderr, "once, also where files are read twice");
    assert_eq!(folder.count("a.csv b.jsonl --quiet").stderr, "");
}

#[test]
fn dash_is_standard_input_as_csv() {
    let folder = Folder::new(O11).with("more.csv", "username,email\nben,ben@outsourcing.com\n");
    let input = "\u{feff}username,email\nana,ana@mycompany.com\nbea,ben@outsourcing.com\n";
    let expected = "records 3, internal 1, external 1, duplicates 1";
    for (origin, arguments) in
        [("read once", "- more.csv"), ("read twice", "- more.csv --individuals who.csv"), ("last", "more.csv -")]
    {
        let run = folder.count_fed(&format!("--format json {arguments}"), input.as_bytes());
        assert_eq!(summary(&run.report()), expected, "{origin}");
    }
    let found = standings(&folder.read("who.csv"));
    assert_eq!(found.iter().map(|row| row.record).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(found[1].individual, found[2].individual, "D2 across inputs");

    let bad = folder.count_fed("-", b"username,email\nok,ok\ncanary-login,canary@secret.example,x\n");
    bad.assert_refused(&["standard input", "line 3", "2"], "X2: standard input is a file like others");
}

#[test]
fn files_are_counted_together_and_numbered_through() {
    let folder = Folder::new(TWO_RUNTIMES)
        .with("a.csv", "username,runtime\nana,prod\nben,lab\n")
        .with("b.jsonl", "{\"runtime\":\"lab\",\"username\":\"ana\"}\n\n{\"runtime\":\"lab\",\"username\":\"cem\"}\n")
        .with("c.csv", "runtime,is_active,username\nprod,no,dag\nprod,yes,CEM\n");
    assert_eq!(summary(&folder.report("a.csv b.jsonl c.csv")), "records 6, inactive 1, internal 3, duplicates 2");
    let rows = folder.individuals("a.csv b.jsonl c.csv");
    let line = |row: &Standing| format!("{} {} {}", row.record, row.runtime, row.outcome);
    assert_eq!(
        rows.iter().map(line).collect::<Vec<_>>(),
        [
            "1 prod internal C4",
            "2 lab internal C4",
            "3 lab internal C4",
            "4 lab internal C4",
            "5 prod inactive",
            "6 prod internal C4"
        ]
    );
    assert_eq!(rows[0].individual, rows[2].individual, "D6: ana in two runtimes");
    assert_eq!(rows[3].individual, rows[5].individual, "D6, N2: cem and CEM");
    let people: BTreeSet<_> = rows.iter().filter_map(|row| row.individual).collect();
    assert_eq!(people.len(), 3);
    assert_eq!((rows[4].individual, rows[4].class.as_str()), (None, ""), "COUNT.md: empty when excluded");
    let file = String::from_utf8(folder.read("who.csv")).unwrap();
    assert!(!["ana", "ben", "cem", "dag"].iter().any(|login| file.contains(login)), "COUNT.md: no login in it");
}

/// C6 and D6: the class in the individuals file is that of the global individual.
#[test]
fn individuals_have_one_class_over_all_runtimes() {
    let subscription = TWO_RUNTIMES.replacen("mycompany.com", "", 1).replacen("11.28.0", "11.6.0", 1);
    let rows = "runtime,username,email\nprod,ana,\nlab,ana,ana@outsourcing.com\nlab,ben,ben@outsourcing.com\n\
                lab,ben,ben@mycompany.com\nprod,cem,\n";
    let found = Folder::new(&subscription).with("users.csv", rows).individuals("users.csv");
    let line = |row: &Standing| format!("{}, {}", row.outcome, row.class);
    assert_eq!(
        found.iter().map(line).collect::<Vec<_>>(),
        [
            "unclassified C1, external", // C6: external before unclassified
            "external C5, external",
            "external C5, internal", // C6: internal before external
            "internal C5, internal",
            "unclassified C1, unclassified",
        ]
    );
}

/// A form that is accepted, and what must come of it in O11. Where it begins
/// with a brace it is JSON lines.
const ACCEPTED: [(&str, &str, &str); 24] = [
    ("any order, any letter case", "EMAIL,Is_Active,USERNAME\nx@outsourcing.com,FALSE,ana\n", "records 1, inactive 1"),
    ("the entity's MobilePhone: E4 sees it", "username,MobilePhone\n,555 0100\n", "records 1, internal 1"),
    ("without it, E4", "username,phone\n,555 0100\n", "records 1, anonymous 1"),
    ("a byte order mark", "\u{feff}username,email\nana,x@outsourcing.com\n", "records 1, external 1"),
    ("two byte order marks", "\u{feff}\u{feff}username,email\nana,x@outsourcing.com\n", "records 1, external 1"),
    ("two byte order marks", "\u{feff}\u{feff}{\"email\":\"x@outsourcing.com\"}\n", "records 1, external 1"),
    ("a byte order mark", "\u{feff}{\"email\":\"x@outsourcing.com\"}\n", "records 1, external 1"),
    ("line ends of Windows", "username,email\r\nana,x@outsourcing.com\r\n", "records 1, external 1"),
    ("no line end at the end", "username,email\nana,x@outsourcing.com", "records 1, external 1"),
    ("no line end at the end", r#"{"username":"ana"}"#, "records 1, internal 1"),
    ("quoted commas and quotes", "name,username\n\"Vale, \"\"Em\"\"\",ana\n", "records 1, internal 1"),
    ("a header alone", "username,email\n", "records 0"),
    ("R2: texts are trimmed", "username,email,is_active\n ana , x@outsourcing.com , no \n", "records 1, inactive 1"),
    ("true, 1, yes", "username,is_it_user\na,true\nb,1\nc,yes\nd,YES\n", "records 4, it_user 4"),
    ("false, 0, no", "username,is_active\na,false\nb,0\nc,no\nd,No\n", "records 4, inactive 4"),
    ("R2, R5: an empty one is absent", "username,is_active\nana,\n", "records 1, internal 1"),
    ("JSON's own", r#"{"username":"a","is_active":false}"#, "records 1, inactive 1"),
    ("texts in JSON", r#"{"username":"a","is_it_user":"Yes"}"#, "records 1, it_user 1"),
    (
        "null is an absent field",
        r#"{"username":null,"email":"x@outsourcing.com","is_active":null,"status":null,"key":null}"#,
        "records 1, external 1",
    ),
    ("null all over: E4", r#"{"username":null,"email":null,"last_login":null}"#, "records 1, anonymous 1"),
    ("a number as key", r#"{"username":"a","key":7}"#, "records 1, internal 1"),
    (
        "R7: any letter case",
        "username,status\na,INACTIVE\nb,pendingregistration\n",
        "records 2, inactive 1, internal 1",
    ),
    ("JSON escapes", r#"{"\u0075sername":"ana","is_\u0061ctive":false}"#, "records 1, inactive 1"),
    ("E2 by provider", "username,provider\nana,ServiceCenter\nben,\n", "records 2, it_user 1, internal 1"),
];

#[test]
fn accepted_forms() {
    for (origin, contents, expected) in ACCEPTED {
        let name = if contents.trim_start_matches('\u{feff}').starts_with('{') { "a.jsonl" } else { "a.csv" };
        let report = Folder::new(O11).with(name, contents).report(name);
        assert_eq!(summary(&report), expected, "{origin}: {contents}");
    }
}

/// D5 through the forms that a key has.
#[test]
fn keys_in_odc() {
    let row = |key: &str| format!("{{{key}\"username\":\"a\",\"last_login\":\"2026-11-19\"}}\n");
    for (origin, keys, expected) in [
        ("a number is its text", ["\"key\":7,", "\"key\":\"7\","], "records 2, internal 1, duplicates 1"),
        ("the entity's Id", ["\"Id\":\"q\",", "\"key\":\"q\","], "records 2, internal 1, duplicates 1"),
        ("R6: matching form", ["\"key\":\"AB-1\",", "\"key\":\"ab-1\","], "records 2, internal 1, duplicates 1"),
        ("other keys", ["\"key\":7,", "\"key\":70,"], "records 2, internal 2"),
        ("null is no key", ["\"key\":null,", "\"key\":null,"], "records 2, internal 2"),
        ("no key", ["", ""], "records 2, internal 2"),
    ] {
        let report = Folder::new(ODC).with("a.jsonl", keys.map(row).concat()).report("a.jsonl");
        assert_eq!(summary(&report), expected, "{origin}");
    }
    let csv = "Id,is_it_user,last_login\nq,no,2026-11-19\nQ,no,2026-11-19\n";
    let report = Folder::new(ODC).with("a.csv", csv).report("a.csv");
    assert_eq!(summary(&report), "records 2, internal 1, duplicates 1", "a key alone, as `Id`");
}

/// Times, seen through E5 and R5: in ODC who never logged in does not count.
#[test]
fn times() {
    for (origin, time, logged_in) in [
        ("RFC 3339", "2026-11-19T10:00:01Z", true),
        ("RFC 3339", "2026-11-19T10:00:01.25+02:00", true),
        ("date", "2026-11-19", true),
        ("date and minutes", "2026-11-19 10:00", true),
        ("date and seconds", "2026-11-19 10:00:01", true),
        ("date and milliseconds", "2026-11-19 10:00:01.125", true),
        ("R2 absent", "", false),
        ("R5 the null date", "1900-01-01", false),
        ("R5 the null date", "1900-01-01 00:00:00.000", false),
        ("R5 its last second", "1900-01-01 23:59:59", false),
        ("R5 later", "1900-01-01 23:59:59.001", true),
        ("R5 later", "1900-01-02", true),
        ("R5 counts in UTC", "1900-01-02T00:59:59+01:00", false),
        ("R5 counts in UTC", "1900-01-01T23:59:59-01:00", true),
    ] {
        let expected = if logged_in { "records 1, internal 1" } else { "records 1, never_logged_in 1" };
        let folder = Folder::new(ODC).with("a.csv", format!("username,last_login\nana,{time}\n"));
        assert_eq!(summary(&folder.report("a.csv")), expected, "{origin}: {time}");
        let row = json!({"username": "ana", "last_login": time});
        let folder = Folder::new(ODC).with("a.jsonl", row.to_string());
        assert_eq!(summary(&folder.report("a.jsonl")), expected, "{origin}: {row}");
    }
}

const HEADER: &str = "runtime,username,email,name,is_active,status,last_login,is_it_user";
const GOOD: &str = "prod,ana,ana@mycompany.com,Ana,,,,";

const BOOLEANS: &[&str] = &["true", "false", "yes", "no"];
const STATUSES: &[&str] = &["status", "Active", "Invited", "PendingRegistration", "Inactive"];
const TIMES: &[&str] = &["last_login", "RFC 3339", "YYYY-MM-DD"];

/// A rule, a malformed row under `HEADER`, and parts of its message.
const BAD_CSV: [(&str, &str, &[&str]); 19] = [
    ("R1 names are exact", "Prod,canary-login,canary@secret.example,Canary,,,,", &["runtime", "prod", "lab"]),
    ("R1 a shifted row", "canary-login,prod,canary@secret.example,Canary,,,,", &["runtime", "prod", "lab"]),
    ("R1 none named", ",canary-login,canary@secret.example,Canary,,,,", &["runtime", "--runtime"]),
    ("width", "prod,canary-login,canary@secret.example,Canary,,,", &["8", "7"]),
    ("width", "prod,canary-login,canary@secret.example,Canary, Dr.,,,,", &["8", "9"]),
    ("width", "canary-login", &["8", "1"]),
    ("boolean", "prod,canary-login,canary@secret.example,Canary,maybe,,,", &["is_active"]),
    ("boolean", "prod,canary-login,canary@secret.example,Canary,2,,,", &["is_active"]),
    ("boolean", "prod,canary-login,canary@secret.example,Canary,t,,,", BOOLEANS),
    ("boolean", "prod,canary-login,x,Canary,,,,canary@secret.example", &["is_it_user", "true", "false"]),
    ("R7", "prod,canary-login,canary@secret.example,Canary,,Canary,,", STATUSES),
    ("R7", "prod,canary-login,canary@secret.example,Canary,,Pending Registration,,", STATUSES),
    ("time", "prod,canary-login,canary@secret.example,Canary,,,yesterday,", TIMES),
    ("time", "prod,canary-login,canary@secret.example,Canary,,,19/11/2026 10:00,", TIMES),
    ("time", "prod,canary-login,canary@secret.example,Canary,,,2026-02-30,", TIMES),
    ("time: RFC 3339 has an offset", "prod,canary-login,canary@secret.example,Canary,,,2026-11-19T10:00:00,", TIMES),
    ("X3", "prod,canary\u{1}login,canary@secret.example,Canary,,,,", &["username", "control"]),
    ("X3", "prod,canary-login,canary\u{0}@secret.example,Canary,,,,", &["email", "control"]),
    ("X3", "prod,\"canary\nlogin\",canary@secret.example,Canary,,,,", &["username"]),
];

/// A rule, a malformed line, and parts of its message.
const BAD_JSON: [(&str, &str, &[&str]); 22] = [
    ("type", r#"{"username":"canary-login","email":5}"#, &["email", "string"]),
    ("type", r#"{"username":["canary-login"],"email":"canary@secret.example"}"#, &["username", "string"]),
    ("type", r#"{"username":"canary-login","name":{"first":"Canary"}}"#, &["name", "string"]),
    ("type", r#"{"username":"canary-login","mobile_phone":5550100}"#, &["mobile_phone", "string"]),
    ("type", r#"{"username":"canary-login","key":true}"#, &["key", "number"]),
    ("type", r#"{"username":"canary-login","runtime":1}"#, &["runtime", "string"]),
    ("type", r#"{"username":"canary-login","is_active":2}"#, &["is_active"]),
    ("type", r#"{"username":"canary-login","is_active":"canary"}"#, BOOLEANS),
    ("type", r#"{"username":"canary-login","is_it_user":[]}"#, &["is_it_user", "true", "false"]),
    ("type", r#"{"username":"canary-login","status":5}"#, &["status"]),
    ("R7", r#"{"username":"canary-login","status":"Canary"}"#, STATUSES),
    ("type", r#"{"username":"canary-login","last_login":1763546400}"#, TIMES),
    ("time", r#"{"username":"canary-login","last_login":"2026-11-19T25:00:00Z"}"#, TIMES),
    ("R1", r#"{"username":"canary-login","runtime":"canary"}"#, &["runtime", "prod"]),
    ("duplicate key", r#"{"username":"ana","username":"canary-login"}"#, &["username"]),
    ("duplicate key, any letter case", r#"{"email":"a@b.example","Email":"canary@secret.example"}"#, &["mail"]),
    ("duplicate key, by its other name", r#"{"username":"canary-login","key":"1","Id":"2"}"#, &["Id"]),
    ("not JSON", r#"{"username":"canary-login""#, &["JSON"]),
    ("not JSON", r"canary-login,canary@secret.example", &["JSON"]),
    ("two objects", r#"{"username":"ana"}{"username":"canary-login"}"#, &["one object"]),
    ("not an object", r#"["canary-login","canary@secret.example"]"#, &["object"]),
    ("X3", r#"{"username":"canary\u0000login"}"#, &["username", "control"]),
];

/// X2: refused with file, line, field and expectation; skipped where told to,
/// and counted then.
fn assert_malformed(folder: &Folder, name: &str, line: &str, parts: &[&str], case: &str) {
    let parts = [&[name, line], parts].concat();
    for threads in ["1", "2"] {
        folder.count(&format!("{name} --format json --threads {threads}")).assert_refused(&parts, case);
    }
    let skipped = folder.count(&format!("{name} --format json --skip-invalid"));
    skipped.assert_says(&parts, case);
    assert_eq!(summary(&skipped.report()), "records 2, rejected 1, internal 2", "{case}");
}

#[test]
fn x2_malformed_csv_rows() {
    for (rule, row, parts) in BAD_CSV {
        let last = GOOD.replace("ana", "zoe");
        let folder = Folder::new(TWO_RUNTIMES).with("users.csv", format!("{HEADER}\n{GOOD}\n{row}\n{last}\n"));
        assert_malformed(&folder, "users.csv", "line 3", parts, &format!("{rule}: {row}"));
    }
}

#[test]
fn x2_malformed_json_lines() {
    for (rule, line, parts) in BAD_JSON {
        let contents = format!("{{\"username\":\"ana\"}}\n{line}\n{{\"username\":\"zoe\"}}\n");
        let folder = Folder::new(O11).with("users.jsonl", contents);
        assert_malformed(&folder, "users.jsonl", "line 2", parts, &format!("{rule}: {line}"));
    }
}

/// X2 names the line an editor shows, whatever the line ends and blank lines
/// and however many lines a field before it takes.
#[test]
fn x2_the_line_is_that_of_the_file() {
    for (origin, contents, line) in [
        ("", "username,email\na,b\ncanary,c,d\n", "line 3:"),
        ("line ends of Windows", "username,email\r\na,b\r\ncanary,c,d\r\n", "line 3:"),
        ("blank lines", "username,email\n\n\na,b\n\ncanary,c,d\n", "line 6:"),
        ("blank lines of Windows", "username,email\r\n\r\na,b\r\n\r\ncanary,c,d\r\n", "line 5:"),
        ("a field of two lines", "username,name\na,\"b\nc\"\ncanary,c,d\n", "line 4:"),
        ("a field of two lines, Windows", "username,name\r\na,\"b\r\nc\"\r\ncanary,c,d\r\n", "line 4:"),
    ] {
        let folder = Folder::new(O11).with("users.csv", contents);
        folder.count("users.csv").assert_refused(&["users.csv", line], origin);
    }
    let contents = "\r\n{\"username\":\"a\"}\r\n\r\n{\"username\":5,\"email\":\"canary@secret.example\"}\r\n";
    let folder = Folder::new(O11).with("users.jsonl", contents);
    folder.count("users.jsonl").assert_refused(&["users.jsonl", "line 4:"], "JSON lines");
}

#[test]
fn skip_invalid_names_twenty_and_counts_all() {
    // Rows 2, 4, 6 ... are malformed: 25 of 50.
    let row = |number: u32| match number % 2 {
        0 => format!("canary-login{number},canary{number}@secret.example,perhaps\n"),
        _ => format!("user{number},user{number}@mycompany.com,yes\n"),
    };
    let contents = "username,email,is_active\n".to_owned() + &(1..=50).map(row).collect::<String>();
    let folder = Folder::new(O11).with("a.csv", contents).with("b.csv", "username\nlast\n");
    let run = folder.count("a.csv b.csv --format json --skip-invalid --individuals who.csv");
    assert_eq!(summary(&run.report()), "records 26, rejected 25, internal 26");
    run.assert_says(&["a.csv", "is_active", "25"], "X2");
    let named = |number: &u32| run.stderr.contains(&format!("line {}:", number + 1));
    let all: Vec<u32> = (1..=25).map(|place| place * 2).collect();
    let found: Vec<u32> = all.iter().copied().filter(named).collect();
    assert_eq!(found, all[..20], "COUNT.md: the first 20");

    let rows = standings(&folder.read("who.csv"));
    let numbers: Vec<u64> = rows.iter().map(|row| row.record).collect();
    let expected: Vec<u64> = (1..=49).step_by(2).chain([51]).collect();
    assert_eq!(numbers, expected, "COUNT.md: rejected rows are included in the numbering");
}

#[test]
fn without_skip_invalid_the_first_malformed_row_stops() {
    let folder = Folder::new(O11)
        .with("a.csv", "username,email\nana,b,canary\nben,c,canary\n")
        .with("b.csv", "username,email\nana,b,canary\n");
    let run = folder.count("a.csv b.csv --individuals who.csv");
    run.assert_refused(&["a.csv", "line 2"], "X2");
    assert!(!run.stderr.contains("line 3") && !run.stderr.contains("b.csv"), "{}", run.stderr);
}

#[test]
fn refused_files() {
    let utf16 = |text: &str, first: [u8; 2], bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        first.into_iter().chain(text.encode_utf16().flat_map(bytes)).collect()
    };
    let text = "username,email\ncanary-login,canary@secret.example\n";
    let json = "{\"username\":\"canary-login\"}\n";
    // Latin-1 is the first 256 characters, a byte each.
    let latin1 = |text: &str| text.replace('-', "é").chars().map(|c| u8::try_from(c).unwrap()).collect();
    for (origin, name, contents, parts) in [
        ("UTF-16", "a.csv", utf16(text, [0xff, 0xfe], u16::to_le_bytes), &["a.csv", "UTF-8"][..]),
        ("UTF-16, big endian", "a.csv", utf16(text, [0xfe, 0xff], u16::to_be_bytes), &["a.csv", "UTF-8"]),
        ("UTF-16, JSON lines", "a.jsonl", utf16(json, [0xff, 0xfe], u16::to_le_bytes), &["a.jsonl", "UTF-8"]),
        ("Latin-1", "a.csv", latin1(text), &["a.csv", "line 2", "UTF-8"]),
        ("Latin-1, JSON lines", "a.jsonl", latin1(json), &["a.jsonl", "line 1", "UTF-8"]),
        ("nothing in it", "a.csv", vec![], &["a.csv", "header"]),
        ("nobody", "a.csv", b"name,tenant\nCanary,canary\n".into(), &["a.csv", "username", "email", "key"]),
        ("nobody", "a.jsonl", b"{\"name\":\"Canary\"}\n".into(), &["a.jsonl", "username", "email", "key"]),
        ("another separator", "a.csv", b"username;email\ncanary;canary\n".into(), &["a.csv", "username", "email"]),
        ("duplicate column", "a.csv", b"username,email,email\ncanary,x,y\n".into(), &["a.csv", "email"]),
        ("duplicate, any letter case", "a.csv", b"username,Username\ncanary,x\n".into(), &["a.csv", "sername"]),
        ("duplicate, by its other name", "a.csv", b"key,Id\ncanary,x\n".into(), &["a.csv", "Id"]),
        ("no header, so data is named a column", "a.csv", b"canary-login,canary@secret.example\n".into(), &["a.csv"]),
        (
            "the same with the address twice",
            "a.csv",
            b"canary@secret.example,canary@secret.example\n".into(),
            &["a.csv"],
        ),
    ] {
        let folder = Folder::new(O11).with(name, contents);
        folder.count(name).assert_refused(parts, origin);
        folder.count(&format!("{name} --skip-invalid")).assert_refused(parts, origin);
    }
    Folder::new(O11).count("absent.csv").assert_refused(&["absent.csv"], "a missing file");
    let ending = Folder::new(O11).with("users.txt", text).count("users.txt");
    assert!(matches!(ending.code, Some(1 | 2)) && ending.stdout.is_empty(), "COUNT.md: files end in .csv or .jsonl");
    ending.assert_says(&["users.txt", ".csv", ".jsonl"], "COUNT.md");
}

/// A stray quote swallows rows. Where it never closes, they are lost and cannot
/// be counted, so the run fails even if told to skip; where a later one closes
/// it, the row is malformed.
#[test]
fn x3_unbalanced_quotes() {
    let open = "username,email,name\nana,a@mycompany.com,Ana\nbo,b@mycompany.com,\"canary\n\
                cy,canary@secret.example,Cy\ndi,d@mycompany.com,Di\n";
    let folder = Folder::new(O11).with("users.csv", open);
    for arguments in ["users.csv", "users.csv --threads 1", "users.csv --skip-invalid"] {
        folder.count(arguments).assert_refused(&["users.csv", "line 3", "quote"], arguments);
    }

    for (origin, contents, left) in [
        ("last column", open.replace("d@mycompany.com,Di", "d@mycompany.com,\"Di\""), "internal 1"),
        (
            "first column",
            open.replace(",\"canary", ",x").replace("bo,", "\"bo,").replace("Cy\n", "Cy\"\n"),
            "internal 2",
        ),
        ("email", open.replace(",\"canary", ",x").replace("b@my", "\"b@my").replace("Cy\n", "Cy\"\n"), "internal 2"),
        ("last column, one row", open.replace(",Cy\n", ",Cy\"\n"), "internal 2"),
    ] {
        let folder = Folder::new(O11).with("users.csv", &contents);
        folder.count("users.csv").assert_refused(&["users.csv", "line 3"], origin);
        let skipped = folder.count("users.csv --skip-invalid --format json");
        skipped.assert_says(&["users.csv", "line 3"], origin);
        assert!(summary(&skipped.report()).ends_with(&format!("rejected 1, {left}")), "{origin}");
    }
}

/// X3: no text in a row ends the file.
#[test]
fn x3_control_characters_end_nothing() {
    for login in ["\u{1a}", "\u{4}", "\u{1e}", "\u{1e}end of input\u{1e}"] {
        let folder = Folder::new(O11).with("users.csv", format!("username\nana\nx{login}x\n{login}\nzoe\n"));
        folder.count("users.csv").assert_refused(&["users.csv", "line 3", "username"], "X3");
        let skipped = folder.report("users.csv --skip-invalid");
        assert_eq!(summary(&skipped), "records 2, rejected 2, internal 2", "{login:?}");
    }
}

const RUNTIME: &str = "[[runtime]]\nname = \"prod\"\nversion = \"11.28.0\"\n";

/// COUNT.md: an error that names the file, the key or the runtime, and what is
/// expected.
#[test]
fn unreadable_subscriptions() {
    let o11 = |rest: &str| format!("platform = \"o11\"\n{rest}");
    let odc = |rest: &str| format!("platform = \"odc\"\n[[runtime]]\nname = \"prod\"\n{rest}");
    let policy = |list: &str| o11(&format!("{RUNTIME}internal_domains = \"{list}\"\n"));
    let capacity = |table: &str| o11(&format!("[capacity]\n{table}\n{RUNTIME}"));
    for (origin, subscription, parts) in [
        ("unknown key", o11(&format!("colour = 1\n{RUNTIME}")), &["colour", "platform", "capacity", "runtime"][..]),
        ("unknown key", o11(&format!("{RUNTIME}internal_domain = \"\"\n")), &["internal_domain", "internal_domains"]),
        ("unknown key", capacity("internal = 1\nexternal = 1\npack = 5"), &["pack", "internal_pack"]),
        ("misplaced", o11(&format!("internal_domains = \"\"\n{RUNTIME}")), &["internal_domains", "expected"]),
        ("misplaced", o11(&format!("{RUNTIME}named = 5\n")), &["named", "expected"]),
        ("O11 only", odc("version = \"11.28.0\"\n"), &["prod", "version", "O11"]),
        ("O11 only", odc("disabled_providers = [\"Old\"]\n"), &["prod", "disabled_providers", "O11"]),
        ("duplicate name", o11(&format!("{RUNTIME}{RUNTIME}")), &["prod", "twice", "unique"]),
        ("duplicate name, R2", o11(&format!("{RUNTIME}{}", RUNTIME.replace("prod", " prod "))), &["prod", "twice"]),
        ("no runtime", o11(""), &["runtime", "expected"]),
        ("no name", o11("[[runtime]]\nversion = \"11.28.0\"\n"), &["runtime 1", "name"]),
        ("no version", o11("[[runtime]]\nname = \"prod\"\n"), &["prod", "version", "MAJOR.MINOR.PATCH"]),
        ("a version", o11(&RUNTIME.replace(".0", "")), &["prod", "11.28", "MAJOR.MINOR.PATCH"]),
        ("platform", format!("platform = \"o12\"\n{RUNTIME}"), &["o12", "o11", "odc"]),
        ("platform", RUNTIME.to_owned(), &["platform"]),
        ("P3", policy("mycompany.com, ana@corp.com"), &["prod", "ana@corp.com", "`corp.com`"]),
        ("P3", policy("*.corp.com"), &["prod", "*.corp.com", "wildcard", "`corp.com`"]),
        ("P3", policy("co.uk"), &["prod", "co.uk", "public suffix"]),
        ("P3", policy("localhost"), &["prod", "localhost", "labels"]),
        ("S1", capacity("internal = 1"), &["capacity", "internal", "external", "named"]),
        ("S1", capacity("named = 1\ninternal = 1"), &["capacity", "named", "internal"]),
        ("S1", capacity("internal = \"many\"\nexternal = 1"), &["internal"]),
        ("S4", capacity("internal = 1\nexternal = 1\ninternal_pack = 0"), &["internal_pack", "at least one"]),
        ("not TOML", "platform: o11".to_owned(), &["line 1"]),
    ] {
        let folder = Folder::new(&subscription).with("users.csv", "runtime,username\nprod,ana\n");
        let parts = [&["sub.toml"], parts].concat();
        folder.count("users.csv").assert_refused(&parts, &format!("{origin}: {subscription}"));
    }
    let run = run_count(TempDir::new().unwrap().path(), "absent.toml users.csv", b"");
    run.assert_refused(&["absent.toml"], "a missing file");
}

/// The TOML library quotes the line; its escape sequence must not reach a
/// terminal.
#[test]
fn a_quoted_line_of_a_subscription_commands_no_terminal() {
    for subscription in ["platform = \"\u{1b}[31mo11\"\n", "platform = \"o\u{9b}11\"\n", "\u{7}platform = \"o11\"\n"] {
        let run = Folder::new(subscription).count("");
        run.assert_refused(&["sub.toml", "line 1", "\\u{"], "a control character");
        let raw = |character: char| character.is_control() && character != '\n';
        assert!(!run.stderr.contains(raw), "{:?}", run.stderr);
    }
}

#[test]
fn a_subscription_may_be_brief_or_generous() {
    let users = "runtime,provider,username,email\nprod,oldportal,ana,ana@x.example\nprod,,ben,ben@x.example\n";
    for (origin, subscription, expected) in [
        ("further parts of a version", RUNTIME.replace("28.0", "28.0.43210"), "records 2, internal 2"),
        ("no internal domains: C2", RUNTIME.to_owned(), "records 2, internal 2"),
        ("P1 an empty list: C2", format!("{RUNTIME}internal_domains = \" , \"\n"), "records 2, internal 2"),
        ("P2", format!("{RUNTIME}internal_domains = \"X.Example.,\"\n"), "records 2, internal 2"),
        ("C5", format!("{RUNTIME}internal_domains = \"y.example\"\n"), "records 2, external 2"),
        (
            "E1, N2",
            format!("{RUNTIME}disabled_providers = [\"OldPortal\"]\n"),
            "records 2, disabled_provider 1, internal 1",
        ),
    ] {
        let folder = Folder::new(&format!("platform = \"o11\"\n{subscription}")).with("users.csv", users);
        assert_eq!(summary(&folder.report("users.csv")), expected, "{origin}");
    }
}

/// COUNT.md: runtimes in the subscription's order; providers by matching form,
/// spelled as met first.
#[test]
fn order_and_spelling() {
    let rows =
        "runtime,provider,username\nlab,Zeta,a\nlab,alpha,b\nprod,éclair,c\nlab,ALPHA,d\nlab,,e\nprod,Eclair,f\n";
    let report = Folder::new(TWO_RUNTIMES).with("users.csv", rows).report("users.csv");
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&report["runtimes"]), ["prod", "lab"]);
    assert_eq!(names(&report["runtimes"][0]["providers"]), ["Eclair", "éclair"]);
    assert_eq!(names(&report["runtimes"][1]["providers"]), ["alpha", "Users", "Zeta"]);
    assert_eq!(report["runtimes"][1]["providers"][0]["total"], 2);
}

/// COUNT.md: the same input gives the same bytes, whatever the threads. The
/// file is several times what readers usually hand over at once, and every
/// seventh row of it is malformed.
#[test]
fn the_same_bytes_whatever_the_threads() {
    let row = |number: u32| match number % 7 {
        0 => format!("user{number},,,2\n"),
        kind => format!("user{},m{}@outsourcing.com,Portal{kind},yes\n", number % 900, number % 1100),
    };
    let contents = "username,email,provider,is_active\n".to_owned() + &(0..5000).map(row).collect::<String>();
    let folder = Folder::new(O11).with("big.csv", contents).with("small.jsonl", "{\"username\":\"user1\",\"x\":1}\n");
    let outputs = |threads: &str| {
        let run =
            folder.count(&format!("big.csv small.jsonl --format json --skip-invalid --individuals who.csv {threads}"));
        assert_eq!(number(&run.report()["rejected"]), 715, "5000 / 7, rounded up");
        (run.stdout, run.stderr, folder.read("who.csv"))
    };
    let one = outputs("--threads 1");
    for threads in ["--threads 1", "--threads 2", "--threads 4", ""] {
        assert!(outputs(threads) == one, "{threads}");
    }
}

/// A record of the example data, and what became of it.
struct Person {
    /// By the names of R2, empty where absent.
    fields: BTreeMap<String, String>,
    standing: Standing,
}

impl Person {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

struct Example {
    report: Value,
    people: Vec<Person>,
}

impl Example {
    fn run(subscription: &str, files: &[&str]) -> Example {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
        let folder = TempDir::new().unwrap();
        let who = folder.path().join("who.csv");
        let arguments = format!("{subscription} {} --format json --individuals {}", files.join(" "), who.display());
        let report = run_count(&data, &arguments, b"").report();
        let fields: Vec<_> = files.iter().flat_map(|file| rows(&data.join(file))).collect();
        let standings = standings(&std::fs::read(who).unwrap());
        assert_eq!(standings.len(), fields.len(), "one row a record");
        let people = fields.into_iter().zip(standings).map(|(fields, standing)| Person { fields, standing }).collect();
        Example { report, people }
    }

    fn o11() -> Example {
        Example::run("o11.toml", &["o11-prod-eu.csv", "o11-prod-us.csv", "o11-legacy.jsonl"])
    }

    fn odc() -> Example {
        Example::run("odc.toml", &["odc-users.jsonl", "odc-users.csv"])
    }

    /// The records that a situation is about, whose number is known.
    fn find(&self, expected: usize, what: &str, is: impl Fn(&Person) -> bool) -> Vec<&Person> {
        let found: Vec<&Person> = self.people.iter().filter(|person| is(person)).collect();
        assert_eq!(found.len(), expected, "{what}");
        found
    }

    fn named(&self, expected: usize, name: &str) -> Vec<&Person> {
        self.find(expected, name, |person| person.field("name") == name)
    }
}

/// A file's rows by column names in lower case, under their names of R2.
fn rows(file: &Path) -> Vec<BTreeMap<String, String>> {
    let column = |name: &str| match name.to_lowercase().as_str() {
        "id" => "key".to_owned(),
        "mobilephone" => "mobile_phone".to_owned(),
        name => name.to_owned(),
    };
    let text = std::fs::read_to_string(file).unwrap();
    if file.extension().unwrap() == "jsonl" {
        let text_of = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let row = |line: &str| serde_json::from_str::<BTreeMap<String, Value>>(line).unwrap();
        return text
            .lines()
            .map(|line| row(line).iter().map(|(name, value)| (column(name), text_of(value))).collect())
            .collect();
    }
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(column).collect();
    let row = |row: csv::StringRecord| header.iter().cloned().zip(row.iter().map(str::to_owned)).collect();
    reader.records().map(|record| row(record.unwrap())).collect()
}

fn individuals(people: &[&Person]) -> BTreeSet<u64> {
    people.iter().filter_map(|person| person.standing.individual).collect()
}

fn outcomes(people: &[&Person]) -> BTreeSet<String> {
    people.iter().map(|person| person.standing.outcome.clone()).collect()
}

fn assert_one(people: &[&Person], class: &str, what: &str) {
    assert_eq!(individuals(people).len(), 1, "{what}");
    assert!(people.iter().all(|person| person.standing.class == class), "{what}: C6 {class}");
}

fn assert_all(people: &[&Person], outcome: &str, what: &str) {
    assert_eq!(outcomes(people), BTreeSet::from([outcome.to_owned()]), "{what}");
}

/// T1 to T6, and that the two outputs tell the same.
fn assert_conserved(example: &Example) {
    let Example { report, people } = example;
    let runtimes = report["runtimes"].as_array().unwrap();
    assert_eq!(number(&report["records"]), people.len() as u64);
    for runtime in runtimes {
        let name = runtime["name"].as_str().unwrap();
        let counted = number(&runtime["counted"]);
        let excluded: u64 = REASONS.iter().map(|reason| number(&runtime["excluded"][reason])).sum();
        assert_eq!(number(&runtime["records"]), counted + excluded, "T1 {name}");
        assert_eq!(sum(&runtime["providers"], |provider| &provider["total"]), counted, "T3 {name}");
        let total: u64 = CLASSES.iter().map(|class| number(&runtime["individuals"][class])).sum();
        assert_eq!(number(&runtime["individuals"]["total"]), total, "T2 {name}");
        assert_eq!(number(&runtime["duplicates"]), counted - total, "T4 {name}");
        for reason in REASONS {
            let rows = people.iter().filter(|row| row.standing.runtime == name && row.standing.outcome == reason);
            assert_eq!(rows.count() as u64, number(&runtime["excluded"][reason]), "T1 {name} {reason}");
        }
    }
    let global = &report["global"];
    let total = number(&global["individuals"]["total"]);
    assert!(total <= sum(&report["runtimes"], |runtime| &runtime["individuals"]["total"]), "T6");
    assert_eq!(number(&global["duplicates"]), sum(&report["runtimes"], |runtime| &runtime["counted"]) - total, "T4");
    let classes: BTreeSet<(u64, &str)> = people
        .iter()
        .filter_map(|person| Some((person.standing.individual?, person.standing.class.as_str())))
        .collect();
    assert_eq!(classes.len() as u64, total, "D6: one class each, as many as there are individuals");
    for class in CLASSES {
        let found = classes.iter().filter(|(_, of)| *of == class).count();
        assert_eq!(found as u64, number(&global["individuals"][class]), "T2 {class}");
    }
}

/// The table of `examples/data/README.md`: records, the five reasons, counted,
/// individuals by class.
fn assert_runtime(report: &Value, place: usize, name: &str, records: [u64; 7], classes: [u64; 3]) {
    let runtime = &report["runtimes"][place];
    let excluded = REASONS.map(|reason| number(&runtime["excluded"][reason]));
    let found: Vec<u64> =
        [number(&runtime["records"])].into_iter().chain(excluded).chain([number(&runtime["counted"])]).collect();
    assert_eq!(runtime["name"], name);
    assert_eq!(found, records, "{name}");
    assert_eq!(CLASSES.map(|class| number(&runtime["individuals"][class])), classes, "{name}");
}

#[test]
fn the_o11_example_adds_up() {
    let example = Example::o11();
    assert_conserved(&example);
    let report = &example.report;
    assert_runtime(report, 0, "prod-eu", [160, 12, 9, 9, 5, 0, 125], [72, 45, 0]);
    assert_runtime(report, 1, "prod-us", [90, 0, 6, 7, 0, 0, 77], [45, 32, 0]);
    assert_runtime(report, 2, "legacy", [50, 0, 5, 3, 2, 0, 40], [0, 0, 40]);
    assert_eq!(report["runtimes"][1]["duplicates"], 0, "D4: nothing merges before 11.11.3");
    // 242 counted; in all, 8 are duplicates within prod-eu, 12 are people of prod-eu in prod-us, 3 are
    // more of its dispatchers, 15 are people whom legacy shares, and its archive has one mailbox.
    assert_eq!(
        summary(report),
        "records 300, disabled_provider 12, it_user 20, inactive 19, anonymous 7, internal 106, external 73, \
         unclassified 24, duplicates 39, mixed_class 19"
    );
    let capacity = &report["capacity"];
    assert_eq!(capacity["internal"]["used"], 130, "S2: 106 and the 24 unclassified");
    assert_eq!((&capacity["internal"]["overage"], &capacity["internal"]["packs_to_buy"]), (&json!(30), &json!(1)));
    assert_eq!(capacity["external"]["remaining"], 10_000 - 73);
}

#[test]
fn the_o11_example_who_is_one() {
    let example = Example::o11();
    let desk = example.find(5, "the shared mailbox", |person| {
        person.field("email").eq_ignore_ascii_case("claims.desk@quillmere.example")
    });
    assert_one(&desk, "internal", "D2: five logins, one mailbox");
    let dispatch =
        example.find(4, "the dispatchers", |person| person.field("email") == "dispatch@quillmere-us.example");
    assert_one(&dispatch, "internal", "D6: one in all, though four in prod-us");

    let ilse = [example.named(1, "Tongeren, Ilse van"), example.named(2, "Ilse van Tongeren")].concat();
    assert_one(&ilse, "internal", "D2, D6: login in one runtime, address in the other");
    assert_eq!(outcomes(&ilse).len(), 2, "C6: mixed");
    let mila = [example.named(3, "Mila Farkas"), example.named(1, "M. Farkas")].concat();
    assert_one(&mila, "internal", "D2: transitively");
    assert_eq!(outcomes(&mila).len(), 3, "C6: internal, external and unclassified");
    assert_one(&example.named(2, "Kåre Sørensen"), "internal", "N3, N4: one address in two spellings");

    let tenants = example.find(12, "other tenants", |person| {
        ["Nordvik Shipping", "Tallmark Logistics"].contains(&person.field("tenant"))
    });
    assert_eq!(individuals(&tenants).len(), 12, "D3: each is one of its own");
    let others = example.find(230, "everyone else who counts", |person| {
        person.standing.individual.is_some() && !tenants.iter().any(|tenant| std::ptr::eq(*tenant, person))
    });
    assert!(individuals(&tenants).is_disjoint(&individuals(&others)), "D3");
    let fleet =
        example.find(3, "one mailbox of tenants", |person| person.field("email") == "fleet@nordvik-shipping.example");
    assert_eq!(individuals(&fleet).len(), 3, "D3: also the one in the default tenant");

    // An excluded record has the login of one and the address of the other.
    let bridge = example.find(1, "the bridge", |person| {
        person.field("username") == "fleet.trial" && person.field("provider") == "AgentPortalOld"
    });
    let banks = example.find(2, "its banks", |person| {
        person.standing.individual.is_some()
            && (person.field("username") == "fleet.trial" || person.field("email") == bridge[0].field("email"))
    });
    assert_eq!(individuals(&banks).len(), 2, "E: an excluded record bridges nothing");
}

#[test]
fn the_o11_example_who_counts_as_what() {
    let example = Example::o11();
    let of = |expected: usize, what: &str, outcome: &str, is: &dyn Fn(&Person) -> bool| {
        assert_all(&example.find(expected, what, is), outcome, what);
    };
    let eu = |person: &Person| person.field("runtime") == "prod-eu";
    let ends = |person: &Person, domain: &str| person.field("email").ends_with(domain);
    of(12, "E1, any letter case, inactive or not", "disabled_provider", &|person| {
        person.field("provider").eq_ignore_ascii_case("AgentPortalOld")
    });
    of(18, "E2, before E3", "it_user", &|person| person.field("provider") == "ServiceCenter");
    of(2, "E2, by the flag", "it_user", &|person| person.field("is_it_user") == "true");
    of(5, "E4", "anonymous", &|person| {
        eu(person) && person.field("username").is_empty() && person.field("last_login").starts_with("1900-01-01")
    });
    of(1, "no login, no name, but has logged in: C4", "internal C4", &|person| {
        eu(person) && person.field("username").is_empty() && !person.field("last_login").starts_with("1900-01-01")
    });
    of(6, "E5 is not for O11", "internal C5", &|person| {
        eu(person) && !person.field("username").is_empty() && person.field("last_login").starts_with("1900-01-01")
    });
    of(6, "C5, a listed subdomain", "internal C5", &|person| eu(person) && ends(person, "@claims.quillmere.example"));
    of(3, "C5, another subdomain", "external C5", &|person| ends(person, "@finance.quillmere.example"));
    of(4, "P2, either spelling of a domain", "internal C5", &|person| {
        ends(person, "@østerhav.example") || ends(person, "@xn--sterhav-p1a.example")
    });
    of(3, "C4, no valid address", "internal C4", &|person| {
        ["n/a", "kiosk@localhost", "pending - ask HR"].contains(&person.field("email"))
    });
    of(4, "C3, the login", "internal C5", &|person| {
        eu(person) && person.field("email").is_empty() && person.field("username").ends_with("@quillmere.example")
    });
    of(9, "C3, the login", "external C5", &|person| {
        person.field("email").is_empty() && person.field("username").ends_with("@home.example.net")
    });
    of(40, "C1", "unclassified C1", &|person| {
        person.field("runtime") == "legacy" && person.standing.individual.is_some()
    });
    let abroad =
        example.find(3, "staff of prod-us in prod-eu", |person| eu(person) && ends(person, "@quillmere-us.example"));
    assert_all(&abroad, "external C5", "each runtime has its own domains");
    assert!(abroad.iter().all(|person| person.standing.class == "internal"), "C6");
}

#[test]
fn the_odc_example() {
    let example = Example::odc();
    assert_conserved(&example);
    assert_runtime(&example.report, 0, "production", [38, 0, 2, 2, 0, 4, 30], [22, 8, 0]);
    assert_runtime(&example.report, 1, "partners", [22, 0, 1, 1, 0, 2, 18], [4, 14, 0]);
    // 48 counted; six users of production are in partners too, two of them external there.
    assert_eq!(
        summary(&example.report),
        "records 60, it_user 3, inactive 3, never_logged_in 6, internal 22, external 20, duplicates 6, mixed_class 2"
    );

    let counted = |person: &Person| person.standing.individual.is_some();
    let production = |person: &Person| person.field("runtime") == "production";
    let tested = example.find(2, "a test user of either stage", |person| person.field("name").ends_with(" (test)"));
    let twins = example.find(2, "one address, two keys", |person| {
        production(person) && person.field("email") == tested[0].field("email")
    });
    assert_eq!(individuals(&twins).len(), 2, "D5: emails merge nothing");
    let here = example.find(18, "partners", |person| !production(person) && counted(person));
    let shared = example.find(6, "known by key, in any letter case", |person| {
        production(person) && here.iter().any(|other| other.field("key").eq_ignore_ascii_case(person.field("key")))
    });
    for person in &shared {
        let same = here.iter().filter(|other| other.standing.individual == person.standing.individual);
        assert_eq!(same.count(), 1, "D5: one user in both stages");
    }
    let pending = |person: &Person| ["Invited", "PendingRegistration"].contains(&person.field("status"));
    example.find(5, "E6: invited or pending, and logged in", |person| pending(person) && counted(person));
    let never = example.find(6, "E5", |person| person.field("last_login").is_empty());
    assert_all(&never, "never_logged_in", "E5");
    let keyless = example.find(1, "D5: without a key", |person| person.field("key").is_empty());
    assert_all(&keyless, "internal C4", "a user of its own, without address");
}

#[test]
fn embed_counts_and_asks_what_if() {
    let run = Command::new(example("embed")).output().unwrap();
    assert!(run.status.success());
    assert_eq!(String::from_utf8(run.stderr).unwrap(), "");
    // By hand: Emmet (two records, C5), the kiosk (C4), Tora and Idris (C5, other domains); Ola is inactive.
    let expected = "\
counts as internal by C5
counts as internal by C5
counts as external by C5
counts as external by C5
counts as internal by C4
does not count: inactive
as configured: 4 individuals, 2 internal, 2 external
with fieldwork.quillmere.example internal: 4 individuals, 3 internal, 1 external
";
    assert_eq!(String::from_utf8(run.stdout).unwrap(), expected);
}

/// A character that straddles two rows is no text of either.
#[test]
fn bytes_of_one_character_in_two_rows() {
    let folder = Folder::new(O11).with("users.csv", b"username,junk\ncanary-login,\xc3\n\xa9bob,x\n");
    folder.count("users.csv").assert_refused(&["users.csv", "UTF-8"], "across rows");
    let folder = Folder::new(O11).with("users.csv", b"username,email\ncanary-login,\"Jos\xe9\nfoo");
    folder.count("users.csv").assert_refused(&["users.csv", "line 2"], "in a row that never ends");
}

/// X3 breaks a row for a login or an email; honest text of several lines is
/// data (X1), a swallowed row is not.
#[test]
fn lines_inside_a_field() {
    let honest = "username,email,notes\nana,ana@mycompany.com,\"Line one\nsee a, b, c\"\n";
    let report = Folder::new(O11).with("users.csv", honest).report("users.csv");
    assert_eq!(summary(&report), "records 1, internal 1");
    let swallowed = "email,name\na@x.example,\"Ann\ncanary@secret.example,Bob\nc@x.example,\"Carl\n";
    Folder::new(O11)
        .with("users.csv", swallowed)
        .count("users.csv")
        .assert_refused(&["line 2", "quote"], "two columns");
}

#[test]
fn long_names_of_ignored_columns_are_not_mixed_up() {
    let long = "a".repeat(100);
    let file = format!("email,{long}1,{long}2\nana@mycompany.com,,\n");
    let report = Folder::new(O11).with("users.csv", file).report("users.csv");
    assert_eq!(summary(&report), "records 1, internal 1");
}

/// What is no object says nothing about the file's columns.
#[test]
fn a_file_of_malformed_lines_only() {
    let run = Folder::new(O11).with("users.jsonl", "{\"email\":\n").count("users.jsonl --skip-invalid --format json");
    assert_eq!(summary(&run.report()), "records 0, rejected 1");
}

/// X1: neither many keys nor one long row may make the others slow. Both were
/// quadratic: minutes, where this takes a moment.
#[test]
fn many_keys_and_long_rows() {
    let keys: String = (0..200_000).map(|key| format!("\"k{key}\":0,")).collect();
    let report =
        Folder::new(O11).with("users.jsonl", format!("{{{keys}\"username\":\"ana\"}}\n")).report("users.jsonl");
    assert_eq!(summary(&report), "records 1, internal 1");
    let rows: String = (0..50_000).map(|row| format!("ana{row},\n")).collect();
    let file = format!("username,name\nbo,{}\n{rows}", "x".repeat(16 << 20));
    let report = Folder::new(O11).with("users.csv", file).report("users.csv");
    assert_eq!(summary(&report), "records 50001, internal 50001");
}

/// The individuals file is put in its place when it is whole.
#[test]
fn the_individuals_file_spares_what_is_read() {
    let folder = Folder::new(O11).with("users.csv", "username\nana\n");
    let path = |name: &str| folder.0.path().join(name);
    std::fs::hard_link(path("users.csv"), path("link.csv")).unwrap();
    assert_eq!(folder.count("users.csv --individuals link.csv").code, Some(0));
    assert_eq!(folder.read("users.csv"), b"username\nana\n");
    assert!(folder.read("link.csv").starts_with(b"record,runtime,outcome"));
}

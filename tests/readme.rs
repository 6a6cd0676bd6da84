//! The README's two commands: they are there, they run, and the main job's
//! numbers are those that were counted by hand.

#![cfg(feature = "public-suffix-list")] // The `count` example needs it.

mod skipped;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

const README: &str = include_str!("../README.md");
const MAIN_JOB: &str = "cargo run --release --example count -- ";

/// An example's binary, as this test's own profile builds it. A whole
/// `cargo test` has built it; `cargo test --test readme` builds no example,
/// so cargo is asked, which takes a moment where all is fresh.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile_folder = test.parent().and_then(Path::parent).unwrap();
    let profile = match profile_folder.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--example", name, "--profile", profile, "--target-dir"])
        .arg(profile_folder.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.unwrap().success(), "the example does not build");
    profile_folder.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// What the README's main job reports, with `--format json` behind it.
fn main_job() -> Value {
    let mut jobs = README.lines().filter_map(|line| line.strip_prefix(MAIN_JOB));
    let arguments = jobs.next().expect("the main job is a line of the README");
    assert_eq!(jobs.next(), None, "there is one main job");
    let run = Command::new(example("count"))
        .args(arguments.split_whitespace())
        .args(["--format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).unwrap()
}

/// The line of the hand table in examples/data/README.md, cell by cell.
fn by_hand(runtime: &str) -> Vec<&'static str> {
    let table = include_str!("../examples/data/README.md");
    let row = table.lines().find_map(|line| line.strip_prefix(&format!("| {runtime} |")));
    row.unwrap_or_else(|| panic!("no row `{runtime}`"))
        .split('|')
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .collect()
}

#[test]
fn the_main_job_counts_what_was_counted_by_hand() {
    let report = main_job();
    let runtimes = report["runtimes"].as_array().unwrap();
    let sum = |of: &dyn Fn(&Value) -> &Value| -> u64 { runtimes.iter().map(|row| of(row).as_u64().unwrap()).sum() };
    let reasons = ["disabled_provider", "it_user", "inactive", "anonymous", "never_logged_in"];
    let excluded = reasons.map(|reason| sum(&|runtime| &runtime["excluded"][reason]));
    assert_eq!(excluded, [12, 20, 19, 7, 0]);
    assert_eq!((report["records"].as_u64(), sum(&|runtime| &runtime["counted"])), (Some(300), 242));
    let individuals = json!({"internal": 106, "external": 73, "unclassified": 24, "total": 203});
    assert_eq!(report["global"]["individuals"], individuals);
    assert_eq!(report["global"]["duplicates"], 242 - 203);
    assert_eq!(report["rejected"], 0);
}

#[test]
fn the_numbers_here_are_those_of_the_hand_table() {
    let people = "203: 106 internal, 73 external, 24 unclassified";
    assert_eq!(by_hand("all of O11"), ["300", "12", "20", "19", "7", "0", "242", people]);
}

#[test]
fn the_test_command_is_cargo_test_and_a_script_runs_it_all() {
    let behind = README.split_once("\nPasses the tests:\n").expect("the README says how to test").1;
    assert_eq!(behind.lines().map(str::trim).find(|line| line.starts_with("cargo ")), Some("cargo test"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    if folder.join("Cargo.toml.orig").exists() {
        skipped::say_skipped("a published package has no .ci/run");
        return;
    }
    assert!(folder.join(".ci/run").is_file(), ".ci/run is missing");
}

/// The table of dependencies names them all, each with its reason.
#[test]
fn each_dependency_has_its_reason() {
    let manifest: toml::Table = include_str!("../Cargo.toml").parse().unwrap();
    let dependencies: BTreeSet<&str> =
        manifest["dependencies"].as_table().unwrap().keys().map(String::as_str).collect();
    let (_, table) = README.split_once("\n## Dependencies of the library\n").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let named: BTreeSet<&str> = rows.filter(|(_, why)| why.len() > 20).map(|(name, _)| name).collect();
    assert_eq!(named, dependencies);
}

/// No I/O, no clock, no global state in `src`: nothing there names what it would
/// take. Test modules apart.
#[test]
fn the_library_is_pure() {
    let banned = [
        "std::fs",
        "std::io",
        "TcpStream",
        "UdpSocket",
        "ToSocketAddrs",
        "std::os",
        "std::env",
        "std::process",
        "std::time",
        "core::time",
        "std::{",
        "RandomState",
        "HashMap::new()",
        "HashSet::new()",
        "print!(",
        "dbg!(",
        "thread_local!",
        "static ",
        "OnceLock",
        "LazyLock",
    ];
    let mut files = 0;
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let (library, _) = text.split_once("\nmod tests").unwrap_or((&text, ""));
        let code = library.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
        for (line, code) in (1..).zip(code) {
            let code = code.replace("'static ", "");
            let named = banned.iter().find(|banned| code.contains(**banned));
            assert_eq!(named, None, "{}, line {line}", path.display());
        }
        files += 1;
    }
    assert!(files > 20, "{files} files");
}

/// The Rust files of a folder and those below it, but for tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| match path.is_dir() {
        true => sources(&path),
        false => vec![path],
    };
    paths.flat_map(of).filter(|path| !path.ends_with("tests.rs")).collect()
}

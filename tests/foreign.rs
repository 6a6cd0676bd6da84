//! Other people's test data against N3, P3 and V.
//!
//! The data is not ours to publish and lies beside the repository, in
//! `../shared/data`, or where `HEADCOUNT_FOREIGN_DATA` says. Where the folder
//! is missing, each test says so on standard error and passes.
//!
//! Each suite has a table of where we decide otherwise, and why. A row that
//! differs and is not listed fails its test, and so does a listed row that
//! does not differ any more.

mod skipped;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use headcount::{Domain, DomainError, EmailAddress};

use crate::skipped::say_skipped;

/// A file of the foreign data, if the folder is there.
fn foreign(name: &str) -> Option<PathBuf> {
    let named = std::env::var_os("HEADCOUNT_FOREIGN_DATA").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = named.clone().unwrap_or_else(beside);
    if named.is_none() && !folder.exists() {
        say_skipped(&format!("{name}: no foreign test data in {}", folder.display()));
        return None;
    }
    let file = folder.join(name);
    assert!(file.exists(), "{} is missing", file.display());
    Some(file)
}

fn foreign_text(name: &str) -> Option<String> {
    foreign(name).map(|file| std::fs::read_to_string(file).unwrap())
}

/// Unpacked by the system's `gzip`: one small file is not worth a dependency.
fn foreign_gzip(name: &str) -> Option<String> {
    let file = foreign(name)?;
    let command = Command::new("gzip").arg("-dc").arg(&file).stderr(Stdio::inherit()).output();
    let Ok(output) = command else {
        say_skipped(&format!("{name}: no `gzip` to unpack it with"));
        return None;
    };
    assert!(output.status.success(), "gzip -dc {}", file.display());
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What differs from what a suite expects, against the table of what may.
struct Divergences<'t> {
    known: BTreeSet<&'t str>,
    seen: BTreeSet<String>,
    news: Vec<String>,
}

impl<'t> Divergences<'t> {
    fn new(known: impl IntoIterator<Item = &'t str>) -> Divergences<'t> {
        let rows: Vec<&str> = known.into_iter().collect();
        let known: BTreeSet<&str> = rows.iter().copied().collect();
        assert_eq!(known.len(), rows.len(), "a row is listed twice");
        Divergences { known, seen: BTreeSet::new(), news: Vec::new() }
    }

    fn hold<T: PartialEq + std::fmt::Debug>(&mut self, row: &str, ours: &T, theirs: &T) {
        if ours == theirs {
            return;
        }
        if self.known.contains(row) {
            self.seen.insert(row.to_owned());
        } else {
            self.news.push(format!("{row:?}: {ours:?}, the suite expects {theirs:?}"));
        }
    }

    fn settle(self) {
        assert!(self.news.is_empty(), "not listed:\n{}", self.news.join("\n"));
        let gone: Vec<_> = self.known.iter().filter(|row| !self.seen.contains(**row)).collect();
        assert!(gone.is_empty(), "listed, but no longer otherwise: {gone:?}");
    }
}

/// Sources of `IdnaTestV2` on which N3 decides otherwise, and why. V3's two
/// labels and its last label that is not all digits are no divergence: the
/// suite does not speak of them, and `expected_domain` does.
const IDNA_DIVERGENCES: [(&str, &str); 1] = [(
    "xn--9-i0j5967eg3qz.ss",
    "U+32B9A is unassigned in Unicode 16, the suite's, and an ideograph in Unicode 17, which the mapping tables have",
)];

/// Rows whose source has a surrogate on its own, which no `str` has.
const IDNA_SURROGATES: usize = 2;

/// `\uXXXX` and `\x{XXXX}`; `""` is the empty text. A surrogate on its own is
/// no text.
fn unescaped(column: &str) -> Option<String> {
    if column == "\"\"" {
        return Some(String::new());
    }
    let mut text = String::new();
    let mut rest = column;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let (digits, behind) = match escape.strip_prefix("x{") {
            Some(braced) => braced.split_once('}').unwrap(),
            None => escape.strip_prefix('u').unwrap().split_at(4),
        };
        text.push(char::from_u32(u32::from_str_radix(digits, 16).unwrap())?);
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}

struct IdnaRow {
    source: String,
    /// `toAsciiN`, where its status has no error.
    ascii: Option<String>,
}

/// A row, by the file's own words on its columns: a blank one means the one
/// before it, of values or of statuses.
fn idna_row(row: &str) -> Option<IdnaRow> {
    let row = row.split_once('#').map_or(row, |(row, _)| row);
    let columns: Vec<&str> = row.split(';').map(|column| column.trim_matches([' ', '\t'])).collect();
    let source = unescaped(columns[0])?;
    let or = |column: &str, before: &str| if column.is_empty() { before.to_owned() } else { column.to_owned() };
    let to_unicode = or(columns[1], columns[0]);
    let status = or(columns[4], columns[2]);
    let is_fine = status.is_empty() || status == "[]";
    let ascii = is_fine.then(|| unescaped(&or(columns[3], &to_unicode)).unwrap());
    Some(IdnaRow { source, ascii })
}

/// N3, then V3: two labels, and a last one that is not all digits.
fn expected_domain(ascii: Option<&str>) -> Result<String, DomainError> {
    let ascii = ascii.ok_or(DomainError::Malformed)?;
    let (_, last) = ascii.rsplit_once('.').ok_or(DomainError::SingleLabel)?;
    match last.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Err(DomainError::Numeric),
        false => Ok(ascii.to_owned()),
    }
}

fn parsed(text: &str) -> Result<String, DomainError> {
    text.parse::<Domain>().map(|domain| domain.to_string())
}

#[test]
fn n3_the_conformance_rows_of_uts_46() {
    let Some(file) = foreign_gzip("IdnaTestV2-16.0.txt.gz") else { return };
    let lines = file.lines().filter(|row| !row.is_empty() && !row.starts_with('#'));
    let rows: Vec<Option<IdnaRow>> = lines.map(idna_row).collect();
    assert!(rows.len() > 6_000, "{} rows", rows.len());
    assert_eq!(rows.iter().filter(|row| row.is_none()).count(), IDNA_SURROGATES);
    let mut divergences = Divergences::new(IDNA_DIVERGENCES.map(|(source, _)| source));
    for IdnaRow { source, ascii } in rows.into_iter().flatten() {
        let expected = expected_domain(ascii.as_deref());
        divergences.hold(&source, &parsed(&source), &expected);
        // Where V3 alone refuses a row, it says more with a label behind it.
        if let (Some(ascii), Err(_)) = (ascii, expected) {
            let (source, ascii) = (format!("{source}.example"), Ok(format!("{ascii}.example")));
            divergences.hold(&source, &parsed(&source), &ascii);
        }
    }
    divergences.settle();
}

/// Domains of the Public Suffix List's tests on which P3 decides otherwise:
/// the domain, what becomes of it as an entry, and why. Both files have them all.
#[cfg(feature = "public-suffix-list")]
const SUFFIX_DIVERGENCES: [(&str, &str, &str); 9] = [
    ("uk.com", "uk.com", "P3 asks the ICANN section: a suffix of the private one is somebody's domain"),
    ("example", "not a domain", "no rule of the list, only its default `*`; V3 refuses one label before P3 asks"),
    (".com", "not a domain", "N3: an empty label"),
    (".example", "not a domain", "N3: an empty label"),
    (".example.com", "not a domain", "N3: an empty label"),
    (".example.example", "not a domain", "N3: an empty label"),
    (
        "kobe.jp",
        "kobe.jp",
        "what is left of the exception `!city.kobe.jp` is a suffix there only; `*.kobe.jp` leaves `kobe.jp` under `jp`",
    ),
    ("mm", "not a domain", "the list has only `*.mm`, so `mm` itself is under the default `*`; V3 refuses one label"),
    ("ck", "not a domain", "the list has only `*.ck`, so `ck` itself is under the default `*`; V3 refuses one label"),
];

#[cfg(feature = "public-suffix-list")]
mod suffixes {
    use super::*;
    use headcount::{DomainPolicy, Refusal};

    /// What becomes of a policy's entry: its normal form, or why it is refused.
    fn entry(domain: &str) -> String {
        match DomainPolicy::parse(domain) {
            Ok(policy) => policy.to_string(),
            Err(error) => match error.refusal {
                Refusal::PublicSuffix => "public suffix".to_owned(),
                Refusal::NotADomain(_) => "not a domain".to_owned(),
                refusal => format!("{refusal:?}"),
            },
        }
    }

    /// A domain and what is registrable of it, in either file's notation.
    fn rows(name: &str) -> Option<Vec<(String, Option<String>)>> {
        let file = foreign_text(name)?;
        let row = |line: &str| {
            let bare = line.trim_start_matches("checkPublicSuffix(").trim_end_matches(");").replace(['\'', ','], "");
            let (domain, registrable) = bare.split_once(' ').unwrap();
            (domain.to_owned(), Some(registrable.to_owned()).filter(|text| text != "null"))
        };
        let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with("//"));
        // A policy has no null entry.
        Some(lines.map(row).filter(|(domain, _)| domain != "null").collect())
    }

    /// Which entries the rows speak of, and what P3 makes of them: without a
    /// registrable part a domain is a public suffix; one that has it is
    /// somebody's, and so is that part; what is above the part is a suffix.
    fn entries(rows: Vec<(String, Option<String>)>) -> BTreeMap<String, String> {
        let normal = |text: &str| text.parse::<Domain>().map_or(String::new(), |domain| domain.to_string());
        let mut entries = BTreeMap::new();
        for (domain, registrable) in rows {
            if let Some(registrable) = registrable {
                let (_, suffix) = registrable.split_once('.').unwrap();
                entries.insert(suffix.to_owned(), "public suffix".to_owned());
                entries.insert(domain.clone(), normal(&domain));
                entries.insert(registrable.clone(), normal(&registrable));
            } else {
                entries.insert(domain, "public suffix".to_owned());
            }
        }
        entries
    }

    #[test]
    fn p3_the_public_suffix_lists_own_rows() {
        for file in ["psl_tests.txt", "psl_test_psl.txt"] {
            let Some(rows) = rows(file) else { return };
            assert!(rows.len() > 70, "{file}: {} rows", rows.len());
            let mut divergences = Divergences::new(SUFFIX_DIVERGENCES.map(|(domain, _, _)| domain));
            for (domain, expected) in entries(rows) {
                let found = entry(&domain);
                divergences.hold(&domain, &found, &expected);
                if let Some((_, ours, why)) = SUFFIX_DIVERGENCES.iter().find(|(listed, _, _)| *listed == domain) {
                    assert_eq!(found, *ours, "{file}: {domain}: {why}");
                }
            }
            divergences.settle();
        }
    }
}

/// What V makes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Address,
    NoAddress,
}
use Verdict::{Address, NoAddress};

/// Rows of the email suites on which V decides otherwise than the suite says,
/// or where the suite does not say yes or no: what V says, its words, why it
/// differs, and the rows. `t5` is row 5 of isemail's `tests.xml`, `o5` of its
/// `tests-original.xml`, `w5` the fifth of the Web Platform Tests' rows.
///
/// The rows were sorted by hand and by a second reading of V in another
/// language, not by what the crate says.
const EMAIL_DIVERGENCES: [(Verdict, &str, &str, &str); 18] = [
    (
        Address,
        "V2: `.` anywhere, as in HTML; who has such a mailbox can be mailed, RFC 5321's dot-atom or not",
        "invalid in the suite",
        "t15 t16 o24 o25 o26 o76 o77 o78 o102 o103 o104 o130 o131 o132 o133",
    ),
    (
        Address,
        "N1: white space around it is trimmed first, also line ends that are no folding",
        "invalid in the suite",
        "t99 t127 t128 t132 t141 t142 t143 t145 t146 t147 t150 t151 t152 t154 t155 t156 o278",
    ),
    (
        Address,
        "N1: white space around it is trimmed first",
        "disputed in the suite: folding white space",
        "t88 t89 t144 t148 t149 t153 t157 t158",
    ),
    (Address, "N1: white space around it is trimmed first", "a form field sanitises it, in the suite", "w12 w13"),
    (NoAddress, "V1: one address; a second `@` is in the local part", "a list of addresses in the suite", "w14 w15"),
    (NoAddress, "V1: the local part is at most 64 bytes", "disputed in the suite: RFC 5321's limit", "t26 o23"),
    (NoAddress, "V1: the whole at most 254 bytes", "disputed in the suite: RFC 5321's limit", "t39 o21"),
    (
        NoAddress,
        "V2: no white space or control character in the local part",
        "disputed in the suite: obsolete folding",
        "t85 t87 o178 o223 o224 o152",
    ),
    (NoAddress, "N3: no space or `/` in a domain", "disputed in the suite: RFC 5322's atoms", "t86 t161"),
    (
        NoAddress,
        "N3: DNS lengths",
        "disputed in the suite: labels of 64 bytes, domains of 254",
        "t28 o52 t40 t41 o34 o115",
    ),
    (NoAddress, "N3: broken Punycode", "valid in the suite, which does not decode", "o279"),
    (
        NoAddress,
        "V3: at least two labels",
        "valid in the suite: no policy can own a top level",
        "t5 t166 o49 o116 o190 o201 w2 w3 w4 w5",
    ),
    (
        NoAddress,
        "V3: the last label not all digits",
        "valid in the suite: IP addresses without brackets",
        "t23 t24 o48 o97 o216 w6",
    ),
    (
        NoAddress,
        "V4: address literals",
        "valid in the suite: RFC 5321",
        "t61 t68 t72 t75 t77 t79 t81 o10 o11 o12 o13 o14 o15 o16 o17 o39 o45 o98 o197 o230 o231 o233 o236 o239 o241
         o244 o247 o249 o250 o251 o252 o253 o254 o258 o260 o262 o264 o270 w11",
    ),
    (
        NoAddress,
        "V4: address literals",
        "disputed in the suite: RFC 5322's, or broken",
        "t63 t64 t65 t66 t67 t69 t70 t71 t73 t74 t76 t78 t80 t82 t83 t84 t112 t115 t116 t117 t120 t121 t159 o35 o36
         o37 o38 o40 o41 o42 o43 o44 o46 o47 o149 o158 o199 o232 o234 o235 o237 o238 o240 o242 o243 o245 o246 o248
         o255 o256 o257 o259 o261 o263 o265 o266 o267 o268 o269 o271 o272 o273 o274 o275 o276",
    ),
    (
        NoAddress,
        "V4: quoted local parts",
        "valid in the suite: RFC 5321",
        "t42 t43 t45 t46 t48 t55 o4 o6 o7 o28 o31 o53 o54 o55 o56 o57 o68 o91 o93 o95 o109 o121 o122 o125 o134 o136
         o137 o147 o148 o150 o210 o211 o217 o221",
    ),
    (
        NoAddress,
        "V4: quoted local parts",
        "disputed in the suite: RFC 5322's, in words, or with control characters",
        "t54 t56 t58 t59 t60 t124 t125 t134 t138 t139 o94 o123 o140 o141 o143 o144 o145 o146 o151 o153 o160 o164 o174
         o181 o182 o226",
    ),
    (
        NoAddress,
        "V4: comments",
        "disputed in the suite: RFC 5322's",
        "t93 t95 t97 o163 o176 o177 o185 o219 t90 t92 t96 t98 t126 t140 t165 o162 o165 o166 o167 o171 o172 o175 o180
         o184 o186 o222",
    ),
];

struct EmailRow {
    id: String,
    input: String,
    /// Yes, no, or neither.
    suite: Option<Verdict>,
}

fn email_rows(file: &str) -> Vec<EmailRow> {
    let mut web_rows = 0;
    let row = |line: &str| {
        let row: BTreeMap<String, String> = serde_json::from_str(line).unwrap();
        let id = match row["source"].rsplit_once('#') {
            Some(("isemail/tests.xml", number)) => format!("t{number}"),
            Some(("isemail/tests-original.xml", number)) => format!("o{number}"),
            _ => {
                web_rows += 1;
                format!("w{web_rows}")
            }
        };
        let suite = match row["expected"].as_str() {
            "valid" => Some(Address),
            "invalid" => Some(NoAddress),
            "disputed" | "sanitised" | "list" => None,
            other => panic!("{id}: {other}"),
        };
        EmailRow { id, input: row["input"].clone(), suite }
    };
    file.lines().map(row).collect()
}

#[test]
fn v_the_email_suites() {
    let Some(file) = foreign_text("email_syntax.jsonl") else { return };
    let mut listed = BTreeMap::new();
    for (verdict, rule, suite, ids) in EMAIL_DIVERGENCES {
        for id in ids.split_whitespace() {
            assert_eq!(listed.insert(id, (verdict, rule, suite)), None, "{id} is listed twice");
        }
    }
    let rows = email_rows(&file);
    assert_eq!(rows.len(), 459);
    for EmailRow { id, input, suite } in &rows {
        let address = EmailAddress::parse(input);
        let ours = if address.is_some() { Address } else { NoAddress };
        match (listed.remove(id.as_str()), suite) {
            (Some((verdict, rule, _)), _) if verdict != ours => panic!("{id} {input:?}: {ours:?}, though {rule}"),
            (Some((_, rule, _)), Some(suite)) if *suite == ours => {
                panic!("{id} {input:?}: listed under {rule}, but the suite says {ours:?} too")
            }
            (Some((_, _, says)), None) if says.starts_with("valid") || says.starts_with("invalid") => {
                panic!("{id} {input:?}: the suite is not as sure as listed")
            }
            (None, None) => panic!("{id} {input:?}: {ours:?}, on which the suite is silent, and no row is listed"),
            (None, Some(suite)) => assert_eq!(ours, *suite, "{id} {input:?}: not listed"),
            (Some(_), _) => {}
        }
        // None of the suites' addresses is an IDN, but for their A-labels.
        if let Some(address) = address {
            assert_eq!(address.as_str(), input.trim().to_lowercase(), "{id} {input:?}: N4");
        }
    }
    assert!(listed.is_empty(), "listed, but not in the suites: {:?}", listed.keys());
}

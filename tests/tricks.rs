//! The tricks of Unicode and of email syntax, as someone would try them.
//!
//! A row is its origin, the text, what becomes of it, and which side that errs
//! to. SECURITY.md has the same in words; the last tests hold its references and
//! numbers.

#![cfg(feature = "public-suffix-list")] // Policies are checked against it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use headcount::{
    Counter, Domain, DomainError, DomainPolicy, FingerprintKey, Outcome, Platform, Refusal, Runtime, Standing,
    Subscription, UserRecord,
};
use proptest::prelude::*;

type User = UserRecord<'static>;

/// Which side an answer errs to, seen from who pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errs {
    /// To neither: the answer is what the words of the rule mean.
    Not,
    /// Internal where external would be true, two where one would be, counted
    /// where excluded would be.
    Dearer,
    /// The reverse.
    Cheaper,
}
use Errs::{Cheaper, Dearer, Not};

#[expect(clippy::unnecessary_wraps, reason = "fields of a record are optional")]
fn field(text: impl Into<Cow<'static, str>>) -> Option<Cow<'static, str>> {
    Some(text.into())
}

/// Someone of runtime `prod` who has logged in.
fn nobody() -> User {
    User { runtime: "prod".into(), last_login: Some(headcount::UnixSeconds(0)), ..User::default() }
}

fn by_login(login: impl Into<Cow<'static, str>>) -> User {
    User { username: field(login), ..nobody() }
}

fn by_email(email: impl Into<Cow<'static, str>>) -> User {
    User { email: field(email), ..nobody() }
}

/// A counter of one runtime with these internal user domains and the disabled
/// provider `Old`.
fn counter(platform: Platform, domains: &str) -> Counter {
    let (version, disabled_providers) = match platform {
        Platform::O11 => (Some("11.28.0".parse().unwrap()), vec!["Old".to_owned()]),
        Platform::Odc => (None, vec![]),
    };
    let internal_domains = DomainPolicy::parse(domains).unwrap_or_else(|error| panic!("{error}"));
    let runtime = Runtime { name: "prod".into(), version, internal_domains, disabled_providers };
    let subscription = Subscription::new(platform, vec![runtime], None).unwrap();
    Counter::new(subscription, &FingerprintKey::public_for_tests(1))
}

/// What becomes of a record: `internal C5`, or the reason of its exclusion. The
/// report says the same.
fn outcome(mut counter: Counter, record: &User) -> String {
    let outcome = counter.add(record).unwrap();
    let report = counter.report();
    let individuals = report.global.individuals;
    match outcome {
        Outcome::Excluded(reason) => {
            assert_eq!((individuals.total(), report.runtimes[0].excluded.of(reason)), (0, 1));
            reason.name().to_owned()
        }
        Outcome::Counted(why) => {
            let by_class = [individuals.internal, individuals.external, individuals.unclassified];
            assert_eq!((individuals.total(), by_class[why.class as usize]), (1, 1));
            format!("{} {}", why.class.name(), why.rule)
        }
    }
}

/// Whether two records are one individual, in the runtime and globally, in
/// either order, and as they are looked up.
fn one(platform: Platform, a: &User, b: &User) -> bool {
    let totals = [[a, b], [b, a]].map(|pair| {
        let mut counter = counter(platform, "mycompany.com");
        counter.add_all(pair.map(Clone::clone)).unwrap();
        let report = counter.report();
        let mut individuals = counter.individuals();
        let standings = pair.map(|record| match individuals.of(record).unwrap() {
            Standing::Linked { individual, .. } => Some(individual),
            Standing::Alone(_) => None,
            Standing::Excluded(reason) => panic!("{}", reason.name()),
        });
        let linked = standings[0].is_some() && standings[0] == standings[1];
        assert_eq!(report.global.individuals.total(), if linked { 1 } else { 2 });
        report.runtimes[0].people.individuals.total()
    });
    assert_eq!(totals[0], totals[1]);
    totals[0] == 1
}

/// The internal user domains of the class tables.
const OWNED: &str = "mycompany.com, office.example, kelvin.example, bücher.example, straße.example, βόλος.com, \
                     ☃.example, sales.mycompany.com, coco.example";

/// C5 for a domain that is listed, C5 for one that is not, and C4.
const OURS: &str = "internal C5";
const THEIRS: &str = "external C5";
const NO_ADDRESS: &str = "internal C4";

/// Whether a class can err to the side that its row says.
fn assert_errs(class: &str, errs: Errs, row: &str) {
    match errs {
        Not => {}
        Dearer => assert!(class.starts_with("internal"), "{row}"),
        Cheaper => assert!(class.starts_with("external"), "{row}"),
    }
}

/// Holds emails against their classes: as an email and as a login in O11, and
/// as an email in ODC, where a login says nothing (C3).
fn assert_classes(table: &[(&str, &str, &str, Errs)]) {
    for &(origin, email, class, errs) in table {
        for (platform, record, class) in [
            (Platform::O11, by_email(email.to_owned()), class),
            (Platform::O11, by_login(email.to_owned()), class),
            (Platform::Odc, by_email(email.to_owned()), class),
            (Platform::Odc, by_login(email.to_owned()), NO_ADDRESS),
        ] {
            assert_eq!(outcome(counter(platform, OWNED), &record), class, "{origin}: {email:?}, {platform}");
        }
        assert_errs(class, errs, origin);
    }
}

#[test]
fn domains_that_look_alike() {
    assert_classes(&[
        ("C5 as listed", "ana@mycompany.com", OURS, Not),
        ("C5 homoglyph: Cyrillic а", "ana@mycomp\u{430}ny.com", THEIRS, Not),
        ("C5 homoglyph: Cyrillic о in the top level", "ana@mycompany.c\u{43e}m", THEIRS, Not),
        ("C5 homoglyph: Greek omicron", "ana@myc\u{3bf}mpany.com", THEIRS, Not),
        ("C5 homoglyph: Latin alpha", "ana@mycomp\u{251}ny.com", THEIRS, Not),
        ("C5 homoglyph: all Cyrillic but the m and n", "ana@m\u{443}\u{441}\u{43e}mp\u{430}n\u{443}.com", THEIRS, Not),
        ("C5 homoglyph, as its A-label: Cyrillic а", "ana@xn--mycompny-66g.com", THEIRS, Not),
        ("C5 lookalike in ASCII: rn for m", "ana@rnycompany.com", THEIRS, Not),
        ("C5 lookalike in ASCII: 0 for o", "ana@myc0mpany.com", THEIRS, Not),
        ("C5 accent", "ana@mýcompany.com", THEIRS, Not),
        ("C5 mixed script: Cyrillic у and с in a Latin label", "ana@m\u{443}\u{441}ompany.com", THEIRS, Not),
        ("C5 mixed script: three scripts in a label", "ana@myc\u{3bf}mp\u{430}ny.com", THEIRS, Not),
        ("C5 as listed, before its look-alike", "ana@coco.example", OURS, Not),
        ("C5 whole script: all letters Cyrillic", "ana@\u{441}\u{43e}\u{441}\u{43e}.example", THEIRS, Not),
        ("C5 whole script, as its A-label", "ana@xn--n1aahb.example", THEIRS, Not),
        ("C5 dotless i", "ana@off\u{131}ce.example", THEIRS, Not),
        ("C5 dotted capital I", "ana@OFF\u{130}CE.example", THEIRS, Not),
        ("C5 capital I is that of i, not of dotless i", "ana@OFFICE.example", OURS, Not),
        ("C5 a fraction slash is no slash", "ana@mycompany.com\u{2044}x.evil.example", THEIRS, Not),
        ("C5 a subdomain", "ana@finance.mycompany.com", THEIRS, Not),
        ("C5 a subdomain that is listed", "ana@Sales.mycompany.com", OURS, Not),
        ("C5 the owned domain in front", "ana@mycompany.com.evil.example", THEIRS, Not),
        ("C5 the owned domain behind", "ana@notmycompany.com", THEIRS, Not),
        ("C5 cut short", "ana@mycompany.co", THEIRS, Not),
        ("C5 with a hyphen", "ana@mycompany.com-evil.example", THEIRS, Not),
        ("C5 emoji", "ana@☃☃.example", THEIRS, Not),
        ("C5 emoji that is listed", "ana@☃.example", OURS, Not),
        ("N3 emoji: the variation selector is ignored", "ana@☃\u{fe0f}.example", OURS, Not),
    ]);
}

/// What looks like an owned domain and is no domain at all is no address, so it
/// is internal like any other text (C4), and by no listed domain (C5). The
/// origin says what N3 has against it.
#[test]
fn look_alikes_that_are_no_domain() {
    assert_classes(&[
        ("N3 bidi: Hebrew samekh for o in a Latin label", "ana@myc\u{5e1}mpany.com", NO_ADDRESS, Dearer),
        ("N3 bidi: Arabic heh for o in a Latin label", "ana@myc\u{647}mpany.com", NO_ADDRESS, Dearer),
        ("N3 joiners: none behind a Latin letter", "ana@mycom\u{200d}pany.com", NO_ADDRESS, Dearer),
        ("N3 disallowed: a right-to-left mark", "ana@mycompany\u{200f}.com", NO_ADDRESS, Dearer),
        ("N3 disallowed: a dot leader for a dot", "ana@mycompany\u{2024}com.example", NO_ADDRESS, Dearer),
        ("N3 a mark begins no label", "ana@\u{338}mycompany.com", NO_ADDRESS, Dearer),
        ("N3 STD3: an underscore for a hyphen", "ana@my_company.com", NO_ADDRESS, Dearer),
    ]);
}

#[test]
fn domains_that_are_the_same() {
    assert_classes(&[
        ("N3 letter case", "ana@MyCompany.COM", OURS, Not),
        ("N3 full width", "ana@ｍｙcompany．com", OURS, Not),
        ("N3 circled letters", "ana@ⓜycompany.com", OURS, Not),
        ("N3 mathematical letters", "ana@\u{1d426}ycompany.com", OURS, Not),
        ("N3 ligature", "ana@oﬃce.example", OURS, Not),
        ("N3 Kelvin sign", "ana@\u{212a}elvin.example", OURS, Not),
        ("N3 long s", "ana@\u{17f}ales.mycompany.com", OURS, Not),
        ("N3 ideographic full stop", "ana@mycompany\u{3002}com", OURS, Not),
        ("N3 half-width ideographic full stop", "ana@mycompany\u{ff61}com", OURS, Not),
        ("N3 zero-width space vanishes", "ana@my\u{200b}company.com", OURS, Not),
        ("N3 soft hyphen vanishes", "ana@my\u{ad}company.com", OURS, Not),
        ("N3 byte order mark vanishes", "ana@my\u{feff}company.com", OURS, Not),
        ("N3 word joiner vanishes", "ana@my\u{2060}company.com", OURS, Not),
        ("N3 NFD", "ana@bu\u{308}cher.example", OURS, Not),
        ("N3 A-label", "ana@xn--bcher-kva.example", OURS, Not),
        ("N3 A-label in capitals", "ana@XN--BCHER-KVA.EXAMPLE", OURS, Not),
        ("N3 capital sharp s is sharp s", "ana@STRA\u{1e9e}E.example", OURS, Not),
        ("N3 sharp s is not ss", "ana@strasse.example", THEIRS, Not),
        ("N3 final sigma is not sigma", "ana@βόλοσ.com", THEIRS, Not),
        ("N3 a capital sigma is not a final one", "ana@ΒΌΛΟΣ.com", THEIRS, Cheaper),
    ]);
}

#[test]
fn domains_that_are_none() {
    let label = format!("ana@{}.com", "a".repeat(64));
    let name = format!("ana@{}com", "abcdefghi.".repeat(24));
    let whole = format!("ana@{}com", "abcdefghi.".repeat(26));
    assert_classes(&[
        ("V3 trailing dot", "ana@mycompany.com.", NO_ADDRESS, Not),
        ("V3 trailing dot, ideographic", "ana@mycompany.com\u{3002}", NO_ADDRESS, Not),
        ("V3 trailing dot of someone else", "ana@else.example.", NO_ADDRESS, Dearer),
        ("N3 empty label", "ana@mycompany..com", NO_ADDRESS, Not),
        ("N3 leading dot", "ana@.else.example", NO_ADDRESS, Dearer),
        ("N3 label of 64 bytes", &label, NO_ADDRESS, Dearer),
        ("V1 address of 247 bytes", &name, THEIRS, Not),
        ("V1 address of 267 bytes", &whole, NO_ADDRESS, Dearer),
        ("N3 zero-width joiner", "ana@my\u{200d}company.com", NO_ADDRESS, Not),
        ("N3 zero-width non-joiner", "ana@else\u{200c}.example", NO_ADDRESS, Dearer),
        ("N3 left-to-right mark", "ana@else\u{200e}.example", NO_ADDRESS, Dearer),
        ("N3 right-to-left override", "ana@\u{202e}moc.ynapmocym", NO_ADDRESS, Dearer),
        ("N3 bidi isolate", "ana@\u{2066}else.example", NO_ADDRESS, Dearer),
        ("N3 letters of both directions in a label", "ana@else\u{5d0}.example", NO_ADDRESS, Dearer),
        ("N3 a combining mark first", "ana@\u{301}else.example", NO_ADDRESS, Dearer),
        ("N3 Punycode of ASCII (CVE-2024-12224)", "ana@xn--mycompany-.com", NO_ADDRESS, Dearer),
        ("N3 Punycode of nothing", "ana@xn--.com", NO_ADDRESS, Dearer),
        ("N3 Punycode of a capital letter", "ana@xn--bcher-2pa.example", NO_ADDRESS, Dearer),
        ("N3 broken Punycode", "ana@xn--a.example", NO_ADDRESS, Dearer),
        ("N3 hyphens third and fourth", "ana@el--se.example", NO_ADDRESS, Dearer),
        ("N3 hyphen first", "ana@-else.example", NO_ADDRESS, Dearer),
        ("N3 underscore", "ana@el_se.example", NO_ADDRESS, Dearer),
        ("N3 one dot leader", "ana@mycompany\u{2024}com", NO_ADDRESS, Not),
        ("N3 account of, which maps to a slash", "ana@mycompany.com\u{2100}.evil.example", NO_ADDRESS, Dearer),
        ("N3 full-width at", "ana@mycompany.com\u{ff20}evil.example", NO_ADDRESS, Dearer),
        ("N3 full-width slash", "ana@mycompany.com\u{ff0f}.evil.example", NO_ADDRESS, Dearer),
        ("N3 full-width number sign", "ana@evil.example\u{ff03}.mycompany.com", NO_ADDRESS, Dearer),
        ("N3 percent escape", "ana@mycompany%2ecom", NO_ADDRESS, Not),
        ("N3 a port", "ana@else.example:25", NO_ADDRESS, Dearer),
        ("V3 one label", "ana@localhost", NO_ADDRESS, Not),
        ("V3 numbers", "ana@10.0.0.1", NO_ADDRESS, Dearer),
        ("V3 numbers in full width", "ana@１０.０.０.１", NO_ADDRESS, Dearer),
        ("V3 a hexadecimal number is a label", "ana@10.0.0.0x1", THEIRS, Not),
    ]);
}

#[test]
fn email_syntax() {
    let local = format!("{}@else.example", "a".repeat(65));
    let megabyte = format!("{}@mycompany.com", "a".repeat(1 << 20));
    assert_classes(&[
        ("V2 several @: the owned domain last", "ana@evil.example@mycompany.com", NO_ADDRESS, Dearer),
        ("V2 several @: the owned domain first", "ana@mycompany.com@evil.example", NO_ADDRESS, Dearer),
        ("V1 two @ in a row", "ana@@else.example", NO_ADDRESS, Dearer),
        ("V1 no local part", "@else.example", NO_ADDRESS, Dearer),
        ("V1 no domain", "ana@", NO_ADDRESS, Not),
        ("V1 a full-width @ is none", "ana\u{ff20}else.example", NO_ADDRESS, Dearer),
        ("V1 a small @ is none", "ana\u{fe6b}else.example", NO_ADDRESS, Dearer),
        ("V2 a full-width @ in a local part is a letter of it", "ana\u{ff20}mycompany.com@else.example", THEIRS, Not),
        ("V2 a semicolon", "ana;b@else.example", NO_ADDRESS, Dearer),
        ("V2 a Greek question mark, a semicolon in NFC", "ana\u{37e}b@else.example", THEIRS, Not),
        ("V2 not less than, in one character", "ana\u{226e}b@else.example", THEIRS, Not),
        ("V2 not less than, in two", "ana<\u{338}b@else.example", NO_ADDRESS, Dearer),
        ("V1 local part of 65 bytes", &local, NO_ADDRESS, Dearer),
        ("V1 a megabyte", &megabyte, NO_ADDRESS, Not),
        ("V4 quoted", "\"ana\"@else.example", NO_ADDRESS, Dearer),
        ("V4 quoted, with the owned domain inside", "\"ana@mycompany.com\"@else.example", NO_ADDRESS, Dearer),
        ("V4 quoted, with a line end", "\"ana\r\n\"@else.example", NO_ADDRESS, Dearer),
        ("V4 comment before", "(mycompany.com)ana@else.example", NO_ADDRESS, Dearer),
        ("V4 comment after", "ana@else.example(mycompany.com)", NO_ADDRESS, Dearer),
        ("V4 comment between", "ana@else(mycompany.com).example", NO_ADDRESS, Dearer),
        ("V4 display name", "Ana <ana@else.example>", NO_ADDRESS, Dearer),
        ("V4 brackets alone", "<ana@else.example>", NO_ADDRESS, Dearer),
        ("V4 source route", "@mycompany.com,@b.example:ana@else.example", NO_ADDRESS, Dearer),
        ("V4 source route in brackets", "<@mycompany.com:ana@else.example>", NO_ADDRESS, Dearer),
        ("V2 percent route: a local part", "ana%mycompany.com@else.example", THEIRS, Not),
        ("V2 bang path: a local part", "mycompany.com!ana@else.example", THEIRS, Not),
        ("V2 encoded word in UTF-8: a local part", "=?utf-8?q?ana?=@else.example", THEIRS, Not),
        ("V2 encoded word of an address", "=?utf-8?q?ana=40mycompany.com?=@else.example", THEIRS, Not),
        ("V2 encoded word in UTF-7 is not decoded", "=?utf-7?q?ana+AEA-mycompany.com?=@else.example", THEIRS, Not),
        ("V4 address literal", "ana@[10.0.0.1]", NO_ADDRESS, Dearer),
        ("V4 address literal, version 6", "ana@[IPv6:2001:db8::1]", NO_ADDRESS, Dearer),
        ("V4 a list", "ana@else.example, ben@else.example", NO_ADDRESS, Dearer),
        ("V4 a list by semicolon", "ana@mycompany.com;ben@else.example", NO_ADDRESS, Dearer),
        ("V3 two addresses run together", "ana@else.exampleben@else.example", NO_ADDRESS, Dearer),
        ("V4 mailto", "mailto:ana@else.example", NO_ADDRESS, Dearer),
        ("V2 white space inside", "ana lopes@else.example", NO_ADDRESS, Dearer),
        ("V2 no-break space inside", "ana\u{a0}lopes@else.example", NO_ADDRESS, Dearer),
        ("N3 white space after the @", "ana@ else.example", NO_ADDRESS, Dearer),
        ("N1 white space around", "\u{3000}ana@else.example\u{a0}", THEIRS, Not),
        ("N1 line end behind", "ana@else.example\r\n", THEIRS, Not),
        ("V2 NUL", "ana\0@else.example", NO_ADDRESS, Dearer),
        ("N3 NUL in the domain", "ana@mycompany.com\0.evil.example", NO_ADDRESS, Dearer),
        ("V2 line end inside (header injection)", "ana\r\nbcc:ben@else.example", NO_ADDRESS, Dearer),
        ("V2 escape sequence", "\u{1b}[2Jana@else.example", NO_ADDRESS, Dearer),
        ("V2 C1 control", "ana\u{85}b@else.example", NO_ADDRESS, Dearer),
        ("V2 delete", "ana\u{7f}@else.example", NO_ADDRESS, Dearer),
        ("V2 right-to-left override in a local part", "\u{202e}ana@else.example", THEIRS, Not),
        ("V2 a formula for a spreadsheet", "=1+1@else.example", THEIRS, Not),
    ]);
}

/// C3: what stands in the email decides before what stands in the login, if it
/// is an address at all.
#[test]
fn an_email_and_a_login_that_disagree() {
    for (origin, email, login, in_o11, in_odc, errs) in [
        ("C3 email wins", "ana@else.example", "ana@mycompany.com", THEIRS, THEIRS, Cheaper),
        ("C3 email wins", "ana@mycompany.com", "ana@else.example", OURS, OURS, Dearer),
        ("C3 a broken email gives way", "\"ana\"@mycompany.com", "ana@else.example", THEIRS, NO_ADDRESS, Cheaper),
        ("C3 a broken email gives way", "ana@else.example.", "ana@mycompany.com", OURS, NO_ADDRESS, Dearer),
        ("C4 neither", "ana@localhost", "ana", NO_ADDRESS, NO_ADDRESS, Not),
    ] {
        let record = User { email: field(email), ..by_login(login) };
        assert_eq!(outcome(counter(Platform::O11, OWNED), &record), in_o11, "{origin}");
        assert_eq!(outcome(counter(Platform::Odc, OWNED), &record), in_odc, "{origin}");
        assert_errs(in_o11, errs, origin);
    }
}

/// Every form of a name in the policy against every form of it in a record.
#[test]
fn the_form_in_the_policy_and_the_form_in_the_record() {
    let names: [(&str, &[&str]); 7] = [
        ("mycompany.com", &["mycompany.com", "MyCompany.Com", "ｍｙｃｏｍｐａｎｙ.com", "my\u{ad}company。com"]),
        (
            "xn--bcher-kva.example",
            &[
                "bücher.example",
                "BÜCHER.EXAMPLE",
                "bu\u{308}cher.example",
                "BU\u{308}CHER.example",
                "xn--bcher-kva.example",
                "XN--BCHER-KVA.EXAMPLE",
                "Xn--Bcher-Kva.example",
                "ｘｎ--bcher-kva.example",
                "b\u{200b}ücher.example",
            ],
        ),
        ("xn--strae-oqa.example", &["straße.example", "STRA\u{1e9e}E.example", "xn--strae-oqa.example"]),
        ("strasse.example", &["strasse.example", "STRASSE.example"]),
        ("xn--nxasmm1c.com", &["βόλος.com", "βο\u{301}λος.com", "xn--nxasmm1c.com"]),
        ("xn--nxasmq6b.com", &["βόλοσ.com", "ΒΌΛΟΣ.com", "XN--NXASMQ6B.com"]),
        ("xn--n3h.example", &["☃.example", "☃\u{fe0f}.example", "xn--n3h.example", "XN--N3H.example"]),
    ];
    for (owned, policy_forms) in names {
        for policy_form in policy_forms {
            for dot in ["", ".", "\u{3002}"] {
                let policy = DomainPolicy::parse(&format!("{policy_form}{dot}")).unwrap();
                assert_eq!(policy.domains(), [owned], "P2: {policy_form}{dot}");
            }
            for (name, record_forms) in names {
                let class = if name == owned { OURS } else { THEIRS };
                for form in record_forms {
                    let record = by_email(format!("ana@{form}"));
                    let found = outcome(counter(Platform::O11, policy_form), &record);
                    assert_eq!(found, class, "P2, C5: {policy_form} in the policy, {form} in the record");
                }
            }
        }
        let all = DomainPolicy::parse(&policy_forms.join(",")).unwrap();
        assert_eq!(all.len(), 1, "P1: {owned}");
    }
}

/// Entries of a policy: its normal form, or the refusal. A refused one errs to
/// neither side, since nothing is counted under it.
#[test]
fn policies_of_tricks() {
    let malformed = Err(Refusal::NotADomain(DomainError::Malformed));
    let single = Err(Refusal::NotADomain(DomainError::SingleLabel));
    let numeric = Err(Refusal::NotADomain(DomainError::Numeric));
    for (origin, entry, expected, errs) in [
        ("P2 a homoglyph is a domain of its own", "mycomp\u{430}ny.com", Ok("xn--mycompny-66g.com"), Cheaper),
        ("P2 one trailing dot", "mycompany.com.", Ok("mycompany.com"), Not),
        ("P2 one trailing dot, no more", "mycompany.com..", malformed, Not),
        ("P2 the dot is one by N3 too", "mycompany.com．", Ok("mycompany.com"), Not),
        ("P2 ignored characters vanish", "\u{feff}mycompany.com", Ok("mycompany.com"), Not),
        ("P3 zero-width joiner", "my\u{200d}company.com", malformed, Not),
        ("P3 right-to-left override", "\u{202e}mycompany.com", malformed, Not),
        ("P3 Punycode of ASCII", "xn--mycompany-.com", malformed, Not),
        ("P3 full-width at", "ana\u{ff20}mycompany.com", malformed, Not),
        ("P3 full-width comma is no comma", "a.example\u{ff0c}b.example", malformed, Not),
        ("P3 full-width asterisk", "\u{ff0a}.mycompany.com", malformed, Not),
        ("P3 no-break space", "my\u{a0}company.com", Err(Refusal::WhiteSpace), Not),
        ("P3 public suffix in full width", "ｃｏ.ｕｋ", Err(Refusal::PublicSuffix), Not),
        ("P3 public suffix with an ignored character", "co.u\u{ad}k", Err(Refusal::PublicSuffix), Not),
        ("P3 public suffix with an ideographic dot", "co。uk", Err(Refusal::PublicSuffix), Not),
        ("P3 public suffix as an A-label", "XN--55QX5D.cn", Err(Refusal::PublicSuffix), Not),
        ("P3 a homoglyph of a public suffix nobody has", "c\u{43e}.uk", Ok("xn--c-1tb.uk"), Not),
        ("P3 an IP address in full width", "１０.０.０.１", numeric, Not),
        ("P3 an IP address with a dot behind", "10.0.0.1.", numeric, Not),
        ("P3 an IP address in four octal parts", "012.0.0.1", numeric, Not),
        ("P3 a single label", "intranet", single, Not),
        ("P3 an empty label", "mycompany..com", malformed, Not),
        (
            "P3 an overlong label",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com",
            malformed,
            Not,
        ),
        ("P3 NUL", "mycompany.com\0.evil.example", malformed, Not),
    ] {
        let found = DomainPolicy::parse(entry);
        let found = found.as_ref().map(ToString::to_string).map_err(|error| error.refusal);
        assert_eq!(found, expected.map(str::to_owned), "{origin}: {entry:?}");
        if let Ok(domain) = expected {
            assert_eq!(class_of(entry, domain), OURS, "C5: {origin}");
        }
        if errs != Not {
            assert_eq!((errs, class_of(entry, "mycompany.com").as_str()), (Cheaper, THEIRS), "C5: {origin}");
        }
    }
}

/// What is, or is not, one login, one local part, one key.
type Pair = (&'static str, &'static str, &'static str, bool, Errs);

/// Pairs of them (N2). The two are in providers of their own and have nothing
/// else in common.
const PAIRS: [Pair; 39] = [
    ("N2 the same", "ana", "ana", true, Not),
    ("N2 NFC", "jos\u{e9}", "jose\u{301}", true, Not),
    ("N2 NFC: two marks in the other order", "a\u{323}\u{302}", "a\u{302}\u{323}", true, Not),
    ("N2 NFC: marks of one class keep their order", "a\u{301}\u{300}", "a\u{300}\u{301}", false, Not),
    ("N2 NFC: Kelvin sign", "Kelvin", "\u{212a}elvin", true, Not),
    ("N2 NFC: Angstrom sign", "\u{c5}sa", "\u{212b}sa", true, Not),
    ("N2 NFC: Ohm sign", "\u{3a9}", "\u{2126}", true, Not),
    ("N2 NFC: Hangul", "\u{d55c}", "\u{1112}\u{1161}\u{11ab}", true, Not),
    ("N2 NFC: a compatibility ideograph", "\u{8c48}", "\u{f900}", true, Not),
    ("N1 white space around", "ana", "\u{3000}ana\u{2028}", true, Not),
    ("N2 full width is not ASCII", "ana", "\u{ff41}na", false, Dearer),
    ("N2 ligature", "fiona", "\u{fb01}ona", false, Dearer),
    ("N2 digraph is not two letters", "d\u{17e}ep", "\u{1c6}ep", false, Dearer),
    ("N2 sharp s is not ss", "stra\u{df}e", "strasse", false, Not),
    ("N2 dotless i is not i (CVE-2019-19844)", "mike", "m\u{131}ke", false, Not),
    ("N2 no locale: capital I is i", "m\u{131}ke", "MIKE", false, Not),
    ("N2 dotted capital I keeps its dot", "istanbul", "\u{130}stanbul", false, Dearer),
    ("N2 long s is not s", "sam", "\u{17f}am", false, Dearer),
    ("N2 character by character: no final sigma", "\u{3bf}\u{3c2}", "\u{39f}\u{3a3}", false, Dearer),
    ("N2 homoglyph: Cyrillic а", "ana", "\u{430}na", false, Not),
    ("N2 homoglyph: 1 and l", "paul", "pau1", false, Not),
    ("N2 zero-width space", "ana", "an\u{200b}a", false, Dearer),
    ("N2 zero-width joiner", "ana", "an\u{200d}a", false, Dearer),
    ("N2 soft hyphen", "ana", "an\u{ad}a", false, Dearer),
    ("N1 a byte order mark is no white space", "ana", "\u{feff}ana", false, Dearer),
    ("N2 a byte order mark inside", "ana", "an\u{feff}a", false, Dearer),
    ("N2 left-to-right mark", "ana", "ana\u{200e}", false, Dearer),
    ("N2 right-to-left override", "ana", "\u{202e}ana", false, Dearer),
    ("N2 variation selector", "☃", "☃\u{fe0f}", false, Dearer),
    ("N2 variation selector behind a letter", "ana", "ana\u{fe00}", false, Dearer),
    ("N2 Hangul filler", "ana", "ana\u{3164}", false, Dearer),
    ("N2 emoji that look alike", "😀", "😃", false, Not),
    ("N2 emoji with a joiner", "👩\u{200d}💻", "👩💻", false, Dearer),
    ("N2 emoji with a tone", "👩", "👩🏽", false, Not),
    ("N2 no accent stripping", "jose", "jos\u{e9}", false, Not),
    ("N2 superscript", "ana2", "ana\u{b2}", false, Dearer),
    ("N2 no plus-tag removal", "ana", "ana+x", false, Dearer),
    ("N2 no dot removal", "ana.lopes", "analopes", false, Dearer),
    ("N2 mathematical letters", "ana", "\u{1d41a}na", false, Dearer),
];

/// One as a login or a key, where a local part has V2 before it.
const GREEK_QUESTION_MARK: Pair = ("N2 NFC: Greek question mark", "ana;b", "ana\u{37e}b", true, Not);

/// Pairs that differ in letter case alone: one (N2).
const CASES: [(&str, &str, &str); 8] = [
    ("N2 lower case", "ana", "ANA"),
    ("N2 lower case beside an emoji", "ana👩", "ANA👩"),
    ("N2 NFC, then lower case", "jos\u{e9}", "JOSE\u{301}"),
    ("N2 capital sharp s is sharp s", "stra\u{df}e", "STRA\u{1e9e}E"),
    ("N2 digraph in title case", "\u{1c6}ep", "\u{1c5}ep"),
    ("N2 full width in capitals", "\u{ff41}na", "\u{ff21}na"),
    ("N2 dotted capital I is i with a dot", "i\u{307}stanbul", "\u{130}stanbul"),
    ("N2 homoglyph: Cyrillic а, each in its case", "\u{430}na", "\u{410}NA"),
];

/// All pairs; those of letter case err to a side that depends on what they are.
fn pairs(letter_case: Errs) -> impl Iterator<Item = Pair> {
    let cases = CASES.into_iter().map(move |(origin, a, b)| (origin, a, b, true, letter_case));
    PAIRS.into_iter().chain(cases)
}

fn assert_pair(origin: &str, merged: bool, same: bool, errs: Errs) {
    assert_eq!(merged, same, "{origin}");
    match errs {
        Not => {}
        Dearer => assert!(!same, "{origin}"),
        Cheaper => assert!(same, "{origin}"),
    }
}

#[test]
fn logins_that_look_alike() {
    for (origin, a, b, same, errs) in pairs(Not).chain([GREEK_QUESTION_MARK]) {
        let b = User { provider: field("Portal"), ..by_login(b) };
        assert_pair(origin, one(Platform::O11, &by_login(a), &b), same, errs);
        assert!(!one(Platform::Odc, &by_login(a), &b), "D5: {origin}");
    }
}

/// RFC 5321 lets a mail system tell local parts apart by letter case.
#[test]
fn local_parts_that_look_alike() {
    for (origin, a, b, same, errs) in pairs(Cheaper) {
        if b.trim() != b {
            continue; // White space before the @ is no address (V2).
        }
        let [a, b] = [(a, "else.example"), (b, "ELSE.example")].map(|(local, domain)| format!("{local}@{domain}"));
        let b = User { provider: field("Portal"), ..by_email(b) };
        assert_pair(origin, one(Platform::O11, &by_email(a.clone()), &b), same, errs);
        assert!(!one(Platform::Odc, &by_email(a), &b), "D5: {origin}");
    }
}

/// R6 compares keys by N2, and a platform could tell them apart by letter case.
#[test]
fn keys_that_look_alike() {
    for (origin, a, b, same, errs) in pairs(Cheaper).chain([GREEK_QUESTION_MARK]) {
        let [a, b] = [a, b].map(|key| User { key: field(key), ..nobody() });
        assert_pair(origin, one(Platform::Odc, &a, &b), same, errs);
        assert!(!one(Platform::O11, &a, &b), "D2: keys link nothing in O11: {origin}");
    }
}

/// More ways for two records to be one, or not.
#[test]
fn records_that_would_be_one() {
    let portal = |user: User| User { provider: field("Portal"), ..user };
    for (origin, a, b, same, errs) in [
        (
            "N4 domain as U-label and A-label",
            by_email("ana@bücher.example"),
            by_email("ana@xn--bcher-kva.example"),
            true,
            Not,
        ),
        ("N4 domain in full width", by_email("ana@else.example"), by_email("ana@ｅlse.example"), true, Not),
        (
            "N4 domain with an ignored character",
            by_email("ana@else.example"),
            by_email("ana@el\u{ad}se.example"),
            true,
            Not,
        ),
        (
            "N4 the same ignored character in the local part",
            by_email("ana@else.example"),
            by_email("a\u{ad}na@else.example"),
            false,
            Dearer,
        ),
        ("N4 domain with a homoglyph", by_email("ana@else.example"), by_email("ana@els\u{435}.example"), false, Not),
        (
            "C4, D8 no address merges nothing: trailing dot",
            by_email("ana@else.example."),
            by_email("ana@else.example."),
            false,
            Dearer,
        ),
        (
            "C4, D8 no address merges nothing: quoted",
            by_email("\"ana\"@else.example"),
            by_email("\"ana\"@else.example"),
            false,
            Dearer,
        ),
        (
            "C4, D8 no address merges nothing: several @",
            by_email("a@b@else.example"),
            by_email("a@b@else.example"),
            false,
            Dearer,
        ),
        ("D7 a login that is an address is one", by_login("ana@else.example"), by_email("Ana@Else.Example"), true, Not),
        (
            "D7 a login that is an address, beside another email",
            User { email: field("ben@else.example"), ..by_login("ana@else.example") },
            by_email("ana@else.example"),
            false,
            Not,
        ),
        (
            "D7 a login with quotes is no address",
            by_login("\"ana\"@else.example"),
            by_email("\"ana\"@else.example"),
            false,
            Dearer,
        ),
        (
            "D2 quotes and all, it is a login",
            by_login("\"ana\"@else.example"),
            by_login("\"ANA\"@else.example"),
            true,
            Not,
        ),
        ("D2 control characters and all, it is a login", by_login("a\0na"), by_login("A\0NA"), true, Not),
        ("D2 control characters do not vanish", by_login("a\0na"), by_login("ana"), false, Dearer),
        ("D2 nor do those beyond ASCII", by_login("an\u{9c}a"), by_login("ana"), false, Dearer),
        ("D2 no text is cut at a NUL", by_login("ana\0x"), by_login("ana\0y"), false, Not),
        (
            "D2 login and email do not run together",
            User { email: field("b@else.example"), ..by_login("a") },
            User { email: field("@else.example"), ..by_login("ab") },
            false,
            Not,
        ),
    ] {
        assert_pair(origin, one(Platform::O11, &a, &portal(b)), same, errs);
    }
}

/// Fields that many people share, or leave empty.
#[test]
fn shared_and_empty_fields() {
    for (origin, a, b, same, errs) in [
        (
            "D8 empty logins",
            User { name: field("Ana"), ..by_login("") },
            User { name: field("Ana"), ..by_login(" ") },
            false,
            Not,
        ),
        (
            "D8 empty emails",
            User { name: field("Ana"), ..by_email("") },
            User { name: field("Ana"), ..by_email(" ") },
            false,
            Not,
        ),
        (
            "D2 a shared mailbox as the email: two people are one",
            User { email: field("info@mycompany.com"), ..by_login("ana") },
            User { email: field("Info@MyCompany.com"), ..by_login("ben") },
            true,
            Cheaper,
        ),
        (
            "D2 a shared login: two people are one",
            User { email: field("ana@mycompany.com"), ..by_login("reception") },
            User { email: field("ben@mycompany.com"), ..by_login("Reception") },
            true,
            Cheaper,
        ),
        (
            "D2, D8 a placeholder for a login is a login: two people are one",
            User { email: field("ana@mycompany.com"), ..by_login("n/a") },
            User { email: field("ben@mycompany.com"), ..by_login("N/A") },
            true,
            Cheaper,
        ),
        (
            "C4, D8 a placeholder for an email links nobody",
            User { email: field("n/a"), ..by_login("ana") },
            User { email: field("n/a"), ..by_login("ben") },
            false,
            Not,
        ),
        ("D8 an invisible login is a login", by_login("\u{200b}"), by_login("\u{200b}"), true, Not),
        ("C4, D8 a placeholder for an email, and no login", by_email("-"), by_email("-"), false, Not),
    ] {
        let b = User { provider: field("Portal"), ..b };
        assert_pair(origin, one(Platform::O11, &a, &b), same, errs);
    }
}

#[test]
fn long_logins_are_told_apart_by_their_last_byte() {
    let long = |last: &str| by_login(format!("{}{last}", "a".repeat(1 << 20)));
    assert!(one(Platform::O11, &long("b"), &User { provider: field("Portal"), ..long("B") }), "D2, X1");
    assert!(!one(Platform::O11, &long("b"), &User { provider: field("Portal"), ..long("c") }), "D2, X1");
}

/// NFC sorts each run of marks by class: below before above. Half a million of
/// them are one run.
#[test]
fn long_runs_of_marks_are_sorted_and_told_apart_by_the_last() {
    let run = |marks: &str, last: &str| by_login(format!("e{}{last}", marks.repeat((1 << 20) / marks.len())));
    for (origin, a, b, same) in [
        ("N2 NFC: marks of two classes in the other order", ["\u{301}\u{323}", ""], ["\u{323}\u{301}", ""], true),
        ("N2 the last mark is another", ["\u{301}\u{323}", "\u{301}"], ["\u{301}\u{323}", "\u{300}"], false),
        (
            "N2 so is one that is sorted away from the end",
            ["\u{301}\u{323}", "\u{323}"],
            ["\u{301}\u{323}", "\u{324}"],
            false,
        ),
    ] {
        let mut counter = counter(Platform::O11, OWNED);
        counter.add_all([a, b].map(|[marks, last]| run(marks, last))).unwrap();
        assert_eq!(counter.report().global.individuals.total(), if same { 1 } else { 2 }, "{origin}");
    }
}

/// Providers and tenants by which someone would be excluded, or kept apart.
#[test]
fn providers_and_tenants_of_tricks() {
    let of = |provider: &'static str| User { provider: field(provider), ..by_login("ana") };
    for (origin, provider, expected, errs) in [
        ("E1 in other letters", "OLD", "disabled_provider", Not),
        ("E1 with white space around", "\u{a0}Old\n", "disabled_provider", Not),
        ("E1 homoglyph: Cyrillic О", "\u{41e}ld", NO_ADDRESS, Dearer),
        ("E1 full width", "Ｏld", NO_ADDRESS, Dearer),
        ("E1 zero-width space", "Old\u{200b}", NO_ADDRESS, Dearer),
        ("E2 in other letters", "SERVICEcenter", "it_user", Not),
        ("E2 homoglyph: Cyrillic е", "ServiceC\u{435}nter", NO_ADDRESS, Dearer),
        ("E2 soft hyphen", "Service\u{ad}Center", NO_ADDRESS, Dearer),
        ("E2 white space inside", "Service Center", NO_ADDRESS, Dearer),
    ] {
        assert_eq!(outcome(counter(Platform::O11, OWNED), &of(provider)), expected, "{origin}");
        assert_eq!(outcome(counter(Platform::Odc, OWNED), &of(provider)), NO_ADDRESS, "E1, E2: in O11: {origin}");
        assert_eq!(errs == Dearer, expected == NO_ADDRESS, "{origin}");
    }
    for (origin, tenant, same, errs) in [
        ("R4 in other letters", "PORTAL", true, Not),
        ("R4 homoglyph: Cyrillic о", "P\u{43e}rtal", false, Dearer),
        ("R4 zero-width space", "\u{200b}Portal", false, Dearer),
        ("R4 full width", "Ｐortal", false, Dearer),
        ("R4 a blank tenant is none", "\u{3000}", true, Not),
        ("R4 an invisible one is another", "\u{200b}", false, Dearer),
    ] {
        let other = User { tenant: field(tenant), ..of("Portal") };
        assert_pair(origin, one(Platform::O11, &by_login("ana"), &other), same, errs);
    }
    let invisible = User { name: field("\u{200b}"), last_login: None, ..nobody() };
    assert_eq!(outcome(counter(Platform::O11, OWNED), &invisible), NO_ADDRESS, "E4 an invisible name is a name");
}

/// Runtimes are configuration, and compared as they stand (R1).
#[test]
fn runtimes_are_never_guessed() {
    for name in ["PROD", "ｐrod", "pr\u{43e}d", "prod\u{200b}", "\u{feff}prod", "prod\0"] {
        let record = User { runtime: name.into(), ..by_login("ana") };
        let mut counter = counter(Platform::O11, OWNED);
        assert_eq!(counter.add(&record), Err(headcount::AddError::UnknownRuntime), "R1 {name:?}");
        assert_eq!(counter.report().records, 0);
    }
}

/// Letters that N3 takes for the ASCII letter.
const SAME: [(char, &str); 12] = [
    ('a', "Aａⓐ\u{1d41a}"),
    ('c', "Cｃⅽ"),
    ('e', "Eｅⓔ"),
    ('i', "Iｉⅰ"),
    ('k', "Kｋ\u{212a}"),
    ('m', "Mｍⅿ"),
    ('n', "Nｎⁿ"),
    ('o', "Oｏº"),
    ('p', "Pｐ\u{1d429}"),
    ('s', "Sｓ\u{17f}"),
    ('x', "Xｘⅹ"),
    ('y', "Yｙⓨ"),
];
/// Letters that look like the ASCII letter and are others, in domains as well:
/// with them a name is still one.
const ALIKE: [(char, &str); 12] = [
    ('a', "аɑα"),
    ('c', "сϲ"),
    ('e', "еҽ"),
    ('i', "іı"),
    ('k', "κк"),
    ('m', "мṃ"),
    ('n', "ոп"),
    ('o', "оοօ0"),
    ('p', "рρ"),
    ('s', "ѕ"),
    ('x', "хχ"),
    ('y', "уγ"),
];
/// Characters that N3 drops.
const IGNORED: &str = "\u{ad}\u{200b}\u{2060}\u{feff}\u{fe0f}";
/// Characters that make a name none, or another.
const OTHER: &str = "\u{200c}\u{200d}\u{200e}\u{202e}\u{301}\u{338}-_.xé☃";

/// One character of a name and what is done to it.
fn mutated(name: &str, changes: &[(prop::sample::Index, prop::sample::Index)], tables: &[&[(char, &str)]]) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    for (place, choice) in changes {
        let place = place.index(letters.len());
        let looks = tables.iter().flat_map(|table| table.iter());
        let looks: Vec<char> =
            looks.filter(|(letter, _)| *letter == letters[place]).flat_map(|(_, looks)| looks.chars()).collect();
        if !looks.is_empty() {
            letters[place] = looks[choice.index(looks.len())];
        }
    }
    letters.into_iter().collect()
}

fn inserted(name: &str, inserts: &[(prop::sample::Index, prop::sample::Index)], from: &str) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let from: Vec<char> = from.chars().collect();
    for (place, choice) in inserts {
        letters.insert(place.index(letters.len() + 1), from[choice.index(from.len())]);
    }
    letters.into_iter().collect()
}

const OWNED_NAMES: [&str; 3] = ["mycompany.com", "pension.example", "xn--bcher-kva.example"];

fn class_of(owned: &str, domain: &str) -> String {
    outcome(counter(Platform::O11, owned), &by_email(format!("ana@{domain}")))
}

fn changes(most: usize) -> impl Strategy<Value = Vec<(prop::sample::Index, prop::sample::Index)>> {
    prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn internal_just_where_the_normal_forms_are_equal(
        owned in prop::sample::select(&OWNED_NAMES[..]), letters in changes(4), ignored in changes(2), other in changes(2),
    ) {
        let domain = mutated(owned, &letters, &[&SAME, &ALIKE]);
        let domain = inserted(&inserted(&domain, &ignored, IGNORED), &other, OTHER);
        let normal = domain.parse::<Domain>();
        let expected = match &normal {
            Err(_) => NO_ADDRESS,
            Ok(normal) if normal.as_str() == owned => OURS,
            Ok(_) => THEIRS,
        };
        prop_assert_eq!(class_of(owned, &domain), expected, "{:?}", domain);
    }

    #[test]
    fn a_domain_that_only_looks_owned_is_external(
        owned in prop::sample::select(&OWNED_NAMES[..2]), letters in changes(6), ignored in changes(3),
    ) {
        let alike = mutated(owned, &letters, &[&ALIKE]);
        prop_assume!(alike != owned);
        let domain = inserted(&alike, &ignored, IGNORED);
        prop_assert_eq!(class_of(owned, &domain), THEIRS, "{:?}", domain);
    }

    #[test]
    fn an_owned_domain_is_internal_however_it_is_written(
        owned in prop::sample::select(&OWNED_NAMES[..2]), letters in changes(12), ignored in changes(3),
    ) {
        let domain = inserted(&mutated(owned, &letters, &[&SAME]), &ignored, IGNORED);
        prop_assert_eq!(class_of(owned, &domain), OURS, "{:?}", domain);
    }
}

/// What stands between backticks.
fn quoted(document: &str) -> BTreeSet<&str> {
    document.split('`').skip(1).step_by(2).collect()
}

/// A reference `file::test` to a test of `tests` or `src`; of a file of `src`
/// the tests may have a room of their own, `src/file/tests.rs`.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (file, test) = text.split_once("::")?;
    let is_name =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    (is_name(file) && is_name(test)).then_some((file, test))
}

#[test]
fn what_security_md_refers_to_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let mut missing = String::new();
    let mut tests = 0;
    for text in quoted(&document) {
        if let Some((file, test)) = reference(text) {
            tests += 1;
            let sources = [format!("tests/{file}.rs"), format!("src/{file}.rs"), format!("src/{file}/tests.rs")];
            let sources = sources.map(|source| root.join(source));
            let mut lines: Vec<String> = Vec::new();
            for source in sources.iter().filter(|source| source.exists()) {
                lines.extend(std::fs::read_to_string(source).unwrap().lines().map(|line| line.trim().to_owned()));
            }
            let opens = format!("fn {test}(");
            if !lines.windows(2).any(|pair| pair[0] == "#[test]" && pair[1].starts_with(&opens)) {
                writeln!(missing, "{text}: no such test").unwrap();
            }
        }
        let is_path = ["tests/", "src/", "examples/", "benches/", ".ci/"].iter().any(|folder| text.starts_with(folder));
        // A published package has no `.ci`.
        let is_left_out = text.starts_with(".ci/") && root.join("Cargo.toml.orig").exists();
        if is_path && !is_left_out && !root.join(text).exists() {
            writeln!(missing, "{text}: no such file").unwrap();
        }
    }
    assert!(missing.is_empty(), "SECURITY.md: {missing}");
    assert!(tests > 20, "{tests} tests are named");
    // Each trick names a test that pins it.
    let rows = section(&document, "Tricks").lines().filter(|line| line.starts_with('|')).skip(2);
    for row in rows {
        assert!(quoted(row).into_iter().any(|text| reference(text).is_some()), "{row}");
    }
}

/// The sides that the rows of a table of this file err to; none where a test is
/// no table.
fn sides(test: &str) -> BTreeSet<&'static str> {
    let part = |begin: &str, end: &str| -> &'static str {
        let (_, behind) = include_str!("tricks.rs").split_once(begin).unwrap_or_else(|| panic!("no {begin}"));
        behind.split(end).next().unwrap()
    };
    // Up to where the rows end, of a test that goes through them.
    let body = part(&format!("fn {test}("), "\n}\n").split("\n    ] {\n").next().unwrap_or_default();
    let pairs = if body.contains("in pairs(") { part("const PAIRS", "\n];\n") } else { "" };
    let words = body.split(|c: char| !c.is_alphanumeric()).chain(pairs.split(|c: char| !c.is_alphanumeric()));
    words.filter(|word| ["Not", "Dearer", "Cheaper"].contains(word)).collect()
}

/// Where SECURITY.md says that a trick errs to a side, each table of this file
/// that it cites has such a row. And each side that a table has but `Not` is told.
#[test]
fn security_md_errs_as_the_tables_do() {
    let document = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("SECURITY.md")).unwrap();
    let mut told: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in section(&document, "Tricks").lines().filter(|line| line.starts_with('|')).skip(2) {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let errs = columns[4].split(" or ").map(|side| match side {
            "none" => "Not",
            "dearer" => "Dearer",
            "cheaper" => "Cheaper",
            _ => panic!("{row}"),
        });
        let tests = quoted(columns[5]).into_iter().filter_map(reference);
        for (_, test) in tests.filter(|(file, test)| *file == "tricks" && !sides(test).is_empty()) {
            told.entry(test).or_default().extend(errs.clone());
        }
    }
    assert!(told.len() >= 12, "{told:?}");
    for (test, told) in &told {
        let sides = sides(test);
        assert!(told.is_subset(&sides), "{test} has {sides:?}, SECURITY.md tells {told:?}");
        assert!(sides.iter().all(|side| *side == "Not" || told.contains(side)), "{test} has {sides:?}, told {told:?}");
    }
}

/// A section of a document, by its heading.
fn section<'d>(document: &'d str, heading: &str) -> &'d str {
    let (_, rest) = document.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

/// n² / 2^(b+1), for the n and b of the table.
#[test]
fn collision_bounds_of_security_md() {
    let document = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("SECURITY.md")).unwrap();
    let rows: Vec<&str> = section(&document, "Collisions").lines().filter(|line| line.starts_with("| 10^")).collect();
    let bounds = |exponent: i32| {
        let n = 10f64.powi(exponent);
        [102, 64].map(|bits| format!("{:.1e}", n * n / 2f64.powi(bits + 1)))
    };
    let expected: Vec<String> = (6..=9)
        .map(|exponent| {
            let [kept, compared] = bounds(exponent);
            format!("| 10^{exponent} | {kept} | {compared} |")
        })
        .collect();
    assert_eq!(rows, expected);
}

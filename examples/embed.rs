//! A service that counts by itself: no subscription file, no `count`. It builds
//! the subscription in code, takes records as JSON lines, and asks what another
//! list of internal user domains would change.

use std::error::Error;

use headcount::{
    Capacity, Counter, DomainPolicy, FingerprintKey, Outcome, Platform, Report, Runtime, Subscription, UserRecord,
};

/// What a queue might deliver. Emmet Vale has two logins and one mailbox.
const LINES: &str = r#"{"runtime": "prod", "username": "evale", "email": "emmet.vale@quillmere.example"}
{"runtime": "prod", "username": "emmet", "email": "Emmet.Vale@Quillmere.example", "provider": "Portal"}
{"runtime": "prod", "username": "tora", "email": "tora@fieldwork.quillmere.example", "provider": "Portal"}
{"runtime": "prod", "username": "idris@brightwater.example", "provider": "Portal"}
{"runtime": "prod", "username": "kiosk-4", "name": "Lobby kiosk"}
{"runtime": "prod", "username": "ola", "email": "ola@quillmere.example", "is_active": false}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut secret = [0; 16];
    getrandom::fill(&mut secret)?;
    let mut counter = Counter::new(subscription("quillmere.example")?, &FingerprintKey::from_secret(secret)?);

    for line in LINES.lines() {
        let record: UserRecord<'_> = serde_json::from_str(line)?;
        match counter.add(&record)? {
            Outcome::Counted(why) => println!("counts as {} by {}", why.class.name(), why.rule),
            Outcome::Excluded(reason) => println!("does not count: {}", reason.name()),
        }
    }

    print_tally("as configured", &counter.report());
    let wider = subscription("quillmere.example, fieldwork.quillmere.example")?;
    print_tally("with fieldwork.quillmere.example internal", &counter.report_under(&wider)?);
    Ok(())
}

fn subscription(internal_domains: &str) -> Result<Subscription, Box<dyn Error>> {
    let prod = Runtime {
        name: "prod".into(),
        version: Some("11.28.0".parse()?),
        internal_domains: DomainPolicy::parse(internal_domains)?,
        disabled_providers: vec![],
    };
    Ok(Subscription::new(Platform::O11, vec![prod], Some(Capacity::internal_external(100, 10_000)))?)
}

fn print_tally(title: &str, report: &Report) {
    let people = report.global.individuals;
    println!("{title}: {} individuals, {} internal, {} external", people.total(), people.internal, people.external);
}

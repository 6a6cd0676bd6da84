//! The files that contestants read: the population as CSV, the subscription
//! for `count`, the policies for the scripts, and a small population of chains.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use headcount::{Runtime, UserRecord};

use crate::population;

const HEADER: [&str; 6] = ["runtime", "provider", "tenant", "username", "email", "is_active"];

/// The domains of the chains: internal in all runtimes, in some, in none.
const DOMAINS: [&str; 3] = ["mycompany.example", "Sales.MyCompany.example", "far.example"];

/// How many records the chains have.
const CHAINED: u64 = 3_000;

/// What a contestant counts.
#[derive(Clone, Copy)]
pub enum Input {
    /// The population of so many records.
    Population(u64),
    Chains,
}

impl Input {
    pub fn size(self) -> u64 {
        match self {
            Input::Population(size) => size,
            Input::Chains => CHAINED,
        }
    }
}

/// Where the files are.
#[derive(Clone)]
pub struct Files {
    pub folder: PathBuf,
}

impl Files {
    pub fn records(&self) -> PathBuf {
        self.folder.join("records.csv")
    }

    pub fn chains(&self) -> PathBuf {
        self.folder.join("chains.csv")
    }

    pub fn records_of(&self, input: Input) -> PathBuf {
        match input {
            Input::Population(_) => self.records(),
            Input::Chains => self.chains(),
        }
    }

    pub fn subscription(&self) -> PathBuf {
        self.folder.join("subscription.toml")
    }

    pub fn policies(&self) -> PathBuf {
        self.folder.join("policies.json")
    }

    /// Writes all of them.
    pub fn write(&self, size: u64) -> Result<(), Box<dyn Error>> {
        fs::create_dir_all(&self.folder)?;
        write_records(&self.records(), size)?;
        write_chains(&self.chains())?;
        let subscription = population::subscription();
        let runtimes = subscription.runtimes();
        let toml: Vec<String> = runtimes.iter().map(runtime_toml).collect();
        fs::write(self.subscription(), format!("platform = \"o11\"\n{}", toml.concat()))?;
        let policies = runtimes.iter().map(|runtime| (&runtime.name, runtime.internal_domains.domains()));
        fs::write(self.policies(), serde_json::to_string(&policies.collect::<Vec<_>>())?)?;
        Ok(())
    }
}

/// The names and domains of the population need no escapes.
fn runtime_toml(runtime: &Runtime) -> String {
    let domains: Vec<&str> = runtime.internal_domains.domains().into_iter().collect();
    format!(
        "\n[[runtime]]\nname = \"{}\"\nversion = \"11.28.0\"\ninternal_domains = \"{}\"\n",
        runtime.name,
        domains.join(", ")
    )
}

fn write_records(path: &Path, size: u64) -> Result<(), Box<dyn Error>> {
    let mut writer = csv::Writer::from_path(path)?;
    writer.write_record(HEADER)?;
    let mut outcome = Ok(());
    population::in_chunks(size, |chunk| {
        for record in chunk.records() {
            if outcome.is_ok() {
                outcome = writer.write_record(row(&record));
            }
        }
    });
    outcome?;
    writer.flush()?;
    Ok(())
}

fn row<'r>(record: &'r UserRecord<'_>) -> [&'r str; 6] {
    let text = |text: &'r Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or("");
    let active = if record.is_active == Some(false) { "false" } else { "true" };
    [&record.runtime, text(&record.provider), text(&record.tenant), text(&record.username), text(&record.email), active]
}

/// In the population a login never links two addresses. Here they do, in
/// chains of dozens, so that a contestant that links by halves is found out:
/// few logins and addresses, logins that are addresses, addresses that are
/// none, absent ones, blanks around, named default tenants.
fn write_chains(path: &Path) -> Result<(), Box<dyn Error>> {
    let subscription = population::subscription();
    let mut writer = csv::Writer::from_path(path)?;
    writer.write_record(HEADER)?;
    let mut state = 1_u64;
    let mut dice = |sides: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    for _ in 0..CHAINED {
        let runtime = &subscription.runtimes()[usize::try_from(dice(4))?].name;
        let provider = ["Users", "", "PartnerHub"][usize::try_from(dice(3))?];
        let tenant = ["", "", "", " USERS ", "partnerhub", "Other"][usize::try_from(dice(6))?];
        let domain = |person: u64| DOMAINS[usize::try_from(person % 3).expect("below 3")];
        let person = dice(1_500);
        let username = match dice(8) {
            0 => String::new(),
            1 => format!("P{person}@{}", domain(person)),
            _ => format!(" Login{person}"),
        };
        let person = dice(1_500);
        let email = match dice(8) {
            // A record without either would be anonymous (E4).
            0 if !username.is_empty() => String::new(),
            1 => format!("p{person}@nowhere"),
            2 => format!("@{}", domain(person)),
            _ => format!("p{person}@{} ", domain(person)),
        };
        writer.write_record([runtime, provider, tenant, &username, &email, "true"])?;
    }
    writer.flush()?;
    Ok(())
}

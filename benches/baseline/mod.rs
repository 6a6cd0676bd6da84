//! The hand-written baseline: what a competent Rust developer would write in
//! an afternoon with the standard library. Strings as keys, `to_lowercase`,
//! one map a scope and kind, union-find over records.

use std::collections::{HashMap, HashSet};

use headcount::{Subscription, UserRecord};

/// Individuals of one scope: internal, external, and counted records less
/// individuals.
pub type Tally = (u64, u64, u64);

/// One runtime, or all of them.
#[derive(Default)]
struct Scope {
    parent: Vec<usize>,
    internal: Vec<bool>,
    emails: HashMap<String, usize>,
    logins: HashMap<String, usize>,
}

impl Scope {
    fn find(&mut self, mut node: usize) -> usize {
        while self.parent[node] != node {
            self.parent[node] = self.parent[self.parent[node]];
            node = self.parent[node];
        }
        node
    }

    fn union(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.parent[a.max(b)] = a.min(b);
    }

    fn add(&mut self, email: Option<&str>, login: Option<&str>, internal: bool) {
        let node = self.parent.len();
        self.parent.push(node);
        self.internal.push(internal);
        if let Some(email) = email {
            let other = *self.emails.entry(email.to_owned()).or_insert(node);
            self.union(node, other);
        }
        if let Some(login) = login {
            let other = *self.logins.entry(login.to_owned()).or_insert(node);
            self.union(node, other);
        }
    }

    fn tally(&mut self) -> Tally {
        let mut internal_by_root: HashMap<usize, bool> = HashMap::new();
        for node in 0..self.parent.len() {
            let root = self.find(node);
            *internal_by_root.entry(root).or_default() |= self.internal[node];
        }
        let total = internal_by_root.len() as u64;
        let internal = internal_by_root.values().filter(|internal| **internal).count() as u64;
        (internal, total - internal, self.parent.len() as u64 - total)
    }
}

/// Counts by the rules that the population needs: active O11 users of current
/// versions, with providers, tenants, logins and emails.
pub struct Baseline {
    places: HashMap<String, usize>,
    policies: Vec<HashSet<String>>,
    runtimes: Vec<Scope>,
    global: Scope,
}

impl Baseline {
    pub fn new(subscription: &Subscription) -> Baseline {
        let runtimes = subscription.runtimes();
        let policy = |runtime: &headcount::Runtime| {
            runtime.internal_domains.domains().into_iter().map(str::to_owned).collect::<HashSet<String>>()
        };
        Baseline {
            places: runtimes.iter().enumerate().map(|(at, runtime)| (runtime.name.clone(), at)).collect(),
            policies: runtimes.iter().map(policy).collect(),
            runtimes: runtimes.iter().map(|_| Scope::default()).collect(),
            global: Scope::default(),
        }
    }

    pub fn add(&mut self, record: &UserRecord<'_>) {
        let at = self.places[record.runtime.trim()];
        let text = |text: &Option<std::borrow::Cow<'_, str>>| {
            text.as_deref().map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty())
        };
        let login = text(&record.username);
        let is_address = |text: &String| {
            text.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
        };
        let email = text(&record.email).filter(is_address).or_else(|| login.clone().filter(is_address));
        let internal = match email.as_deref().and_then(|email| email.rsplit_once('@')) {
            Some((_, domain)) => self.policies[at].contains(domain),
            None => true,
        };
        let provider = text(&record.provider).unwrap_or_else(|| "users".to_owned());
        let in_default_tenant = text(&record.tenant).is_none_or(|tenant| tenant == provider);
        let (email, login) = match in_default_tenant {
            true => (email.as_deref(), login.as_deref()),
            false => (None, None),
        };
        self.runtimes[at].add(email, login, internal);
        self.global.add(email, login, internal);
    }

    /// Each runtime's tally, then the global one.
    pub fn tallies(&mut self) -> Vec<Tally> {
        let mut tallies: Vec<Tally> = self.runtimes.iter_mut().map(Scope::tally).collect();
        tallies.push(self.global.tally());
        tallies
    }
}

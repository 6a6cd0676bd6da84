//! The facts of one runtime: what was excluded, and every counted record by
//! user provider and tenant (R3, R4, T1).

use smallvec::SmallVec;

use crate::eligibility::{self, Exclusion};
use crate::error::AddError;
use crate::fingerprint::{FingerprintKey, KeyedMap};
use crate::identity::Fact;
use crate::platform::Platform;
use crate::record::UserRecord;
use crate::subscription::Runtime;
use crate::text::{has_form, matching_form, present};

/// R3: the provider of a record that names none.
const DEFAULT_PROVIDER: &str = "Users";

/// How many providers are compared one by one before a map is asked.
const SCANNED: usize = 8;

/// What one runtime's records left behind.
pub(crate) struct Ledger {
    platform: Platform,
    /// Disabled user providers in matching form.
    disabled: SmallVec<[Box<str>; 2]>,
    pub(crate) records: u64,
    pub(crate) excluded: [u64; Exclusion::ALL.len()],
    pub(crate) providers: Vec<Provider>,
    places: KeyedMap<u32>,
}

/// One user provider of a runtime.
pub(crate) struct Provider {
    /// The name in matching form (N2).
    pub(crate) form: Box<str>,
    /// The name as the first counted record spells it; empty before that.
    pub(crate) spelling: Box<str>,
    /// What E says of all its records.
    standing: Option<Exclusion>,
    /// Counted records in the default tenant.
    pub(crate) default_tenant: Vec<Fact>,
    /// Counted records in other tenants: each an individual (D3).
    pub(crate) other_tenants: Vec<Fact>,
}

/// Where a counted record belongs in a ledger.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    provider: u32,
    in_default_tenant: bool,
}

impl Ledger {
    pub(crate) fn new(platform: Platform, runtime: &Runtime, key: &FingerprintKey) -> Ledger {
        Ledger {
            platform,
            disabled: eligibility::disabled_forms(&runtime.disabled_providers).collect(),
            records: 0,
            excluded: [0; Exclusion::ALL.len()],
            providers: Vec::new(),
            places: KeyedMap::with_hasher(key.table_state()),
        }
    }

    /// E and R4: whether the record counts, and where it belongs. Makes room
    /// for its provider.
    pub(crate) fn place(&mut self, record: &UserRecord<'_>) -> Result<Result<Place, Exclusion>, AddError> {
        let name = provider_name(record);
        let at = match self.find(name) {
            Some(at) => at,
            None => self.open(name)?,
        };
        let provider = self.providers.get(at as usize);
        let standing = provider.and_then(|provider| provider.standing);
        Ok(match eligibility::of_record(self.platform, standing, record) {
            Some(reason) => Err(reason),
            None => Ok(Place {
                provider: at,
                in_default_tenant: provider.is_some_and(|provider| self.is_default_tenant(record, &provider.form)),
            }),
        })
    }

    /// The same for a record that is only looked at.
    pub(crate) fn standing(&self, record: &UserRecord<'_>) -> Result<bool, Exclusion> {
        let form = matching_form(provider_name(record));
        let standing = eligibility::of_provider(self.platform, &self.disabled, &form);
        match eligibility::of_record(self.platform, standing, record) {
            Some(reason) => Err(reason),
            None => Ok(self.is_default_tenant(record, &form)),
        }
    }

    /// R4: no tenant, or one of the provider's name. ODC has no tenants.
    fn is_default_tenant(&self, record: &UserRecord<'_>, provider: &str) -> bool {
        match (self.platform, present(record.tenant.as_ref())) {
            (Platform::Odc, _) | (Platform::O11, None) => true,
            (Platform::O11, Some(tenant)) => has_form(tenant, provider),
        }
    }

    /// The provider of this name. Almost every runtime has a handful of them,
    /// in ASCII: those are compared without a copy.
    fn find(&self, name: &str) -> Option<u32> {
        if name.is_ascii() {
            for (at, provider) in (0..).zip(self.providers.iter().take(SCANNED)) {
                if provider.form.eq_ignore_ascii_case(name) {
                    return Some(at);
                }
            }
        }
        if self.providers.len() <= SCANNED && name.is_ascii() {
            return None;
        }
        self.places.get(matching_form(name).as_str()).copied()
    }

    fn open(&mut self, name: &str) -> Result<u32, AddError> {
        let at = u32::try_from(self.providers.len()).map_err(|_| AddError::Full)?;
        let form = matching_form(name).into_boxed_str();
        let standing = eligibility::of_provider(self.platform, &self.disabled, &form);
        self.places.insert(form.clone(), at);
        self.providers.push(Provider {
            form,
            spelling: Box::default(),
            standing,
            default_tenant: Vec::new(),
            other_tenants: Vec::new(),
        });
        Ok(at)
    }

    /// T1: takes note of an excluded record.
    pub(crate) fn exclude(&mut self, reason: Exclusion) {
        self.records += 1;
        if let Some(count) = self.excluded.get_mut(reason as usize) {
            *count += 1;
        }
    }

    /// Takes note of a counted record's provider, so that it bears the
    /// spelling met first.
    pub(crate) fn name(&mut self, place: Place, record: &UserRecord<'_>) {
        if let Some(provider) = self.providers.get_mut(place.provider as usize) {
            if provider.spelling.is_empty() {
                provider.spelling = provider_name(record).into();
            }
        }
    }

    /// T1: takes in a counted record.
    pub(crate) fn count(&mut self, place: Place, fact: Fact) {
        self.records += 1;
        if let Some(provider) = self.providers.get_mut(place.provider as usize) {
            let facts = match place.in_default_tenant {
                true => &mut provider.default_tenant,
                false => &mut provider.other_tenants,
            };
            facts.push(fact);
        }
    }
}

fn provider_name<'r>(record: &'r UserRecord<'_>) -> &'r str {
    present(record.provider.as_ref()).unwrap_or(DEFAULT_PROVIDER)
}

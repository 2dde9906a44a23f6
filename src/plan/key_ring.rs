//! The public keys of a run, by home region: AWS is asked once for what the digests need.
//!
//! The keys of a region are kept, so that the next day of a range asks again only if it needs a key that is not known yet. A
//! region that refused is not asked again. Copies of a ring share what they know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::digest::{FoundDigest, PublicKeys};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{UtcInstant, UtcWindow};
use crate::store::ListedKey;

/// The warning if AWS gave no keys, and what helps.
pub const NO_KEYS: [&str; 2] = [
    "CloudTrail gave no public keys: its digests are not checked, and no day is proved",
    "allow cloudtrail:ListPublicKeys in the policy of the role, or pass the keys with --public-keys",
];
const HOUR_MS: i64 = 3_600_000;

/// The keys that AWS has listed for a run.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    regions: BTreeMap<String, Region>,
    /// A refusal that was not reported yet.
    unreported: Option<Error>,
}

#[derive(Debug, Default)]
struct Region {
    keys: BTreeMap<String, Vec<u8>>,
    /// The stretches of time that were asked for.
    asked: Vec<UtcWindow>,
    /// Why it gave no keys.
    refused: Option<String>,
}

/// What the digests of a home region need.
#[derive(Debug)]
struct Need {
    fingerprints: BTreeSet<String>,
    hours: UtcWindow,
}

impl KeyRing {
    /// Returns the keys for some digests. `ask` asks AWS about a home region and a stretch of time: all of `hours` for a digest
    /// that was signed in them. If `strict` is set, a refusal is an error; otherwise the digests of the region remain
    /// unchecked. `now` bounds the times, because metadata can name any.
    pub(super) fn keys<'d>(
        &self,
        digests: impl Iterator<Item = &'d FoundDigest>,
        (hours, now): (UtcWindow, UtcInstant),
        strict: bool,
        ask: impl Fn(&str, UtcWindow) -> Result<Vec<ListedKey>>,
    ) -> Result<PublicKeys> {
        let mut known = self.known();
        let mut regions = BTreeMap::new();
        let mut keys = BTreeMap::new();
        for (home_region, need) in needs(digests, hours, now) {
            let Known { regions: all, unreported } = &mut *known;
            let region = all.entry(home_region.to_owned()).or_default();
            if region.lacks(&need)
                && let Err(error) = region.ask(need.hours, |hours| ask(home_region, hours))
            {
                if strict || error.kind() == ErrorKind::Interrupted {
                    return Err(error);
                }
                region.refused = Some(error.to_string());
                unreported.get_or_insert(error);
            }
            keys.extend(region.keys.iter().map(|(fingerprint, key)| (fingerprint.clone(), key.clone())));
            regions.insert(home_region.to_owned(), region.refused.clone());
        }
        Ok(PublicKeys::listed(keys, regions))
    }

    /// Returns the first refusal of AWS, once.
    #[must_use]
    pub fn take_refusal(&self) -> Option<Error> {
        self.known().unreported.take()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("a thread that panics ends the process")
    }
}

impl Region {
    /// Whether AWS must be asked: a key is unknown, and its time was not asked for.
    fn lacks(&self, need: &Need) -> bool {
        let covers = |asked: &UtcWindow| asked.start <= need.hours.start && need.hours.end <= asked.end;
        self.refused.is_none()
            && !need.fingerprints.iter().all(|fingerprint| self.keys.contains_key(fingerprint))
            && !self.asked.iter().any(covers)
    }

    fn ask(&mut self, hours: UtcWindow, ask: impl Fn(UtcWindow) -> Result<Vec<ListedKey>>) -> Result<()> {
        let listed = ask(hours)?;
        self.keys.extend(listed.into_iter().map(|key| (key.fingerprint.to_ascii_lowercase(), key.pkcs1)));
        self.asked.push(hours);
        Ok(())
    }
}

/// Collects what digests need, by home region: all of `around`, or the hour before and after each was signed.
fn needs<'d>(
    digests: impl Iterator<Item = &'d FoundDigest>,
    around: UtcWindow,
    now: UtcInstant,
) -> BTreeMap<&'d str, Need> {
    let mut needs: BTreeMap<&str, Need> = BTreeMap::new();
    for digest in digests {
        let Some(fingerprint) = digest.fingerprint() else { continue };
        let is_plausible = digest.signed_at >= digest.name.end && digest.signed_at <= now;
        let signed_at = if is_plausible { digest.signed_at } else { digest.name.end };
        let own = UtcWindow { start: signed_at.plus_ms(-HOUR_MS), end: signed_at.plus_ms(HOUR_MS) };
        let hours = if around.contains(signed_at) { around } else { own };
        let home_region = digest.name.chain.home_region.as_str();
        let need = needs.entry(home_region).or_insert(Need { fingerprints: BTreeSet::new(), hours });
        need.fingerprints.insert(fingerprint.to_ascii_lowercase());
        need.hours.start = need.hours.start.min(hours.start);
        need.hours.end = need.hours.end.max(hours.end);
    }
    needs
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::digest::{DayScope, DigestName, StoredSignature};

    /// Hours in which no digest was signed.
    const NO_HOURS: UtcWindow = UtcWindow { start: UtcInstant(0), end: UtcInstant(0) };

    fn at(hour: i64) -> UtcInstant {
        UtcInstant::parse_iso8601("2023-11-01T00:00:00Z").unwrap().plus_ms(hour * HOUR_MS)
    }

    fn scope() -> DayScope<'static> {
        DayScope { day: NO_HOURS, deliveries: NO_HOURS, listed_at: at(100), keys: None }
    }

    /// A digest that ends at an hour.
    fn digest(home_region: &str, hour: i64, fingerprint: &str, signed_at: Option<UtcInstant>) -> FoundDigest {
        let name = DigestName::parse(&format!(
            "111122223333_CloudTrail-Digest_us-east-1_t_{home_region}_20231101T{hour:02}0000Z.json.gz"
        ));
        let text = format!(
            r#"{{"awsAccountId":"111122223333","digestStartTime":"2023-11-01T00:00:00Z","digestEndTime":"2023-11-01T01:00:00Z",
            "digestS3Bucket":"b","digestS3Object":"k","digestPublicKeyFingerprint":"{fingerprint}",
            "digestSignatureAlgorithm":"SHA256withRSA","logFiles":[]}}"#
        );
        let text = Ok(text.into_bytes());
        let mut found =
            FoundDigest::new("a".to_owned(), name.unwrap(), None, text, StoredSignature::Missing, scope());
        found.signed_at = signed_at.unwrap_or(found.signed_at);
        found
    }

    /// Answers every region but `refusing`, and notes the questions.
    #[derive(Default)]
    struct Service {
        questions: RefCell<Vec<String>>,
    }

    impl Service {
        fn ask(&self, region: &str, hours: UtcWindow) -> Result<Vec<ListedKey>> {
            self.questions.borrow_mut().push(format!("{region} {} {}", hours.start, hours.end));
            if region == "refusing" {
                return Err(Error::new(ErrorKind::Denied, "refused"));
            }
            Ok(vec![ListedKey { fingerprint: "AA".to_owned(), pkcs1: vec![1] }])
        }

        fn keys(&self, ring: &KeyRing, digests: &[FoundDigest], strict: bool) -> Result<PublicKeys> {
            ring.keys(digests.iter(), (NO_HOURS, at(100)), strict, |region, hours| self.ask(region, hours))
        }
    }

    #[test]
    fn a_home_region_is_asked_once_for_all_hours() {
        let (ring, service) = (KeyRing::default(), Service::default());
        let digests = [digest("r", 1, "aa", None), digest("r", 5, "AA", None), digest("s", 2, "aa", None)];
        let keys = service.keys(&ring, &digests, false).unwrap();
        assert_eq!([keys.lacks("r"), keys.lacks("s")], [None, None]);
        let known = ["r 2023-11-01T00:00:00Z", "s 2023-11-01T01:00:00Z"];
        let found = service.questions.borrow().clone();
        assert!(found.iter().zip(known).all(|(one, start)| one.starts_with(start)), "{found:?}");
        assert!(found[0].ends_with("2023-11-01T06:00:00Z"), "{found:?}");
        // A known key needs no question, an unknown one needs one for its own time.
        service.keys(&ring.clone(), &[digest("r", 20, "aa", None)], false).unwrap();
        assert_eq!(service.questions.borrow().len(), 2);
        service.keys(&ring, &[digest("r", 3, "bb", None)], false).unwrap();
        assert_eq!(service.questions.borrow().len(), 2, "that time was asked for");
        service.keys(&ring, &[digest("r", 20, "bb", None)], false).unwrap();
        assert_eq!(service.questions.borrow().len(), 3);
    }

    #[test]
    fn a_late_digest_is_asked_for_when_it_was_signed_if_that_is_plausible() {
        for (signed_at, expected) in [
            (at(50), "2023-11-03T01:00:00Z 2023-11-03T03:00:00Z"),
            (at(0), "2023-11-01T00:00:00Z 2023-11-01T02:00:00Z"),
            (at(9999), "2023-11-01T00:00:00Z 2023-11-01T02:00:00Z"),
        ] {
            let service = Service::default();
            let late = digest("r", 1, "aa", Some(signed_at));
            service.keys(&KeyRing::default(), &[late], false).unwrap();
            assert_eq!(service.questions.borrow()[0], format!("r {expected}"));
        }
    }

    #[test]
    fn a_refusal_is_reported_once_and_concerns_its_region_only() {
        let (ring, service) = (KeyRing::default(), Service::default());
        let digests = [digest("refusing", 1, "aa", None), digest("r", 1, "aa", None)];
        for _ in 0..2 {
            let keys = service.keys(&ring, &digests, false).unwrap();
            assert_eq!((keys.lacks("refusing"), keys.lacks("r")), (Some("refused"), None));
        }
        assert_eq!(service.questions.borrow().len(), 2);
        assert!(ring.take_refusal().is_some_and(|error| error.kind() == ErrorKind::Denied));
        assert!(ring.take_refusal().is_none());
        let strict = service.keys(&KeyRing::default(), &digests, true);
        assert_eq!(strict.unwrap_err().to_string(), "refused");
    }
}

//! The keys of CloudFront standard logs.
//!
//! `[prefix/]DISTRIBUTION.YYYY-MM-DD-hh.unique.gz`. In version 1, the time is the UTC hour of the requests, whenever the object
//! is delivered. A request can have finished shortly before or after the hour.
//!
//! Objects of version 2 have the same name, in folders that the user chooses:
//! `AWSLogs/account/CloudFront/[DISTRIBUTION/][YYYY/MM/DD/[hh/]]`, each part also as `name=value`. AWS does not say whether
//! the time is the hour of the requests or of the delivery, so that a day reads the objects of both meanings.
//! Source: AWS, "Standard log file naming format" and "Configure standard logging (v2)".

use crate::dataset::key_origin::{KeyOrigin, value_of};
use crate::dataset::object_key::{self, KeyClaim, KeyTime, TimeInKey};
use crate::dataset::service_folder;
use crate::kst::UtcInstant;

/// The service in folders.
pub(super) const SERVICE: &str = "CloudFront";
const PATTERN: &str = "YYYY-MM-DD-hh";
const HOUR_MS: i64 = 3_600_000;

/// The facts in the name of a log.
struct Name<'n> {
    distribution: &'n str,
    at: UtcInstant,
}

impl<'n> Name<'n> {
    fn of(name: &'n str) -> Option<Self> {
        let mut parts = name.split('.');
        let (distribution, hour, unique) = (parts.next()?, parts.next()?, parts.next()?);
        let at = (hour.len() == PATTERN.len())
            .then(|| object_key::time_by_pattern(hour.as_bytes(), PATTERN))??;
        let is_unique = !unique.is_empty() && unique.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_distribution(distribution) && is_unique).then_some(Self { distribution, at })
    }
}

/// Whether a text has the form of a distribution's id, such as `E2ABCDEFGHIJKL`.
fn is_distribution(text: &str) -> bool {
    let is_of_id = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (8..=24).contains(&text.len()) && text.starts_with('E') && text.bytes().all(is_of_id)
}

/// Returns the id of the distribution in the name of an object.
pub(super) fn distribution(name: &str) -> Option<&str> {
    Name::of(name).map(|name| name.distribution)
}

/// Claims a key.
pub(super) fn claim(path: &str) -> KeyClaim {
    let (folder, name) = object_key::split(path);
    match Name::of(name) {
        Some(_) if object_key::is_parquet(name) => KeyClaim::NotMine(object_key::IN_PARQUET),
        Some(found) if is_of_version_2(folder) => {
            KeyClaim::Mine(KeyTime::Delivered(found.at.plus_ms(HOUR_MS)))
        }
        Some(found) => KeyClaim::Mine(KeyTime::stretch(found.at, HOUR_MS, 2 * HOUR_MS)),
        None => service_folder::claim(path, SERVICE),
    }
}

/// Whether a folder is one of version 2, which have parts for the service or the distribution.
fn is_of_version_2(folder: &str) -> bool {
    folder.split('/').any(is_service_or_distribution)
}

fn is_service_or_distribution(part: &str) -> bool {
    part == SERVICE || is_distribution(value_of(part))
}

/// Returns the place of the time in the name of a log of version 1.
pub(super) fn time_in_key(key: &str) -> Option<TimeInKey> {
    let (folder, name) = object_key::split(key);
    let found = Name::of(name).filter(|_| !is_of_version_2(folder))?;
    let start = key.len() - name.len() + found.distribution.len() + 1;
    Some(TimeInKey { start, pattern: PATTERN, may_name_event_day: false })
}

/// Whether a folder is that of the service or of a distribution, in version 2.
pub(super) fn holds_days(folder: &str) -> bool {
    is_service_or_distribution(object_key::split(folder).1)
}

/// Returns the account that the folders of version 2 show.
pub(super) fn origin(path: &str) -> KeyOrigin<'_> {
    KeyOrigin { region: None, ..KeyOrigin::of_service(path, SERVICE) }
}

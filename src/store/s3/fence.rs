//! Keeps runs that have lost the day from committing it, before their files are removed.
//!
//! A run puts its manifest on the condition that the manifest from its start is still current. Cleaning increments a counter
//! in the current manifest, which makes it another object. From then on the condition of every earlier run fails, however
//! long that run was paused. The counter also makes sure that the manifest never returns to an earlier state. The object
//! keeps the attributes that its run gave it: encryption, storage class and tags.
//!
//! A manifest inside the partition, as earlier versions of logmill put it, is moved to the key of today. A run that found it
//! there puts its own on the condition that this key does not exist.

use serde_json::{Map, Value};

use super::attributes::Attributes;
use super::bucket::Bucket;
use super::failure::{failure, status_of};
use super::object::{Fetched, try_get};
use super::request::Request;
use super::upload::{self, writing};
use crate::error::{Error, Result};
use crate::store::LakeAccess;

/// The field of a manifest that counts how often it was touched; readers ignore it.
const TOUCHED: &str = "cleaned";

/// The keys under which the manifest of a day can be stored.
pub(super) struct ManifestKeys {
    /// The key of today.
    pub(super) current: String,
    /// The key inside the partition, of earlier versions of logmill.
    pub(super) inside: String,
}

/// Touches the manifest of a day if it is still the one that was `judged`; returns `false` if it is not.
pub(super) async fn fence(
    bucket: &Bucket,
    access: &LakeAccess,
    keys: &ManifestKeys,
    judged: &[u8],
) -> Result<bool> {
    match try_get(bucket, &keys.current, None, None).await? {
        Some(current) => touch(bucket, access, &keys.current, (&keys.current, current), judged).await,
        None => match try_get(bucket, &keys.inside, None, None).await? {
            Some(inside) => {
                let is_moved = touch(bucket, access, &keys.current, (&keys.inside, inside), judged).await?;
                if is_moved {
                    upload::remove(bucket, &keys.inside).await?;
                }
                Ok(is_moved)
            }
            None => Ok(false),
        },
    }
}

/// Puts the touched manifest at `key` if the one that was found is the one that was `judged`.
async fn touch(
    bucket: &Bucket,
    access: &LakeAccess,
    key: &str,
    (found_at, found): (&str, Fetched),
    judged: &[u8],
) -> Result<bool> {
    if found.content != judged {
        return Ok(false);
    }
    let Some(attributes) = Attributes::of(bucket, found_at, Some(&found.etag)).await? else {
        return Ok(false);
    };
    let touched = touched(judged)?;
    let request = upload::put(bucket, access, key, &touched).content_type("application/json");
    let request = attributes.onto(request);
    let request = if found_at == key { request.if_match(found.etag) } else { request.if_none_match("*") };
    let Err(error) = request.send_through(&bucket.aws).await else { return Ok(true) };
    // The answer to an earlier attempt may have been lost on its way.
    let current = try_get(bucket, key, None, None).await?;
    match status_of(&error) {
        _ if current.is_some_and(|found| found.content == touched) => Ok(true),
        Some(404 | 409 | 412) => Ok(false),
        _ => Err(failure(writing(&bucket.address(key)), &error)),
    }
}

/// Whether a manifest is ours, touched or not.
pub(super) fn is_ours(current: &[u8], ours: &[u8]) -> bool {
    let untouched = |manifest| {
        let mut fields = fields_of(manifest).ok()?;
        fields.shift_remove(TOUCHED);
        Some(fields)
    };
    current == ours || untouched(current).is_some_and(|fields| untouched(ours) == Some(fields))
}

/// The same manifest with its counter incremented.
fn touched(manifest: &[u8]) -> Result<Vec<u8>> {
    let broken = |cause| Error::unusable("cannot read the manifest", cause);
    let mut fields = fields_of(manifest).map_err(broken)?;
    let times = fields.get(TOUCHED).and_then(Value::as_u64).unwrap_or_default();
    fields.insert(TOUCHED.to_owned(), times.wrapping_add(1).into());
    let mut json = serde_json::to_vec_pretty(&fields).map_err(broken)?;
    json.push(b'\n');
    Ok(json)
}

fn fields_of(manifest: &[u8]) -> serde_json::Result<Map<String, Value>> {
    serde_json::from_slice(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touched_manifest_differs_from_all_earlier_ones_and_keeps_its_fields() {
        let first = br#"{"version": 1, "run": "r", "parts": [{"rows": 18446744073709551615}], "later": 0.1}"#;
        let second = touched(first).unwrap();
        let third = touched(&second).unwrap();
        let text = String::from_utf8(third.clone()).unwrap();
        assert!(second != first && third != second && third != first);
        for (field, text_of_it) in [("rows", "18446744073709551615"), ("later", "0.1"), ("cleaned", "2")] {
            assert!(text.contains(&format!("\"{field}\": {text_of_it}")), "{text}");
        }
        assert!(is_ours(&second, first) && is_ours(&third, first) && is_ours(first, first));
    }

    #[test]
    fn a_manifest_of_another_publication_is_not_ours() {
        let ours = br#"{"run": "r", "published_at": "1"}"#;
        for (current, expected) in [
            (&br#"{"run": "r", "published_at": "1", "cleaned": 4}"#[..], true),
            (br#"{"run": "r", "published_at": "2"}"#, false),
            (br#"{"run": "s", "published_at": "1", "cleaned": 1}"#, false),
            (b"not JSON", false),
            (b"[]", false),
        ] {
            assert_eq!(is_ours(current, ours), expected, "{}", String::from_utf8_lossy(current));
        }
        assert!(is_ours(b"not JSON", b"not JSON"));
        assert!(!is_ours(b"not JSON", b"nor this"));
    }
}

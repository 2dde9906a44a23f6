//! The public keys with which AWS signs digests.
//!
//! A file has what `aws cloudtrail list-public-keys` prints: `{"PublicKeyList": [{"Value": ..., "Fingerprint": ...}]}`,
//! with the PKCS#1 form of the key in base64. Keys from AWS serve only for the home regions that have answered.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;

/// Why signatures are not checked if no keys were given.
pub const NOT_GIVEN: &str = "no public keys were given";

/// Public keys by fingerprint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicKeys {
    by_fingerprint: BTreeMap<String, Vec<u8>>,
    /// The home regions that AWS was asked about, each with the reason if it has no keys; `None` for keys of a file, which
    /// serve for all regions.
    regions: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "PublicKeyList")]
    keys: Vec<KeyEntry>,
}

#[derive(Deserialize)]
struct KeyEntry {
    #[serde(rename = "Value")]
    value: String,
    #[serde(rename = "Fingerprint")]
    fingerprint: String,
}

impl PublicKeys {
    /// Reads the file; fails with what is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let file: KeyFile = serde_json::from_slice(json).map_err(|cause| cause.to_string())?;
        let key = |entry: KeyEntry| {
            let value = BASE64_STANDARD.decode(entry.value.trim());
            let value = value.map_err(|cause| format!("key '{}': {cause}", entry.fingerprint))?;
            Ok((entry.fingerprint.to_ascii_lowercase(), value))
        };
        let by_fingerprint = file.keys.into_iter().map(key).collect::<Result<BTreeMap<_, _>, String>>()?;
        if by_fingerprint.is_empty() {
            Err("it holds no key".to_owned())
        } else {
            Ok(Self { by_fingerprint, regions: None })
        }
    }

    /// Creates the keys that AWS listed, in PKCS#1 form by fingerprint. `regions` are the home regions that were asked, each
    /// with the reason if it gave no keys.
    #[must_use]
    pub fn listed(
        keys: impl IntoIterator<Item = (String, Vec<u8>)>,
        regions: BTreeMap<String, Option<String>>,
    ) -> Self {
        let keys = keys.into_iter().map(|(fingerprint, key)| (fingerprint.to_ascii_lowercase(), key));
        Self { by_fingerprint: keys.collect(), regions: Some(regions) }
    }

    /// Returns why the signatures of trails with this home region cannot be checked; `None` if they can.
    #[must_use]
    pub fn lacks(&self, home_region: &str) -> Option<&str> {
        match self.regions.as_ref()?.get(home_region) {
            Some(why) => why.as_deref(),
            None => Some(NOT_GIVEN),
        }
    }

    /// Checks a signature; fails with the reason why it does not prove the text.
    pub fn verify(&self, fingerprint: &str, text: &str, signature: &[u8]) -> Result<(), String> {
        let key = self.by_fingerprint.get(&fingerprint.to_ascii_lowercase());
        let key = key.ok_or_else(|| format!("no public key has the fingerprint '{fingerprint}'"))?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
            .verify(text.as_bytes(), signature)
            .map_err(|_| "the signature does not match".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_usable_keys_is_refused() {
        for json in [
            "",
            "[]",
            r#"{"PublicKeyList":[]}"#,
            r#"{"PublicKeyList":[{"Value":"%","Fingerprint":"f"}]}"#,
            r#"{"PublicKeyList":[{"Value":"AAAA"}]}"#,
        ] {
            assert!(PublicKeys::from_json(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn keys_of_aws_serve_for_the_regions_that_answered() {
        let regions = [("a".to_owned(), None), ("b".to_owned(), Some("denied".to_owned()))];
        let keys = PublicKeys::listed([("AB".to_owned(), vec![1])], regions.into());
        let lacks = ["a", "b", "c"].map(|region| keys.lacks(region));
        assert_eq!(lacks, [None, Some("denied"), Some(NOT_GIVEN)]);
        assert_eq!(keys.verify("ab", "text", b"x"), Err("the signature does not match".to_owned()));
        let of_file = r#"{"PublicKeyList":[{"Value":"AAAA","Fingerprint":"AB"}]}"#;
        assert_eq!(PublicKeys::from_json(of_file.as_bytes()).unwrap().lacks("c"), None);
    }

    #[test]
    fn a_key_that_is_not_one_and_an_unknown_fingerprint_prove_nothing() {
        let keys = r#"{"PublicKeyList":[{"Value":"AAAA","Fingerprint":"AB","ValidityStartTime":1.5}]}"#;
        let keys = PublicKeys::from_json(keys.as_bytes()).unwrap();
        assert_eq!(keys.verify("ab", "text", b"x"), Err("the signature does not match".to_owned()));
        let unknown = keys.verify("cd", "text", b"x").unwrap_err();
        assert_eq!(unknown, "no public key has the fingerprint 'cd'");
    }
}

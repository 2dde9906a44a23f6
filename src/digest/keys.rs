//! The public keys with which AWS signs digests.
//!
//! The file is what `aws cloudtrail list-public-keys` prints: `{"PublicKeyList": [{"Value": ..., "Fingerprint": ...}]}`,
//! with the PKCS#1 form of the key in base64.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;

/// Public keys by fingerprint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicKeys {
    by_fingerprint: BTreeMap<String, Vec<u8>>,
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
            Ok(Self { by_fingerprint })
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
    fn a_key_that_is_not_one_and_an_unknown_fingerprint_prove_nothing() {
        let keys = r#"{"PublicKeyList":[{"Value":"AAAA","Fingerprint":"AB","ValidityStartTime":1.5}]}"#;
        let keys = PublicKeys::from_json(keys.as_bytes()).unwrap();
        assert_eq!(keys.verify("ab", "text", b"x"), Err("the signature does not match".to_owned()));
        let unknown = keys.verify("cd", "text", b"x").unwrap_err();
        assert_eq!(unknown, "no public key has the fingerprint 'cd'");
    }
}

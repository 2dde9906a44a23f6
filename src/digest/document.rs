//! The content of a digest.
//!
//! Strict about what a proof needs, tolerant about the rest: unknown fields are ignored, because AWS adds some.

use serde::Deserialize;

use crate::kst::UtcInstant;

/// Maximum size of a digest as it is stored. A digest that names 100,000 log files has about 10 MB.
pub const MOST_PACKED_BYTES: u64 = 16 << 20;
/// Maximum size of its text.
pub const MOST_TEXT_BYTES: u64 = 64 << 20;

/// The longest time that a digest may cover, in milliseconds. AWS writes one an hour.
const LONGEST_MS: i64 = 24 * 3_600_000;

/// A digest, as AWS writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// The account.
    pub aws_account_id: String,
    /// The start of the time that it covers, as written.
    pub digest_start_time: String,
    /// The end of that time, as written, because the signature covers this text.
    pub digest_end_time: String,
    /// The bucket to which AWS delivered it.
    #[serde(rename = "digestS3Bucket")]
    pub bucket: String,
    /// Its key in that bucket.
    #[serde(rename = "digestS3Object")]
    pub object: String,
    /// The fingerprint of the key that signed it.
    pub digest_public_key_fingerprint: String,
    /// `SHA256withRSA`.
    pub digest_signature_algorithm: String,
    /// The bucket of the digest before it.
    #[serde(default, rename = "previousDigestS3Bucket")]
    pub previous_bucket: Option<String>,
    /// The key of the digest before it; `None` for the first of a chain.
    #[serde(default, rename = "previousDigestS3Object")]
    pub previous_object: Option<String>,
    /// SHA-256 of the text of that digest, in hexadecimal.
    #[serde(default, rename = "previousDigestHashValue")]
    pub previous_hash: Option<String>,
    /// The signature of that digest, in hexadecimal.
    #[serde(default, rename = "previousDigestSignature")]
    pub previous_signature: Option<String>,
    /// The log files delivered in that time.
    pub log_files: Vec<LogFile>,
}

/// A log file, as a digest names it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogFile {
    /// Its bucket.
    #[serde(rename = "s3Bucket")]
    pub bucket: String,
    /// Its key.
    #[serde(rename = "s3Object")]
    pub object: String,
    /// SHA-256 of its text, in hexadecimal.
    pub hash_value: String,
    /// `SHA-256`.
    pub hash_algorithm: String,
    /// The time of its newest event.
    #[serde(default)]
    pub newest_event_time: Option<String>,
    /// The time of its oldest event.
    #[serde(default)]
    pub oldest_event_time: Option<String>,
}

impl Document {
    /// Reads the text of a digest; fails with what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let document: Self =
            serde_json::from_slice(text).map_err(|cause| format!("not a digest: {cause}"))?;
        if document.digest_signature_algorithm != "SHA256withRSA" {
            return Err(format!("unknown signature algorithm '{}'", document.digest_signature_algorithm));
        }
        if document.log_files.iter().any(|file| file.hash_algorithm != "SHA-256") {
            return Err("unknown hash algorithm of a log file".to_owned());
        }
        document.stretch().ok_or("impossible start or end time")?;
        Ok(document)
    }

    /// Returns the time that it covers, from and to; `None` if that is not a time or longer than a day.
    #[must_use]
    pub fn stretch(&self) -> Option<(UtcInstant, UtcInstant)> {
        let from = UtcInstant::parse_iso8601(&self.digest_start_time)?;
        let to = UtcInstant::parse_iso8601(&self.digest_end_time)?;
        (from < to && to.0 - from.0 <= LONGEST_MS).then_some((from, to))
    }

    /// Returns where AWS delivered it.
    #[must_use]
    pub fn address(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.object)
    }

    /// Returns where AWS delivered the digest before it; `None` for the first of a chain.
    #[must_use]
    pub fn previous_address(&self) -> Option<String> {
        Some(format!("s3://{}/{}", self.previous_bucket.as_ref()?, self.previous_object.as_ref()?))
    }

    /// Returns the text that AWS signed. `sha256` is that of the text of the digest.
    #[must_use]
    pub fn signed_text(&self, sha256: &str) -> String {
        let Self { digest_end_time, bucket, object, .. } = self;
        let previous = self.previous_signature.as_deref().unwrap_or("null");
        format!("{digest_end_time}\n{bucket}/{object}\n{sha256}\n{previous}")
    }
}

impl LogFile {
    /// Returns where AWS delivered it.
    #[must_use]
    pub fn address(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.object)
    }

    /// Returns the times of its oldest and newest event; `None` if either is unknown.
    #[must_use]
    pub fn events(&self) -> Option<(UtcInstant, UtcInstant)> {
        let oldest = UtcInstant::parse_iso8601(self.oldest_event_time.as_deref()?)?;
        Some((oldest, UtcInstant::parse_iso8601(self.newest_event_time.as_deref()?)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"awsAccountId":"111122223333","digestStartTime":"2023-11-01T00:00:00Z",
        "digestEndTime":"2023-11-01T01:00:00Z","digestS3Bucket":"b","digestS3Object":"k","newField":[{}],
        "digestPublicKeyFingerprint":"f","digestSignatureAlgorithm":"SHA256withRSA","previousDigestS3Bucket":null,
        "logFiles":[{"s3Bucket":"b","s3Object":"l","hashValue":"00","hashAlgorithm":"SHA-256"}]}"#;

    #[test]
    fn a_digest_lacks_nothing_that_a_proof_needs() {
        let document = Document::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(document.signed_text("ab"), "2023-11-01T01:00:00Z\nb/k\nab\nnull");
        assert_eq!((document.log_files.len(), document.previous_address()), (1, None));
        for (from, to) in [
            ("\"awsAccountId\":\"111122223333\",", ""),
            ("\"digestS3Object\":\"k\",", ""),
            ("\"digestPublicKeyFingerprint\":\"f\",", ""),
            ("\"hashValue\":\"00\",", ""),
            ("\"k\"", "7"),
            ("SHA256withRSA", "SHA1withRSA"),
            ("SHA-256", "MD5"),
            ("2023-11-01T01:00:00Z", "2023-11-01T00:00:00Z"),
            ("2023-11-01T01:00:00Z", "-023-11-01T01:00:00Z"),
            ("2023-11-01T01:00:00Z", "9999-11-01T01:00:00Z"),
            ("2023-11-01T01:00:00Z", "99999999999999999999"),
            ("}]}", "}]"),
        ] {
            let bad = GOOD.replacen(from, to, 1);
            assert_ne!(bad, GOOD, "{from}");
            assert!(Document::parse(bad.as_bytes()).is_err(), "{from} -> {to}");
        }
        assert!(Document::parse(b"\xff\xfe").is_err());
        assert!(Document::parse(format!("{{\"a\":{}", "[".repeat(1 << 20)).as_bytes()).is_err());
    }

    #[test]
    fn a_digest_may_name_a_hundred_thousand_log_files() {
        let file = r#"{"s3Bucket":"b","s3Object":"l","hashValue":"00","hashAlgorithm":"SHA-256"}"#;
        let many = vec![file; 100_000].join(",");
        let document = Document::parse(GOOD.replace(file, &many).as_bytes()).unwrap();
        assert_eq!(document.log_files.len(), 100_000);
    }
}

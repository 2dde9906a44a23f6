//! The content of a digest.
//!
//! Strict about what a proof needs, tolerant about the rest: unknown fields are ignored, because AWS adds some. A digest can
//! name many log files, so those that the caller does not need are dropped while the text is read.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::kst::UtcInstant;

/// Maximum number of log files that a digest may name.
pub const MOST_LOG_FILES: usize = 100_000;
/// Maximum size of a digest as it is stored. A digest with that many log files has about 10 MB.
pub const MOST_PACKED_BYTES: u64 = 16 << 20;
/// Maximum size of its text. A digest with that many log files has about 40 MB.
pub const MOST_TEXT_BYTES: u64 = 48 << 20;

/// The longest time that a digest may cover, in milliseconds. AWS writes one an hour.
pub(super) const LONGEST_MS: i64 = 24 * 3_600_000;

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
    /// The log files delivered in that time, as far as the caller needs them.
    #[serde(skip)]
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
    /// Reads the text of a digest, with the log files that `keep` chooses; fails with what is wrong with it.
    pub fn parse(text: &[u8], keep: impl Fn(&LogFile) -> bool) -> Result<Self, String> {
        let unreadable = |cause| format!("not a digest: {cause}");
        let mut document: Self = serde_json::from_slice(text).map_err(unreadable)?;
        if document.digest_signature_algorithm != "SHA256withRSA" {
            return Err(format!("unknown signature algorithm '{}'", document.digest_signature_algorithm));
        }
        document.stretch().ok_or("impossible start or end time")?;
        let mut reader = serde_json::Deserializer::from_slice(text);
        document.log_files = ChosenFiles(&keep).deserialize(&mut reader).map_err(unreadable)?;
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

/// Reads the log files of a digest and drops those that are not needed.
struct ChosenFiles<'k, K>(&'k K);

impl<'de, K: Fn(&LogFile) -> bool> DeserializeSeed<'de> for ChosenFiles<'_, K> {
    type Value = Vec<LogFile>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de, K: Fn(&LogFile) -> bool> Visitor<'de> for ChosenFiles<'_, K> {
    type Value = Vec<LogFile>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a digest")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut files = None;
        while let Some(name) = map.next_key::<String>()? {
            if name != "logFiles" {
                map.next_value::<IgnoredAny>()?;
            } else if files.replace(map.next_value_seed(FileList(self.0))?).is_some() {
                return Err(Error::duplicate_field("logFiles"));
            }
        }
        files.ok_or_else(|| Error::missing_field("logFiles"))
    }
}

struct FileList<'k, K>(&'k K);

impl<'de, K: Fn(&LogFile) -> bool> DeserializeSeed<'de> for FileList<'_, K> {
    type Value = Vec<LogFile>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de, K: Fn(&LogFile) -> bool> Visitor<'de> for FileList<'_, K> {
    type Value = Vec<LogFile>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of log files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut chosen, mut named) = (Vec::new(), 0);
        while let Some(file) = list.next_element::<LogFile>()? {
            named += 1;
            if named > MOST_LOG_FILES {
                return Err(Error::custom(format_args!("it names more than {MOST_LOG_FILES} log files")));
            }
            if file.hash_algorithm != "SHA-256" {
                return Err(Error::custom("unknown hash algorithm of a log file"));
            }
            if (self.0)(&file) {
                chosen.push(file);
            }
        }
        Ok(chosen)
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
        let document = Document::parse(GOOD.as_bytes(), |_| true).unwrap();
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
            ("\"logFiles\":[{", "\"logFiles\":[],\"logFiles\":[{"),
            ("\"logFiles\":[{", "\"files\":[{"),
        ] {
            let bad = GOOD.replacen(from, to, 1);
            assert_ne!(bad, GOOD, "{from}");
            assert!(Document::parse(bad.as_bytes(), |_| true).is_err(), "{from} -> {to}");
        }
        assert!(Document::parse(b"\xff\xfe", |_| true).is_err());
        assert!(Document::parse(format!("{{\"a\":{}", "[".repeat(1 << 20)).as_bytes(), |_| true).is_err());
    }

    const FILE: &str = r#"{"s3Bucket":"b","s3Object":"l","hashValue":"00","hashAlgorithm":"SHA-256"}"#;

    fn with_files(files: &[String]) -> String {
        GOOD.replace(FILE, &files.join(","))
    }

    #[test]
    fn a_digest_may_name_a_hundred_thousand_log_files() {
        // The names of an organisation with a prefix are among the longest.
        let object = format!(
            "audit-logs/AWSLogs/o-exampleorgid/111122223333/CloudTrail/ap-southeast-2/2023/11/01/\
             111122223333_CloudTrail_ap-southeast-2_20231101T0055Z_{}.json.gz",
            "A".repeat(16)
        );
        let file = FILE
            .replace("\"b\"", "\"organisation-trail-logs-111122223333\"")
            .replace("\"l\"", &format!("\"{object}\""))
            .replace("00", &"ab".repeat(32))
            .replace(
                '}',
                ",\"newestEventTime\":\"2023-11-01T00:55:00Z\",\"oldestEventTime\":\"2023-11-01T00:50:00Z\"}",
            );
        let mut files = vec![file; MOST_LOG_FILES];
        let text = with_files(&files);
        assert!(text.len() as u64 <= MOST_TEXT_BYTES, "{} bytes", text.len());
        assert_eq!(Document::parse(text.as_bytes(), |_| true).unwrap().log_files.len(), MOST_LOG_FILES);
        files.push(FILE.to_owned());
        let more = Document::parse(with_files(&files).as_bytes(), |_| true).unwrap_err();
        assert!(more.contains("more than 100000 log files"), "{more}");
    }

    #[test]
    fn log_files_that_are_not_needed_are_dropped() {
        let files: Vec<String> =
            ["a", "b", "a"].map(|name| FILE.replace("\"l\"", &format!("\"{name}\""))).to_vec();
        let document = Document::parse(with_files(&files).as_bytes(), |file| file.object == "a").unwrap();
        assert_eq!(document.log_files.len(), 2);
        let bad = [FILE.to_owned(), FILE.replace("SHA-256", "MD5")];
        assert!(Document::parse(with_files(&bad).as_bytes(), |_| false).is_err());
    }
}

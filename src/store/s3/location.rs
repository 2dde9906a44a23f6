//! A location in S3: a bucket and a prefix of its keys.

use crate::error::{Error, ErrorKind, Result};
use crate::store::foreign_address::{translated, without_secrets};

/// `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Location {
    /// Name of the bucket.
    pub bucket: String,
    /// The prefix of its keys; may be empty, and need not end in `/`.
    pub prefix: String,
}

impl S3Location {
    /// Parses the text after `s3://`.
    pub fn parse(rest: &str) -> Result<Self> {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
        if bucket.is_empty() || !bucket.bytes().all(good) || prefix.starts_with('/') || prefix.contains("//")
        {
            let address = format!("s3://{rest}");
            let meant = translated(&address).filter(|meant| *meant != address);
            let meant = meant.map(|meant| format!(": {meant}")).unwrap_or_default();
            return Err(Error::new(ErrorKind::Usage, "invalid S3 address")
                .with("address", without_secrets(&address))
                .hint(format!("pass s3://bucket/prefix, with a single / between its parts{meant}")));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// The prefix as that of a folder: empty, or with one `/` at its end, so that no sibling begins with it.
    #[must_use]
    pub fn folder(&self) -> String {
        match self.prefix.trim_end_matches('/') {
            "" => String::new(),
            folder => format!("{folder}/"),
        }
    }

    /// The address of a key.
    #[must_use]
    pub fn address(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_ends_in_one_slash_or_is_the_whole_bucket() {
        for (rest, bucket, folder) in [
            ("lake", "lake", ""),
            ("lake/", "lake", ""),
            ("lake/a/b", "lake", "a/b/"),
            ("lake/a/b/", "lake", "a/b/"),
        ] {
            let location = S3Location::parse(rest).unwrap();
            assert_eq!((location.bucket.as_str(), location.folder().as_str()), (bucket, folder), "{rest}");
        }
        for rest in ["", "/a", "lake//a", "la ke/a"] {
            assert!(S3Location::parse(rest).is_err(), "{rest}");
        }
    }
}

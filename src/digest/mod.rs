//! CloudTrail's digest files: which log files AWS says it delivered, and whether that statement can be trusted.
//!
//! A trail with log file validation signs a digest every hour, per account and region. It names each log file with the
//! SHA-256 of its text, and the digest before it. [`document`] reads one digest, [`found`] checks its place and signature,
//! [`chain`] checks the links and hours of a chain for the day of a [`scope`], [`named`] relates the named files to raw
//! objects, and [`proof`] is the result that a manifest stores.
//! Everything here is pure: it decides about texts that the caller has fetched.
//!
//! Source: AWS, "CloudTrail digest file structure" and "Custom implementations of CloudTrail log file integrity validation".

pub mod chain;
pub mod document;
pub mod found;
mod hex;
pub mod keys;
pub mod name;
pub mod named;
pub mod proof;
pub mod scope;

pub use chain::{Examined, examine};
pub use document::{Document, LogFile, MOST_LOG_FILES, MOST_PACKED_BYTES, MOST_TEXT_BYTES};
pub use found::{FoundDigest, StoredSignature};
pub use hex::{hexadecimal, unhexadecimal};
pub use keys::PublicKeys;
pub use name::{ChainName, DigestName, LogName};
pub use named::{NamedFile, PlannedProof, ReadText};
pub use proof::{
    ChainProof, DayProof, DigestList, Exception, ExceptionKind, FileLedger, FurtherChains, Stretch, Verdict,
};
pub use scope::DayScope;

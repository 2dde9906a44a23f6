//! logmill turns the raw access logs of AWS into Parquet that people can trust: one Korean day at a time.
//!
//! The road has four steps, and the source follows them:
//!
//! 1. [`plan`]: which raw objects can hold events of a KST day, by the time in their keys.
//! 2. [`convert`]: objects to rows to part files; every row that was read is accounted for.
//! 3. [`publish`]: part files to one committed day, whole or not at all.
//! 4. [`catalog`]: the committed day as a partition of a Glue table.
//!
//! `query` answers SQL over published days. What a log type is stands in [`dataset`], where bytes live in [`store`], and
//! only [`cli`] talks to people.
//!
//! ```
//! use logmill::dataset::{self, DecodeLimits, Naming, Rows};
//! use logmill::kst::{DayRange, KstDay};
//!
//! let file = br#"{"Records":[
//!     {"eventTime":"2023-10-31T14:59:59Z","eventName":"GetObject","eventID":"a"},
//!     {"eventTime":"2023-10-31T15:00:00Z","eventName":"PutObject","eventID":"b"}
//! ]}"#;
//! let cloudtrail = dataset::named("cloudtrail").expect("it is in the list");
//! let schema = cloudtrail.schema(Naming::Snake, &[]);
//! let day: KstDay = "2023-11-01".parse()?;
//!
//! let mut rows = Rows::new(schema.decoded(), [0; 4]);
//! rows.begin_object(0, DayRange::only(day));
//! let mut decoder = cloudtrail.decoder(&schema, DecodeLimits::ATHENA);
//! let used = decoder.decode(file, &mut rows);
//! decoder.finish(&file[used..], &mut rows);
//!
//! assert_eq!(rows.ledger().read, 2);
//! assert_eq!(rows.ledger().other_day, 1, "14:59:59 UTC is still the day before in Korea");
//! assert_eq!(rows.ledger().written, 1);
//! # Ok::<(), logmill::error::Error>(())
//! ```

pub mod audit;
pub mod cancel;
pub mod catalog;
pub mod cli;
pub mod convert;
pub mod dataset;
pub mod error;
pub mod escape;
mod json;
pub mod kst;
pub mod ledger;
pub mod plan;
pub mod publish;
#[cfg(feature = "query")]
pub mod query;
#[cfg(feature = "query")]
pub mod report;
pub mod road;
pub mod rules;
pub mod store;
pub mod table;

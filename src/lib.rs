//! logmill turns raw AWS access logs into Parquet that you can trust, one KST day at a time.
//!
//! A run has four steps, and the source follows them:
//!
//! 1. [`plan`] selects the raw objects that can hold events of a KST day, by the time in their keys.
//! 2. [`convert`] turns objects into rows and rows into part files. It accounts for every row that it reads.
//! 3. [`publish`] turns part files into one committed day, whole or not at all.
//! 4. [`catalog`] registers the committed day as a partition of a Glue table.
//!
//! [`road`] runs the steps in order, for one day or many. [`table`] defines tables, [`dataset`] defines log types, [`rules`]
//! filters and masks rows, and [`store`] reads and writes bytes. [`audit`] reads published days back, `query` runs SQL over
//! them, and only [`cli`] prints.
//!
//! This example publishes a day from a folder, as `logmill run` does:
//!
//! ```
//! use logmill::convert::ConvertOptions;
//! use logmill::dataset;
//! use logmill::kst::UtcInstant;
//! use logmill::plan::TableSource;
//! use logmill::road::{DayRoad, Road, RoadOptions, Silent};
//! use logmill::store::{Connector, LakeAccess, ConnectionOptions};
//!
//! # let folder = tempfile::tempdir()?;
//! # let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
//! let file = r#"{"Records":[
//!     {"eventTime":"2023-10-31T14:59:59Z","eventName":"GetObject","eventID":"a"},
//!     {"eventTime":"2023-10-31T15:00:00Z","eventName":"PutObject","eventID":"b"}
//! ]}"#;
//! std::fs::create_dir(at("logs"))?;
//! std::fs::write(at("logs/111122223333_CloudTrail_us-east-1_20231031T1505Z_AbCd.json"), file)?;
//!
//! let options = RoadOptions::new(ConvertOptions::new(2, 256 << 20));
//! let connector = Connector::new(options.convert.cancel.clone(), at("scratch").into(), ConnectionOptions::default());
//! let lake = connector.lake(&at("lake"), &LakeAccess::default())?;
//! let clock = || UtcInstant::parse_iso8601("2023-11-03T00:00:00Z").expect("a valid time");
//! let road = Road::new(lake.as_ref(), &connector, None, options, &Silent, clock)?;
//!
//! let cloudtrail = dataset::named("cloudtrail").expect("it is in the list");
//! let source = TableSource::new(cloudtrail, vec![at("logs")]);
//! let day = DayRoad::new(&road, "2023-11-01".parse()?);
//! let published = day.run_table(&source)?.manifest;
//!
//! assert_eq!(published.ledger.read, 2);
//! assert_eq!(published.ledger.other_day, 1, "14:59:59 UTC belongs to the previous KST day");
//! assert_eq!(published.ledger.written, 1);
//! assert!(!published.provisional);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod audit;
pub mod cancel;
pub mod catalog;
pub mod certificate;
pub mod cli;
pub mod convert;
pub mod dataset;
pub mod digest;
pub mod error;
pub mod escape;
#[doc(hidden)]
pub mod fuzzing;
mod html;
mod json;
pub mod kst;
pub mod ledger;
mod nearest;
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

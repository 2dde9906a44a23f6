//! logmill turns the raw access logs of AWS into Parquet that people can trust: one Korean day at a time.

pub mod cancel;
pub mod cli;
pub mod convert;
pub mod dataset;
pub mod error;
pub mod kst;
pub mod ledger;
pub mod plan;
pub mod publish;
pub mod store;

//! End-to-end tests: the real binary over real files.

#![expect(clippy::unwrap_used, reason = "a failing test should show the line")]

mod clock_skew;
mod commands;
mod damage;
mod days;
mod deploy;
mod diff;
mod discover;
mod docs;
mod dropped_columns;
mod earlier_layout;
mod escapes;
mod first_contact;
mod first_logs;
mod fuzz;
mod harness;
mod headed_logs;
mod history;
mod house;
mod inputs;
mod json_lines;
mod kept_rows;
mod lines;
mod load_balancers;
#[cfg(all(feature = "aws", feature = "query"))]
mod mistakes;
mod output;
mod places;
mod processes;
mod promotions;
mod proofs;
mod prose;
mod public_logs;
mod publishing;
#[cfg(feature = "query")]
mod query;
#[cfg(feature = "query")]
mod query_extremes;
#[cfg(feature = "query")]
mod query_files;
#[cfg(feature = "query")]
mod query_functions;
#[cfg(feature = "query")]
mod query_meaning;
#[cfg(feature = "query")]
mod query_tables;
#[cfg(feature = "query")]
mod query_zoned;
mod readback;
mod records;
mod rejects;
mod report;
mod reruns;
mod road;
mod rules;
mod secrets;
mod settings;
mod shards;
mod summaries;
mod troubleshooting;
mod unfinished_days;
mod unfinished_work;
mod why;

//! What several commands take.

#![expect(clippy::doc_markdown, reason = "the comments are the help texts")]

use clap::Args;

use super::begun;
use crate::error::Result;
use crate::kst::{KstDay, UtcInstant};

/// Which raw logs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Sources")]
pub(in crate::cli) struct SourceArgs {
    /// Folder, file or s3://bucket/prefix with raw logs; may be given more than once [env: LOGMILL_INPUT]
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) input: Vec<String>,
    /// Log type: cloudtrail, s3-access or all [default: all; env: LOGMILL_DATASET]
    #[arg(long, value_name = "DATASET")]
    pub(in crate::cli) dataset: Option<String>,
    /// Table name, when there is only one source [default: cloudtrail, s3_access; env: LOGMILL_TABLE]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) table: Option<String>,
    /// How long after the day its objects are awaited, such as 12h [default: 6h for cloudtrail, 24h for s3-access;
    /// env: LOGMILL_LATENESS]
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) lateness: Option<String>,
    /// Read objects whatever time their names or dated folders say, for logs that were renamed or repackaged: each day then
    /// reads all objects of the inputs [env: LOGMILL_IGNORE_KEY_TIMES]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(in crate::cli) ignore_key_times: Option<bool>,
    /// Column names: snake or compact [default: snake; env: LOGMILL_NAMING]
    #[arg(long, value_name = "NAMING")]
    pub(in crate::cli) naming: Option<String>,
    /// Role to assume for reading the raw logs, where their bucket is another account's [env: LOGMILL_ROLE_ARN]
    #[arg(long, value_name = "ARN")]
    pub(in crate::cli) role_arn: Option<String>,
    /// Agree to pay for reading the raw logs [env: LOGMILL_REQUESTER_PAYS]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(in crate::cli) requester_pays: Option<bool>,
    /// Account that must own the bucket of the raw logs [env: LOGMILL_EXPECTED_BUCKET_OWNER]
    #[arg(long, value_name = "ACCOUNT")]
    pub(in crate::cli) expected_bucket_owner: Option<String>,
    /// Rows to leave out, such as "event_source = 'kms.amazonaws.com' and read_only = true"; given more than once, rows that
    /// any of the rules matches [env: LOGMILL_FILTER]
    #[arg(long, value_name = "RULE")]
    pub(in crate::cli) filter: Vec<String>,
    /// Value to mask beside the secrets that are masked by default: a JSON path, or ? and the name of a query parameter;
    /// none takes back all rules of defaults and file; may be given more than once [env: LOGMILL_REDACT]
    #[arg(long, value_name = "RULE")]
    pub(in crate::cli) redact: Vec<String>,
}

/// The day.
#[derive(Debug, Args)]
pub(in crate::cli) struct DayArg {
    /// KST day: 2023-11-01, 20231101, yesterday or today
    #[arg(long, value_name = "DAY")]
    pub(in crate::cli) day: String,
}

impl DayArg {
    /// The day that is meant, which must have begun in Korea.
    pub(in crate::cli) fn begun(&self, now: UtcInstant) -> Result<KstDay> {
        begun(KstDay::parse(&self.day, now)?, now)
    }
}

/// The lake.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Lake")]
pub(in crate::cli) struct LakeArgs {
    /// Folder of the lake, or s3://bucket/prefix [env: LOGMILL_OUTPUT]
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) output: Option<String>,
    /// Folder of this machine for rows that do not fit into memory, where the lake is in S3 [default: the system's folder
    /// for temporary files; env: LOGMILL_SCRATCH]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) scratch: Option<String>,
}

/// How a day is written.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Publishing")]
pub(in crate::cli) struct WriteArgs {
    /// Size at which a part file is closed [default: 256 MiB; env: LOGMILL_TARGET_FILE_SIZE]
    #[arg(long, value_name = "SIZE")]
    pub(in crate::cli) target_file_size: Option<String>,
    /// Share of rejected rows, or of bytes in damaged objects, above which a day is not published, such as 0.01 or 1%
    /// [default: 1%; env: LOGMILL_MAX_REJECT_RATIO]
    #[arg(long, value_name = "RATIO")]
    pub(in crate::cli) max_reject_ratio: Option<String>,
    /// Bytes of rejected rows that are kept of a table and day; further ones are only counted, by reason and object
    /// [default: 256 MiB; env: LOGMILL_MAX_QUARANTINE]
    #[arg(long, value_name = "SIZE")]
    pub(in crate::cli) max_quarantine: Option<String>,
    /// Publish a day without rows also where it had some [env: LOGMILL_ALLOW_EMPTY]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(in crate::cli) allow_empty: Option<bool>,
    /// Share of its rows that a published day may lose when it is replaced, for example 0.5 or 50%, beside the rows of raw
    /// objects that are gone and of a new filter; 100% allows any loss [default: 50%; env: LOGMILL_MAX_SHRINK]
    #[arg(long, value_name = "RATIO")]
    pub(in crate::cli) max_shrink: Option<String>,
    /// Exit with 99 when a table has no rows for the day [env: LOGMILL_FAIL_ON_EMPTY]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(in crate::cli) fail_on_empty: Option<bool>,
    /// How long the files of a superseded run stay for those who still read them, in S3 [default: 1h, 0s with
    /// --projection; env: LOGMILL_GRACE]
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) grace: Option<String>,
    /// Wait for a day that another run holds, a day long or for this TIME, such as 30m [default: 0s; env: LOGMILL_WAIT]
    #[arg(long, num_args = 0..=1, default_missing_value = "24h", value_name = "TIME")]
    pub(in crate::cli) wait: Option<String>,
    /// Take the day also from a run that holds it: that one loses its work and ends with 75
    #[arg(long)]
    pub(in crate::cli) steal: bool,
    /// Encryption in S3: s3 or kms [default: that of the bucket; env: LOGMILL_SSE]
    #[arg(long, value_name = "WHOSE")]
    pub(in crate::cli) sse: Option<String>,
    /// KMS key for encryption in S3: id or ARN [env: LOGMILL_KMS_KEY]
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) kms_key: Option<String>,
    /// Storage class of part files in S3, such as INTELLIGENT_TIERING [env: LOGMILL_STORAGE_CLASS]
    #[arg(long, value_name = "CLASS")]
    pub(in crate::cli) storage_class: Option<String>,
    /// Tag of every object in S3; may be given more than once [env: LOGMILL_TAG, with , between]
    #[arg(long, value_name = "NAME=VALUE")]
    pub(in crate::cli) tag: Vec<String>,
    /// ACL of every object in S3: bucket-owner-full-control or none [default: none; env: LOGMILL_ACL]
    #[arg(long, value_name = "ACL")]
    pub(in crate::cli) acl: Option<String>,
    /// Write the summary as JSON to a file, or to standard output with -
    #[arg(long, value_name = "FILE|-")]
    pub(in crate::cli) summary_json: Option<String>,
    /// Write the numbers of the run to a file for the textfile collector of Prometheus [env: LOGMILL_METRICS_FILE]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) metrics_file: Option<String>,
    /// Say the numbers of each table and day on standard error, in CloudWatch's Embedded Metric Format [env: LOGMILL_EMF]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(in crate::cli) emf: Option<bool>,
}

/// The catalog.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Catalog")]
pub(in crate::cli) struct CatalogArgs {
    /// Catalog that is told of published days: none or glue [default: glue where a database is named, else none; env:
    /// LOGMILL_CATALOG]
    #[arg(long, value_name = "CATALOG")]
    pub(in crate::cli) catalog: Option<String>,
    /// Database of the catalog [env: LOGMILL_DATABASE]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) database: Option<String>,
    /// Make the database where there is none [env: LOGMILL_CREATE_DATABASE]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(in crate::cli) create_database: Option<bool>,
    /// Let Athena compute partitions, from this first day to tomorrow, instead of registering them. No call per day, but
    /// Athena then reads all that lies in a day's folder: a replaced day shows twice for a moment, and after a killed run
    /// until the next one; --grace must stay 0, and engines other than Athena see no partition. A table that has it is
    /// refused without it [env: LOGMILL_PROJECTION]
    #[arg(long, value_name = "DAY")]
    pub(in crate::cli) projection: Option<String>,
    /// Tell the catalog about the values of columns, for the optimiser of Athena: those of the newest day that it knows, which
    /// stand for the whole table [env: LOGMILL_COLUMN_STATISTICS]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(in crate::cli) column_statistics: Option<bool>,
}

/// How raw objects are read.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Reading")]
pub(in crate::cli) struct ReadArgs {
    /// Unpacked bytes of one object that are read at most [default: 4 GiB; env: LOGMILL_MAX_OBJECT_SIZE]
    #[arg(long, value_name = "SIZE")]
    pub(in crate::cli) max_object_size: Option<String>,
}

/// All that a command takes which goes the whole road.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct RoadArgs {
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) lake: LakeArgs,
    #[command(flatten)]
    pub(in crate::cli) write: WriteArgs,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
    #[command(flatten)]
    pub(in crate::cli) catalog: CatalogArgs,
}

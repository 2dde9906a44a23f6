//! The command line as it is typed.
//!
//! The table of settings gives a flag its name, help and default if the flag is a setting. [`super::settings`] then combines
//! flags, environment and config file.

#![expect(clippy::doc_markdown, reason = "the comments are the help texts")]

mod certify;
mod day;
mod days;
mod diff;
mod discover;
mod formats;
mod groups;
#[cfg(feature = "query")]
mod query;
#[cfg(feature = "query")]
mod report;
mod shared;
mod why;

pub(super) use certify::{CertificateFormat, CertificateLang, CertifyArgs};
pub(super) use day::{DayArg, OptionalDay, begun, day_count};
pub(super) use days::{BackfillArgs, DaysArgs, StatusArgs};
pub(super) use diff::DiffArgs;
pub(super) use discover::{DiscoverArgs, InitArgs};
pub(super) use formats::{ShowFormat, TextFormat};
pub(super) use groups::{
    CatalogArgs, ExistingLakeArgs, GlobalSettings, GraceArgs, LakeArgs, ReadArgs, SchemaSettings,
    ShardSettings, SourceArgs,
};
#[cfg(feature = "query")]
pub(super) use query::{QueryArgs, QueryFormat};
#[cfg(feature = "query")]
pub(super) use report::{Lang, ReportArgs};
pub(super) use shared::{RoadArgs, WriteArgs};
pub(super) use why::WhyArgs;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::screen::HELP_STYLES;
use super::shard::ShardArg;
use crate::plan::MAX_SHARDS;

/// Raw AWS access logs in, trusted Parquet out: one closed KST day at a time.
#[derive(Debug, Parser)]
#[command(name = "logmill", version, arg_required_else_help = true, after_help = exit_codes(), styles = HELP_STYLES)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
    /// Options that every command takes.
    #[command(flatten)]
    pub(super) global: GlobalArgs,
}

fn exit_codes() -> String {
    let lines =
        super::exit::Exit::TABLE.iter().map(|(exit, meaning)| format!("  {:>3}  {meaning}\n", exit.code()));
    format!("Exit codes:\n{}", lines.collect::<String>())
}

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct GlobalArgs {
    #[command(flatten)]
    pub(super) settings: GlobalSettings,
    /// Print only errors and results
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// Print more; repeat it for debug messages
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

/// The commands: the four steps of a run, and those that support them.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what inputs hold: log types, accounts, days, sizes and the cost of a backfill
    #[command(
        after_help = "Needs no day and no lake. Each object is listed once, for all log types together. No log is read, except for the first bytes of up to 500 objects per input whose keys are unclear.

Examples:
  logmill discover --input /logs
  logmill discover --input s3://my-trail/AWSLogs/ \\
      --input s3://my-trail/s3-access/
  logmill discover --config /etc/logmill.toml --format json | jq .log_types"
    )]
    Discover(DiscoverArgs),
    /// Write a config file for the logs that inputs hold
    #[command(
        after_help = "Looks at the inputs as 'logmill discover' does, and writes one [[source]] per log type. --config names the file [default: logmill.toml]. An existing file is never replaced.

Examples:
  logmill init --input /logs --output /lake
  logmill init --input s3://my-trail/AWSLogs/ --output s3://my-lake/logs \\
      --database logs --config /etc/logmill.toml"
    )]
    Init(InitArgs),
    /// Plan, convert, publish and register a day
    #[command(after_help = "Examples:
  logmill run --day yesterday --input /logs --output /lake
  logmill run --day 2023-11-01 --input /logs --output /lake \\
      --dataset cloudtrail --summary-json -
  logmill run --day 20231101 --config /etc/logmill.toml
  logmill run --day yesterday --input /logs --output /lake \\
      --dataset cloudtrail --filter \"event_source = 'kms.amazonaws.com'\"
  logmill run --day yesterday --input s3://my-trail/AWSLogs/ \\
      --output s3://my-lake/logs --database logs")]
    Run(RunArgs),
    /// Build a range of days, reading each raw object once
    #[command(
        after_help = "Each day is published as soon as no later object can hold its events. A day that fails does not stop the others. Published days that are up to date are skipped, so an interrupted backfill resumes where it stopped. A day whose raw objects have been deleted is rebuilt only with --only all, because its rows would be lost.

Examples:
  logmill backfill --from 2023-10-01 --to 2023-10-31 --input /logs \\
      --output /lake
  logmill backfill --last 30d --only stale --config /etc/logmill.toml
  logmill backfill --last 730d --order newest --dry-run \\
      --config /etc/logmill.toml"
    )]
    Backfill(BackfillArgs),
    /// Show the state of each day: published, empty, missing, stale or failed
    #[command(after_help = "States:
  proved     up to date, and proved by CloudTrail's digests
  published  up to date
  empty      published without rows
  no logs    never published, and before the table's first log: nothing is missing
  missing    never published
  stale      published, but raw objects were added or changed since
  failed     the last run of the day failed; an earlier published version is still in place

Without days, it shows the last 14 days up to yesterday. If neither the lake nor the inputs have any of them, it shows the 14 days up to the newest day that they have, except with --check. This command reads no logs. It lists the raw objects and compares them with the lists of objects that were read. It reads the first bytes of an object only if the name does not reveal the log type.

Examples:
  logmill status --from 2023-10-01 --to 2023-10-31 --input /logs --lake /lake
  logmill status --last 7d --config /etc/logmill.toml --format json \\
      | jq 'select(.state == \"stale\")'")]
    Status(StatusArgs),
    /// Find an event, or explain why it is not in the lake
    #[command(
        after_help = "The published day is searched first, through the indexes of its files. If it does not have the ID and raw logs are given, all raw objects that a run of the day reads are searched. That takes about as long as the run.

Exits with 0 if the event is in the lake, otherwise with 99.

Examples:
  logmill why --day 2023-11-01 \\
      --event-id 8d1f5bd0-3c0b-4e0c-9a4e-1f6b8c1d2e3f --lake /lake
  logmill why --day yesterday --request-id C3D13FE58DE4C810 \\
      --config /etc/logmill.toml
  logmill why --day 20231101 --request-id C3D13FE58DE4C810 --table s3_access \\
      --deep --input /logs --lake /lake --format json"
    )]
    Why(WhyArgs),
    /// Compare two runs of a day
    #[command(
        after_help = "Name a run by its ID, as 'live' (the published run) or as 'previous' (the run before it). The lake keeps records of a day's last ten runs, with the counts of each raw object. If the files of both runs still exist, as in S3 within --grace, the rows themselves are compared; otherwise the ledgers are. Exits with 0 whether or not the runs differ.

Examples:
  logmill diff --day 2023-11-01 previous live --lake s3://my-lake/logs
  logmill diff --day 2023-11-01 20231102T013000Z-5c0ffee1 live \\
      --lake /lake --table cloudtrail --limit 50
  logmill diff --day yesterday --lake s3://my-lake/logs --format json \\
      | jq .settings"
    )]
    Diff(DiffArgs),
    /// Query the lake with SQL
    #[cfg(feature = "query")]
    #[command(
        after_help = "The tables of the lake and the views of glue/sql are available by name; SHOW TABLES lists them. Only published days are read. Conditions on proc_ymd or on the event time select the days. Most Athena functions are supported.

Examples:
  logmill query --lake /lake --day 2023-11-01 \\
      \"SELECT event_name, count(*) FROM cloudtrail GROUP BY 1\"
  logmill query --lake s3://my-lake/logs --last 7d \\
      \"SELECT * FROM denied_ips\" --format csv > denied.csv
  logmill query --lake /lake --day yesterday --file question.sql \\
      --to-file answer.parquet
  logmill query --lake /lake \"DESCRIBE s3_access\""
    )]
    Query(QueryArgs),
    /// Write an HTML page about published days: charts, tables and run ledgers
    #[cfg(feature = "query")]
    #[command(
        after_help = "Without days, the page shows yesterday. It is one HTML file that fetches nothing and can be read without scripts: mail it, archive it or put it into a bucket. It compares the days with those before and points out what is unusual. Its figures come from the views of glue/sql.

Examples:
  logmill report --day 2023-11-01 --lake /lake
  logmill report --last 30d --lake s3://my-lake/logs --lang ko \\
      --to-file october.html
  logmill report --day yesterday --output /lake --open
  logmill report --last 7d --output /lake --account 111122223333
  logmill report --day yesterday --config /etc/logmill.toml --to-file - \\
      | aws s3 cp - s3://my-lake/pages/access.html --content-type text/html"
    )]
    Report(ReportArgs),
    /// Show which objects a day needs, and why
    #[command(after_help = "Examples:
  logmill plan --day 2023-11-01 --input /logs
  logmill plan --day 2023-11-01 --input /logs --shards 4 --format json \\
      > plan.json
  logmill plan --day yesterday --input s3://my-trail/AWSLogs/ --shards 16 \\
      --plan s3://my-lake/logs/_staging/plan.json")]
    Plan(PlanArgs),
    /// Convert one shard of a plan into a staging folder
    #[command(after_help = "Examples:
  logmill convert --plan plan.json --shard 0 --staging /shared/staging
  logmill convert --plan s3://my-lake/logs/_staging/plan.json --shard auto \\
      --staging s3://my-lake/logs/_staging/shards")]
    Convert(ConvertArgs),
    /// Publish a day after all its shards are converted
    #[command(
        after_help = "The command only reads the staging folder, unless you pass --remove-staging. If the plan is already published, it prints the run that published it, registers that run in the catalog if necessary, and completes an interrupted removal.

Examples:
  logmill publish --plan plan.json --staging /shared/staging --output /lake
  logmill publish --plan s3://my-lake/logs/_staging/plan.json \\
      --staging s3://my-lake/logs/_staging/shards --remove-staging \\
      --output s3://my-lake/logs --database logs"
    )]
    Publish(PublishArgs),
    /// Register a published day in the catalog
    #[command(
        after_help = "A run with a catalog registers its day itself. Use this command after a run that could not, or after 'logmill publish' without a catalog. A day that is already registered correctly is left unchanged.

Examples:
  logmill register --day 2023-11-01 --lake s3://my-lake/logs --database logs
  logmill register --day yesterday --lake s3://my-lake/logs \\
      --database logs --table s3_access --format json"
    )]
    Register(RegisterArgs),
    /// Decode one raw file and show its rows
    #[command(after_help = "Examples:
  logmill inspect \\
      123456789012_CloudTrail_ap-northeast-2_20231031T1505Z_abc.json.gz \\
      --limit 3
  logmill inspect access.log --dataset s3-access --format json | jq .reject")]
    Inspect(InspectArgs),
    /// Show the columns of tables, as text, Athena DDL, Markdown or CloudFormation
    #[command(
        after_help = "Tables, names and promoted columns come from the config file: the statement or template creates the table to which a run with the same file publishes. Flags override the file. If the settings name no lake in S3, the location of a table is a placeholder.

Examples:
  logmill schema --dataset cloudtrail
  logmill schema --config /etc/logmill.toml --format ddl
  logmill schema --naming compact --format ddl
  logmill schema --format ddl --projection 2023-01-01
  logmill schema --format markdown > columns.md
  logmill schema --format cloudformation > tables.json"
    )]
    Schema(SchemaArgs),
    /// Check a published day against its manifest
    #[command(after_help = "Examples:
  logmill verify --lake /lake --day 2023-11-01")]
    Verify(VerifyArgs),
    /// Certify published days: proof by digests, exceptions and checksums
    #[command(
        after_help = "The certificate shows the accounts, regions and hours that digests cover, the number of files and events, every exception, and the SHA-256 of each published file. With --verify, the command compares a certificate (JSON or HTML) with the lake, prints the differences, and exits with 4 if there are any.

Examples:
  logmill certify --day 2023-11-01 --lake /lake
  logmill certify --from 2023-10-01 --to 2023-10-31 \\
      --lake s3://my-lake/logs --format html --lang ko > october.html
  logmill certify --verify october.html --lake s3://my-lake/logs"
    )]
    Certify(CertifyArgs),
    /// Remove files of killed and superseded runs
    #[command(
        after_help = "Keeps the live run and anything outside a run folder. Removes superseded runs after --grace; if their day was registered in a catalog, only when --database lets this command ask that catalog. A run that no day refers to may still be active, and is removed after --older-than. If engines read through a catalog, pass --catalog glue: then a run that the catalog still shows is also kept.

Examples:
  logmill clean --lake s3://my-lake/logs --database logs
  logmill clean --lake s3://my-lake/logs --table s3_access \\
      --older-than 48h --dry-run
  logmill clean --lake /lake"
    )]
    Clean(CleanArgs),
    /// Compare raw logs, lake and catalog, and repair the catalog
    #[command(after_help = "States:
  ok              no problem found
  provisional     published before all late objects could have arrived
  no logs         no raw logs and no published day
  not published   no published day; raw logs were not checked because no input is given
  missing         has raw logs, but was never published
  stale           raw objects exist that the published day has not read
  lost            files of the published day no longer exist
  not registered  published, but not in the catalog
  dangling        the catalog does not point to the published run
  orphaned        the catalog has a day that was never published
  schema          the catalog's table does not match the files
  leftovers       files of killed or superseded runs

Without days, it checks the last seven days up to yesterday. Exits with 0 if no problem is left, otherwise with 4. --fix registers days, corrects locations, removes orphaned partitions and cleans up; it never rebuilds data.

--probe tests a store before it holds a lake, for example MinIO, Ceph or NFS. It exits with 4 if the store does not keep a promise that a lake requires.

Examples:
  logmill doctor --input s3://my-trail/AWSLogs/ --lake s3://my-lake/logs \\
      --database logs
  logmill doctor --from 2023-11-01 --to 2023-11-30 \\
      --lake s3://my-lake/logs --database logs --fix --dry-run
  logmill doctor --permissions --input s3://my-trail/AWSLogs/ \\
      --lake s3://my-lake/logs --database logs
  logmill doctor --probe s3://my-lake/logs")]
    Doctor(DoctorArgs),
    /// Show the settings in effect and where each comes from
    #[command(
        after_help = "With days, only the tables that 'logmill run' and 'logmill backfill' build for these days are listed: those of the config file, and log types that the inputs hold. Without days, no input is read.

Examples:
  logmill config
  LOGMILL_MEMORY=2GiB logmill config --format json
  logmill config --day yesterday --config /etc/logmill.toml --format json \\
      | jq -r 'select(.name | endswith(\".dataset\"))'"
    )]
    Config(ConfigArgs),
    /// Print a completion script for a shell
    #[command(after_help = "Examples:
  logmill completions bash > /etc/bash_completion.d/logmill")]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print a manual page
    #[command(after_help = "Examples:
  logmill man | man -l -
  logmill man run > logmill-run.1")]
    Man {
        /// Command to describe [default: the program]
        #[arg(value_name = "COMMAND")]
        of: Option<String>,
    },
}

/// `run`.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) day: OptionalDay,
    /// Also rebuild any of the previous N days that received late objects, for example 7d
    #[arg(long, value_name = "DAYS")]
    pub(super) lookback: Option<String>,
    #[command(flatten)]
    pub(super) road: RoadArgs,
}

/// `plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) day: OptionalDay,
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// Number of shards that share the objects
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SHARDS)))]
    pub(super) shards: u32,
    /// Also write the plan to this file or s3://bucket/key, for 'logmill convert' and 'logmill publish'
    #[arg(long, value_name = "FILE")]
    pub(super) plan: Option<String>,
    /// Output format; json prints the plan file
    #[arg(long, value_enum, default_value_t = PlanFormat::Table)]
    pub(super) format: PlanFormat,
}

/// `convert`.
#[derive(Debug, Args)]
pub(super) struct ConvertArgs {
    /// Plan written by 'logmill plan': a file or s3://bucket/key
    #[arg(long, value_name = "FILE")]
    pub(super) plan: String,
    /// Shard to convert, from 0, or auto for this machine's index in its array
    ///
    /// 'auto' takes the index from AWS Batch (AWS_BATCH_JOB_ARRAY_INDEX), Kubernetes (JOB_COMPLETION_INDEX) or Slurm
    /// (SLURM_ARRAY_TASK_ID). A machine whose index has no shard in the plan does nothing.
    #[arg(long, value_name = "K|auto", default_value = "0")]
    pub(super) shard: ShardArg,
    /// Folder or s3://bucket/prefix for the result, which 'logmill publish' must be able to read
    #[arg(long, value_name = "PATH")]
    pub(super) staging: String,
    #[command(flatten)]
    pub(super) settings: ShardSettings,
    #[command(flatten)]
    pub(super) read: ReadArgs,
}

/// `publish`.
#[derive(Debug, Args)]
pub(super) struct PublishArgs {
    /// Plan written by 'logmill plan': a file or s3://bucket/key
    #[arg(long, value_name = "FILE")]
    pub(super) plan: String,
    /// Folder or s3://bucket/prefix with the results of all shards
    #[arg(long, value_name = "PATH")]
    pub(super) staging: String,
    /// Remove the results of the shards once every table is published and registered
    ///
    /// A small receipt replaces the plan, so that the command can be repeated.
    #[arg(long)]
    pub(super) remove_staging: bool,
    #[command(flatten)]
    pub(super) lake: LakeArgs,
    #[command(flatten)]
    pub(super) write: WriteArgs,
    #[command(flatten)]
    pub(super) catalog: CatalogArgs,
}

/// `register`.
#[derive(Debug, Args)]
pub(super) struct RegisterArgs {
    #[command(flatten)]
    pub(super) day: DayArg,
    #[command(flatten)]
    pub(super) lake: ExistingLakeArgs,
    /// Table to register [default: every table of the lake with the day]
    #[arg(long, value_name = "NAME")]
    pub(super) table: Option<String>,
    #[command(flatten)]
    pub(super) catalog: CatalogArgs,
    /// Output format; json prints one line per table
    #[arg(long, value_enum, default_value_t = ShowFormat::Table)]
    pub(super) format: ShowFormat,
}

/// `inspect`.
#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// Raw file
    pub(super) file: String,
    /// Log type [default: detected from the file name or contents]
    #[arg(long, value_name = "DATASET")]
    pub(super) dataset: Option<String>,
    /// Maximum number of rows to show; all are counted
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// Output format; json prints one line per row
    #[arg(long, value_enum, default_value_t = ShowFormat::Table)]
    pub(super) format: ShowFormat,
    /// Value to mask in addition to the secrets masked by default; none masks nothing
    #[arg(long, value_name = "RULE")]
    pub(super) redact: Vec<String>,
}

/// `schema`.
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    #[command(flatten)]
    pub(super) settings: SchemaSettings,
    /// Output format
    #[arg(long, value_enum, default_value_t = SchemaFormat::Table)]
    pub(super) format: SchemaFormat,
}

/// `verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    pub(super) day: DayArg,
    #[command(flatten)]
    pub(super) lake: ExistingLakeArgs,
    /// Table to check [default: every table of the lake]
    #[arg(long, value_name = "NAME")]
    pub(super) table: Option<String>,
}

/// The default of `clean --older-than`.
pub(super) const OLDER_THAN: &str = "24h";

/// `clean`.
#[derive(Debug, Args)]
pub(super) struct CleanArgs {
    #[command(flatten)]
    pub(super) lake: ExistingLakeArgs,
    /// Table to clean [default: every table of the lake]
    #[arg(long, value_name = "NAME")]
    pub(super) table: Option<String>,
    /// Age at which to remove a run that no day refers to; must exceed the longest run
    #[arg(long, value_name = "TIME", default_value = OLDER_THAN, value_parser = super::settings::values::span_ms)]
    pub(super) older_than: i64,
    #[command(flatten)]
    pub(super) grace: GraceArgs,
    /// Only print the files to remove
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) catalog: CatalogArgs,
}

/// `doctor`.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    pub(super) days: DaysArgs,
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) lake: ExistingLakeArgs,
    #[command(flatten)]
    pub(super) catalog: CatalogArgs,
    /// Repair everything that does not need the raw logs
    #[arg(long)]
    pub(super) fix: bool,
    /// With --fix: only print the repairs
    #[arg(long, requires = "fix")]
    pub(super) dry_run: bool,
    /// Instead, test the permissions that a run needs and print the missing policy
    #[arg(long, conflicts_with = "fix")]
    pub(super) permissions: bool,
    /// Instead, test whether a store keeps what a lake needs; writes small files to ADDRESS and removes them
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["fix", "permissions"])]
    pub(super) probe: Option<String>,
    /// Output format; json prints one line per table and day
    #[arg(long, value_enum, default_value_t = ShowFormat::Table)]
    pub(super) format: ShowFormat,
}

/// `config`.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(flatten)]
    pub(super) days: DaysArgs,
    #[command(flatten)]
    pub(super) road: RoadArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = ShowFormat::Table)]
    pub(super) format: ShowFormat,
}

/// Table or plan file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    Table,
    Json,
}

/// Table, DDL, JSON, Markdown or a CloudFormation template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaFormat {
    Table,
    Ddl,
    Json,
    Markdown,
    #[value(name = "cloudformation")]
    CloudFormation,
}

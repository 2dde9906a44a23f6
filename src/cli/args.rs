//! What can be typed. Everything is optional here; what is meant is resolved once, in [`super::settings`].

#![expect(clippy::doc_markdown, reason = "the comments are the help texts")]

mod days;
mod diff;
#[cfg(feature = "query")]
mod query;
#[cfg(feature = "query")]
mod report;
mod shared;
mod why;

pub(super) use days::{BackfillArgs, StatusArgs, begun, day_count};
pub(super) use diff::DiffArgs;
#[cfg(feature = "query")]
pub(super) use query::{QueryArgs, QueryFormat};
#[cfg(feature = "query")]
pub(super) use report::{Lang, ReportArgs};
pub(super) use shared::{CatalogArgs, DayArg, LakeArgs, ReadArgs, RoadArgs, SourceArgs, WriteArgs};
pub(super) use why::{TextFormat, WhyArgs};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::shard::ShardArg;
use crate::plan::MOST_SHARDS;

/// Raw AWS access logs in, trusted Parquet out: one closed KST day at a time.
#[derive(Debug, Parser)]
#[command(name = "logmill", version, arg_required_else_help = true, after_help = exit_codes())]
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
    /// Config file [default: logmill.toml in this folder, where there is one; env: LOGMILL_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Worker threads [default: one a core; env: LOGMILL_THREADS]
    #[arg(long, global = true, value_name = "N")]
    pub(super) threads: Option<String>,
    /// Memory for rows and files in the making, such as 1GiB; the process takes up to 64MiB and
    /// 3MiB a thread on top. At least 64MiB [default: 1 GiB; env: LOGMILL_MEMORY]
    #[arg(long, global = true, value_name = "SIZE")]
    pub(super) memory: Option<String>,
    /// Say nothing but errors and data
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// Say more
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Form of messages: text or json [default: text; env: LOGMILL_LOG_FORMAT]
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(super) log_format: Option<String>,
}

/// The commands: the four steps of the road, and what helps along it.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Plan, convert, publish and register a day
    #[command(after_help = "Examples:
  logmill run --day yesterday --input /logs --output /lake
  logmill run --day 2023-11-01 --input /logs --output /lake --dataset cloudtrail --summary-json -
  logmill run --day 20231101 --config /etc/logmill.toml
  logmill run --day yesterday --input /logs --output /lake --dataset cloudtrail --filter \"event_source = 'kms.amazonaws.com'\"
  logmill run --day yesterday --input s3://my-trail/AWSLogs/ --output s3://my-lake/logs --database logs")]
    Run(RunArgs),
    /// Make many days, reading each raw object once
    #[command(
        after_help = "Days are published one by one, as soon as no later object can feed them. A day that fails does not stop the others. A published day that lacks nothing is skipped, so an interrupted backfill resumes where it stopped. A day whose raw objects have been deleted is rebuilt only with --only all, because its rows would be lost.

Examples:
  logmill backfill --from 2023-10-01 --to 2023-10-31 --input /logs --output /lake
  logmill backfill --last 30d --only stale --config /etc/logmill.toml
  logmill backfill --last 730d --order newest --dry-run --config /etc/logmill.toml"
    )]
    Backfill(BackfillArgs),
    /// Show how the days stand: published, empty, missing, stale or failed
    #[command(after_help = "States:
  published  with all that has come
  empty      published, without a row
  no logs    never published, and before the first log of the table: nothing is lacking
  missing    never published
  stale      published, but raw objects have come or changed since
  failed     the last run of the day failed; what stood before still stands

No log is read: the raw objects are listed and held against the lists of what was read. Only of objects whose names say nothing the first bytes are looked at.

Examples:
  logmill status --from 2023-10-01 --to 2023-10-31 --input /logs --output /lake
  logmill status --last 7d --config /etc/logmill.toml --format json | jq 'select(.state == \"stale\")'")]
    Status(StatusArgs),
    /// Find an event: in the lake, or what became of it
    #[command(
        after_help = "The published day answers first, from the indexes of its files. Where it has not got the id, and raw logs are given, all raw objects that a run of the day reads are searched: that takes about as long as the run.

Exits with 0 when the event is in the lake, with 99 when it is not.

Examples:
  logmill why --day 2023-11-01 --event-id 8d1f5bd0-3c0b-4e0c-9a4e-1f6b8c1d2e3f --output /lake
  logmill why --day yesterday --request-id C3D13FE58DE4C810 --config /etc/logmill.toml
  logmill why --day 20231101 --request-id C3D13FE58DE4C810 --table s3_access --deep --input /logs --output /lake --format json"
    )]
    Why(WhyArgs),
    /// Show what another run of a day has changed
    #[command(
        after_help = "A run is named by its id, as live (the published one) or as previous (the one before it). The last ten runs of a day are remembered with what each raw object gave. Where the files of both are still there, as in S3 within --grace, rows are counted one by one; elsewhere the ledgers tell. Exits with 0 with differences or without.

Examples:
  logmill diff --day 2023-11-01 previous live --output s3://my-lake/logs
  logmill diff --day 2023-11-01 20231102T013000Z-5c0ffee1 live --output /lake --table cloudtrail --limit 50
  logmill diff --day yesterday --output s3://my-lake/logs --format json | jq .settings"
    )]
    Diff(DiffArgs),
    /// Ask the lake in SQL
    #[cfg(feature = "query")]
    #[command(
        after_help = "Tables are those of the lake; the views of glue/sql are there under their names, and SHOW TABLES lists all. Only published days are read; conditions on proc_ymd or on the event time choose the days. Most functions of Athena are known.

Examples:
  logmill query --output /lake \"SELECT event_name, count(*) AS events FROM cloudtrail WHERE proc_ymd = '20231101' GROUP BY 1 ORDER BY 2 DESC LIMIT 10\"
  logmill query --output s3://my-lake/logs --last 7d \"SELECT * FROM denied_ips\" --format csv > denied.csv
  logmill query --output /lake --day yesterday --file question.sql --to-file answer.parquet
  logmill query --output /lake \"DESCRIBE s3_access\""
    )]
    Query(QueryArgs),
    /// Show published days as one page: charts, tables and the ledgers of the runs
    #[cfg(feature = "query")]
    #[command(
        after_help = "The page is one HTML file that fetches nothing and runs nothing: it can be mailed, archived or put into a bucket. Its figures ask the views of glue/sql over the tables cloudtrail and s3_access.

Examples:
  logmill report --day 2023-11-01 --output /lake
  logmill report --last 30d --output s3://my-lake/logs --lang ko --to-file october.html
  logmill report --day yesterday --config /etc/logmill.toml --to-file - | aws s3 cp - s3://my-lake/pages/access.html --content-type text/html"
    )]
    Report(ReportArgs),
    /// Show which objects a day needs, and why
    #[command(after_help = "Examples:
  logmill plan --day 2023-11-01 --input /logs
  logmill plan --day 2023-11-01 --input /logs --shards 4 --format json > plan.json
  logmill plan --day yesterday --input s3://my-trail/AWSLogs/ --shards 16 --plan s3://my-lake/logs/_staging/plan.json")]
    Plan(PlanArgs),
    /// Convert one shard of a plan into a staging folder
    #[command(after_help = "Examples:
  logmill convert --plan plan.json --shard 0 --staging /shared/staging
  logmill convert --plan s3://my-lake/logs/_staging/plan.json --shard auto --staging s3://my-lake/logs/_staging/shards")]
    Convert(ConvertArgs),
    /// Publish a day whose shards have all been converted
    #[command(
        after_help = "The staging folder is only read, unless --remove-staging is given. If the plan is published already, the command says by which run, registers it where a catalog is given that does not show it, and finishes a removal that was interrupted.

Examples:
  logmill publish --plan plan.json --staging /shared/staging --output /lake
  logmill publish --plan s3://my-lake/logs/_staging/plan.json --staging s3://my-lake/logs/_staging/shards --remove-staging --output s3://my-lake/logs --database logs"
    )]
    Publish(PublishArgs),
    /// Tell the catalog of a day that is published
    #[command(
        after_help = "A run with --catalog glue does this by itself: this command makes up for one that could not, and follows 'logmill publish'. A day that stands in the catalog as it should is left alone.

Examples:
  logmill register --day 2023-11-01 --output s3://my-lake/logs --database logs
  logmill register --day yesterday --output s3://my-lake/logs --database logs --table s3_access --format json"
    )]
    Register(RegisterArgs),
    /// Show what the decoder makes of one raw file
    #[command(after_help = "Examples:
  logmill inspect 123456789012_CloudTrail_ap-northeast-2_20231031T1505Z_abc.json.gz --limit 3
  logmill inspect access.log --dataset s3-access --format json | jq .reject")]
    Inspect(InspectArgs),
    /// Show the columns: types, sources, meanings, Athena DDL, CloudFormation tables
    #[command(
        after_help = "Tables, names and promoted columns are those of the config file, so that the statement or template makes the table to which a run with the same file publishes. Flags win over the file.

Examples:
  logmill schema --dataset cloudtrail
  logmill schema --config /etc/logmill.toml --format ddl
  logmill schema --naming compact --format ddl
  logmill schema --format ddl --projection 2023-01-01
  logmill schema --format cloudformation > tables.json"
    )]
    Schema(SchemaArgs),
    /// Hold a published day against its manifest
    #[command(after_help = "Examples:
  logmill verify --output /lake --day 2023-11-01")]
    Verify(VerifyArgs),
    /// Remove what killed and superseded runs have left
    #[command(
        after_help = "Files of a run that is the day stay, and so does all that is not in the folder of a run. Superseded runs go when their grace is over, but those of a day that was registered only where --database lets it ask the catalog; runs that no day knows may still be alive and go when their files are old. Where engines read through a catalog, say --catalog glue: then a run that it still shows stays, too.

Examples:
  logmill clean --output s3://my-lake/logs --database logs
  logmill clean --output s3://my-lake/logs --table s3_access --older-than 48h --dry-run
  logmill clean --output /lake"
    )]
    Clean(CleanArgs),
    /// Hold raw logs, lake and catalog against each other, and mend the catalog
    #[command(after_help = "States:
  ok              nothing is wrong
  provisional     published before all late objects can have come
  no logs         neither raw logs nor a published day
  not published   no published day; raw logs were not looked at, since no input is given
  missing         raw logs, but never published
  stale           raw objects that the published day has not read
  lost            files of the published day are gone
  not registered  published, but the catalog does not know it
  dangling        the catalog shows something else than the published run
  orphaned        the catalog shows a day that was never published
  schema          the table of the catalog does not fit the files
  leftovers       files of killed or superseded runs

Exits with 0 when nothing is wrong, with 4 otherwise. --fix registers, re-points, removes orphaned partitions and cleans; it never rebuilds data.

Examples:
  logmill doctor --input s3://my-trail/AWSLogs/ --output s3://my-lake/logs --database logs
  logmill doctor --from 2023-11-01 --to 2023-11-30 --output s3://my-lake/logs --database logs --fix --dry-run
  logmill doctor --permissions --input s3://my-trail/AWSLogs/ --output s3://my-lake/logs --database logs")]
    Doctor(DoctorArgs),
    /// Show the settings in force and where each comes from
    #[command(after_help = "Examples:
  logmill config
  LOGMILL_MEMORY=2GiB logmill config --format json")]
    Config(ConfigArgs),
    /// Print a completion script for a shell
    #[command(after_help = "Examples:
  logmill completions bash > /etc/bash_completion.d/logmill")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// `run`.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) day: DayArg,
    /// Also make those of so many days before anew for which objects have come since they were published, such as 7d
    #[arg(long, value_name = "DAYS")]
    pub(super) lookback: Option<String>,
    #[command(flatten)]
    pub(super) road: RoadArgs,
}

/// `plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) day: DayArg,
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// Shards among which the objects are dealt out
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_SHARDS)))]
    pub(super) shards: u32,
    /// Also write the plan to this file or s3://bucket/key, for 'logmill convert' and 'logmill publish'
    #[arg(long, value_name = "FILE")]
    pub(super) plan: Option<String>,
    /// Form of the output; json is the plan file
    #[arg(long, value_enum, default_value_t = PlanFormat::Table)]
    pub(super) format: PlanFormat,
}

/// `convert`.
#[derive(Debug, Args)]
pub(super) struct ConvertArgs {
    /// Plan, from 'logmill plan': a file or s3://bucket/key
    #[arg(long, value_name = "FILE")]
    pub(super) plan: String,
    /// Which shard to convert, from 0; auto: the number that AWS Batch (AWS_BATCH_JOB_ARRAY_INDEX), Kubernetes
    /// (JOB_COMPLETION_INDEX) or Slurm (SLURM_ARRAY_TASK_ID) gives this machine of an array. One for which the plan has no
    /// shard does nothing
    #[arg(long, value_name = "K|auto", default_value = "0")]
    pub(super) shard: ShardArg,
    /// Folder or s3://bucket/prefix for the result, shared with the machine that publishes
    #[arg(long, value_name = "PATH")]
    pub(super) staging: String,
    /// Folder of this machine for the rows of the shard, where the staging is in S3 [default: the system's folder for
    /// temporary files; env: LOGMILL_SCRATCH]
    #[arg(long, value_name = "DIR")]
    pub(super) scratch: Option<String>,
    /// Bytes of rejected rows that are kept of each table of the shard; further ones are only counted, by reason and object
    /// [default: 256 MiB; env: LOGMILL_MAX_QUARANTINE]
    #[arg(long, value_name = "SIZE")]
    pub(super) max_quarantine: Option<String>,
    #[command(flatten)]
    pub(super) read: ReadArgs,
}

/// `publish`.
#[derive(Debug, Args)]
pub(super) struct PublishArgs {
    /// Plan, from 'logmill plan': a file or s3://bucket/key
    #[arg(long, value_name = "FILE")]
    pub(super) plan: String,
    /// Folder or s3://bucket/prefix with the results of all shards
    #[arg(long, value_name = "PATH")]
    pub(super) staging: String,
    /// Once every table is published and registered, remove the results of the shards; a small receipt replaces the plan, so
    /// that the command can be repeated
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
    pub(super) lake: LakeArgs,
    /// Table to register [default: every table of the lake that has the day]
    #[arg(long, value_name = "NAME")]
    pub(super) table: Option<String>,
    #[command(flatten)]
    pub(super) catalog: CatalogArgs,
    /// Form of the output; json is one line a table
    #[arg(long, value_enum, default_value_t = ShowFormat::Table)]
    pub(super) format: ShowFormat,
}

/// `inspect`.
#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// The raw file
    pub(super) file: String,
    /// Log type [default: told by name or content]
    #[arg(long, value_name = "DATASET")]
    pub(super) dataset: Option<String>,
    /// Rows to show at most; all are counted
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// Form of the output; json is one line a row
    #[arg(long, value_enum, default_value_t = ShowFormat::Table)]
    pub(super) format: ShowFormat,
    /// Value to mask beside the secrets that are masked by default, as in run; none shows all
    #[arg(long, value_name = "RULE")]
    pub(super) redact: Vec<String>,
}

/// `schema`.
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Log type: cloudtrail, s3-access or all [default: those of the config file, or all; env: LOGMILL_DATASET]
    #[arg(long, value_name = "DATASET")]
    pub(super) dataset: Option<String>,
    /// Table of the config file, or a name for the table if there is only one [default: every table; env: LOGMILL_TABLE]
    #[arg(long, value_name = "NAME")]
    pub(super) table: Option<String>,
    /// Column names: snake or compact [default: snake; env: LOGMILL_NAMING]
    #[arg(long, value_name = "NAMING")]
    pub(super) naming: Option<String>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = SchemaFormat::Table)]
    pub(super) format: SchemaFormat,
    /// Lake of the tables, for ddl and cloudformation [default: a placeholder; env: LOGMILL_OUTPUT]
    #[arg(long, value_name = "PATH")]
    pub(super) output: Option<String>,
    /// Let Athena compute partitions, from this first day to tomorrow; for ddl and cloudformation. Register the days with
    /// --projection, too [env: LOGMILL_PROJECTION, with a database]
    #[arg(long, value_name = "DAY")]
    pub(super) projection: Option<String>,
}

/// `verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    pub(super) day: DayArg,
    #[command(flatten)]
    pub(super) lake: LakeArgs,
    /// Table to check [default: every table of the lake]
    #[arg(long, value_name = "NAME")]
    pub(super) table: Option<String>,
}

/// `clean`.
#[derive(Debug, Args)]
pub(super) struct CleanArgs {
    #[command(flatten)]
    pub(super) lake: LakeArgs,
    /// Table to clean [default: every table of the lake]
    #[arg(long, value_name = "NAME")]
    pub(super) table: Option<String>,
    /// How old the files of a run must be that no day knows: longer than any run takes
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = super::settings::span_ms)]
    pub(super) older_than: i64,
    /// How long the files of a superseded run stay for those who still read them [default: 1h; env: LOGMILL_GRACE]
    #[arg(long, value_name = "TIME")]
    pub(super) grace: Option<String>,
    /// Only print what would be removed
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) catalog: CatalogArgs,
}

/// `doctor`.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// First KST day to look at [default: six days before the last]
    #[arg(long, value_name = "DAY")]
    pub(super) from: Option<String>,
    /// Last KST day to look at [default: yesterday]
    #[arg(long, value_name = "DAY")]
    pub(super) to: Option<String>,
    /// The only KST day to look at
    #[arg(long, value_name = "DAY", conflicts_with_all = ["from", "to"])]
    pub(super) day: Option<String>,
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) lake: LakeArgs,
    #[command(flatten)]
    pub(super) catalog: CatalogArgs,
    /// Repair what can be mended without the raw logs
    #[arg(long)]
    pub(super) fix: bool,
    /// With --fix: only print what would be done
    #[arg(long, requires = "fix")]
    pub(super) dry_run: bool,
    /// Try what a run needs to be allowed instead, and print the policy that is missing
    #[arg(long, conflicts_with = "fix")]
    pub(super) permissions: bool,
    /// Form of the output; json is one line a day of a table
    #[arg(long, value_enum, default_value_t = ShowFormat::Table)]
    pub(super) format: ShowFormat,
}

/// `config`.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(flatten)]
    pub(super) road: RoadArgs,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = ShowFormat::Table)]
    pub(super) format: ShowFormat,
}

/// Table or JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ShowFormat {
    Table,
    Json,
}

/// Table or plan file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    Table,
    Json,
}

/// Table, DDL, JSON or a CloudFormation template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaFormat {
    Table,
    Ddl,
    Json,
    #[value(name = "cloudformation")]
    CloudFormation,
}

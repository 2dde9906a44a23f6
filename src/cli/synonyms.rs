//! Words that people type for flags and commands of other names.

/// What a word means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meant {
    /// This flag, without its dashes and perhaps with a value, on each command that has it.
    Flag(&'static str),
    /// No flag: the advice, on the named commands, or on every command if the list is empty.
    Advice(&'static [&'static str], &'static str),
}

use Meant::{Advice, Flag};

/// Commands over one day.
const OF_ONE_DAY: &[&str] = &["plan", "register", "verify", "why", "diff"];

/// Words for flags, without their dashes. The first row that fits the word and the command applies.
pub(super) const FLAGS: &[(&[&str], Meant)] = &[
    (RANGE, Advice(&["run"], "use 'logmill backfill' with --from, --to or --last to build several days")),
    (RANGE, Advice(OF_ONE_DAY, "this command works on one day: pass it with --day")),
    (&["input", "in", "i", "file", "f", "path"], Advice(&["inspect"], "pass the file without a flag")),
    (&["date", "dates", "d", "ymd", "yyyymmdd", "proc-ymd", "kst-day", "on"], Flag("day")),
    (&["start", "start-date", "first", "since", "begin", "after", "from-date"], Flag("from")),
    (&["end", "end-date", "until", "before", "to-date"], Flag("to")),
    (&["days", "last-days", "n-days"], Flag("last")),
    (
        &["in", "i", "source", "src", "input-dir", "input-path", "input-folder", "inputs", "raw", "logs"],
        Flag("input"),
    ),
    (&["path", "bucket", "log-dir"], Flag("input")),
    (&["out", "o", "output-file", "write-to"], Flag("to-file")),
    (OF_LAKE, Flag("output")),
    (OF_LAKE, Flag("lake")),
    (&["db", "glue-database", "glue-db", "database-name"], Flag("database")),
    (&["type", "log-type", "logtype", "datasets", "kind", "log"], Flag("dataset")),
    (&["t", "tables", "table-name"], Flag("table")),
    (&["c", "conf", "config-file", "settings"], Flag("config")),
    (&["j", "jobs", "workers", "cores", "cpus", "parallel", "parallelism"], Flag("threads")),
    (&["m", "mem", "max-memory", "memory-limit", "ram"], Flag("memory")),
    (&["where", "exclude", "skip"], Flag("filter")),
    (&["mask", "hide"], Flag("redact")),
    (&["drop", "drop-column", "omit", "exclude-columns", "skip-columns"], Flag("drop-columns")),
    (&["tmp", "temp", "tmp-dir", "temp-dir", "work-dir"], Flag("scratch")),
    (&["role", "assume-role", "iam-role"], Flag("role-arn")),
    (&["debug"], Flag("verbose")),
    (&["silent", "no-progress"], Flag("quiet")),
    (&["json", "as-json"], Flag("format json")),
    (&["json", "summary", "as-json"], Flag("summary-json -")),
    (&["csv"], Flag("format csv")),
    (&["output-format", "of"], Flag("format")),
    (&["limit", "max", "n"], Flag("max-rows")),
    (
        &["sql", "query", "execute", "e", "q", "statement"],
        Advice(&["query"], "pass the statement in quotes, without a flag"),
    ),
    (
        &["force", "f", "overwrite", "replace"],
        Advice(&["run"], "no flag is needed: a run replaces the published day"),
    ),
    (
        &["force", "f", "overwrite", "replace", "rebuild"],
        Advice(&["backfill"], "pass --only all to rebuild days that are up to date"),
    ),
    (&["dry-run", "dry", "dryrun"], Advice(&["run"], "use 'logmill plan' to see what a run would read")),
    (&["region", "aws-region"], Advice(&[], "set the environment variable AWS_REGION")),
    (&["profile", "aws-profile"], Advice(&[], "set the environment variable AWS_PROFILE")),
];

/// Words for the lake.
const OF_LAKE: &[&str] = &[
    "out",
    "o",
    "dest",
    "destination",
    "dst",
    "target",
    "output-dir",
    "output-path",
    "output-folder",
    "lake-dir",
    "lake-path",
    "write-to",
];

/// Words for a range of days.
const RANGE: &[&str] = &[
    "from",
    "to",
    "last",
    "days",
    "since",
    "until",
    "start",
    "end",
    "start-date",
    "end-date",
    "from-date",
    "to-date",
];

/// Flags that people repeat, each with what to do instead.
pub(super) const REPEATED: &[(&str, &str)] = &[
    (
        "--dataset",
        "run the command once per log type, or without --dataset for all; a config file with a [[source]] each names several",
    ),
    ("--table", "run the command once per table, or without --table for all"),
    ("--day", "use 'logmill backfill' with --from and --to to build several days"),
];

/// Words for commands, each with what to type instead.
pub(super) const COMMANDS: &[(&[&str], &str)] = &[
    (&["build", "process", "ingest", "load", "import", "etl", "exec", "start"], "run"),
    (&["parse", "decode", "show", "cat", "head", "view"], "inspect"),
    (&["range", "batch", "catchup", "rerun", "rebuild"], "backfill"),
    (&["list", "ls", "days", "state", "history"], "status"),
    (&["sql", "select", "with", "ask"], "query"),
    (&["check", "validate", "test"], "verify"),
    (&["gc", "vacuum", "purge", "prune", "cleanup", "rm"], "clean"),
    (&["diagnose", "repair", "fix"], "doctor"),
    (&["find", "search", "trace", "grep", "explain"], "why"),
    (&["ddl", "columns", "describe", "tables"], "schema"),
    (&["settings", "env"], "config"),
    (&["version", "about"], "--version"),
];

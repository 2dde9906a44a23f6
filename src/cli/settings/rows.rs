//! The table of settings: one row each.

use super::setting::Place::{Catalog, Lake, Nowhere, Source, Top};
use super::setting::Setting;
use super::setting::Syntax::{List, NoFlag, OptionalValue, Switch, Tables, Value};
use crate::dataset;

/// How long superseded runs are kept.
pub(super) const GRACE_DEFAULT: &str = "1h";
/// The same with a partition projection, where Athena reads every run in the folder of a day.
pub(super) const GRACE_WITH_PROJECTION: &str = "0s";
/// The catalog if a database is given.
pub(super) const CATALOG_WITH_DATABASE: &str = "glue";
/// The catalog otherwise.
pub(super) const NO_CATALOG: &str = "none";

/// Declares the rows and the list of all rows, [`SETTINGS`].
macro_rules! settings {
    ($($name:ident = $row:expr;)*) => {
        $(pub(in crate::cli) static $name: Setting = $row;)*

        /// Every setting.
        pub static SETTINGS: &[&Setting] = &[$(&$name),*];
    };
}

settings! {
    CONFIG = Setting::new("config", Nowhere, Value("FILE"), "Config file")
        .depends(|| "logmill.toml in this folder, if it exists".to_owned());
    THREADS = Setting::new("threads", Top, Value("N"), "Worker threads")
        .depends(|| "one per core".to_owned())
        .example("5");
    MEMORY = Setting::new("memory", Top, Value("SIZE"), "Memory limit for buffered rows and open files, for example 1GiB")
        .default("1 GiB")
        .example("300MiB")
        .more("The minimum is 64MiB; the limit is enforced from 256MiB. The process takes up to 64MiB, and 3MiB per thread, on top.");
    LOG_FORMAT = Setting::new("log_format", Top, Value("FORMAT"), "Format of messages on standard error: text or json")
        .default("text")
        .example("json");

    INPUT = Setting::new("input", Source, List("PATH"), "Raw logs: a folder, a file or s3://bucket/prefix")
        .example("/logs")
        .more("Repeat it for several inputs.");
    DATASET = Setting::new("dataset", Source, Value("DATASET"), "Log type, or all")
        .default(dataset::ALL_LOG_TYPES)
        .example("s3-access")
        .more("The log types are {log_types}. With all, a table is built for each log type whose logs the inputs hold.");
    TABLE = Setting::new("table", Source, Value("NAME"), "Table of the config file, or a name for the only table")
        .depends(|| "every table".to_owned())
        .example("web")
        .more("Without a [[source]] in the config file, the tables are {tables}. With --dataset, the table of that log type takes the name.");
    LATENESS = Setting::new("lateness", Source, Value("TIME"), "How long after a day its late objects can arrive, for example 12h")
        .depends(lateness)
        .example("90m");
    IGNORE_KEY_TIMES = Setting::new("ignore_key_times", Source, Switch, "Read objects regardless of the times in their names and dated folders")
        .default("false")
        .example("true")
        .more("For logs that were renamed or repackaged. Each day then reads all objects of the inputs.");
    NAMING = Setting::new("naming", Source, Value("NAMING"), "Column names: snake or compact")
        .default("snake")
        .example("compact");
    ROLE_ARN = Setting::new("role_arn", Source, Value("ARN"), "Role to assume for reading raw logs in another account's bucket")
        .example("arn:aws:iam::123456789012:role/logs");
    REQUESTER_PAYS = Setting::new("requester_pays", Source, Switch, "Agree to pay for reading the raw logs")
        .default("false")
        .example("true");
    EXPECTED_BUCKET_OWNER = Setting::new("expected_bucket_owner", Source, Value("ACCOUNT"), "Account that must own the bucket of the raw logs")
        .example("123456789012");
    FILTER = Setting::new("filter", Source, List("RULE"), "Rows to leave out, for example \"event_source = 'kms.amazonaws.com'\"")
        .example("http_status = 304")
        .more("Conditions can be joined: \"event_source = 'kms.amazonaws.com' and read_only = true\". Repeat the flag to leave out rows that match any of several rules.");
    REDACT = Setting::new("redact", Source, List("RULE"), "Value to mask in addition to the secrets masked by default")
        .depends(|| "known secrets".to_owned())
        .example("?key")
        .more("A JSON path, or ? and the name of a query parameter. The rule 'none' drops the rules of the defaults and the config file. Repeat the flag for several rules.");
    DIGESTS = Setting::new("digests", Source, Value("MODE"), "Use of CloudTrail's digests: auto, require or off")
        .default("auto")
        .example("require")
        .more("With auto, digests in the inputs are used. With require, a day without digests fails.");
    PUBLIC_KEYS = Setting::new("public_keys", Source, Value("FILE"), "Public keys of CloudTrail, as 'aws cloudtrail list-public-keys' prints them")
        .depends(|| "asked from CloudTrail for digests in S3".to_owned())
        .example("/etc/logmill/cloudtrail-keys.json")
        .more("With 'aws', CloudTrail is also asked for the keys of digests in a folder. Without keys the signatures of digests are not checked, and no day is proved.");
    DIGEST_ORIGIN = Setting::new("digest_origin", Source, Value("ADDRESS"), "Place from which the inputs were copied, for example s3://my-trail")
        .example("s3://my-trail")
        .more("Digests name their own place and that of each log file. Copies in another bucket are proved for the original places.");
    PROMOTE = Setting::new("promote", Source, Tables, "JSON values to publish as columns of their own")
        .example("[{ column = \"role_arn\", path = \"requestParameters.roleArn\" }]");
    DROP_COLUMNS = Setting::new("drop_columns", Source, List("COLUMN"), "Columns to leave out of the published files, for example host_id")
        .example("host_id")
        .more("Repeat the flag or separate names with commas. Filters can still use a dropped column. Times, ids, the columns by which rows are sorted, and the columns that name the raw log cannot be dropped.");

    OUTPUT = Setting::new("output", Lake, Value("PATH"), "Lake: a folder or s3://bucket/prefix")
        .reading("lake")
        .example("/lake");
    SCRATCH = Setting::new("scratch", Lake, Value("DIR"), "Local folder for rows that do not fit in memory, if the lake is in S3")
        .depends(|| "the system's folder for temporary files".to_owned())
        .example("/scratch")
        .more("'logmill convert' uses it for the rows of its shard if the staging folder is in S3.");
    TARGET_FILE_SIZE = Setting::new("target_file_size", Lake, Value("SIZE"), "Size at which a part file is closed")
        .default("256 MiB")
        .example("1MiB");
    MAX_REJECT_RATIO = Setting::new("max_reject_ratio", Top, Value("RATIO"), "Highest share of rejected rows in a published day, for example 1% or 0.01")
        .default("1%")
        .example("2%")
        .more("It is also the highest share of bytes in damaged objects. A day above it is not published.");
    MAX_QUARANTINE = Setting::new("max_quarantine", Top, Value("SIZE"), "Bytes of rejected rows to keep per table and day")
        .default("256 MiB")
        .example("1GiB")
        .more("Further rows are only counted, by reason and object. 'logmill convert' applies it to each table of its shard.");
    ALLOW_EMPTY = Setting::new("allow_empty", Top, Switch, "Publish a day without rows even if the published day has rows")
        .default("false")
        .example("true");
    MAX_SHRINK = Setting::new("max_shrink", Top, Value("RATIO"), "Highest share of rows that a published day may lose when it is replaced")
        .default("50%")
        .example("20%")
        .more("Write it as 50% or 0.5; 100% allows any loss. Rows of deleted raw objects do not count, nor rows that a new filter leaves out.");
    REQUIRE_PROOF = Setting::new("require_proof", Top, Switch, "Publish a CloudTrail day only if digests prove it")
        .default("false")
        .example("true")
        .more("A day with altered, missing or unnamed files, or with broken digests, ends with 3. While digests do not reach the end of the day and its lateness, the run ends with 75.");
    FAIL_ON_EMPTY = Setting::new("fail_on_empty", Top, Switch, "Exit with 99 if a table has no rows for the day")
        .default("false")
        .example("true");
    GRACE = Setting::new("grace", Lake, Value("TIME"), "How long to keep files of a superseded run in S3 for running queries")
        .depends(|| format!("{GRACE_DEFAULT}, or {GRACE_WITH_PROJECTION} with --projection"))
        .example("2h");
    WAIT = Setting::new("wait", Lake, OptionalValue("TIME", "24h"), "Time to wait for a day that another run holds, for example 30m")
        .default("0s")
        .example("30m")
        .more("Without TIME, wait up to 24h.");
    LAKE_BUCKET_OWNER = Setting::new("lake_bucket_owner", Lake, NoFlag, "Account that must own the bucket of the lake")
        .keyed("expected_bucket_owner")
        .example("123456789012");
    SSE = Setting::new("sse", Lake, Value("KEYS"), "Encryption in S3: s3 or kms")
        .depends(|| "the bucket's own".to_owned())
        .example("kms");
    KMS_KEY = Setting::new("kms_key", Lake, Value("KEY"), "KMS key for encryption in S3: ID or ARN")
        .example("alias/lake");
    STORAGE_CLASS = Setting::new("storage_class", Lake, Value("CLASS"), "Storage class of part files in S3, for example INTELLIGENT_TIERING")
        .example("INTELLIGENT_TIERING");
    TAG = Setting::new("tag", Lake, List("NAME=VALUE"), "Tag for every object in S3")
        .example("team=data,cost=logs")
        .more("Repeat the flag for several tags; the variable separates them with commas.");
    ACL = Setting::new("acl", Lake, Value("ACL"), "ACL for every object in S3: bucket-owner-full-control or none")
        .default("none")
        .example("bucket-owner-full-control");
    METRICS_FILE = Setting::new("metrics_file", Top, Value("FILE"), "Write metrics to a file for the Prometheus textfile collector")
        .example("/metrics/logmill.prom");
    EMF = Setting::new("emf", Top, Switch, "Print metrics to standard error in CloudWatch's Embedded Metric Format")
        .default("false")
        .example("true")
        .more("Each table and day is one line.");

    MAX_OBJECT_SIZE = Setting::new("max_object_size", Top, Value("SIZE"), "Maximum bytes to read from one object, unpacked")
        .default("4 GiB")
        .example("1GiB");

    CATALOG = Setting::new("catalog", Catalog, Value("CATALOG"), "Catalog in which to register published days: none or glue")
        .depends(|| format!("{CATALOG_WITH_DATABASE} if a database is given, otherwise {NO_CATALOG}"))
        .example("glue");
    DATABASE = Setting::new("database", Catalog, Value("NAME"), "Database of the catalog")
        .example("logs");
    CREATE_DATABASE = Setting::new("create_database", Catalog, Switch, "Create the database if it does not exist")
        .default("false")
        .example("true");
    PROJECTION = Setting::new("projection", Catalog, Value("DAY"), "Let Athena compute partitions from this day on instead of registering them")
        .example("2024-01-01")
        .more("The partitions reach from this day to tomorrow, and a day needs no catalog call. However, Athena then reads everything in a day's folder: a replaced day appears twice for a moment, and after a killed run until the next run. Leave --grace at 0s. Engines other than Athena see no partitions. Commands refuse a table with a projection if this setting is missing. 'logmill schema' needs --format ddl or cloudformation with it.");
    COLUMN_STATISTICS = Setting::new("column_statistics", Catalog, Switch, "Store column statistics in the catalog for Athena's optimizer")
        .default("false")
        .example("true")
        .more("The catalog keeps those of the newest day and applies them to the whole table.");
}

/// The defaults of all log types: `6h for cloudtrail, 24h for s3-access`.
fn lateness() -> String {
    let default = |log_type: &dyn dataset::Dataset| {
        format!("{}h for {}", log_type.default_lateness_hours(), log_type.name())
    };
    dataset::all().map(default).collect::<Vec<_>>().join(", ")
}

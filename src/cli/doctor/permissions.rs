//! What a run needs to be allowed, tried without effect: one cheap request for each permission.
//!
//! Nothing stays behind: the one upload that is begun is given up, and what is removed was never there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use serde_json::{Value, json};

use super::Places;
use crate::catalog::Probe;
use crate::cli::args::ShowFormat;
use crate::cli::console;
use crate::cli::day::run_name;
use crate::cli::exit::Exit;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::{TableSource, plan_table};
use crate::store::SourceAccess;
use crate::store::lake::{Partition, RunFile};

/// Where probes of the lake lie: engines and runs pass it over.
const STAGING: &str = "_staging";
/// A name that is never there.
const NO_FILE: &str = "_staging/no-such-file";

/// Permissions that cannot be tried: the call would change the catalog.
const UNTRIED: [&str; 6] = [
    "glue:CreateDatabase",
    "glue:CreateTable",
    "glue:UpdateTable",
    "glue:BatchCreatePartition",
    "glue:BatchUpdatePartition",
    "glue:BatchDeletePartition",
];

/// A permission, what it is needed for, and whether it is there.
struct Tried {
    permission: &'static str,
    /// Address of the input, the lake or the database.
    on: String,
    /// What a policy has to name.
    resources: Vec<String>,
    outcome: Outcome,
}

enum Outcome {
    Allowed,
    Denied(Error),
    /// Something else is wrong, such as the name of a bucket.
    Failed(Error),
    /// It could not be tried, and why.
    Unknown(String),
}

pub(super) fn run(places: &Places<'_>, days: &[KstDay], format: ShowFormat) -> Result<Exit> {
    let mut tried = Vec::new();
    let mut seen = BTreeSet::new();
    for source in &places.settings.sources {
        for input in source.inputs.iter().filter(|input| input.starts_with("s3://")) {
            if seen.insert(input) {
                tried.extend(try_input(places, &source.access, input, days));
            }
        }
    }
    let output = places.settings.output()?;
    if output.starts_with("s3://") {
        tried.extend(try_lake(places, output)?);
    }
    tried.extend(try_catalog(places));
    console::print(&match format {
        ShowFormat::Json => json(&tried).to_string() + "\n",
        ShowFormat::Table => text(&tried),
    })?;
    let wrong = |tried: &Tried| matches!(tried.outcome, Outcome::Denied(_) | Outcome::Failed(_));
    Ok(if tried.iter().any(wrong) { Exit::Unusable } else { Exit::Done })
}

impl Tried {
    fn new(permission: &'static str, on: &str, resources: Vec<String>, outcome: Result<()>) -> Self {
        let outcome = match outcome {
            Ok(()) => Outcome::Allowed,
            Err(error) if names(&error, permission) => Outcome::Denied(error),
            Err(error) if error.kind() == ErrorKind::Temporary => Outcome::Unknown(error.to_string()),
            Err(error) => Outcome::Failed(error),
        };
        Self { permission, on: on.to_owned(), resources, outcome }
    }

    fn unknown(permission: &'static str, on: &str, why: &str) -> Self {
        let outcome = Outcome::Unknown(why.to_owned());
        Self { permission, on: on.to_owned(), resources: Vec::new(), outcome }
    }
}

/// Whether an error is about a permission that is missing, and about this one.
fn names(error: &Error, permission: &str) -> bool {
    let step = error.next_step().unwrap_or_default();
    error.kind() == ErrorKind::Denied && step.contains(permission)
}

/// What a policy calls a bucket.
fn bucket_arn(address: &str) -> Vec<String> {
    let below = address.trim_start_matches("s3://");
    vec![format!("arn:aws:s3:::{}", below.split('/').next().unwrap_or_default())]
}

/// What a policy calls all objects below an address.
fn objects_arn(address: &str) -> Vec<String> {
    let below = address.trim_start_matches("s3://").trim_end_matches('/');
    vec![format!(
        "arn:aws:s3:::{below}{}*",
        if below.contains('/') && !address.ends_with('/') { "" } else { "/" }
    )]
}

fn try_input(places: &Places<'_>, access: &SourceAccess, input: &str, days: &[KstDay]) -> Vec<Tried> {
    let listed = places.connector.store(input, access).and_then(|store| store.check());
    let read = match &listed {
        Err(_) => Err("the input cannot be listed".to_owned()),
        Ok(()) => try_object(places, input, days),
    };
    let read = match read {
        Ok(outcome) => Tried::new("s3:GetObject", input, objects_arn(input), outcome),
        Err(why) => Tried::unknown("s3:GetObject", input, &why),
    };
    vec![Tried::new("s3:ListBucket", input, bucket_arn(input), listed), read]
}

/// Reads the first byte of an object of the input; fails with the reason where there is none to try.
fn try_object(places: &Places<'_>, input: &str, days: &[KstDay]) -> std::result::Result<Result<()>, String> {
    let reads = |source: &&TableSource| source.inputs.iter().any(|other| other == input);
    for source in places.settings.sources.iter().filter(reads) {
        let only = TableSource { inputs: vec![input.to_owned()], ..source.clone() };
        for day in days.iter().rev() {
            let plan = plan_table(&only, *day, places.connector).map_err(|error| error.to_string())?;
            if let Some(object) = plan.objects.first() {
                return Ok(read_first_byte(places, source, input, &object.key));
            }
        }
    }
    Err("there is no object of these days to try it on".to_owned())
}

fn read_first_byte(places: &Places<'_>, source: &TableSource, input: &str, key: &str) -> Result<()> {
    let mut content = places.connector.store(input, &source.access)?.open(key)?;
    let read = content.read(&mut [0]);
    read.map(drop).map_err(|cause| Error::unusable("cannot read the object", cause).with("object", key))
}

fn try_lake(places: &Places<'_>, output: &str) -> Result<Vec<Tried>> {
    let lake = places.lake;
    let objects = || objects_arn(&format!("{}/", output.trim_end_matches('/')));
    let mut tried = vec![
        Tried::new("s3:ListBucket", output, bucket_arn(output), lake.names("").map(drop)),
        Tried::new("s3:GetObject", output, objects(), lake.read(NO_FILE).map(drop)),
    ];
    let partition = Partition { table: STAGING.to_owned(), day: KstDay::of(places.now) };
    let run = run_name(places.now)?;
    let scratch = lake.scratch(&partition, &run)?;
    let rest = ["s3:PutObject", "s3:ListBucketMultipartUploads", "s3:AbortMultipartUpload"];
    // Dropped at the end, it gives up whatever it has begun.
    match lake.stage(&partition, &scratch) {
        Err(error) => {
            tried.extend(rest.map(|permission| Tried::unknown(permission, output, &error.to_string())));
        }
        Ok(mut staged) => {
            let begun = staged.create(&format!("{run}/probe")).map(drop);
            let found = lake.run_files(&partition);
            let uploads = found.as_ref().map(|files| mine(files, &run)).unwrap_or_default();
            tried.push(Tried::new(rest[0], output, objects(), begun));
            tried.push(Tried::new(rest[1], output, bucket_arn(output), found.map(drop)));
            tried.push(if uploads.is_empty() {
                Tried::unknown(rest[2], output, "there is no upload to try it on")
            } else {
                Tried::new(rest[2], output, objects(), lake.remove_run_files(&uploads))
            });
        }
    }
    tried.push(Tried::new("s3:DeleteObject", output, objects(), lake.remove(NO_FILE)));
    Ok(tried)
}

fn mine(files: &[RunFile], run: &str) -> Vec<RunFile> {
    files.iter().filter(|file| file.run == run && file.upload.is_some()).cloned().collect()
}

fn try_catalog(places: &Places<'_>) -> Vec<Tried> {
    let Some(registrar) = places.registrar else { return Vec::new() };
    let database = &registrar.settings.database;
    let table = places.settings.sources.first().map_or("cloudtrail", |source| source.table.as_str());
    let resources = vec![
        "arn:aws:glue:*:*:catalog".to_owned(),
        format!("arn:aws:glue:*:*:database/{database}"),
        format!("arn:aws:glue:*:*:table/{database}/*"),
    ];
    let look_up =
        |Probe { permission, outcome }| Tried::new(permission, database, resources.clone(), outcome);
    let mut tried: Vec<Tried> = registrar.catalog.look_ups(table).into_iter().map(look_up).collect();
    tried.extend(UNTRIED.map(|permission| {
        Tried::unknown(permission, database, "not tried, since that would change the catalog")
    }));
    tried
}

/// The policy that is missing, or `null`.
fn missing(tried: &[Tried]) -> Value {
    let mut statements: BTreeMap<&Vec<String>, BTreeSet<&str>> = BTreeMap::new();
    for denied in tried.iter().filter(|tried| matches!(tried.outcome, Outcome::Denied(_))) {
        statements.entry(&denied.resources).or_default().insert(denied.permission);
    }
    if statements.is_empty() {
        return Value::Null;
    }
    let statement = |(resources, actions): (&Vec<String>, &BTreeSet<&str>)| json!({"Effect": "Allow", "Action": actions, "Resource": resources});
    json!({"Version": "2012-10-17", "Statement": statements.iter().map(|(r, a)| statement((r, a))).collect::<Vec<_>>()})
}

fn words(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Allowed => ("ok", String::new()),
        Outcome::Denied(error) => ("denied", error.to_string()),
        Outcome::Failed(error) => ("failed", error.to_string()),
        Outcome::Unknown(why) => ("unknown", why.clone()),
    }
}

fn text(tried: &[Tried]) -> String {
    let row = |tried: &Tried| {
        let (word, detail) = words(&tried.outcome);
        vec![tried.permission.to_owned(), tried.on.clone(), word.to_owned(), detail]
    };
    let table = console::table(&["permission", "on", "", "detail"], &[], tried.iter().map(row));
    match missing(tried) {
        Value::Null => table,
        policy => format!("{table}\nThis is missing:\n{policy:#}\n"),
    }
}

fn json(tried: &[Tried]) -> Value {
    let line = |tried: &Tried| {
        let (word, detail) = words(&tried.outcome);
        json!({"permission": tried.permission, "on": tried.on, "outcome": word, "detail": detail})
    };
    json!({"permissions": tried.iter().map(line).collect::<Vec<_>>(), "missing": missing(tried)})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_the_bucket_and_what_is_below_the_prefix() {
        for (address, bucket, objects) in [
            ("s3://lake", "arn:aws:s3:::lake", "arn:aws:s3:::lake/*"),
            ("s3://lake/logs/", "arn:aws:s3:::lake", "arn:aws:s3:::lake/logs/*"),
            ("s3://raw/access-", "arn:aws:s3:::raw", "arn:aws:s3:::raw/access-*"),
        ] {
            assert_eq!(
                (bucket_arn(address), objects_arn(address)),
                (vec![bucket.to_owned()], vec![objects.to_owned()])
            );
        }
    }

    #[test]
    fn the_missing_policy_holds_what_was_denied_and_nothing_else() {
        let denied = |permission: &str| {
            Err(Error::new(ErrorKind::Denied, "denied").hint(format!("the policy lacks {permission}")))
        };
        let arns = || objects_arn("s3://lake/logs/");
        let tried = [
            Tried::new("s3:GetObject", "s3://lake/logs", arns(), denied("s3:GetObject")),
            Tried::new("s3:PutObject", "s3://lake/logs", arns(), denied("s3:PutObject")),
            Tried::new("s3:DeleteObject", "s3://lake/logs", arns(), Ok(())),
            Tried::new("s3:ListBucket", "s3://lake/logs", arns(), denied("a bucket of this name")),
            Tried::unknown("glue:UpdateTable", "logs", "not tried"),
        ];
        assert_eq!(
            missing(&tried)["Statement"],
            json!([{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["arn:aws:s3:::lake/logs/*"]}])
        );
        assert_eq!(missing(&tried[2..]), Value::Null);
    }
}

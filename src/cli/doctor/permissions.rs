//! Tries the permissions that a run needs, with one cheap request each and without any effect.
//!
//! Nothing is left behind: the one upload that is started is aborted, and the object that is removed never existed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use serde_json::{Value, json};

use super::places::Places;
use super::policy::{Arns, MissingPermission};
use crate::catalog::Probe;
use crate::cli::args::ShowFormat;
use crate::cli::console;
use crate::cli::exit::Exit;
use crate::cli::grid::Grid;
use crate::cli::screen::{Screen, Shown};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DAY_MS, KstDay, UtcWindow};
use crate::plan::{DigestMode, DigestOptions, KeySource, TableSource, TableSpec, plan_table};
use crate::road::run_name;
use crate::store::lake::{Partition, RunFile};
use crate::store::{Encryption, LakeAccess, SourceAccess};

/// The folder of the lake for test requests. Query engines and runs skip it.
const STAGING: &str = "_staging";
/// A name that never exists.
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

/// A permission, the place that needs it, and whether it is granted.
struct Tried {
    permission: &'static str,
    /// Address of the input, the lake or the database.
    on: String,
    outcome: Outcome,
}

enum Outcome {
    Allowed,
    /// The policy lacks this permission.
    Denied(Error, MissingPermission),
    /// The request failed for another reason, for example a wrong bucket name.
    Failed(Error),
    /// The permission could not be tried, with the reason.
    Unknown(String),
}

pub(super) fn run(places: &Places<'_>, days: &[KstDay], format: ShowFormat) -> Result<Exit> {
    let trial = Trial { places, arns: Arns::of_region(&region()) };
    let mut tried = Vec::new();
    let mut seen = BTreeSet::new();
    for source in &places.settings.sources {
        let inputs = source.spec.inputs.iter().filter(|input| input.starts_with("s3://"));
        for input in inputs.filter(|input| seen.insert(*input)) {
            tried.extend(trial.try_input(&source.spec.access, input, days));
        }
    }
    tried.extend(trial.try_keys());
    let output = places.settings.output()?;
    if output.starts_with("s3://") {
        tried.extend(trial.try_lake(output)?);
        tried.extend(configured(&places.settings.lake.access, output));
    }
    tried.extend(trial.try_catalog());
    match format {
        ShowFormat::Json => console::print_line(&json(&tried).to_string())?,
        ShowFormat::Table => console::print_shown(&text(&tried, places.context.console.out))?,
    }
    let wrong = |tried: &Tried| matches!(tried.outcome, Outcome::Denied(..) | Outcome::Failed(_));
    Ok(if tried.iter().any(wrong) { Exit::Unusable } else { Exit::Done })
}

/// Returns the region from the environment. It is empty if only a profile sets it.
fn region() -> String {
    let named = |name| std::env::var(name).ok().filter(|region| !region.is_empty());
    named("AWS_REGION").or_else(|| named("AWS_DEFAULT_REGION")).unwrap_or_default()
}

impl Tried {
    fn unknown(permission: &'static str, on: &str, why: &str) -> Self {
        Self { permission, on: on.to_owned(), outcome: Outcome::Unknown(why.to_owned()) }
    }
}

/// Returns the permissions that the settings of the lake require. They cannot be tried, because no request needs only one of
/// them.
fn configured(access: &LakeAccess, output: &str) -> Vec<Tried> {
    let mut needed = Vec::new();
    if !access.tags.is_empty() {
        needed.push(("s3:PutObjectTagging", output, "needed by uploads, because objects get tags"));
        needed.push(("s3:GetObjectTagging", output, "needed by 'clean', because objects have tags"));
    }
    if access.bucket_owner_full_control {
        needed.push(("s3:PutObjectAcl", output, "needed by uploads, because objects get an ACL"));
    }
    if let Some(Encryption::Kms(Some(key))) = &access.encryption {
        needed.push(("kms:GenerateDataKey", key, "needed by uploads, because objects are encrypted with it"));
        needed.push((
            "kms:Decrypt",
            key,
            "needed by uploads and reads, because objects are encrypted with it",
        ));
    }
    needed.into_iter().map(|(permission, on, why)| Tried::unknown(permission, on, why)).collect()
}

/// Tries permissions.
struct Trial<'a> {
    places: &'a Places<'a>,
    arns: Arns,
}

impl Trial<'_> {
    /// Returns the outcome of a request that needs a permission on resources.
    fn tried(&self, permission: &'static str, on: &str, resources: Vec<String>, found: Result<()>) -> Tried {
        Tried { permission, on: on.to_owned(), outcome: outcome(self.arns, permission, resources, found) }
    }

    fn try_input(&self, access: &SourceAccess, input: &str, days: &[KstDay]) -> Vec<Tried> {
        let rest = ["s3:ListBucket", "s3:GetObject"];
        let opened = self.places.connector.store(input, access);
        let store = match (opened, &access.role_arn) {
            (Err(error), Some(role)) if error.fact("role").is_some() => {
                let refused = self.tried("sts:AssumeRole", role, vec![role.clone()], Err(error));
                let untried =
                    rest.map(|permission| Tried::unknown(permission, input, "the role cannot be assumed"));
                return std::iter::once(refused).chain(untried).collect();
            }
            (opened, _) => opened,
        };
        let listed = store.and_then(|store| store.check());
        let read = match &listed {
            Err(_) => Err("the input cannot be listed".to_owned()),
            Ok(()) => try_object(self.places, input, days),
        };
        let read = match read {
            Ok(found) => self.tried(rest[1], input, self.arns.objects(input), found),
            Err(why) => Tried::unknown(rest[1], input, &why),
        };
        let role = access.role_arn.iter().filter(|_| listed.is_ok());
        let assumed = role.map(|role| self.tried("sts:AssumeRole", role, Vec::new(), Ok(())));
        let mut tried: Vec<Tried> = assumed.collect();
        tried.extend([self.tried(rest[0], input, self.arns.bucket(input), listed), read]);
        tried
    }

    /// Tries to list the public keys of CloudTrail, if a day with digests in S3 would do so.
    fn try_keys(&self) -> Option<Tried> {
        const PERMISSION: &str = "cloudtrail:ListPublicKeys";
        let source = self.places.settings.sources.iter().find(|source| asks_for_keys(source))?;
        let region = region();
        if region.is_empty() {
            return Some(Tried::unknown(
                PERMISSION,
                "cloudtrail",
                "not tried, because AWS_REGION is not set",
            ));
        }
        let hours = UtcWindow { start: self.places.now.plus_ms(-DAY_MS), end: self.places.now };
        let found = self.places.connector.public_keys(&region, hours, &source.spec.access).map(drop);
        if let Err(error) = &found
            && !source.digests.needs_keys()
        {
            return Some(Tried::unknown(
                PERMISSION,
                &region,
                &format!("without it no day is proved: {error}"),
            ));
        }
        Some(self.tried(PERMISSION, &region, vec!["*".to_owned()], found))
    }

    fn try_lake(&self, output: &str) -> Result<Vec<Tried>> {
        let lake = self.places.lake;
        let objects = || self.arns.objects(&format!("{}/", output.trim_end_matches('/')));
        let bucket = || self.arns.bucket(output);
        let mut tried = vec![
            self.tried("s3:ListBucket", output, bucket(), lake.names("").map(drop)),
            self.tried("s3:GetObject", output, objects(), lake.read(NO_FILE).map(drop)),
        ];
        let partition = Partition { table: STAGING.to_owned(), day: KstDay::of(self.places.now) };
        let run = run_name(self.places.now)?;
        let scratch = lake.scratch(&partition, &run)?;
        let rest = ["s3:PutObject", "s3:ListBucketMultipartUploads", "s3:AbortMultipartUpload"];
        // When `staged` is dropped, it aborts the upload that it started.
        match lake.stage(&partition, &scratch) {
            Err(error) => {
                tried.extend(rest.map(|permission| Tried::unknown(permission, output, &error.to_string())));
            }
            Ok(mut staged) => {
                let begun = staged.create(&format!("{run}/probe")).map(drop);
                let found = lake.run_files(&partition);
                let uploads = found.as_ref().map(|files| uploads_of(files, &run)).unwrap_or_default();
                tried.push(self.tried(rest[0], output, objects(), begun));
                tried.push(self.tried(rest[1], output, bucket(), found.map(drop)));
                tried.push(if uploads.is_empty() {
                    Tried::unknown(rest[2], output, "no upload to try it on")
                } else {
                    self.tried(rest[2], output, objects(), lake.remove_run_files(&uploads))
                });
            }
        }
        tried.push(self.tried("s3:DeleteObject", output, objects(), lake.remove(NO_FILE)));
        Ok(tried)
    }

    fn try_catalog(&self) -> Vec<Tried> {
        let Some(registrar) = self.places.registrar else { return Vec::new() };
        let database = &registrar.options.database;
        let table =
            self.places.settings.sources.first().map_or("cloudtrail", |source| source.spec.table.as_str());
        let mut tried = Vec::new();
        for Probe { permission, outcome } in registrar.catalog.look_ups(table) {
            // The call is allowed even if the database is missing. Report that too, unless the run creates it.
            let is_missed = permission == "glue:GetDatabase" && !registrar.options.create_database;
            let found = if is_missed {
                outcome.and_then(|()| registrar.catalog.require_database(false))
            } else {
                outcome
            };
            tried.push(self.tried(permission, database, self.arns.database(database), found));
        }
        tried.extend(UNTRIED.map(|permission| {
            Tried::unknown(permission, database, "not tried, because it would change the catalog")
        }));
        tried
    }
}

/// Whether a day of a source with digests in S3 asks AWS for their keys.
fn asks_for_keys(source: &TableSource) -> bool {
    let is_in_s3 = source.spec.inputs.iter().any(|input| input.starts_with("s3://"));
    let DigestOptions { mode, keys, .. } = &source.digests;
    is_in_s3
        && source.spec.dataset.has_digests()
        && *mode != DigestMode::Off
        && !matches!(keys, KeySource::File(_))
}

fn outcome(arns: Arns, permission: &str, resources: Vec<String>, found: Result<()>) -> Outcome {
    let Err(error) = found else { return Outcome::Allowed };
    match arns.lack(&error, &MissingPermission { permission: permission.to_owned(), resources }) {
        Some(lack) => Outcome::Denied(error, lack),
        None if error.kind() == ErrorKind::Temporary => Outcome::Unknown(error.to_string()),
        None => Outcome::Failed(error),
    }
}

/// Reads the first byte of an object of the input. Fails with the reason if no object exists.
fn try_object(places: &Places<'_>, input: &str, days: &[KstDay]) -> std::result::Result<Result<()>, String> {
    let reads = |source: &&TableSource| source.spec.inputs.iter().any(|other| other == input);
    for source in places.settings.sources.iter().filter(reads) {
        let spec = TableSpec { inputs: vec![input.to_owned()], ..source.spec.clone() };
        let only = TableSource { spec, ..source.clone() };
        for day in days.iter().rev() {
            let plan = plan_table(&only, *day, places.connector).map_err(|error| error.to_string())?;
            if let Some(object) = plan.objects.first() {
                return Ok(read_first_byte(places, source, input, &object.key));
            }
        }
    }
    Err("no object of these days to try it on".to_owned())
}

fn read_first_byte(places: &Places<'_>, source: &TableSource, input: &str, key: &str) -> Result<()> {
    let mut content = places.connector.store(input, &source.spec.access)?.open(key)?;
    let read = content.read(&mut [0]);
    read.map(drop).map_err(|cause| Error::unusable("cannot read the object", cause).with("object", key))
}

fn uploads_of(files: &[RunFile], run: &str) -> Vec<RunFile> {
    files.iter().filter(|file| file.run == run && file.upload.is_some()).cloned().collect()
}

/// Returns the policy that is missing, or `null`.
fn missing(tried: &[Tried]) -> Value {
    let mut statements: BTreeMap<&Vec<String>, BTreeSet<&str>> = BTreeMap::new();
    for tried in tried {
        if let Outcome::Denied(_, lack) = &tried.outcome {
            statements.entry(&lack.resources).or_default().insert(&lack.permission);
        }
    }
    if statements.is_empty() {
        return Value::Null;
    }
    let statement = |(resources, actions): (&Vec<String>, BTreeSet<&str>)| json!({"Effect": "Allow", "Action": actions, "Resource": resources});
    json!({"Version": "2012-10-17", "Statement": statements.into_iter().map(statement).collect::<Vec<_>>()})
}

fn words(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Allowed => ("ok", String::new()),
        Outcome::Denied(error, _) => ("denied", error.to_string()),
        Outcome::Failed(error) => ("failed", error.to_string()),
        Outcome::Unknown(why) => ("unknown", why.clone()),
    }
}

fn text(tried: &[Tried], screen: Screen) -> Shown {
    let row = |tried: &Tried| {
        let (word, detail) = words(&tried.outcome);
        vec![tried.permission.to_owned(), tried.on.clone(), word.to_owned(), detail]
    };
    let grid = Grid::new(&["permission", "on", "", "detail"], &[], tried.iter().map(row));
    let mut text = Grid { spare: &["on"], prose: Some("detail"), ..grid }.text(screen);
    match missing(tried) {
        Value::Null => {}
        policy => text += &format!("\nMissing permissions:\n{policy:#}\n"),
    }
    text
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

    fn tried(permission: &'static str, found: Result<()>) -> Tried {
        let arns = Arns::of_region("ap-northeast-2");
        let outcome = outcome(arns, permission, arns.objects("s3://lake/logs/"), found);
        Tried { permission, on: "s3://lake/logs".to_owned(), outcome }
    }

    fn refused(code: &str) -> Result<()> {
        Err(Error::new(ErrorKind::Denied, "denied").with("code", code))
    }

    #[test]
    fn the_missing_policy_contains_exactly_what_was_denied() {
        let all = [
            tried("s3:GetObject", refused("AccessDenied")),
            tried("s3:PutObject", refused("AccessDenied")),
            tried("s3:DeleteObject", Ok(())),
            tried("s3:ListBucket", refused("NoSuchBucket")),
            tried("s3:ListBucketMultipartUploads", refused("ExpiredToken")),
            Tried::unknown("glue:UpdateTable", "logs", "not tried"),
        ];
        assert_eq!(
            missing(&all)["Statement"],
            json!([{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["arn:aws:s3:::lake/logs/*"]}])
        );
        assert_eq!(missing(&all[2..]), Value::Null);
        let found: Vec<_> = all.iter().map(|tried| words(&tried.outcome).0).collect();
        assert_eq!(found, ["denied", "denied", "ok", "failed", "failed", "unknown"]);
    }

    #[test]
    fn settings_of_objects_require_their_own_permissions() {
        let names = |access: &LakeAccess| -> Vec<_> {
            configured(access, "s3://lake").iter().map(|tried| tried.permission).collect()
        };
        assert_eq!(names(&LakeAccess::default()), [""; 0]);
        let mut access = LakeAccess {
            encryption: Some(Encryption::Kms(Some("key".to_owned()))),
            tags: vec![("team".to_owned(), "data".to_owned())],
            bucket_owner_full_control: true,
            ..LakeAccess::default()
        };
        let expected = [
            "s3:PutObjectTagging",
            "s3:GetObjectTagging",
            "s3:PutObjectAcl",
            "kms:GenerateDataKey",
            "kms:Decrypt",
        ];
        assert_eq!(names(&access), expected);
        access.encryption = Some(Encryption::S3);
        assert_eq!(names(&access), expected[..3]);
    }
}

//! What a store promises, tried on the store itself.
//!
//! The tables of cases serve twice. The tests run them against every store that logmill supports, and `logmill doctor
//! --probe` runs them against the store of a user, below a new folder that it removes at the end. [`EVERY_LAKE`] knows only the
//! [`Lake`](super::Lake) trait, so that it fits any implementation.

mod folders;
mod lakes;

pub use lakes::{EVERY_LAKE, KEEPS_RUNS, TriedLake};

use std::fs;
use std::path::{Path, PathBuf};

use self::folders::FOLDERS;
use super::connector::refuse_foreign;
use super::draft::make_folders;
use super::promise::try_cases;
use super::write_failure::write_failed;
use super::{Connector, LakeAccess, LocalLake, Tried};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::kst::UtcInstant;

/// How a store is tried.
#[derive(Debug)]
pub struct ProbeOptions<'a> {
    /// The access that runs have to the lake.
    pub access: &'a LakeAccess,
    /// A unique name.
    pub run: &'a str,
    /// The time of this machine.
    pub now: UtcInstant,
    /// Asks the probe to stop.
    pub cancel: &'a Cancel,
}

/// The result of a probe.
#[derive(Debug)]
pub struct Probed {
    /// Each promise.
    pub tried: Vec<Tried>,
    /// Why files of the probe remain, if so.
    pub left: Option<Error>,
}

/// Tries the promises of a store below a new folder at an address: a folder, or `s3://bucket/prefix`. The folder is removed
/// again, even if the process is asked to stop.
pub fn probe(connector: &Connector, address: &str, options: &ProbeOptions<'_>) -> Result<Probed> {
    refuse_foreign(address)?;
    let place = format!("{}/_probe-{}", address.trim_end_matches('/'), options.run);
    match place.strip_prefix("s3://") {
        Some(rest) => probe_bucket(connector, rest, options),
        None => Ok(Probed { tried: probe_folder(&place, options)?, left: None }),
    }
}

/// Tries the promises of any lake, which must be empty.
pub fn try_lake(tried: &TriedLake, only_small: bool, cancel: &Cancel) -> Result<Vec<Tried>> {
    let keeps_runs = tried.lake.keeps_runs();
    let versions = KEEPS_RUNS.iter().filter(|_| keeps_runs);
    try_cases(tried, EVERY_LAKE.iter().chain(versions).filter(|case| case.is_small || !only_small), cancel)
}

fn probe_folder(place: &str, options: &ProbeOptions<'_>) -> Result<Vec<Tried>> {
    let place = TriedFolder::make(Path::new(place))?;
    let lake = LocalLake::open(&place.path.join("lake").to_string_lossy())?;
    let tried = TriedLake { lake: Box::new(lake), now: options.now };
    let mut found = try_lake(&tried, true, options.cancel)?;
    found.extend(try_cases(&place.path, &FOLDERS, options.cancel)?);
    Ok(found)
}

/// A new folder, which is removed at the end with the folders above it that were new too.
struct TriedFolder {
    path: PathBuf,
    new: Vec<PathBuf>,
}

impl TriedFolder {
    fn make(path: &Path) -> Result<Self> {
        let is_missing = |level: &&Path| !level.as_os_str().is_empty() && !level.exists();
        let new = path.ancestors().skip(1).take_while(is_missing).map(Path::to_owned).collect();
        make_folders(path)
            .map_err(|cause| write_failed("cannot create the folder of the probe", path, cause))?;
        Ok(Self { path: path.to_owned(), new })
    }
}

impl Drop for TriedFolder {
    fn drop(&mut self) {
        // Best effort: a folder that remains has a name of its own, which readers of tables skip.
        let _ = fs::remove_dir_all(&self.path);
        for level in &self.new {
            let _ = fs::remove_dir(level);
        }
    }
}

#[cfg(feature = "aws")]
fn probe_bucket(connector: &Connector, rest: &str, options: &ProbeOptions<'_>) -> Result<Probed> {
    use super::Lake;

    let lake = connector.lake_in_bucket(rest, options.access)?;
    // Wrong credentials or a missing bucket are not the fault of the store.
    lake.names("")?;
    try_bucket(lake, options.now, true, options.cancel)
}

/// Tries the promises of a lake in a bucket, which must be empty, and removes all files again.
#[cfg(feature = "aws")]
pub(crate) fn try_bucket(
    lake: super::s3::S3Lake,
    now: UtcInstant,
    only_small: bool,
    cancel: &Cancel,
) -> Result<Probed> {
    use super::s3::{BUCKETS, TriedBucket};

    let bucket = TriedBucket::of(&lake, now);
    let tried = TriedLake { lake: Box::new(lake), now };
    let found = try_cases(&bucket, &BUCKETS, cancel).and_then(|mut found| {
        found.extend(try_lake(&tried, only_small, cancel)?);
        Ok(found)
    });
    drop(tried);
    let left = bucket.remove_all().err();
    Ok(Probed { tried: found?, left })
}

#[cfg(not(feature = "aws"))]
fn probe_bucket(_: &Connector, rest: &str, _: &ProbeOptions<'_>) -> Result<Probed> {
    Err(super::connector::without_aws(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ConnectionOptions;
    use crate::store::promise::Seen;

    fn broken(found: &[Tried]) -> Vec<String> {
        let text = |tried: &Tried| format!("{}: {:?}", tried.promise.name, tried.seen);
        found.iter().filter(|tried| tried.seen != Seen::Kept).map(text).collect()
    }

    fn now() -> UtcInstant {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        UtcInstant(i64::try_from(since.as_millis()).unwrap())
    }

    /// A lake, and a folder for shards.
    #[test]
    fn every_lake_in_a_folder_keeps_every_promise() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name).to_string_lossy().into_owned();
        for lake in [LocalLake::open(&at("lake")).unwrap(), LocalLake::open_staging(&at("staging")).unwrap()]
        {
            let tried = TriedLake { lake: Box::new(lake), now: now() };
            let found = try_lake(&tried, false, &Cancel::default()).unwrap();
            assert_eq!((broken(&found), found.len()), (Vec::new(), EVERY_LAKE.len()));
        }
    }

    #[test]
    fn a_probe_tries_every_promise_and_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let connector =
            Connector::new(Cancel::default(), root.path().join("s"), ConnectionOptions::default());
        let (cancel, access) = (Cancel::default(), LakeAccess::default());
        let options = ProbeOptions { access: &access, run: "r", now: now(), cancel: &cancel };
        let address = root.path().join("new/lake");
        let found = probe(&connector, address.to_str().unwrap(), &options).unwrap().tried;
        assert_eq!(broken(&found), Vec::<String>::new());
        assert_eq!(found.len(), EVERY_LAKE.len() - 1 + FOLDERS.len());
        let stopped = Cancel::from_flag(std::sync::Arc::new(true.into()));
        let options = ProbeOptions { cancel: &stopped, ..options };
        assert!(probe(&connector, address.to_str().unwrap(), &options).is_err());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn each_promise_has_a_name_of_its_own() {
        let lakes = EVERY_LAKE.iter().chain(&KEEPS_RUNS).map(|case| case.promise.name);
        let mut names: Vec<&str> = lakes.chain(FOLDERS.iter().map(|case| case.promise.name)).collect();
        #[cfg(feature = "aws")]
        names.extend(crate::store::s3::BUCKETS.iter().map(|case| case.promise.name));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

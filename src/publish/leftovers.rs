//! What runs have left in a partition that nobody needs any more.
//!
//! A file is only judged when it lies in the folder of a run. It stays when its run is the day, when a catalog shows it,
//! or when readers may still be at it; a run that no manifest knows may still be alive, and is given time.

use std::collections::BTreeSet;

use super::{Manifest, read_manifest};
use crate::error::Result;
use crate::kst::UtcInstant;
use crate::store::Lake;
use crate::store::lake::{Partition, RunFile};

/// When files of runs may go.
#[derive(Debug, Clone, Copy)]
pub struct CleanRules {
    /// How long a superseded run stays, in milliseconds.
    pub grace_ms: i64,
    /// How old the files of an unknown run must be, in milliseconds.
    pub unknown_ms: i64,
    /// Whether a catalog was asked which runs it shows.
    pub asked_catalog: bool,
    /// The time.
    pub now: UtcInstant,
}

/// A file that may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The file.
    pub file: RunFile,
    /// Why it may go.
    pub why: &'static str,
}

/// The files of a partition that may go; `shown` are the runs that a catalog shows.
pub fn leftovers(
    lake: &dyn Lake,
    partition: &Partition,
    rules: CleanRules,
    shown: &BTreeSet<String>,
) -> Result<Vec<Leftover>> {
    // In this order: a run that commits in between is known by then.
    let files = lake.run_files(partition)?;
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let manifest = read_manifest(lake, partition)?;
    let files = files.into_iter().filter(|file| !shown.contains(&file.run));
    let judged = files.filter_map(|file| {
        let why = why_it_may_go(&file, manifest.as_ref(), rules)?;
        Some(Leftover { file, why })
    });
    Ok(judged.collect())
}

fn why_it_may_go(file: &RunFile, manifest: Option<&Manifest>, rules: CleanRules) -> Option<&'static str> {
    let is_the_day = manifest.is_some_and(|manifest| manifest.run == file.run);
    if is_the_day && file.upload.is_none() {
        return None;
    }
    let superseded = manifest.and_then(|manifest| manifest.superseded.iter().find(|old| old.run == file.run));
    if let Some(superseded) = superseded {
        let may_be_shown =
            !rules.asked_catalog && manifest.is_some_and(|manifest| manifest.database.is_some());
        if may_be_shown {
            return None;
        }
        return (!superseded.is_kept(rules.grace_ms, rules.now)).then_some("superseded");
    }
    // 0 says that the lake does not know.
    let is_old = file.written_at.0 > 0 && file.written_at.plus_ms(rules.unknown_ms) < rules.now;
    is_old.then_some(if file.upload.is_some() { "unfinished upload" } else { "of a run that is not the day" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::SupersededRun;
    use crate::publish::manifest::tests::manifest;

    const HOUR: i64 = 3_600_000;

    fn file(run: &str, upload: bool, hours_old: i64) -> RunFile {
        let upload = upload.then(|| "id".to_owned());
        let written_at = UtcInstant(100 * HOUR - hours_old * HOUR);
        RunFile { run: run.to_owned(), path: format!("{run}/part"), upload, bytes: 1, written_at }
    }

    #[test]
    fn only_what_nobody_needs_may_go() {
        let rules = CleanRules {
            grace_ms: HOUR,
            unknown_ms: 24 * HOUR,
            asked_catalog: false,
            now: UtcInstant(100 * HOUR),
        };
        let superseded = |run: &str, hours: i64| SupersededRun {
            run: run.to_owned(),
            since: UtcInstant(100 * HOUR - hours * HOUR).to_string(),
        };
        let day = Manifest {
            run: "live".to_owned(),
            superseded: vec![superseded("old", 2), superseded("kept", 0)],
            ..manifest()
        };
        for (file, expected) in [
            (file("live", false, 99), None),
            (file("live", true, 99), Some("unfinished upload")),
            (file("live", true, 1), None),
            (file("old", false, 1), Some("superseded")),
            (file("kept", false, 99), None),
            (file("other", false, 23), None),
            (file("other", false, 25), Some("of a run that is not the day")),
            (file("other", true, 25), Some("unfinished upload")),
        ] {
            assert_eq!(why_it_may_go(&file, Some(&day), rules), expected, "{file:?}");
        }
        assert_eq!(why_it_may_go(&file("first", false, 1), None, rules), None);
        assert_eq!(why_it_may_go(&file("first", true, 25), None, rules), Some("unfinished upload"));
    }
}

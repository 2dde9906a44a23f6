//! The manifest of a day in a folder.
//!
//! The exchange of folders decides which run is live: the partition holds the folder of that run and nothing else. The
//! manifest is stored outside the table. Before the exchange it is written under the name of the next one, and after the
//! exchange it takes the name of the current one. Readers choose the manifest of the run that they find in the partition, so
//! that the exchange is the one step that they see, and a run that was killed between the two steps has published its day.

use std::collections::BTreeSet;

use super::lake::{Lake, StoredManifest};
use super::local_lake::LocalLake;
use super::manifest_paths::{ManifestPaths, Owner, runs_in};
use super::partition::Partition;
use crate::error::{Error, ErrorKind, Result};

/// Maximum number of attempts to find the manifest of the run in a partition while other runs commit the day. One commit
/// between two steps of a reader costs it one attempt.
const ATTEMPTS: usize = 5;

impl LocalLake {
    /// Reads the manifest of the live version of a partition.
    pub(super) fn live_manifest(&self, partition: &Partition) -> Result<Option<StoredManifest>> {
        let live = self.live(partition);
        for _ in 0..ATTEMPTS {
            let runs = runs_in(&live).map_err(|cause| {
                Error::unusable("cannot list the folder", cause).with("folder", live.display())
            })?;
            if let Some(found) = self.manifest_of(partition, runs.as_ref())? {
                return Ok(Some(found));
            }
            if runs.is_none() {
                return Ok(None);
            }
        }
        if self.read(&partition.manifest())?.is_none() {
            return Ok(None);
        }
        Err(Error::new(ErrorKind::Unusable, "the manifest does not belong to the files of the day")
            .with("manifest", self.address(&partition.manifest()))
            .with("folder", live.display())
            .hint("the lake was copied while a run published the day: copy it again, or remove both and publish the day again"))
    }

    /// Reads the manifest that belongs to the runs in a partition, if it is stored. A damaged one is returned as it is.
    fn manifest_of(
        &self,
        partition: &Partition,
        runs: Option<&BTreeSet<String>>,
    ) -> Result<Option<StoredManifest>> {
        for path in [partition.manifest(), partition.next_manifest()] {
            let json = self.read(&path)?;
            let live = json.filter(|json| Owner::of(json).is_none_or(|owner| owner.is_live(runs)));
            if let Some(json) = live {
                return Ok(Some(StoredManifest { path, json, written_at: None }));
            }
        }
        let path = partition.inside_manifest();
        Ok(self.read(&path)?.map(|json| StoredManifest { path, json, written_at: None }))
    }

    pub(super) fn manifest_paths(&self, partition: &Partition) -> ManifestPaths {
        ManifestPaths::of(self.root(), partition)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const RUN: &str = "20231102T000000Z-0000000a";
    const OTHER: &str = "20231103T000000Z-0000000b";

    /// What a reader finds: the path of the manifest, or the kind of the error.
    fn found(folders: &[&str], manifests: &[(&str, &str)]) -> String {
        let root = tempfile::tempdir().unwrap();
        let partition = Partition { table: "t".to_owned(), day: "2023-11-01".parse().unwrap() };
        let lake = LocalLake::open(root.path().to_str().unwrap()).unwrap();
        for folder in folders {
            fs::create_dir_all(root.path().join(partition.to_string()).join(folder)).unwrap();
        }
        for (path, json) in manifests {
            lake.write(path, json.as_bytes()).unwrap();
        }
        match lake.manifest(&partition) {
            Ok(found) => found.map_or("none".to_owned(), |found| found.path),
            Err(error) => error.kind().name().to_owned(),
        }
    }

    #[test]
    fn the_manifest_of_a_day_is_that_of_the_run_in_its_folder() {
        const CURRENT: &str = "_manifests/t/proc_ymd=20231101.json";
        const NEXT: &str = "_manifests/t/proc_ymd=20231101.next.json";
        const INSIDE: &str = "t/proc_ymd=20231101/_manifest.json";
        let (of_run, of_other) = (
            format!("{{\"run\":\"{RUN}\",\"parts\":[{{}}]}}"),
            format!("{{\"run\":\"{OTHER}\",\"parts\":[{{}}]}}"),
        );
        let empty = format!("{{\"run\":\"{OTHER}\",\"parts\":[]}}");
        let (run, other, empty) = (of_run.as_str(), of_other.as_str(), empty.as_str());
        for (folders, manifests, expected) in [
            (&[][..], &[][..], "none"),
            (&[RUN], &[], "none"),
            (&[RUN], &[(CURRENT, run)], CURRENT),
            (&[RUN], &[(CURRENT, other), (NEXT, run)], NEXT),
            (&[RUN], &[(CURRENT, run), (NEXT, other)], CURRENT),
            (&[RUN], &[(NEXT, run)], NEXT),
            (&[RUN], &[(CURRENT, other)], "unusable"),
            (&[RUN], &[(CURRENT, "{")], CURRENT),
            (&[RUN], &[(CURRENT, "{\"run\":\"..\"}")], CURRENT),
            // A copy of a bucket: with a superseded run, and without a folder for an empty day.
            (&[RUN, OTHER], &[(CURRENT, run)], CURRENT),
            (&[], &[(CURRENT, empty)], CURRENT),
            // The folder of the day, or only that of its run, was removed by hand.
            (&[], &[(CURRENT, run)], "none"),
            (&[""], &[(CURRENT, run)], CURRENT),
            // Days of earlier versions.
            (&[RUN], &[(INSIDE, run)], INSIDE),
            (&["_inputs"], &[(INSIDE, empty)], INSIDE),
            (&[RUN], &[(INSIDE, run), (CURRENT, other)], INSIDE),
        ] {
            assert_eq!(found(folders, manifests), expected, "{folders:?} {manifests:?}");
        }
    }
}

//! Turns part files into one committed day.
//!
//! A [`StagedDay`] holds the lock of its partition and a hidden staging area. Committing consumes it: one step writes the
//! manifest and switches the partition. The resulting [`CommittedDay`] removes superseded files last, so that a catalog
//! can show the new day before the old files disappear.

pub(crate) mod digest;
pub(crate) mod inputs;
mod leftovers;
pub(crate) mod manifest;
mod proof;
pub mod run_history;
pub mod run_record;
mod shrink;
mod unlisted;

pub use inputs::{InputLine, read_inputs};
pub use leftovers::{CleanOptions, Leftover, Leftovers, leftovers};
pub use manifest::{InputsFile, MANIFEST_VERSION, Manifest, QuarantineFile, SupersededRun};
pub use shrink::{Replacement, ShrinkLimits};
pub use unlisted::{NOT_LISTED, unlisted};

use std::path::PathBuf;

use crate::convert::{Gathered, PartFile, PartsTarget};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::UtcInstant;
use crate::ledger::RowLedger;
use crate::plan::TablePlan;
use crate::store::lake::{Partition, RunFile};
use crate::store::{Committed, DayLock, Lake, LockTaker, Scratch, StagedPartition, Uncommitted};

/// A day that is being built. Dropping it without a commit leaves nothing behind.
pub struct StagedDay<'a> {
    // Fields drop in this order: the staged files must be dropped before the lock.
    staged: Option<Box<dyn StagedPartition>>,
    scratch: Scratch,
    lock: Box<dyn DayLock>,
    lake: &'a dyn Lake,
    partition: Partition,
    run: String,
    quarantine: Option<QuarantineFile>,
    /// The packed list of inputs.
    inputs: Vec<u8>,
}

/// The limits that a day must meet before it is committed.
#[derive(Debug, Clone, Copy)]
pub struct PublishOptions {
    /// The share of rejected rows, or of bytes in damaged objects, above which a day is not published.
    pub max_reject_ratio: f64,
    /// How far a published day may shrink.
    pub shrink: ShrinkLimits,
    /// Whether to publish only days that digests prove.
    pub require_proof: bool,
}

impl Default for PublishOptions {
    /// The command line's defaults.
    fn default() -> Self {
        let shrink = ShrinkLimits { allow_empty: false, max_shrink: 0.5 };
        Self { max_reject_ratio: 0.01, shrink, require_proof: false }
    }
}

impl<'a> StagedDay<'a> {
    /// Locks the partition for a run and removes what killed runs left, including those of other days.
    pub fn begin(lake: &'a dyn Lake, partition: Partition, taker: &LockTaker) -> Result<Self> {
        let lock = lake.lock(&partition, taker)?;
        if !lock.was_stolen() {
            lake.sweep(&partition)?;
        }
        lake.sweep_others(taker);
        let scratch = lake.scratch(&partition, &taker.run)?;
        let staged = Some(lake.stage(&partition, &scratch)?);
        let (run, quarantine, inputs) = (taker.run.clone(), None, Vec::new());
        Ok(Self { staged, scratch, lock, lake, partition, run, quarantine, inputs })
    }

    /// The folder for temporary files.
    #[must_use]
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Where part files are written.
    pub fn parts_target(&mut self) -> PartsTarget<'_> {
        let (folder, scratch) = (self.run.as_str(), self.scratch.path());
        PartsTarget { partition: staged_of(&mut self.staged), folder, scratch }
    }

    /// Writes the rejected rows that fit into `max_bytes` to a file that is not public yet. Returns the address it will
    /// have, or `None` if no rows were rejected.
    pub fn stage_quarantine(
        &mut self,
        gathered: &mut Gathered<'_>,
        max_bytes: u64,
    ) -> Result<Option<String>> {
        let rows = gathered.write_quarantine(&self.quarantine_scratch(), max_bytes)?;
        let path = self.partition.quarantine_file(&self.run);
        if rows > 0 {
            let (bytes, sha256) = digest::of_file(&self.quarantine_scratch())?;
            self.quarantine = Some(QuarantineFile { path, rows, bytes, sha256 });
        }
        Ok(self.quarantine.as_ref().map(|file| self.lake.address(&file.path)))
    }

    /// The quarantine file that this day will have.
    #[must_use]
    pub fn quarantine(&self) -> Option<&QuarantineFile> {
        self.quarantine.as_ref()
    }

    fn quarantine_scratch(&self) -> PathBuf {
        self.scratch.path().join("quarantine.jsonl")
    }

    fn put_quarantine(&self) -> Result<()> {
        match &self.quarantine {
            Some(file) => self.lake.put(&file.path, &self.quarantine_scratch()),
            None => Ok(()),
        }
    }

    /// Puts the files that the manifest names outside the partition.
    fn put_named_files(&self) -> Result<()> {
        self.put_quarantine()?;
        self.lake.write(&self.partition.inputs_file(&self.run), &self.inputs)
    }

    /// Removes these files as far as possible. The error that made them useless matters more than an error of this removal.
    fn remove_named_files(&self) {
        let _ = self.quarantine.as_ref().map(|file| self.lake.remove(&file.path));
        let _ = self.lake.remove(&self.partition.inputs_file(&self.run));
    }

    /// Packs the list of inputs, which is stored at the commit.
    pub fn pack_inputs(&mut self, gathered: &Gathered<'_>) -> Result<InputsFile> {
        let (file, packed) = inputs::pack(self.partition.inputs_file(&self.run), &gathered.objects)?;
        self.inputs = packed;
        Ok(file)
    }

    /// Abandons the day but keeps its rejected rows, so that the cause can be investigated.
    pub fn refuse(self) -> Result<()> {
        self.put_quarantine()
    }

    /// Returns the manifest that this day replaces, if any.
    pub fn replaced(&self) -> Result<Option<Manifest>> {
        let replaced = self.staged.as_ref().and_then(|staged| staged.replaces());
        replaced.map(|stored| Manifest::of(self.lake, stored.clone())).transpose()
    }

    /// Fails if the published day has another log type, or if the new day loses more rows than the limits allow.
    /// Otherwise returns the row counts if the day loses more rows than a new filter leaves out.
    pub fn check_shrink(
        &self,
        limits: ShrinkLimits,
        plan: &TablePlan,
        ledger: &RowLedger,
    ) -> Result<Option<Replacement>> {
        let Some(old) = self.replaced()? else { return Ok(None) };
        if old.dataset != plan.spec.dataset.name() {
            return Err(Error::new(
                ErrorKind::Unusable,
                "the table holds another log type: day not published",
            )
            .with("table", &self.partition.table)
            .with("day", self.partition.day)
            .with("published", old.dataset)
            .with("now", plan.spec.dataset)
            .hint("give each log type a table of its own with --table"));
        }
        let (before, after) = (old.ledger.written, ledger.written);
        let mut rows = Replacement { before, after, explained: 0 };
        if rows.lost() == 0 {
            return Ok(None);
        }
        let gone = shrink::gone_rows(&old, self.inputs_of(&old)?, plan, self.partition.day);
        let filtered = shrink::newly_filtered(&old, plan, ledger);
        rows.explained = gone + filtered;
        match limits.objection(rows) {
            Some(objection) => Err(limits.refusal(objection, rows, &self.partition)),
            None => Ok(Some(rows).filter(|rows| rows.lost() > filtered)),
        }
    }

    /// Lists the objects that the published day was built from. A lost or unreadable list is treated as empty: it explains
    /// no lost rows, but does not stop the day either.
    fn inputs_of(&self, old: &Manifest) -> Result<Vec<InputLine>> {
        read_inputs(self.lake, &self.partition, old)
            .or_else(|error| if error.kind() == ErrorKind::Unusable { Ok(Vec::new()) } else { Err(error) })
    }

    /// Returns the superseded runs that readers may still be using, if the lake keeps such runs. `shown` is the run that a
    /// catalog still shows: queries can start on it until now, so its grace period starts now.
    pub fn superseded(
        &self,
        grace_ms: i64,
        now: UtcInstant,
        shown: Option<String>,
    ) -> Result<Vec<SupersededRun>> {
        let Some(replaced) = self.replaced()?.filter(|_| self.lake.keeps_runs()) else {
            return Ok(Vec::new());
        };
        let shows_another = shown.as_ref().is_some_and(|shown| *shown != replaced.run);
        let replaced = run_history::superseding_since_shown(self.lake, replaced, shows_another, now)?;
        let mut superseded = replaced.superseded;
        superseded.retain(|old| shown.as_ref() != Some(&old.run));
        let until_now = shown.into_iter().filter(|run| *run != replaced.run).chain([replaced.run.clone()]);
        superseded.extend(until_now.map(|run| SupersededRun { run, since: now.to_string() }));
        superseded.retain(|run| run.is_kept(grace_ms, now));
        Ok(superseded)
    }

    /// Commits the day, which makes it public.
    pub fn commit(mut self, manifest: &Manifest) -> Result<CommittedDay<'a>> {
        let json = manifest.to_json()?;
        // Existing files belong to runs that can no longer commit after this commit. Files that appear later may belong to
        // a run that can still commit, and are left alone.
        let leftovers = self.lake.run_files(&self.partition)?;
        let mut old_files = Vec::new();
        let folders = [self.partition.quarantine(), self.partition.inputs()];
        // In a bucket, lists of inputs are among the files of runs.
        for folder in folders.iter().take(if self.lake.keeps_runs() { 1 } else { 2 }) {
            let names = self.lake.names(folder)?;
            old_files.extend(names.into_iter().map(|name| format!("{folder}/{name}")));
        }
        let staged = self.staged.take().expect("commit consumes the day, so it runs only once");
        let still_ours = self.lock.check()?;
        self.put_named_files().inspect_err(|_| self.remove_named_files())?;
        let committed = staged.commit(&self.run, &json);
        drop(still_ours);
        let Committed { trouble } = match committed {
            Ok(committed) => committed,
            Err(Uncommitted { error, is_certain }) => {
                if is_certain {
                    self.remove_named_files();
                } else if !self.lake.keeps_runs() {
                    // The old day can be in the scratch folder. The next run removes it once the new day is safe.
                    self.scratch.leave();
                }
                return Err(error);
            }
        };
        let mut kept: Vec<String> =
            manifest.superseded.iter().map(|superseded| superseded.run.clone()).collect();
        kept.push(self.run.clone());
        Ok(CommittedDay { day: self, leftovers, old_files, kept, trouble })
    }
}

/// A public day whose superseded files have not been removed yet.
pub struct CommittedDay<'a> {
    day: StagedDay<'a>,
    leftovers: Vec<RunFile>,
    /// Rejected rows and lists of inputs.
    old_files: Vec<String>,
    /// Runs whose files are kept.
    kept: Vec<String>,
    trouble: Vec<Error>,
}

impl CommittedDay<'_> {
    /// Returns the errors after the commit. The day is public in spite of them.
    #[must_use]
    pub fn trouble(&self) -> &[Error] {
        &self.trouble
    }

    /// Removes the files of superseded and killed runs, except files that readers may still be using.
    pub fn clean(self) -> Result<()> {
        let Self { day, leftovers, old_files, kept, .. } = self;
        // No reader uses an unfinished upload, so that of a kept run is removed too.
        let is_kept = |file: &RunFile| file.upload.is_none() && kept.contains(&file.run);
        let files: Vec<RunFile> =
            leftovers.into_iter().filter(|file| file.run != day.run && !is_kept(file)).collect();
        day.lake.remove_run_files(&files)?;
        let named = [day.partition.quarantine_file(&day.run), day.partition.inputs_file(&day.run)];
        for path in old_files.iter().filter(|path| !named.contains(path)) {
            day.lake.remove(path)?;
        }
        // In a local lake, the old day is in the scratch folder.
        day.scratch.remove()
    }
}

fn staged_of(staged: &mut Option<Box<dyn StagedPartition>>) -> &mut dyn StagedPartition {
    staged.as_mut().expect("only commit takes it, and commit consumes the day").as_mut()
}

impl PublishOptions {
    /// Fails if too many rows of a day were rejected.
    pub fn check(
        &self,
        gathered: &Gathered<'_>,
        partition: &Partition,
        quarantine: Option<&str>,
    ) -> Result<()> {
        let ratio = reject_ratio(gathered);
        if ratio <= self.max_reject_ratio && !gathered.is_cut_short() {
            return Ok(());
        }
        let error = Error::new(ErrorKind::TooManyRejects, "too many rejected rows: day not published")
            .with("table", &partition.table)
            .with("day", partition.day)
            .with("rejected", format!("{:.2} %", ratio * 100.0))
            .with("allowed", format!("{:.2} %", self.max_reject_ratio * 100.0))
            .hint("read the quarantine file; fix the source, or raise --max-reject-ratio");
        let error =
            if gathered.is_cut_short() { error.with("stopped", stopped_after(gathered)) } else { error };
        Err(match quarantine {
            Some(path) => error.with("quarantine", path),
            None => error,
        })
    }
}

/// Describes where reading stopped.
fn stopped_after(gathered: &Gathered<'_>) -> String {
    let (rows, objects) = (gathered.ledger.read, gathered.objects.len());
    format!("after {rows} rows, in object {objects}: the rest could not bring the share below the limit")
}

/// Returns the larger of two shares: rejected rows among all rows, and bytes of damaged objects among all bytes. The
/// second share is needed because a lost object counts as one rejected row, however many rows it held.
#[must_use]
pub fn reject_ratio(gathered: &Gathered<'_>) -> f64 {
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let bytes = |damaged_only: bool| {
        let counted = gathered.objects.iter().filter(|object| object.damage.is_some() || !damaged_only);
        counted.map(|object| object.object.bytes).sum::<u64>()
    };
    let rows = share(gathered.ledger.quarantined, gathered.ledger.read);
    rows.max(share(bytes(true), bytes(false)))
}

/// Reads the manifest of a day; `None` if the day was never published.
pub fn read_manifest(lake: &dyn Lake, partition: &Partition) -> Result<Option<Manifest>> {
    lake.manifest(partition)?.map(|stored| Manifest::of(lake, stored)).transpose()
}

/// Returns the number of rows in all part files.
#[must_use]
pub fn rows_of(parts: &[PartFile]) -> u64 {
    parts.iter().map(|part| part.rows).sum()
}

#[cfg(test)]
pub(crate) mod tests {
    pub(crate) use super::manifest::tests::manifest;
}

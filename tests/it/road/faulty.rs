//! A lake and a catalog with one fault each.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use logmill::audit::ColumnStatistics;
use logmill::catalog::change::ExistingTable;
use logmill::catalog::{
    Catalog, CatalogColumn, ExistingPartition, PartitionDefinition, PartitionState, Probe, TableDefinition,
};
use logmill::error::{Error, ErrorKind, Result};
use logmill::kst::{KstDay, UtcInstant};
use logmill::store::lake::{Committed, LakeEntry, Partition, RunFile, StoredManifest, Uncommitted};
use logmill::store::{DayLock, Lake, LakeFile, LockTaker, Scratch, StagedPartition};

/// The fault of a lake.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    None,
    /// The disk is full after `files` files of the new version.
    DiskFullAfter {
        files: usize,
    },
    /// The disk is full when a list of inputs is written.
    DiskFullForInputs,
    /// The disk is full for this day only.
    DiskFullOn(KstDay),
    /// Another run has committed the day first.
    LostRace {
        is_certain: bool,
    },
    /// The commit succeeds, but a step after it fails.
    TroubleAfterCommit,
}

/// A lake with a fault.
pub(super) struct FaultyLake {
    pub(super) lake: Box<dyn Lake>,
    pub(super) fault: Fault,
}

impl Lake for FaultyLake {
    fn address(&self, path: &str) -> String {
        self.lake.address(path)
    }

    fn local_path(&self, path: &str) -> Option<PathBuf> {
        self.lake.local_path(path)
    }

    fn keeps_runs(&self) -> bool {
        self.lake.keeps_runs()
    }

    fn lock(&self, partition: &Partition, taker: &LockTaker) -> Result<Box<dyn DayLock>> {
        self.lake.lock(partition, taker)
    }

    fn scratch(&self, partition: &Partition, run: &str) -> Result<Scratch> {
        self.lake.scratch(partition, run)
    }

    fn sweep(&self, partition: &Partition) -> Result<()> {
        self.lake.sweep(partition)
    }

    fn sweep_others(&self, taker: &LockTaker) {
        self.lake.sweep_others(taker);
    }

    fn left_here(&self) -> Vec<Partition> {
        self.lake.left_here()
    }

    fn read_up_to(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>> {
        self.lake.read_up_to(path, most)
    }

    fn manifest(&self, partition: &Partition) -> Result<Option<StoredManifest>> {
        self.lake.manifest(partition)
    }

    fn open(&self, path: &str) -> Result<Option<Box<dyn LakeFile>>> {
        self.lake.open(path)
    }

    fn names(&self, folder: &str) -> Result<Vec<String>> {
        self.lake.names(folder)
    }

    fn entries(&self, folder: &str) -> Result<Vec<LakeEntry>> {
        self.lake.entries(folder)
    }

    fn put(&self, path: &str, file: &Path) -> Result<()> {
        self.lake.put(path, file)
    }

    fn write(&self, path: &str, content: &[u8]) -> Result<()> {
        if matches!(self.fault, Fault::DiskFullForInputs) && path.starts_with("_inputs/") {
            return Err(Error::unusable("cannot write the file", full()));
        }
        self.lake.write(path, content)
    }

    fn remove(&self, path: &str) -> Result<()> {
        self.lake.remove(path)
    }

    fn stage(&self, partition: &Partition, scratch: &Scratch) -> Result<Box<dyn StagedPartition>> {
        let staged = self.lake.stage(partition, scratch)?;
        let fault = match self.fault {
            Fault::DiskFullOn(day) if day == partition.day => Fault::DiskFullAfter { files: 0 },
            fault => fault,
        };
        Ok(Box::new(FaultyStaged { staged, fault, files: 0 }))
    }

    fn run_files(&self, partition: &Partition) -> Result<Vec<RunFile>> {
        self.lake.run_files(partition)
    }

    fn unfinished(&self) -> Result<Vec<Partition>> {
        self.lake.unfinished()
    }

    fn remove_run_files(&self, files: &[RunFile]) -> Result<()> {
        self.lake.remove_run_files(files)
    }
}

/// A new version of a day in a faulty lake.
struct FaultyStaged {
    staged: Box<dyn StagedPartition>,
    fault: Fault,
    /// The number of files created so far.
    files: usize,
}

impl StagedPartition for FaultyStaged {
    fn replaces(&self) -> Option<&StoredManifest> {
        self.staged.replaces()
    }

    fn create(&mut self, path: &str) -> Result<Box<dyn Write + Send>> {
        let file = self.staged.create(path)?;
        self.files += 1;
        match self.fault {
            Fault::DiskFullAfter { files } if self.files > files => Ok(Box::new(Full)),
            _ => Ok(file),
        }
    }

    fn commit(self: Box<Self>, run: &str, manifest: &[u8]) -> std::result::Result<Committed, Uncommitted> {
        match self.fault {
            Fault::LostRace { is_certain } => Err(Uncommitted {
                error: Error::new(ErrorKind::Temporary, "another run was first"),
                is_certain,
            }),
            Fault::TroubleAfterCommit => {
                let mut committed = self.staged.commit(run, manifest)?;
                committed.trouble.push(Error::new(ErrorKind::Unusable, "the disk is slow"));
                Ok(committed)
            }
            _ => self.staged.commit(run, manifest),
        }
    }
}

fn full() -> io::Error {
    io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error())
}

/// A file on a full disk.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(full())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A catalog that does not answer.
pub(super) struct BrokenCatalog;

fn unavailable<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Temporary, "the catalog is unavailable"))
}

impl Catalog for BrokenCatalog {
    fn require_database(&self, _: bool) -> Result<()> {
        unavailable()
    }

    fn table(&self, _: &str) -> Result<Option<ExistingTable>> {
        unavailable()
    }

    fn put_table(&self, _: &TableDefinition) -> Result<Vec<CatalogColumn>> {
        unavailable()
    }

    fn partitions(&self, _: &str, _: KstDay, _: KstDay) -> Result<Vec<ExistingPartition>> {
        unavailable()
    }

    fn put_partitions(&self, _: &str, _: &[PartitionDefinition]) -> Result<Vec<PartitionState>> {
        unavailable()
    }

    fn put_statistics(&self, _: &str, _: &[ColumnStatistics], _: UtcInstant) -> Result<()> {
        unavailable()
    }

    fn look_ups(&self, _: &str) -> Vec<Probe> {
        Vec::new()
    }

    fn remove_partitions(&self, _: &str, _: &[KstDay]) -> Result<()> {
        unavailable()
    }
}

//! The clusters of runs: in memory while their rows are, otherwise in a file next to the rows; and their ranks in a merge.
//!
//! A day can have as many clusters as rows. A merge does not hold their texts: it walks once over the sorted clusters of its
//! runs, and keeps a bitmap for each run that shows which of all clusters the run has.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use roaring::RoaringBitmap;

use super::spill_failed;
use crate::error::{Error, ErrorKind, Result};
use crate::store::scratch::private_file;
use crate::table::Cluster;

/// Buffer of a file of clusters: each run of a merge has one.
const READ_BYTES: usize = 16 << 10;

/// Maximum size of a cluster text, which is a part of a row.
const MAX_TEXT_BYTES: u64 = 64 << 20;

/// The file next to a spilled run that holds its clusters.
pub(super) fn path_beside(rows: &Path) -> PathBuf {
    rows.with_added_extension("clusters")
}

/// Writes clusters to the file next to a spilled run.
pub(super) struct ClusterFile {
    file: BufWriter<File>,
    path: PathBuf,
}

impl ClusterFile {
    /// Creates an empty file next to `rows`.
    pub(super) fn create(rows: &Path) -> Result<Self> {
        let path = path_beside(rows);
        let file = private_file(&path).map_err(|cause| spill_failed(&path, cause))?;
        Ok(Self { file: BufWriter::with_capacity(READ_BYTES, file), path })
    }

    /// Adds a cluster; clusters must arrive in their order.
    pub(super) fn write(&mut self, cluster: &Cluster) -> Result<()> {
        let mut text = |text: &str| {
            self.file.write_all(&(text.len() as u64).to_le_bytes())?;
            self.file.write_all(text.as_bytes())
        };
        cluster.iter().try_for_each(|part| text(part)).map_err(|cause| spill_failed(&self.path, cause))
    }

    /// Completes the file.
    pub(super) fn finish(mut self) -> Result<()> {
        self.file.flush().map_err(|cause| spill_failed(&self.path, cause))
    }
}

/// The clusters of a run, one by one.
pub(super) struct Clusters<'a>(Source<'a>);

enum Source<'a> {
    Resident(std::slice::Iter<'a, Cluster>),
    Spilled(ClusterReader<BufReader<File>>, PathBuf),
}

impl<'a> Clusters<'a> {
    /// Takes sorted clusters in memory.
    pub(super) fn resident(clusters: &'a [Cluster]) -> Self {
        Self(Source::Resident(clusters.iter()))
    }

    /// Opens the file next to `rows`; each of its clusters has `width` texts.
    pub(super) fn open(rows: &Path, width: usize) -> Result<Self> {
        let path = path_beside(rows);
        let file = File::open(&path).map_err(|cause| unreadable(&path, cause))?;
        let file = BufReader::with_capacity(READ_BYTES, file);
        Ok(Self(Source::Spilled(ClusterReader { file, width, is_read: false }, path)))
    }

    fn next(&mut self) -> Result<Option<Cluster>> {
        match &mut self.0 {
            Source::Resident(clusters) => Ok(clusters.next().cloned()),
            Source::Spilled(file, path) => file.next().map_err(|cause| unreadable(path, cause)),
        }
    }
}

fn unreadable(path: &Path, cause: io::Error) -> Error {
    Error::unusable("cannot read staged clusters", cause).with("path", path.display())
}

/// Reads the clusters of a file.
struct ClusterReader<R> {
    file: R,
    /// Texts of each cluster.
    width: usize,
    /// Whether a cluster was read.
    is_read: bool,
}

impl<R: Read> ClusterReader<R> {
    /// The next cluster; `None` at the end.
    fn next(&mut self) -> io::Result<Option<Cluster>> {
        if self.width == 0 {
            // The only cluster of such a table takes no bytes.
            return Ok((!std::mem::replace(&mut self.is_read, true)).then(|| Cluster::from([])));
        }
        let mut first = [0; 1];
        if self.file.read(&mut first)? == 0 {
            return Ok(None);
        }
        let mut file = first.as_slice().chain(&mut self.file);
        (0..self.width).map(|_| read_text(&mut file)).collect::<io::Result<Cluster>>().map(Some)
    }
}

fn read_text(file: &mut impl Read) -> io::Result<Box<str>> {
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_TEXT_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text = String::new();
    if file.take(length).read_to_string(&mut text)? as u64 == length {
        return Ok(text.into());
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// Walks over the clusters of all runs in order, calls `call` for each distinct cluster, and returns the ranks of the clusters
/// of every run.
pub(super) fn rank(
    mut runs: Vec<Clusters<'_>>,
    mut call: impl FnMut(&Cluster) -> Result<()>,
) -> Result<Vec<Ranks>> {
    let mut ranks = vec![RoaringBitmap::new(); runs.len()];
    let mut heads = BinaryHeap::new();
    for (number, run) in runs.iter_mut().enumerate() {
        heads.extend(run.next()?.map(|cluster| Reverse((cluster, number))));
    }
    let mut last: Option<(Cluster, u32)> = None;
    while let Some(Reverse((cluster, number))) = heads.pop() {
        let rank = match &last {
            Some((known, rank)) if *known == cluster => *rank,
            _ => {
                call(&cluster)?;
                let rank = last.map_or(Some(0), |(_, rank)| rank.checked_add(1)).ok_or_else(too_many)?;
                last = Some((cluster, rank));
                rank
            }
        };
        // Clusters that repeat or are out of order within a run are not what was written.
        ranks[number].try_push(rank).map_err(|_| out_of_order())?;
        heads.extend(runs[number].next()?.map(|cluster| Reverse((cluster, number))));
    }
    Ok(ranks.into_iter().map(Ranks::new).collect())
}

fn too_many() -> Error {
    Error::new(ErrorKind::Unusable, "a day has more than 2^32 clusters of rows")
}

fn out_of_order() -> Error {
    Error::new(ErrorKind::Unusable, "staged clusters are out of order")
}

/// The ranks of a run's clusters among those of all runs, taken in order.
pub(super) struct Ranks {
    rest: roaring::bitmap::IntoIter,
    /// The current cluster of the run, and its rank; `None` before the first.
    current: Option<(u32, u32)>,
}

impl Ranks {
    fn new(ranks: RoaringBitmap) -> Self {
        Self { rest: ranks.into_iter(), current: None }
    }

    /// The rank of a cluster of the run: the current one, or a later one.
    pub(super) fn of(&mut self, cluster: u32) -> Result<u32> {
        if let Some((current, rank)) = self.current
            && current == cluster
        {
            return Ok(rank);
        }
        let next = self.current.map_or(0, |(current, _)| current + 1);
        let skipped = cluster.checked_sub(next).ok_or_else(out_of_order)?;
        let rank = self.rest.nth(skipped as usize).ok_or_else(out_of_order)?;
        self.current = Some((cluster, rank));
        Ok(rank)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn clusters_of(clusters: &BTreeSet<Texts>) -> Vec<Cluster> {
        let cluster = |texts: &Texts| texts.iter().map(|text| Box::from(text.as_str())).collect();
        clusters.iter().map(cluster).collect()
    }

    fn write(clusters: &[Cluster], rows: &Path) {
        let mut file = ClusterFile::create(rows).unwrap();
        clusters.iter().for_each(|cluster| file.write(cluster).unwrap());
        file.finish().unwrap();
    }

    type Texts = Vec<String>;

    /// Runs of tables with 0 to 3 cluster columns.
    fn runs() -> impl Strategy<Value = Vec<(BTreeSet<Texts>, bool)>> {
        (0_usize..4).prop_flat_map(|width| {
            let cluster = prop::collection::vec("[ab가]{0,2}", width);
            let clusters = prop::collection::btree_set(cluster, if width == 0 { 1..2 } else { 1..8 });
            prop::collection::vec((clusters, any::<bool>()), 1..6)
        })
    }

    proptest! {
        #[test]
        fn clusters_are_ranked_among_all_runs_in_memory_or_spilled(
            runs in runs(),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let all: BTreeSet<&Texts> = runs.iter().flat_map(|(clusters, _)| clusters).collect();
            let made: Vec<Vec<Cluster>> = runs.iter().map(|(clusters, _)| clusters_of(clusters)).collect();
            let mut sources = Vec::new();
            for (number, (clusters, (_, spill))) in made.iter().zip(&runs).enumerate() {
                let rows = folder.path().join(number.to_string());
                sources.push(if *spill {
                    write(clusters, &rows);
                    Clusters::open(&rows, clusters.first().map_or(0, |cluster| cluster.len())).unwrap()
                } else {
                    Clusters::resident(clusters)
                });
            }
            let mut called = Vec::new();
            let ranks = rank(sources, |cluster| {
                called.push(cluster.iter().map(ToString::to_string).collect::<Texts>());
                Ok(())
            });
            for (mut ranks, (clusters, _)) in ranks.unwrap().into_iter().zip(&runs) {
                for (number, cluster) in (0..).zip(clusters) {
                    let expected = all.iter().position(|known| *known == cluster).unwrap();
                    prop_assert_eq!(ranks.of(number).unwrap() as usize, expected);
                    prop_assert_eq!(ranks.of(number).unwrap() as usize, expected, "many rows have it");
                }
                let behind = u32::try_from(clusters.len()).unwrap();
                prop_assert!(ranks.of(behind).is_err(), "the run has no such cluster");
            }
            prop_assert_eq!(called.iter().collect::<BTreeSet<_>>(), all);
        }
    }

    #[test]
    fn a_truncated_or_changed_file_is_an_error() {
        let read = |mut bytes: &[u8]| ClusterReader { file: &mut bytes, width: 2, is_read: false }.next();
        let whole: Vec<u8> = [1_u64.to_le_bytes().as_slice(), b"a", &2_u64.to_le_bytes(), b"bc"].concat();
        assert!(read(&whole).unwrap().is_some());
        assert!(read(&[]).unwrap().is_none());
        for end in 1..whole.len() {
            assert!(read(&whole[..end]).is_err());
        }
        let endless = [u64::MAX.to_le_bytes().as_slice(), b"a"].concat();
        assert!(read(&endless).is_err());
        let no_text = [1_u64.to_le_bytes().as_slice(), b"\xff", &0_u64.to_le_bytes()].concat();
        assert!(read(&no_text).is_err());
    }
}

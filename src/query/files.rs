//! Gives DataFusion access to the files of a lake: concurrent range reads through [`Lake`].

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    Attributes, CopyOptions, Error as StoreError, GetOptions, GetRange, GetResult, GetResultPayload,
    ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result as StoreResult, coalesce_ranges,
};
use futures::stream::{self, BoxStream, StreamExt};

use super::scanned::Scanned;
use crate::error::{Error, ErrorKind};
use crate::store::{Lake, LakeFile};

/// Name of this store in errors.
const STORE: &str = "lake";

/// Ranges that are closer together than this are fetched as one.
const GAP_BYTES: u64 = 1 << 20;

/// Most files to keep open. An open file pins the version of an object.
const MAX_OPEN: usize = 256;

/// Reads published files by their path below the lake. Refuses to list or write.
pub(super) struct LakeFiles {
    lake: Arc<dyn Lake>,
    open: Arc<Mutex<HashMap<String, Arc<dyn LakeFile>>>>,
    /// File sizes from the manifests, which all ranges depend on.
    sizes: Arc<Mutex<HashMap<String, u64>>>,
    read_bytes: Arc<AtomicU64>,
    opened: Arc<AtomicU64>,
    /// The last failure, because the engine keeps only the text of some errors.
    failure: Mutex<Option<Error>>,
}

impl LakeFiles {
    pub(super) fn new(lake: Arc<dyn Lake>) -> Self {
        let (open, sizes, read_bytes, opened, failure) = Default::default();
        Self { lake, open, sizes, read_bytes, opened, failure }
    }

    /// Records the size that a file must have when it is read.
    pub(super) fn expect_size(&self, path: &Path, bytes: u64) {
        locked(&self.sizes).insert(path.to_string(), bytes);
    }

    /// Takes the error of the last file that could not be read.
    pub(super) fn failure(&self) -> Option<Error> {
        locked(&self.failure).take()
    }

    /// Returns the amount read since the store was created.
    pub(super) fn scanned(&self) -> Scanned {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Scanned { files: count(&self.opened), bytes: count(&self.read_bytes) }
    }

    /// Runs work on an open file, on a thread that may block.
    async fn with_file<T: Send + 'static>(
        &self,
        location: &Path,
        work: impl FnOnce(&dyn LakeFile) -> std::io::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        let (lake, open, path) = (Arc::clone(&self.lake), Arc::clone(&self.open), location.to_string());
        let (opened, expected) = (Arc::clone(&self.opened), locked(&self.sizes).get(&path).copied());
        let done = tokio::task::spawn_blocking(move || {
            let file = open_file(lake.as_ref(), &open, &opened, &path)?;
            check_size(lake.as_ref(), &path, file.bytes(), expected)?;
            work(file.as_ref()).map_err(|cause| {
                Error::unusable("cannot read the part file", cause).with("path", lake.address(&path))
            })
        });
        match done.await {
            Ok(result) => result.map_err(|error| {
                *locked(&self.failure) = Some(error.again());
                of_lake(error)
            }),
            Err(cause) => Err(StoreError::Generic { store: STORE, source: Box::new(cause) }),
        }
    }

    async fn read(&self, location: &Path, range: Range<u64>) -> StoreResult<Bytes> {
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let content = self.with_file(location, move |file| file.read_at(range.start, length)).await?;
        self.read_bytes.fetch_add(content.len() as u64, Ordering::Relaxed);
        Ok(content)
    }
}

/// Opens the file at a path, or returns it if it is already open.
fn open_file(
    lake: &dyn Lake,
    open: &Mutex<HashMap<String, Arc<dyn LakeFile>>>,
    opened: &AtomicU64,
    path: &str,
) -> crate::error::Result<Arc<dyn LakeFile>> {
    if let Some(file) = locked(open).get(path) {
        return Ok(Arc::clone(file));
    }
    let file: Arc<dyn LakeFile> = lake.open(path)?.map(Arc::from).ok_or_else(|| {
        Error::new(ErrorKind::Temporary, "a part file is missing").with("path", lake.address(path)).hint(
            "run the query again if the day was rebuilt since it began; otherwise check the day with 'logmill verify'",
        )
    })?;
    let mut open = locked(open);
    if open.len() >= MAX_OPEN {
        open.clear();
    }
    if open.insert(path.to_owned(), Arc::clone(&file)).is_none() {
        opened.fetch_add(1, Ordering::Relaxed);
    }
    Ok(file)
}

fn check_size(lake: &dyn Lake, path: &str, found: u64, expected: Option<u64>) -> crate::error::Result<()> {
    match expected {
        Some(expected) if expected != found => {
            Err(Error::new(ErrorKind::Unusable, "the size of the part file differs from the manifest")
                .with("path", lake.address(path))
                .with("bytes", found)
                .with("manifest", expected)
                .hint("check the day with 'logmill verify'"))
        }
        _ => Ok(()),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every call leaves the value consistent, so a poisoned lock is safe to use.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn of_lake(error: Error) -> StoreError {
    StoreError::Generic { store: STORE, source: Box::new(error) }
}

fn refused(what: &str) -> StoreError {
    StoreError::NotSupported { source: format!("a query does not {what}").into() }
}

#[async_trait]
impl ObjectStore for LakeFiles {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> StoreResult<GetResult> {
        let size = self.with_file(location, |file| Ok(file.bytes())).await?;
        let range = match &options.range {
            None => 0..size,
            Some(GetRange::Bounded(range)) => range.start.min(size)..range.end.min(size),
            Some(GetRange::Offset(start)) => (*start).min(size)..size,
            Some(GetRange::Suffix(length)) => size.saturating_sub(*length)..size,
        };
        let content = if options.head { Bytes::new() } else { self.read(location, range.clone()).await? };
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream::iter([Ok(content)]).boxed()),
            meta: meta(location, size),
            range,
            attributes: Attributes::default(),
        })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> StoreResult<Vec<Bytes>> {
        coalesce_ranges(ranges, |range| self.read(location, range), GAP_BYTES).await
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        stream::iter([Err(refused("list the lake"))]).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> StoreResult<ListResult> {
        Err(refused("list the lake"))
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> StoreResult<PutResult> {
        Err(refused("write to the lake"))
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        Err(refused("write to the lake"))
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        stream::iter([Err(refused("remove from the lake"))]).boxed()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> StoreResult<()> {
        Err(refused("write to the lake"))
    }
}

/// A published file never changes: its path names the run that wrote it.
pub(super) fn meta(location: &Path, size: u64) -> ObjectMeta {
    PartitionedFile::new(location.as_ref(), size).object_meta
}

impl fmt::Display for LakeFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lake.address(""))
    }
}

impl fmt::Debug for LakeFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LakeFiles({self})")
    }
}

//! A lake in a bucket.
//!
//! Every file is a multipart upload that is completed only at the commit. Then the manifest is put on the condition that no
//! other run has replaced it since this version was begun. That put is the commit: if two runs of a day compete, S3 refuses
//! the later put, and its run stops and removes its files. Objects of older runs are kept for their current readers. They are
//! removed by their listed names, never by a prefix.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{Delete, MultipartUpload, ObjectIdentifier};

use super::attributes::Attributes;
use super::bucket::Bucket;
use super::clock::ServiceClock;
use super::failure::{Asked, failure};
use super::fence::{ManifestKeys, fence};
use super::lock::S3Lock;
use super::object::{Fetched, S3File, instant, try_get, try_get_up_to};
use super::request::Request;
use super::staged::{Replaced, S3Staged};
use super::upload::{self, UploadWriter, Uploads, lock};
use super::{Aws, S3Location};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::UtcInstant;
use crate::store::lake::{
    DayLock, INPUTS, INSIDE_MANIFEST, LOCKS, Lake, LakeEntry, LakeFile, LockTaker, Partition, RunFile,
    SMALL_FILE_BYTES, StagedPartition, StoredManifest, is_run_name,
};
use crate::store::{LakeAccess, LocalLake, Scratch};

/// Maximum number of keys that one request removes.
const DELETE_KEYS: usize = 1000;

/// The folder of a bucket that holds published days.
pub struct S3Lake {
    bucket: Arc<Bucket>,
    clock: ServiceClock,
    /// The prefix of all keys: empty, or with `/` at its end.
    root: String,
    access: LakeAccess,
    /// The files of this lake on this machine: rows that are being written, and the locks of the runs that write them.
    local: LocalLake,
}

impl S3Lake {
    /// Opens a lake without sending a request. `scratch` is a folder of this machine.
    pub fn open(aws: Arc<Aws>, location: &S3Location, access: LakeAccess, scratch: &Path) -> Result<Self> {
        let clock = ServiceClock::new();
        let client =
            Client::from_conf(aws.s3(None)?.config().to_builder().interceptor(clock.clone()).build());
        let owner = access.expected_bucket_owner.clone();
        let bucket = Bucket { aws, client, name: location.bucket.clone(), payer: None, owner };
        let root = location.folder();
        let local = LocalLake::private(scratch, &scratch_name(&bucket.address(&root)));
        Ok(Self { bucket: Arc::new(bucket), clock, root, access, local })
    }

    /// Its bucket, the access to it, the prefix of its keys and its clock.
    pub(super) fn parts(&self) -> (&Arc<Bucket>, &LakeAccess, &str, ServiceClock) {
        (&self.bucket, &self.access, &self.root, self.clock.clone())
    }

    /// Opens a lake over the simulated bucket of a connection.
    #[cfg(test)]
    pub(crate) fn simulated(aws: Arc<Aws>, location: &S3Location, scratch: &Path) -> Self {
        let clock = aws.simulation().expect("the connection is simulated").clock().clone();
        let (client, name) = (super::simulation::client(), location.bucket.clone());
        let bucket = Bucket { aws, client, name, payer: None, owner: None };
        let local = LocalLake::private(scratch, "simulated");
        let (root, access) = (location.folder(), LakeAccess::default());
        Self { bucket: Arc::new(bucket), clock, root, access, local }
    }

    fn key(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    fn partition_prefix(&self, partition: &Partition) -> String {
        self.key(&format!("{partition}/"))
    }

    fn manifest_keys(&self, partition: &Partition) -> ManifestKeys {
        let (current, inside) = (self.key(&partition.manifest()), self.key(&partition.inside_manifest()));
        ManifestKeys { current, inside }
    }

    /// The finished files of all runs below a prefix, and the keys that belong to no run.
    async fn finished_files(&self, prefix: &str, run_in: RunIn) -> Result<(Vec<RunFile>, Vec<String>)> {
        let (mut files, mut foreign) = (Vec::new(), Vec::new());
        let pages = self.pages(prefix, None).await?;
        for object in pages.iter().flat_map(ListObjectsV2Output::contents) {
            let key = object.key().unwrap_or_default();
            let written_at = object.last_modified().map_or(UtcInstant(0), instant);
            match self.run_file(key, prefix, run_in) {
                Some(file) => {
                    let bytes = u64::try_from(object.size().unwrap_or_default()).unwrap_or_default();
                    files.push(RunFile { bytes, written_at, ..file });
                }
                None => foreign.push(key.to_owned()),
            }
        }
        foreign.retain(|key| !key.ends_with('/'));
        Ok((files, foreign))
    }

    /// The pages of a listing of all keys below a prefix, grouped if there is a delimiter.
    async fn pages(&self, prefix: &str, delimiter: Option<&str>) -> Result<Vec<ListObjectsV2Output>> {
        let target = self.bucket.address(prefix);
        let request = self.bucket.client.list_objects_v2().bucket(&self.bucket.name).prefix(prefix);
        let request = request.set_delimiter(delimiter.map(str::to_owned));
        let request = request.set_expected_bucket_owner(self.bucket.owner.clone());
        let (mut pages, mut token) = (Vec::new(), None);
        loop {
            let request = request.clone().set_continuation_token(token);
            let page = request.send_through(&self.bucket.aws).await;
            let page = page.map_err(|error| failure(listing(&target), &error))?;
            token = page.next_continuation_token().map(str::to_owned);
            pages.push(page);
            if token.is_none() {
                return Ok(pages);
            }
        }
    }

    async fn unfinished_files(&self, prefix: &str, run_in: RunIn) -> Result<Vec<RunFile>> {
        let file = |found: MultipartUpload| {
            let file = self.run_file(found.key().unwrap_or_default(), prefix, run_in)?;
            let written_at = found.initiated().map_or(UtcInstant(0), instant);
            Some(RunFile { upload: found.upload_id().map(str::to_owned), written_at, ..file })
        };
        Ok(self.uploads(prefix).await?.into_iter().filter_map(file).collect())
    }

    async fn uploads(&self, prefix: &str) -> Result<Vec<MultipartUpload>> {
        let mut uploads = Vec::new();
        let request = self.bucket.client.list_multipart_uploads().bucket(&self.bucket.name).prefix(prefix);
        let request = request.set_expected_bucket_owner(self.bucket.owner.clone());
        let target = self.bucket.address(prefix);
        let asked = Asked { permission: "s3:ListBucketMultipartUploads", ..listing(&target) };
        let (mut key_marker, mut id_marker) = (None, None);
        loop {
            let request = request.clone().set_key_marker(key_marker).set_upload_id_marker(id_marker);
            let page =
                request.send_through(&self.bucket.aws).await.map_err(|error| failure(asked, &error))?;
            uploads.extend_from_slice(page.uploads());
            if !page.is_truncated().unwrap_or_default() {
                return Ok(uploads);
            }
            key_marker = page.next_key_marker().map(str::to_owned);
            id_marker = page.next_upload_id_marker().map(str::to_owned);
        }
    }

    /// The partition that contains a key, directly or in its quarantine.
    fn partition_of(&self, key: &str) -> Option<Partition> {
        let path = key.strip_prefix(&self.root)?;
        let path = path.strip_prefix("_quarantine/").unwrap_or(path);
        let (table, rest) = path.split_once('/')?;
        let day = Partition::day_of_folder(rest.split('/').next()?)?;
        Some(Partition { table: table.to_owned(), day })
    }

    /// The file of a run that a key below a prefix names, if any.
    fn run_file(&self, key: &str, prefix: &str, run_in: RunIn) -> Option<RunFile> {
        let run = run_in(key.strip_prefix(prefix)?)?;
        let path = key.strip_prefix(&self.root)?.to_owned();
        let (run, written_at) = (run.to_owned(), UtcInstant(0));
        Some(RunFile { run, path, upload: None, bytes: 0, written_at })
    }

    async fn delete(&self, keys: &[&str]) -> Result<()> {
        let identifier = |path: &&str| ObjectIdentifier::builder().key(self.key(path)).build();
        let objects = keys.iter().map(identifier).collect::<std::result::Result<Vec<_>, _>>();
        let bug = |cause| Error::bug("cannot build a request to remove objects").caused_by(cause);
        let delete =
            Delete::builder().set_objects(Some(objects.map_err(bug)?)).quiet(true).build().map_err(bug)?;
        let target = self.bucket.address(&self.key(keys.first().copied().unwrap_or_default()));
        let asked =
            Asked { failing: "cannot remove from the lake", target: &target, permission: "s3:DeleteObject" };
        let request = self.bucket.client.delete_objects().bucket(&self.bucket.name).delete(delete);
        let answer = request
            .set_expected_bucket_owner(self.bucket.owner.clone())
            .send_through(&self.bucket.aws)
            .await
            .map_err(|error| failure(asked, &error))?;
        match answer.errors().first() {
            None => Ok(()),
            Some(refused) => Err(Error::new(ErrorKind::Denied, asked.failing)
                .with("at", self.bucket.address(refused.key().unwrap_or_default()))
                .with("code", refused.code().unwrap_or_default())
                .hint("allow s3:DeleteObject in the policy of the role or the bucket")),
        }
    }
}

/// Finds the run in the part of a key below a folder; the result is empty for a file of ours that belongs to no run.
type RunIn = fn(&str) -> Option<&str>;

/// `run/part-00000.zstd.parquet`; of earlier versions of logmill, `_inputs/run.jsonl.gz`, and `_manifest.json` of no run.
fn run_in_partition(below: &str) -> Option<&str> {
    if below == INSIDE_MANIFEST {
        return Some("");
    }
    let (folder, name) = below.split_once('/')?;
    if folder == INPUTS { run_in_quarantine(name) } else { Some(folder).filter(|run| is_run_name(run)) }
}

/// `run.jsonl`.
fn run_in_quarantine(below: &str) -> Option<&str> {
    below.split_once('.').map(|(run, _)| run).filter(|run| is_run_name(run))
}

fn listing(target: &str) -> Asked<'_> {
    Asked { failing: "cannot list the lake", target, permission: "s3:ListBucket" }
}

/// The name of a folder for each lake, so that the runs of different lakes do not meet.
fn scratch_name(address: &str) -> String {
    address.trim_start_matches("s3://").trim_end_matches('/').replace('_', "__").replace('/', "_")
}

impl Drop for S3Lake {
    fn drop(&mut self) {
        // Only if it is empty: another run on this machine may be working.
        for folder in self.local.root().ancestors().take(2) {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

impl Lake for S3Lake {
    fn address(&self, path: &str) -> String {
        self.bucket.address(&self.key(path))
    }

    fn local_path(&self, _: &str) -> Option<PathBuf> {
        None
    }

    fn keeps_runs(&self) -> bool {
        true
    }

    fn lock(&self, partition: &Partition, taker: &LockTaker) -> Result<Box<dyn DayLock>> {
        let local = self.local.lock_file(partition, taker)?;
        let key = self.key(&format!("{LOCKS}/{partition}.json"));
        Ok(Box::new(S3Lock::take(&self.bucket, &self.access, key, partition, taker, local)?))
    }

    fn scratch(&self, partition: &Partition, run: &str) -> Result<Scratch> {
        self.local.scratch(partition, run)
    }

    fn sweep(&self, partition: &Partition) -> Result<()> {
        self.local.sweep(partition)
    }

    fn sweep_others(&self, taker: &LockTaker) {
        self.local.sweep_others(taker);
    }

    fn left_here(&self) -> Vec<Partition> {
        self.local.left_here()
    }

    fn read_up_to(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let found = self.bucket.aws.wait(try_get_up_to(&self.bucket, &self.key(path), most))?;
        Ok(found.map(|found| found.content.to_vec()))
    }

    fn manifest(&self, partition: &Partition) -> Result<Option<StoredManifest>> {
        // A run that replaces a manifest inside the partition puts its own before it removes that one.
        for path in [partition.manifest(), partition.inside_manifest(), partition.manifest()] {
            let key = self.key(&path);
            let found = self.bucket.aws.wait(try_get_up_to(&self.bucket, &key, SMALL_FILE_BYTES))?;
            if let Some(found) = found {
                return Ok(Some(stored(path, &found)));
            }
        }
        Ok(None)
    }

    fn now(&self) -> Result<Option<UtcInstant>> {
        if self.clock.answered_at().is_none() {
            // Every answer has a date.
            self.names(LOCKS)?;
        }
        Ok(self.clock.answered_at())
    }

    fn open(&self, path: &str) -> Result<Option<Box<dyn LakeFile>>> {
        let file = self.bucket.aws.wait(S3File::open(Arc::clone(&self.bucket), self.key(path)))?;
        Ok(file.map(|file| Box::new(file) as Box<dyn LakeFile>))
    }

    fn names(&self, folder: &str) -> Result<Vec<String>> {
        Ok(self.entries(folder)?.into_iter().map(|entry| entry.name).collect())
    }

    fn entries(&self, folder: &str) -> Result<Vec<LakeEntry>> {
        let prefix = if folder.is_empty() { self.root.clone() } else { self.key(&format!("{folder}/")) };
        let entry = |key: Option<&str>, written_at| {
            let name = key?.strip_prefix(&prefix)?.trim_end_matches('/').to_owned();
            (!name.is_empty()).then_some(LakeEntry { name, written_at })
        };
        let mut entries: Vec<LakeEntry> = Vec::new();
        for page in self.bucket.aws.wait(self.pages(&prefix, Some("/")))? {
            let folders = page.common_prefixes().iter();
            entries.extend(folders.filter_map(|folder| entry(folder.prefix(), UtcInstant(0))));
            let files = page.contents().iter();
            entries.extend(
                files.filter_map(|file| {
                    entry(file.key(), file.last_modified().map_or(UtcInstant(0), instant))
                }),
            );
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    fn put(&self, path: &str, file: &Path) -> Result<()> {
        let unreadable = |cause| Error::unusable("cannot read the file", cause).with("path", file.display());
        let mut content = std::fs::File::open(file).map_err(unreadable)?;
        let uploads = Uploads::default();
        let mut writer = UploadWriter::begin(&self.bucket, &self.access, self.key(path), &uploads)?;
        let copied = io::copy(&mut content, &mut writer).and_then(|_| writer.flush());
        let upload = lock(&uploads).remove(0);
        self.bucket.aws.wait_out(async {
            let done = match copied {
                Ok(()) => upload.complete(&self.bucket).await,
                Err(cause) => Err(Error::unusable("cannot write to the lake", cause)),
            };
            if done.is_err() {
                // Report the first error.
                let _ = upload::abort(&self.bucket, &upload.key, &upload.id).await;
            }
            done
        })
    }

    fn write(&self, path: &str, content: &[u8]) -> Result<()> {
        let key = self.key(path);
        let target = self.bucket.address(&key);
        let request = upload::put(&self.bucket, &self.access, &key, content);
        self.bucket.aws.wait_out(async {
            request
                .send_through(&self.bucket.aws)
                .await
                .map(drop)
                .map_err(|error| failure(upload::writing(&target), &error))
        })
    }

    fn rewrite(&self, path: &str, content: &[u8]) -> Result<()> {
        let key = self.key(path);
        let target = self.bucket.address(&key);
        self.bucket.aws.wait_out(async {
            let request = upload::put(&self.bucket, &self.access, &key, content);
            let request = match Attributes::of(&self.bucket, &key, None).await? {
                Some(attributes) => attributes.onto(request),
                None => request,
            };
            request
                .send_through(&self.bucket.aws)
                .await
                .map(drop)
                .map_err(|error| failure(upload::writing(&target), &error))
        })
    }

    fn remove(&self, path: &str) -> Result<()> {
        self.bucket.aws.wait_out(self.delete(&[path]))
    }

    fn stage(&self, partition: &Partition, _: &Scratch) -> Result<Box<dyn StagedPartition>> {
        let (prefix, keys) = (self.partition_prefix(partition), self.manifest_keys(partition));
        let replaces = self.bucket.aws.wait(async {
            if let Some(found) = try_get(&self.bucket, &keys.current, None, None).await? {
                let stored = stored(partition.manifest(), &found);
                return Ok(Some(Replaced { stored, etag: Some(found.etag) }));
            }
            if let Some(found) = try_get(&self.bucket, &keys.inside, None, None).await? {
                let stored = stored(partition.inside_manifest(), &found);
                return Ok(Some(Replaced { stored, etag: None }));
            }
            let (_, foreign) = self.finished_files(&prefix, run_in_partition).await?;
            refuse_foreign(&self.bucket, &foreign)?;
            Ok(None)
        })?;
        let (bucket, access) = (Arc::clone(&self.bucket), self.access.clone());
        Ok(Box::new(S3Staged::begin(bucket, access, prefix, keys.current, replaces)))
    }

    fn run_files(&self, partition: &Partition) -> Result<Vec<RunFile>> {
        let prefix = self.partition_prefix(partition);
        self.bucket.aws.wait(async {
            let quarantine = self.key(&format!("{}/", partition.quarantine()));
            let inputs = self.key(&format!("{}/", partition.inputs()));
            // A list of inputs is put in one request, so it is never unfinished.
            let mut files = self.finished_files(&inputs, run_in_quarantine).await?.0;
            for (folder, run_in) in [(&prefix, run_in_partition as RunIn), (&quarantine, run_in_quarantine)] {
                files.extend(self.finished_files(folder, run_in).await?.0);
                files.extend(self.unfinished_files(folder, run_in).await?);
            }
            Ok(files)
        })
    }

    fn fence(&self, partition: &Partition, judged: &[u8]) -> Result<bool> {
        let keys = self.manifest_keys(partition);
        self.bucket.aws.wait_out(fence(&self.bucket, &self.access, &keys, judged))
    }

    fn unfinished(&self) -> Result<Vec<Partition>> {
        let uploads = self.bucket.aws.wait(self.uploads(&self.root))?;
        let mut found: Vec<Partition> = Vec::new();
        for partition in uploads.iter().filter_map(|upload| self.partition_of(upload.key()?)) {
            if !found.contains(&partition) {
                found.push(partition);
            }
        }
        Ok(found)
    }

    fn unfinished_below(&self, folder: &str) -> Result<Vec<RunFile>> {
        let file = |found: MultipartUpload| {
            let path = found.key()?.strip_prefix(&self.root)?.to_owned();
            let written_at = found.initiated().map_or(UtcInstant(0), instant);
            let (run, upload) = (String::new(), found.upload_id().map(str::to_owned));
            Some(RunFile { run, path, upload, bytes: 0, written_at })
        };
        let uploads = self.bucket.aws.wait(self.uploads(&self.key(&format!("{folder}/"))))?;
        Ok(uploads.into_iter().filter_map(file).collect())
    }

    fn remove_run_files(&self, files: &[RunFile]) -> Result<()> {
        let finished: Vec<&str> =
            files.iter().filter(|file| file.upload.is_none()).map(|file| file.path.as_str()).collect();
        self.bucket.aws.wait_out(async {
            for file in files {
                if let Some(id) = &file.upload {
                    upload::abort(&self.bucket, &self.key(&file.path), id).await?;
                }
            }
            for keys in finished.chunks(DELETE_KEYS) {
                self.delete(keys).await?;
            }
            Ok(())
        })
    }
}

/// A manifest at this path, as it was fetched.
fn stored(path: String, found: &Fetched) -> StoredManifest {
    StoredManifest { path, json: found.content.to_vec(), written_at: Some(found.modified_at) }
}

/// Refuses a partition with files that belong to no run: logmill did not write it.
fn refuse_foreign(bucket: &Bucket, foreign: &[String]) -> Result<()> {
    match foreign.first() {
        None => Ok(()),
        Some(key) => {
            Err(Error::new(ErrorKind::Unusable, "the partition holds files that logmill did not write")
                .with("first", bucket.address(key))
                .hint("move them elsewhere, or choose another table name"))
        }
    }
}

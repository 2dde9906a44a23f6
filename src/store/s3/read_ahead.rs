//! Fetches objects ahead of the workers that will decode them.
//!
//! One driver goes through the objects in order and starts their requests, many at once. The bytes that are fetched but not yet
//! read are bounded, and objects are split into chunks, so that a large object takes no more room than a small one. The
//! driver takes room strictly in order, for all chunks of an object before the next object, and workers open objects in that
//! order. So a worker only ever waits for a chunk that already has its room.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::AbortHandle;

use super::bucket::Bucket;
use super::object::{changed, get};
use crate::error::{Error, Result};
use crate::store::{ObjectFeed, ObjectMeta};

/// Number of requests in progress at once.
const PARALLEL: usize = 64;
/// Larger objects are fetched in ranges of this size.
const CHUNK_BYTES: u64 = 8 << 20;
/// The minimum cost of an object: its channel and its request.
const MIN_ROOM_BYTES: u64 = 16 << 10;
/// A body arrives in pieces that are then joined: for a moment it exists twice.
const ROOM_FACTOR: u64 = 2;
/// The unit in which room is counted.
const UNIT_BYTES: u64 = 1 << 10;
/// Room for an object that is read on its own.
pub(super) const SINGLE_BYTES: usize = 32 << 20;

/// Objects being fetched.
pub(super) struct ReadAhead {
    bucket: Arc<Bucket>,
    started: Arc<Started>,
    driver: AbortHandle,
}

/// Streams that the driver has started and no worker has opened yet, by the index of their object.
#[derive(Default)]
struct Started {
    streams: Mutex<HashMap<usize, ObjectStream>>,
    /// Wakes waiting workers when a stream is added.
    changed: Notify,
}

impl Started {
    fn add(&self, place: usize, stream: ObjectStream) {
        self.lock().insert(place, stream);
        self.changed.notify_waiters();
    }

    /// Waits until the driver has reached an object. Nothing is locked in the meantime: a waiting worker must not keep others
    /// from the reading that makes room for it.
    async fn take(&self, place: usize) -> ObjectStream {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(stream) = self.lock().remove(&place) {
                return stream;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, ObjectStream>> {
        self.streams.lock().expect("a worker that panics ends the process")
    }
}

impl ReadAhead {
    /// Starts fetching objects whose keys are below `root`; `memory` bounds the bytes that wait to be read.
    pub(super) fn start(bucket: &Arc<Bucket>, root: &str, objects: Vec<ObjectMeta>, memory: usize) -> Self {
        let units = (memory as u64 / UNIT_BYTES).max(4 * MIN_ROOM_BYTES / UNIT_BYTES);
        let started = Arc::new(Started::default());
        let driver = Driver {
            bucket: Arc::clone(bucket),
            root: root.to_owned(),
            chunk_bytes: CHUNK_BYTES.min(units * UNIT_BYTES / (2 * ROOM_FACTOR)),
            room: Arc::new(Semaphore::new(usize::try_from(units).unwrap_or(Semaphore::MAX_PERMITS))),
            requests: Arc::new(Semaphore::new(PARALLEL)),
        };
        let driver = bucket.aws.spawn(driver.run(objects, Arc::clone(&started))).abort_handle();
        Self { bucket: Arc::clone(bucket), started, driver }
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl ObjectFeed for ReadAhead {
    fn open(&self, place: usize) -> Result<Box<dyn Read + Send>> {
        let mut stream = self.bucket.aws.wait(async { Ok(self.started.take(place).await) })?;
        // Report an object that cannot be read before any of it is read.
        stream.next_chunk()?;
        Ok(Box::new(stream))
    }
}

/// Starts requests as room allows.
struct Driver {
    bucket: Arc<Bucket>,
    root: String,
    chunk_bytes: u64,
    /// Room for bytes that are fetched but not yet read.
    room: Arc<Semaphore>,
    requests: Arc<Semaphore>,
}

impl Driver {
    async fn run(self, objects: Vec<ObjectMeta>, started: Arc<Started>) {
        for (place, object) in objects.into_iter().enumerate() {
            let (chunks, receiver) = unbounded_channel();
            let stream = ObjectStream {
                bucket: Arc::clone(&self.bucket),
                chunks: receiver,
                chunk: None,
                left: object.bytes,
            };
            started.add(place, stream);
            self.fetch(&object, &chunks).await;
        }
    }

    /// Starts the requests for one object; stops if it has no reader any more.
    async fn fetch(&self, object: &ObjectMeta, chunks: &UnboundedSender<PendingChunk>) {
        let key = format!("{}{}", self.root, object.key);
        let in_ranges = object.bytes > self.chunk_bytes;
        let mut start = 0;
        while start < object.bytes {
            let bytes = self.chunk_bytes.min(object.bytes - start);
            let units = (ROOM_FACTOR * bytes).max(MIN_ROOM_BYTES).div_ceil(UNIT_BYTES);
            let units = u32::try_from(units).expect("a chunk has few units");
            let room = Arc::clone(&self.room).acquire_many_owned(units).await;
            let slot = Arc::clone(&self.requests).acquire_owned().await;
            let (Ok(room), Ok(slot)) = (room, slot) else { return };
            let (done, pending) = oneshot::channel();
            if chunks.send(pending).is_err() {
                return;
            }
            let range = in_ranges.then_some((start, bytes));
            let part = Part { key: key.clone(), bytes, range, etag: object.etag.clone() };
            let bucket = Arc::clone(&self.bucket);
            tokio::spawn(async move {
                let fetched = part.fetch(&bucket).await;
                drop(slot);
                // The object may have no reader any more.
                let _ = done.send(fetched.map(|content| Chunk { content, read: 0, _room: room }));
            });
            start += bytes;
        }
    }
}

type PendingChunk = oneshot::Receiver<Result<Chunk>>;

/// Fetched bytes; their room is free again when they are dropped.
struct Chunk {
    content: Bytes,
    read: usize,
    _room: OwnedSemaphorePermit,
}

/// An object that is being read.
pub(super) struct ObjectStream {
    bucket: Arc<Bucket>,
    chunks: UnboundedReceiver<PendingChunk>,
    chunk: Option<Chunk>,
    /// Bytes that have not been taken from a chunk.
    left: u64,
}

impl ObjectStream {
    fn next_chunk(&mut self) -> Result<()> {
        self.chunk = None;
        if self.left == 0 {
            return Ok(());
        }
        let chunks = &mut self.chunks;
        let arrived = self.bucket.aws.wait(async move {
            match chunks.recv().await {
                Some(pending) => pending.await.ok().transpose(),
                None => Ok(None),
            }
        })?;
        let chunk = arrived.ok_or_else(|| Error::bug("fetching stopped before the end of an object"))?;
        self.left -= chunk.content.len() as u64;
        self.chunk = Some(chunk);
        Ok(())
    }
}

impl Read for ObjectStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.as_ref().is_none_or(|chunk| chunk.read == chunk.content.len()) {
            self.next_chunk().map_err(io::Error::other)?;
        }
        let Some(chunk) = &mut self.chunk else { return Ok(0) };
        let count = buffer.len().min(chunk.content.len() - chunk.read);
        buffer[..count].copy_from_slice(&chunk.content[chunk.read..chunk.read + count]);
        chunk.read += count;
        Ok(count)
    }
}

/// An object, or a range of it.
struct Part {
    key: String,
    bytes: u64,
    /// Its start and length; `None` for the whole object, which comes with its checksum.
    range: Option<(u64, u64)>,
    etag: Option<String>,
}

impl Part {
    async fn fetch(&self, bucket: &Bucket) -> Result<Bytes> {
        let content = get(bucket, &self.key, self.range, self.etag.as_deref()).await?.content;
        if content.len() as u64 == self.bytes {
            Ok(content)
        } else {
            Err(changed(&bucket.address(&self.key)))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    use aws_sdk_s3::{Client, Config};
    use aws_smithy_http_client::tls::Provider;
    use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

    use super::*;
    use crate::cancel::Cancel;
    use crate::store::ConnectionOptions;
    use crate::store::s3::Aws;

    /// Answers a request with as many bytes as its range asks for.
    fn answer(mut stream: TcpStream) {
        let mut bytes = 0;
        for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(std::result::Result::ok) {
            if let Some((first, last)) =
                line.strip_prefix("range: bytes=").and_then(|range| range.split_once('-'))
            {
                bytes = 1 + last.parse::<usize>().unwrap() - first.parse::<usize>().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let head = format!("HTTP/1.1 206 -\r\nconnection: close\r\ncontent-length: {bytes}\r\n\r\n");
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&vec![b'x'; bytes]));
    }

    /// A bucket in which every object exists.
    fn bucket() -> Arc<Bucket> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            listener.incoming().flatten().for_each(|stream| drop(thread::spawn(|| answer(stream))));
        });
        let tls = Provider::Rustls(CryptoMode::Ring);
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("ap-northeast-2"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .endpoint_url(endpoint)
            .force_path_style(true)
            .http_client(aws_smithy_http_client::Builder::new().tls_provider(tls).build_https());
        let aws = Aws::new(Cancel::default(), &ConnectionOptions::default()).unwrap();
        let client = Client::from_conf(config.build());
        Arc::new(Bucket { aws, client, name: "raw".to_owned(), payer: None, owner: None })
    }

    #[test]
    fn waiting_for_a_later_object_does_not_block_readers_that_make_room_for_it() {
        let object = |key: &str, bytes| ObjectMeta { key: key.to_owned(), bytes, etag: None };
        let objects = vec![object("first", 1 << 20), object("second", 100 << 10)];
        let feed = Arc::new(ReadAhead::start(&bucket(), "", objects, 64 << 10));
        let (done, is_done) = mpsc::channel();
        for place in [1, 0] {
            let (feed, done) = (Arc::clone(&feed), done.clone());
            thread::spawn(move || {
                let mut content = Vec::new();
                feed.open(place).unwrap().read_to_end(&mut content).unwrap();
                done.send((place, content.len())).unwrap();
            });
            // Usually the later object is requested first: only then could it block the earlier one.
            thread::sleep(Duration::from_millis(100));
        }
        let mut read: Vec<_> =
            (0..2).map(|_| is_done.recv_timeout(Duration::from_mins(1)).expect("both are read")).collect();
        read.sort_unstable();
        assert_eq!(read, [(0, 1 << 20), (1, 100 << 10)]);
    }
}

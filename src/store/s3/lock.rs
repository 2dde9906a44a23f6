//! The lock of a day across machines: an object that is put on the condition that no other run has put it.
//!
//! A holder renews its object after every third of the object's life, by another put on the condition that the object is
//! still the one that it put. An object that was not renewed during its whole life has expired. A run that wants the day may
//! replace an expired object, on the condition that it is still the one that the run has read. If two runs do so, or if one
//! run steals from a holder, S3 lets only one put through.
//!
//! No clock of a machine is used. Only S3 decides whether an object has expired: by its `Last-Modified`, and by the `Date` of
//! the answer that refused our put. Without that date nothing has expired, and only `--steal` takes the lock. A holder
//! does not judge either: before the commit it renews its object once more. If S3 accepts that, no other run has held the
//! day in between, however late the holder is.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time;

use super::bucket::Bucket;
use super::clock::date_of;
use super::failure::{Asked, failure, status_of};
use super::object::try_get;
use super::request::Request;
use super::upload::{self, writing};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::UtcInstant;
use crate::store::LakeAccess;
use crate::store::file_lock::FileLock;
use crate::store::lake::{DayLock, LockTaker, Partition, held, taken_over};

/// How long a lock object holds the day if it is not renewed.
const LOCK_LIFE: Duration = Duration::from_mins(1);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(LOCK_LIFE.as_secs() / 3);
/// Maximum number of attempts of a put that competes with other requests for the object.
const PUT_ATTEMPTS: u32 = 10;
const PUT_PAUSE: Duration = Duration::from_millis(100);
/// How long a run that ends tries to release the day.
const RELEASE_WITHIN: Duration = Duration::from_secs(10);

const LOCK_VERSION: u32 = 1;

/// The content of the object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LockText {
    version: u32,
    run: String,
    holder: String,
    life_seconds: u64,
    /// Gives each put another `ETag`.
    renewals: u64,
}

impl LockText {
    fn of(taker: &LockTaker) -> Self {
        Self {
            version: LOCK_VERSION,
            run: taker.run.clone(),
            holder: taker.holder.clone(),
            life_seconds: LOCK_LIFE.as_secs(),
            renewals: 0,
        }
    }

    /// Reads a lock object; the holder of one that cannot be read is unknown.
    fn read(content: &[u8]) -> Self {
        let unknown = LockTaker { run: String::new(), holder: String::new(), steals: false };
        serde_json::from_slice(content).unwrap_or_else(|_| Self::of(&unknown))
    }
}

/// The lock object that is currently in place.
struct CurrentLock {
    text: LockText,
    etag: String,
    put_at: UtcInstant,
    /// The time at S3 when it was found.
    found_at: Option<UtcInstant>,
}

impl CurrentLock {
    fn until(&self) -> UtcInstant {
        let life = i64::try_from(self.text.life_seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
        UtcInstant(self.put_at.0.saturating_add(life))
    }

    fn has_expired(&self) -> bool {
        self.found_at.is_some_and(|now| self.until() < now)
    }
}

/// The outcome of a put.
enum Put {
    /// The object was accepted, with this `ETag`.
    Ours(String),
    /// The condition did not hold: another object is in place, or none.
    Refused(Option<CurrentLock>),
}

/// The held lock of a day.
pub(super) struct S3Lock {
    object: Arc<LockObject>,
    keeper: JoinHandle<()>,
    /// The lock among the runs of this machine. Released last: our object is recognized as ours while its file names us.
    local: FileLock,
}

impl S3Lock {
    /// Takes the day on all machines, after it was taken on this one.
    pub(super) fn take(
        bucket: &Arc<Bucket>,
        access: &LakeAccess,
        key: String,
        partition: &Partition,
        taker: &LockTaker,
        local: FileLock,
    ) -> Result<Self> {
        let object = LockObject {
            bucket: Arc::clone(bucket),
            access: access.clone(),
            key,
            partition: partition.clone(),
            holder: taker.holder.clone(),
            state: Mutex::new(State { text: LockText::of(taker), etag: String::new(), lost_to: None }),
        };
        let may_replace = |current: &CurrentLock| {
            taker.steals || current.has_expired() || local.is_known_dead(&current.text.holder)
        };
        // This must not be interrupted: a lock that no run remembers would remain until it expires.
        bucket.aws.wait_out(object.take(may_replace))?;
        let object = Arc::new(object);
        let keeper = bucket.aws.spawn(keep(Arc::clone(&object)));
        let lock = Self { object, keeper, local };
        lock.local.forget_dead_holders(taker)?;
        Ok(lock)
    }
}

impl DayLock for S3Lock {
    fn check(&self) -> Result<Box<dyn Send>> {
        drop(self.local.check()?);
        self.object.bucket.aws.wait(self.object.check())?;
        // The condition of the manifest stops any run that takes the day over from now on, or stops us.
        Ok(Box::new(()))
    }

    fn was_stolen(&self) -> bool {
        self.local.was_stolen()
    }
}

impl Drop for S3Lock {
    fn drop(&mut self) {
        let (object, keeper) = (&self.object, &mut self.keeper);
        object.bucket.aws.wait_out(async {
            keeper.abort();
            let _ = keeper.await;
            // Best effort: an object that remains expires by itself.
            let _ = time::timeout(RELEASE_WITHIN, object.release()).await;
        });
    }
}

/// Renews the object from time to time, until it is lost. A failed renewal is tried again the next time.
async fn keep(object: Arc<LockObject>) {
    loop {
        object.bucket.aws.wait_beside(RENEWAL).await;
        let mut state = object.state.lock().await;
        let _ = object.renew(&mut state).await;
        if state.lost_to.is_some() {
            return;
        }
    }
}

/// The lock object of a day, and its last known state.
struct LockObject {
    bucket: Arc<Bucket>,
    access: LakeAccess,
    key: String,
    partition: Partition,
    /// The name of this run as a holder.
    holder: String,
    state: Mutex<State>,
}

struct State {
    /// The text that this run put last, or tried to put.
    text: LockText,
    /// The `ETag` of the last put, as far as S3 has reported it.
    etag: String,
    /// The new holder, once the object is no longer ours; empty if it was removed.
    lost_to: Option<String>,
}

impl LockObject {
    /// Puts the object if it does not exist, or replaces one that may be replaced.
    async fn take(&self, may_replace: impl Fn(&CurrentLock) -> bool) -> Result<()> {
        let mut state = self.state.lock().await;
        let mut replaces = None;
        for attempt in 1..=PUT_ATTEMPTS {
            let current = match self.put(&state.text, replaces.as_deref()).await? {
                Put::Ours(etag) => {
                    state.etag = etag;
                    return Ok(());
                }
                Put::Refused(current) => current,
            };
            replaces = match current {
                None => None,
                Some(current) if may_replace(&current) => Some(current.etag),
                Some(current) => {
                    return Err(held(&self.partition, &current.text.holder, Some(current.until())));
                }
            };
            self.bucket.aws.pause(PUT_PAUSE * (attempt - 1)).await;
        }
        Err(self.contended())
    }

    /// Fails if the object is no longer ours.
    async fn check(&self) -> Result<()> {
        let mut state = self.state.lock().await;
        if state.lost_to.is_none() {
            self.renew(&mut state).await?;
        }
        match &state.lost_to {
            Some(holder) => Err(taken_over(&self.partition, holder)),
            None => Ok(()),
        }
    }

    /// Renews the object, or notes that it is lost.
    async fn renew(&self, state: &mut State) -> Result<()> {
        for attempt in 1..=PUT_ATTEMPTS {
            state.text.renewals += 1;
            match self.put(&state.text, Some(&state.etag)).await? {
                Put::Ours(etag) => {
                    state.etag = etag;
                    return Ok(());
                }
                // An earlier put of ours that seemed to have failed.
                Put::Refused(Some(current)) if current.text.holder == self.holder => {
                    state.etag = current.etag;
                }
                Put::Refused(current) => {
                    state.lost_to = Some(current.map(|current| current.text.holder).unwrap_or_default());
                    return Ok(());
                }
            }
            self.bucket.aws.pause(PUT_PAUSE * attempt).await;
        }
        Err(self.contended())
    }

    /// Removes the object if it is ours.
    async fn release(&self) -> Result<()> {
        let state = self.state.lock().await;
        if state.lost_to.is_some() || self.delete(&state.etag).await? {
            return Ok(());
        }
        match self.read().await? {
            Some(current) if current.text.holder == self.holder => self.delete(&current.etag).await.map(drop),
            _ => Ok(()),
        }
    }

    /// Puts the object in place of the one with this `ETag`, or as the first one. If the answer is lost on its way, the object
    /// that is now in place shows the outcome.
    async fn put(&self, text: &LockText, replaces: Option<&str>) -> Result<Put> {
        let content = serde_json::to_vec(text)
            .map_err(|cause| Error::bug("cannot write the lock of a day").caused_by(cause))?;
        let answer = upload::put(&self.bucket, &self.access, &self.key, &content)
            .content_type("application/json")
            .set_if_none_match(replaces.is_none().then(|| "*".to_owned()))
            .set_if_match(replaces.map(str::to_owned))
            .send_through(&self.bucket.aws)
            .await;
        let error = match answer {
            Ok(answer) => return Ok(Put::Ours(answer.e_tag().unwrap_or_default().to_owned())),
            Err(error) => error,
        };
        let is_refused = matches!(status_of(&error), Some(404 | 409 | 412));
        match self.read().await {
            Ok(Some(current)) if current.text == *text => Ok(Put::Ours(current.etag)),
            Ok(current) if is_refused => {
                let found_at = error.raw_response().and_then(date_of);
                Ok(Put::Refused(current.map(|current| CurrentLock { found_at, ..current })))
            }
            Err(unreadable) if is_refused => Err(unreadable),
            _ => Err(failure(writing(&self.bucket.address(&self.key)), &error)),
        }
    }

    async fn read(&self) -> Result<Option<CurrentLock>> {
        let found = try_get(&self.bucket, &self.key, None, None).await?;
        Ok(found.map(|found| CurrentLock {
            text: LockText::read(&found.content),
            etag: found.etag,
            put_at: found.modified_at,
            found_at: None,
        }))
    }

    /// Removes the object if it has this `ETag`; returns `false` if another one is in place.
    async fn delete(&self, etag: &str) -> Result<bool> {
        let target = self.bucket.address(&self.key);
        let asked =
            Asked { failing: "cannot release the day", target: &target, permission: "s3:DeleteObject" };
        let request = self.bucket.client.delete_object().bucket(&self.bucket.name).key(&self.key);
        let request = request.if_match(etag).set_expected_bucket_owner(self.bucket.owner.clone());
        match request.send_through(&self.bucket.aws).await {
            Err(error) if status_of(&error) == Some(404) => Ok(true),
            Err(error) if status_of(&error) == Some(412) => Ok(false),
            Err(error) => Err(failure(asked, &error)),
            Ok(_) => Ok(true),
        }
    }

    fn contended(&self) -> Error {
        Error::new(ErrorKind::Temporary, "other runs keep changing the lock of the day")
            .with("at", self.bucket.address(&self.key))
            .hint("run the day again later")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current(found_at: Option<i64>) -> CurrentLock {
        let taker = LockTaker { run: "r".to_owned(), holder: "h".to_owned(), steals: false };
        CurrentLock {
            text: LockText::of(&taker),
            etag: String::new(),
            put_at: UtcInstant(1_000_000),
            found_at: found_at.map(UtcInstant),
        }
    }

    #[test]
    fn a_lock_expires_by_the_clock_of_s3_and_never_without_it() {
        let life = 60_000;
        for (found_at, expected) in [
            (Some(1_000_000), false),
            (Some(1_000_000 + life), false),
            (Some(1_000_001 + life), true),
            (None, false),
        ] {
            assert_eq!(current(found_at).has_expired(), expected, "{found_at:?}");
        }
    }

    #[test]
    fn a_lock_of_another_version_is_read_and_an_unreadable_one_has_an_unknown_holder() {
        let newer = br#"{"version":2,"run":"r","holder":"h","life_seconds":5,"renewals":0,"why":"?"}"#;
        let read = LockText::read(newer);
        assert_eq!((read.holder.as_str(), read.life_seconds), ("h", 5));
        let foreign = LockText::read(b"hands off");
        assert_eq!((foreign.holder.as_str(), foreign.life_seconds), ("", LOCK_LIFE.as_secs()));
    }
}

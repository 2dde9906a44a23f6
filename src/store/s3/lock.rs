//! The lock of a day across machines: an object that is put on the condition that nobody else has put it.
//!
//! A holder puts his object anew every third of its life, on the condition that it is still the one that he put. One that
//! has not been put anew for its whole life has expired, and whoever wants the day may replace it, on the condition that
//! it is still the one that he has read: of two who do so, and of a thief and a holder, S3 lets one through.
//!
//! No clock of a machine is asked. That an object has expired is told by S3 alone: by its `Last-Modified`, and by the
//! `Date` of the answer that refused our put; without that date nothing has expired, and a person has to steal. A holder does not judge either: before the commit he puts his object once
//! more, and if S3 takes it, nobody has had the day since he took it, however late he is.

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
use super::upload::{self, writing};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::UtcInstant;
use crate::store::LakeAccess;
use crate::store::file_lock::FileLock;
use crate::store::lake::{DayLock, LockTaker, Partition, held, taken_over};

/// How long a lock object holds the day when it is not put anew.
const LOCK_LIFE: Duration = Duration::from_mins(1);
/// How often it is put anew.
const RENEWAL: Duration = Duration::from_secs(LOCK_LIFE.as_secs() / 3);
/// How often a put is tried that meets others at work on the object.
const PUT_ATTEMPTS: u32 = 10;
const PUT_PAUSE: Duration = Duration::from_millis(100);
/// How long a run that ends tries to free the day.
const RELEASE_WITHIN: Duration = Duration::from_secs(10);

const LOCK_VERSION: u32 = 1;

/// What the object says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LockText {
    version: u32,
    run: String,
    holder: String,
    life_seconds: u64,
    /// Makes the `ETag` of each put another one.
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

    /// What a lock object says; one that cannot be read is one of somebody unknown.
    fn read(content: &[u8]) -> Self {
        let unknown = LockTaker { run: String::new(), holder: String::new(), steals: false };
        serde_json::from_slice(content).unwrap_or_else(|_| Self::of(&unknown))
    }
}

/// A lock object that stands.
struct Standing {
    text: LockText,
    etag: String,
    put_at: UtcInstant,
    /// The time at S3 when it was met.
    met_at: Option<UtcInstant>,
}

impl Standing {
    fn until(&self) -> UtcInstant {
        let life = i64::try_from(self.text.life_seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
        UtcInstant(self.put_at.0.saturating_add(life))
    }

    fn has_expired(&self) -> bool {
        self.met_at.is_some_and(|now| self.until() < now)
    }
}

/// What a put has come to.
enum Put {
    /// It stands, with this `ETag`.
    Ours(String),
    /// The condition did not hold: another one stands, or none.
    Refused(Option<Standing>),
}

/// The lock of a day, held.
pub(super) struct S3Lock {
    object: Arc<LockObject>,
    keeper: JoinHandle<()>,
    /// The day among the runs of this machine. Freed last: as long as its file names us, our object is known for ours.
    local: FileLock,
}

impl S3Lock {
    /// Takes the day on all machines, once it was taken on this one.
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
        let may_replace = |standing: &Standing| {
            taker.steals || standing.has_expired() || local.knows_as_dead(&standing.text.holder)
        };
        // Not to be interrupted: a lock that nobody remembers would stay until it expires.
        bucket.aws.wait_out(object.take(may_replace))?;
        let object = Arc::new(object);
        let keeper = bucket.aws.spawn(keep(Arc::clone(&object)));
        let lock = Self { object, keeper, local };
        lock.local.forget_the_dead(taker)?;
        Ok(lock)
    }
}

impl DayLock for S3Lock {
    fn check(&self) -> Result<Box<dyn Send>> {
        drop(self.local.check()?);
        self.object.bucket.aws.wait(self.object.check())?;
        // Who takes it away from now on is stopped by the condition of the manifest, or stops us by it.
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
            // Best effort: what stays expires.
            let _ = time::timeout(RELEASE_WITHIN, object.release()).await;
        });
    }
}

/// Puts the object anew from time to time, until it is lost. What fails is tried again the next time.
async fn keep(object: Arc<LockObject>) {
    loop {
        time::sleep(RENEWAL).await;
        let mut state = object.state.lock().await;
        let _ = object.renew(&mut state).await;
        if state.lost_to.is_some() {
            return;
        }
    }
}

/// The lock object of a day, and what we know of it.
struct LockObject {
    bucket: Arc<Bucket>,
    access: LakeAccess,
    key: String,
    partition: Partition,
    /// Who we are.
    holder: String,
    state: Mutex<State>,
}

struct State {
    /// What we have put last, or tried to.
    text: LockText,
    /// Of what we have put last, as far as S3 has said.
    etag: String,
    /// Who has it, once it is ours no more; nobody's name where it was removed.
    lost_to: Option<String>,
}

impl LockObject {
    /// Puts the object where there is none, or in the place of one that may be replaced.
    async fn take(&self, may_replace: impl Fn(&Standing) -> bool) -> Result<()> {
        let mut state = self.state.lock().await;
        let mut replaces = None;
        for attempt in 1..=PUT_ATTEMPTS {
            let standing = match self.put(&state.text, replaces.as_deref()).await? {
                Put::Ours(etag) => {
                    state.etag = etag;
                    return Ok(());
                }
                Put::Refused(standing) => standing,
            };
            replaces = match standing {
                None => None,
                Some(standing) if may_replace(&standing) => Some(standing.etag),
                Some(standing) => {
                    return Err(held(&self.partition, &standing.text.holder, Some(standing.until())));
                }
            };
            time::sleep(PUT_PAUSE * (attempt - 1)).await;
        }
        Err(self.contended())
    }

    /// Fails when the object is ours no more.
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

    /// Puts the object anew, or notes that it is lost.
    async fn renew(&self, state: &mut State) -> Result<()> {
        for attempt in 1..=PUT_ATTEMPTS {
            state.text.renewals += 1;
            match self.put(&state.text, Some(&state.etag)).await? {
                Put::Ours(etag) => {
                    state.etag = etag;
                    return Ok(());
                }
                // An earlier put, of which we thought that it had failed; or one of somebody who failed as well.
                Put::Refused(Some(standing)) if standing.text.holder == self.holder => {
                    state.etag = standing.etag;
                }
                Put::Refused(standing) => {
                    state.lost_to = Some(standing.map(|standing| standing.text.holder).unwrap_or_default());
                    return Ok(());
                }
            }
            time::sleep(PUT_PAUSE * attempt).await;
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
            Some(standing) if standing.text.holder == self.holder => {
                self.delete(&standing.etag).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Puts the object in the place of one with this `ETag`, or of none. An answer that is lost on its way is made up for:
    /// what stands there tells.
    async fn put(&self, text: &LockText, replaces: Option<&str>) -> Result<Put> {
        let content = serde_json::to_vec(text)
            .map_err(|cause| Error::bug("cannot write the lock of a day").caused_by(cause))?;
        let answer = upload::put(&self.bucket, &self.access, &self.key, &content)
            .content_type("application/json")
            .set_if_none_match(replaces.is_none().then(|| "*".to_owned()))
            .set_if_match(replaces.map(str::to_owned))
            .send()
            .await;
        let error = match answer {
            Ok(answer) => return Ok(Put::Ours(answer.e_tag().unwrap_or_default().to_owned())),
            Err(error) => error,
        };
        let is_refused = matches!(status_of(&error), Some(404 | 409 | 412));
        match self.read().await {
            Ok(Some(standing)) if standing.text == *text => Ok(Put::Ours(standing.etag)),
            Ok(standing) if is_refused => {
                let met_at = error.raw_response().and_then(date_of);
                Ok(Put::Refused(standing.map(|standing| Standing { met_at, ..standing })))
            }
            Err(unreadable) if is_refused => Err(unreadable),
            _ => Err(failure(writing(&self.bucket.address(&self.key)), &error)),
        }
    }

    async fn read(&self) -> Result<Option<Standing>> {
        let found = try_get(&self.bucket, &self.key, None, None).await?;
        Ok(found.map(|found| Standing {
            text: LockText::read(&found.content),
            etag: found.etag,
            put_at: found.modified_at,
            met_at: None,
        }))
    }

    /// Removes the object if it has this `ETag`; `false` where another one stands.
    async fn delete(&self, etag: &str) -> Result<bool> {
        let target = self.bucket.address(&self.key);
        let asked = Asked { failing: "cannot free the day", target: &target, permission: "s3:DeleteObject" };
        let request = self.bucket.client.delete_object().bucket(&self.bucket.name).key(&self.key);
        match request.if_match(etag).set_expected_bucket_owner(self.bucket.owner.clone()).send().await {
            Err(error) if status_of(&error) == Some(404) => Ok(true),
            Err(error) if status_of(&error) == Some(412) => Ok(false),
            Err(error) => Err(failure(asked, &error)),
            Ok(_) => Ok(true),
        }
    }

    fn contended(&self) -> Error {
        Error::new(ErrorKind::Temporary, "others keep changing the lock of the day")
            .with("at", self.bucket.address(&self.key))
            .hint("run the day again later")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(met_at: Option<i64>) -> Standing {
        let taker = LockTaker { run: "r".to_owned(), holder: "h".to_owned(), steals: false };
        Standing {
            text: LockText::of(&taker),
            etag: String::new(),
            put_at: UtcInstant(1_000_000),
            met_at: met_at.map(UtcInstant),
        }
    }

    #[test]
    fn a_lock_expires_by_the_clock_of_s3_and_never_without_it() {
        let life = 60_000;
        for (met_at, expected) in [
            (Some(1_000_000), false),
            (Some(1_000_000 + life), false),
            (Some(1_000_001 + life), true),
            (None, false),
        ] {
            assert_eq!(standing(met_at).has_expired(), expected, "{met_at:?}");
        }
    }

    #[test]
    fn a_lock_of_another_version_holds_and_a_text_that_is_none_is_somebodys() {
        let newer = br#"{"version":2,"run":"r","holder":"h","life_seconds":5,"renewals":0,"why":"?"}"#;
        let read = LockText::read(newer);
        assert_eq!((read.holder.as_str(), read.life_seconds), ("h", 5));
        let foreign = LockText::read(b"hands off");
        assert_eq!((foreign.holder.as_str(), foreign.life_seconds), ("", LOCK_LIFE.as_secs()));
    }
}

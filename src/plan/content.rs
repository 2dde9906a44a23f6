//! The first bytes of an object, which decide what it is if its key does not.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use crate::dataset::{self, Dataset, LogType};
use crate::error::{Error, ErrorKind, Result};
use crate::store::unpack::Unpacked;
use crate::store::{ObjectMeta, Store};

/// How many bytes of an object are read to detect its log type.
const HEAD_BYTES: u64 = 4096;

/// The most objects whose content is kept in mind.
const MOST_KNOWN: usize = 50_000;

/// The names of the log types that recognise the content of an object; `None` if it cannot be read for lack of permission.
type Recognised = Option<Vec<&'static str>>;

/// What the content of an object says about a log type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// It is of this log type.
    Own,
    /// It is of another log type, whose name this is.
    OfAnother(&'static str),
    /// No log type recognises it.
    Unknown,
}

/// What is known about the content of objects with an unclear key. Clones share it, so that each object is read once for all
/// log types. Beyond a limit, objects are read again.
#[derive(Debug, Clone, Default)]
pub struct KnownContents {
    recognised: Arc<Mutex<HashMap<String, Recognised>>>,
    reported: Arc<Mutex<HashSet<String>>>,
}

impl KnownContents {
    /// Returns what the content of an object says about a log type; `None` if it cannot be read for lack of permission.
    pub(super) fn of(
        &self,
        dataset: LogType,
        store: &dyn Store,
        object: &ObjectMeta,
    ) -> Result<Option<Content>> {
        let answer = |recognised: &Recognised| {
            recognised.as_ref().map(|names| match names.as_slice() {
                [] => Content::Unknown,
                names if names.contains(&dataset.name()) => Content::Own,
                [other, ..] => Content::OfAnother(other),
            })
        };
        let version = format!("{} {} {:?}", store.address(&object.key), object.bytes, object.etag);
        if let Some(known) = self.recognised.lock().unwrap_or_else(PoisonError::into_inner).get(&version) {
            return Ok(answer(known));
        }
        let recognised = head(store, &object.key)?.map(|head| {
            dataset::all().filter(|dataset| dataset.recognises(&head)).map(Dataset::name).collect()
        });
        let found = answer(&recognised);
        let mut known = self.recognised.lock().unwrap_or_else(PoisonError::into_inner);
        // A permission can be granted at any time.
        if recognised.is_some() && known.len() < MOST_KNOWN {
            known.insert(version, recognised);
        }
        Ok(found)
    }

    /// Whether no message has reported yet, for any log type, that an object is skipped. Beyond a limit, each is reported
    /// again.
    pub(crate) fn is_first_report(&self, address: &str) -> bool {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.len() >= MOST_KNOWN {
            return !reported.contains(address);
        }
        reported.insert(address.to_owned())
    }
}

/// Reads the first bytes of an object, decompressed. They are empty if the object is missing or damaged, and `None` if access
/// is denied. Fails on other store errors, because these must not decide what an object is.
pub(super) fn head(store: &dyn Store, key: &str) -> Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    let read = store.open(key).and_then(|object| {
        let read = Unpacked::new(object).and_then(|content| content.take(HEAD_BYTES).read_to_end(&mut head));
        read.map(drop).or_else(|cause| cause.downcast::<Error>().map_or(Ok(()), Err))
    });
    match read {
        Err(error) if error.kind() == ErrorKind::Denied => Ok(None),
        Err(error) if error.kind() != ErrorKind::Unusable => Err(error),
        _ => Ok(Some(head)),
    }
}

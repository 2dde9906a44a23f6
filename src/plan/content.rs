//! The first bytes of an object, which decide what it is if its key does not.

use std::io::Read;

use crate::error::{Error, ErrorKind, Result};
use crate::store::Store;
use crate::store::unpack::Unpacked;

/// How many bytes of an object are read to detect its log type.
const HEAD_BYTES: u64 = 4096;

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

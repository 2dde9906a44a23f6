//! One object: opened, unpacked, pushed through a decoder.

use std::io::Read;

use crate::dataset::{Decoder, Rows};
use crate::error::Result;
use crate::store::Store;
use crate::store::unpack::{Unpacked, is_damage};

/// Unpacked bytes pushed at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Why an object ended before its end.
pub(super) struct Damage {
    pub(super) reason: &'static str,
    pub(super) detail: String,
}

/// Pushes a whole object through `decoder`; `after_chunk` is called when rows may have been added.
///
/// What is wrong with the object becomes a rejected row. Fails only when the store as a whole is gone or `after_chunk`
/// fails. Returns whether the object was damaged.
pub(crate) fn read_object(
    store: &dyn Store,
    key: &str,
    max_bytes: u64,
    decoder: &mut dyn Decoder,
    rows: &mut Rows,
    mut after_chunk: impl FnMut(&mut Rows) -> Result<()>,
) -> Result<bool> {
    decoder.begin();
    let mut content = match store
        .open(key)
        .map_err(|error| error.to_string())
        .and_then(|object| Unpacked::new(object).map_err(|error| error.to_string()))
    {
        Ok(content) => content,
        Err(detail) => {
            store.check()?;
            rows.reject(0, "unreadable", detail, None);
            return Ok(true);
        }
    };
    let mut pending = Pending::default();
    let mut total = 0;
    let damage = loop {
        match pending.fill(&mut content) {
            Ok(0) => break None,
            Ok(count) => total += count as u64,
            Err(error) => break Some(damage_of(&error, store)?),
        }
        pending.decode(decoder, rows);
        after_chunk(rows)?;
        if total > max_bytes {
            let detail = format!("more than {max_bytes} bytes when unpacked");
            break Some(Damage { reason: "object_too_large", detail });
        }
    };
    let quarantined = rows.ledger().quarantined;
    match &damage {
        None => decoder.finish(pending.rest(), rows),
        Some(damage) => {
            let rest = Some(pending.rest()).filter(|rest| !rest.is_empty());
            rows.reject(decoder.next_record(), damage.reason, damage.detail.clone(), rest);
        }
    }
    after_chunk(rows)?;
    // A document that ends early, or is none, is damage too: how much is lost, nobody knows.
    Ok(rows.ledger().quarantined > quarantined)
}

fn damage_of(error: &std::io::Error, store: &dyn Store) -> Result<Damage> {
    if is_damage(error) {
        return Ok(Damage { reason: "damaged_gzip", detail: error.to_string() });
    }
    store.check()?;
    Ok(Damage { reason: "unreadable", detail: error.to_string() })
}

/// Unpacked bytes that the decoder has not used yet.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    filled: usize,
}

impl Pending {
    /// Reads until a chunk is full or the object ends.
    fn fill(&mut self, content: &mut impl Read) -> std::io::Result<usize> {
        // A row longer than a chunk doubles what is waited for, so that it is not walked over and over.
        let goal = CHUNK_BYTES.max(2 * self.filled);
        self.bytes.resize(goal.max(self.bytes.len()), 0);
        let before = self.filled;
        while self.filled < goal {
            match content.read(&mut self.bytes[self.filled..goal]) {
                Ok(0) => break,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // What came before the damage is decoded first; the error comes again.
                Err(_) if self.filled > before => break,
                Err(error) => return Err(error),
            }
        }
        Ok(self.filled - before)
    }

    fn decode(&mut self, decoder: &mut dyn Decoder, rows: &mut Rows) {
        let used = decoder.decode(&self.bytes[..self.filled], rows);
        self.bytes.copy_within(used..self.filled, 0);
        self.filled -= used;
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

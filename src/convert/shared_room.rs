//! How much room in a day's quarantine the workers of a walk leave for each other.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bytes of rejected rows that all workers of a walk have written for a day. The lines of early objects can leave no room for
/// those of later ones.
#[derive(Debug)]
pub(super) struct SharedRoom {
    max_bytes: u64,
    /// The first object without room.
    end: AtomicU64,
    written: Mutex<WrittenLines>,
}

#[derive(Debug, Default)]
struct WrittenLines {
    by_object: BTreeMap<u32, u64>,
    bytes: u64,
}

impl SharedRoom {
    pub(super) fn new(max_bytes: u64) -> Self {
        let end = AtomicU64::new(if max_bytes == 0 { 0 } else { u64::MAX });
        Self { max_bytes, end, written: Mutex::default() }
    }

    /// Whether rows of an object can be among those that are kept.
    pub(super) fn is_open(&self, object: u32) -> bool {
        u64::from(object) < self.end.load(Ordering::Relaxed)
    }

    /// Whether the lines written so far fill the limit.
    pub(super) fn is_full(&self) -> bool {
        self.end.load(Ordering::Relaxed) < u64::MAX
    }

    /// Notes lines of an object.
    pub(super) fn note(&self, object: u32, bytes: u64) {
        let mut written = self.written.lock().expect("a worker that panics ends the process");
        if bytes == 0 || !self.is_open(object) {
            return;
        }
        *written.by_object.entry(object).or_default() += bytes;
        written.bytes += bytes;
        // The lines of the last object are not needed if those of the others fill the limit.
        while let Some((_, last)) = written.by_object.last_key_value()
            && written.bytes - last >= self.max_bytes
        {
            let last = *last;
            written.by_object.pop_last();
            written.bytes -= last;
        }
        if written.bytes >= self.max_bytes {
            let last = written.by_object.last_key_value().map_or(0, |(object, _)| u64::from(*object));
            self.end.store(last + 1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_after_those_that_fill_the_limit_have_no_room() {
        let room = SharedRoom::new(100);
        assert!(room.is_open(u32::MAX) && !room.is_full());
        for (object, bytes, end) in [(9, 60, None), (5, 50, Some(9)), (2, 60, Some(5)), (7, 900, Some(5))] {
            room.note(object, bytes);
            let open = (0..20).filter(|object| room.is_open(*object)).max();
            assert_eq!(open, end.or(Some(19)), "object {object}");
        }
        assert!(room.is_full());
        assert!(!SharedRoom::new(0).is_open(0));
    }
}

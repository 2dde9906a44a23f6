//! The identity of rows whose lines can be equal without being duplicates: the place of a line belongs to it.

use super::lines::Line;
use super::object_key;

/// The name of the object that is read, and the identity of one row at a time.
#[derive(Debug, Default)]
pub(super) struct PlacedLines {
    /// The name without `.gz`, so that a copy of an object that was unpacked has the same rows.
    object: String,
    identity: Vec<u8>,
}

impl PlacedLines {
    /// Begins an object, by its key. Its folders depend on the input, so only its name counts.
    pub(super) fn begin(&mut self, key: &str) {
        let name = object_key::split(key).1;
        self.object.clear();
        self.object.push_str(name.strip_suffix(".gz").unwrap_or(name));
    }

    /// Returns the name of the object, without `.gz`.
    pub(super) fn object(&self) -> &str {
        &self.object
    }

    /// Returns the bytes that make a line unique: the name of the object, the number of the line, and the line.
    pub(super) fn identity(&mut self, line: &Line<'_>) -> &[u8] {
        self.identity.clear();
        self.identity.extend(self.object.as_bytes());
        self.identity.extend([b'/']);
        self.identity.extend(line.number.to_le_bytes());
        self.identity.extend(line.raw);
        &self.identity
    }
}

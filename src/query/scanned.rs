//! The counts of what a query has read.

/// What was read from the files of the lake, without manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scanned {
    /// Opened files.
    pub files: u64,
    /// Bytes read from them.
    pub bytes: u64,
}

impl Scanned {
    /// What was read since an earlier count.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self { files: self.files - earlier.files, bytes: self.bytes - earlier.bytes }
    }
}

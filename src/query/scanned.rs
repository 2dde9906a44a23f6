//! The counts of what a query read.

/// The counts of what was read from the files of the lake, without manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scanned {
    /// Number of opened files.
    pub files: u64,
    /// Number of bytes read from them.
    pub bytes: u64,
}

impl Scanned {
    /// Returns the counts since an earlier count.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self { files: self.files - earlier.files, bytes: self.bytes - earlier.bytes }
    }
}

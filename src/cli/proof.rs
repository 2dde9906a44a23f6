//! What digests prove about a day, in a few words and numbers.

use serde::Serialize;

use super::console;
use crate::digest::{DayProof, FileLedger, Verdict};

/// The proof of a day in a summary and in `logmill status`. The manifest has all of it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ProofSummary {
    pub(super) verdict: Verdict,
    /// Log files that digests name: `named = right + altered + missing`.
    #[serde(flatten)]
    files: FileLedger,
    /// Files that were read but that no digest names.
    unnamed: u64,
    /// Accounts, regions and trails with hourly digests.
    chains: u64,
    /// Minutes that good digests cover, over all chains.
    covered_minutes: u64,
    /// Minutes that they have to cover.
    window_minutes: u64,
    /// Exceptions in the manifest, and those that it only counts.
    exceptions: u64,
}

impl ProofSummary {
    pub(super) fn of(proof: &DayProof) -> Self {
        let (covered_minutes, window_minutes) = proof.minutes();
        Self {
            verdict: proof.verdict,
            files: proof.files,
            unnamed: proof.unnamed,
            chains: proof.hourly(),
            covered_minutes,
            window_minutes,
            exceptions: proof.exceptions.len() as u64 + proof.exceptions_not_listed,
        }
    }

    /// Describes the proof in one line.
    pub(super) fn line(&self) -> String {
        let FileLedger { named, right, altered, missing } = self.files;
        let [right, altered, missing, unnamed] = [right, altered, missing, self.unnamed].map(console::count);
        format!(
            "{}: {} named by digests = {right} right + {altered} altered + {missing} missing; {unnamed} unnamed; {} of {} hours covered",
            self.verdict.word(),
            console::counted(named, "file"),
            hours(self.covered_minutes),
            hours(self.window_minutes),
        )
    }
}

/// Formats minutes as hours, with a decimal only if needed.
pub(super) fn hours(minutes: u64) -> String {
    if minutes.is_multiple_of(60) {
        console::count(minutes / 60)
    } else {
        format!("{:.1}", minutes as f64 / 60.0)
    }
}

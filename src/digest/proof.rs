//! The result: what the digests prove about a day. A manifest stores it.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::name::ChainName;
use crate::kst::{UtcInstant, UtcWindow};

/// How many exceptions a proof lists. Further ones are only counted.
pub const MOST_EXCEPTIONS: usize = 1000;
/// How many chains a proof lists. Further ones are only counted.
pub const MOST_CHAINS: usize = 5000;

/// What the digests say about a chain or a day, from best to worst. The verdict of a day is its worst one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Signed digests cover the whole window, and every named file was read with the right hash.
    Proved,
    /// No digests, or no public keys to check them with.
    Unproved,
    /// A file that no digest names, although digests exist for its account and region.
    Unnamed,
    /// The digests do not reach the end of the window yet.
    Incomplete,
    /// Logging was off for a time.
    Gap,
    /// A signature or a link is wrong.
    Broken,
    /// A file that a digest names, or a digest, is missing.
    Missing,
    /// The text of a file is not the one that its digest names.
    Altered,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 8] = [
        Self::Proved,
        Self::Unproved,
        Self::Unnamed,
        Self::Incomplete,
        Self::Gap,
        Self::Broken,
        Self::Missing,
        Self::Altered,
    ];

    /// Returns the name to display.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Unproved => "unproved",
            Self::Unnamed => "unnamed",
            Self::Incomplete => "incomplete",
            Self::Gap => "gap",
            Self::Broken => "broken",
            Self::Missing => "missing",
            Self::Altered => "altered",
        }
    }

    /// Whether digests show that files or digests are not as CloudTrail delivered them. No later delivery changes that.
    #[must_use]
    pub fn is_damage(self) -> bool {
        matches!(self, Self::Broken | Self::Missing | Self::Altered)
    }
}

/// A stretch of time, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Its start.
    pub from: String,
    /// Its end, which does not belong to it.
    pub to: String,
}

impl From<UtcWindow> for Stretch {
    fn from(window: UtcWindow) -> Self {
        Self { from: window.start.to_string(), to: window.end.to_string() }
    }
}

impl Stretch {
    /// Whether it contains an instant; not if its ends are not times.
    #[must_use]
    pub fn contains(&self, instant: UtcInstant) -> bool {
        let ends = UtcInstant::parse_iso8601(&self.from).zip(UtcInstant::parse_iso8601(&self.to));
        ends.is_some_and(|(start, end)| UtcWindow { start, end }.contains(instant))
    }

    /// Returns its length in minutes; 0 if its ends are not times.
    #[must_use]
    pub fn minutes(&self) -> u64 {
        let ends = UtcInstant::parse_iso8601(&self.from).zip(UtcInstant::parse_iso8601(&self.to));
        ends.map_or(0, |(from, to)| to.0.saturating_sub(from.0).max(0).unsigned_abs() / 60_000)
    }
}

/// The file ledger: `named = right + altered + missing`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLedger {
    /// Log files of the day that digests name.
    pub named: u64,
    /// Those that were read, with the hash that the digest names.
    pub right: u64,
    /// Those that were read with another hash.
    pub altered: u64,
    /// Those that could not be read.
    pub missing: u64,
}

impl FileLedger {
    /// Whether every named file is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        let rest = self.altered.checked_add(self.missing);
        rest.and_then(|rest| rest.checked_add(self.right)) == Some(self.named)
    }
}

impl AddAssign for FileLedger {
    fn add_assign(&mut self, other: Self) {
        self.named += other.named;
        self.right += other.right;
        self.altered += other.altered;
        self.missing += other.missing;
    }
}

/// The proof of one chain: an account, a region and a trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainProof {
    /// The chain.
    #[serde(flatten)]
    pub name: ChainName,
    /// The verdict.
    pub verdict: Verdict,
    /// Its log files.
    #[serde(flatten)]
    pub files: FileLedger,
    /// Number of its digests whose hours meet the window.
    pub digests: u64,
    /// Digests with their own signature, from the metadata of the object in S3.
    pub signed_by_metadata: u64,
    /// Digests with the signature that the next digest carries.
    pub signed_by_successor: u64,
    /// Minutes of the window that good digests cover.
    pub covered_minutes: u64,
    /// Stretches of the window in which logging was off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Stretch>,
}

/// The chains that a proof only counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FurtherChains {
    /// Number of chains.
    pub chains: u64,
    /// Those of hourly digests.
    pub hourly: u64,
    /// Their log files.
    #[serde(flatten)]
    pub files: FileLedger,
    /// Minutes of the window that their good digests cover.
    pub covered_minutes: u64,
}

impl FurtherChains {
    fn is_none(&self) -> bool {
        self.chains == 0
    }

    fn add(&mut self, chain: &ChainProof) {
        self.chains += 1;
        self.hourly += u64::from(!chain.name.backfill);
        self.files += chain.files;
        self.covered_minutes += chain.covered_minutes;
    }
}

/// Files of an account and region for which no digest exists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FilesWithoutDigests {
    /// The account; empty if the name of a file does not tell.
    pub account: String,
    /// The region; empty if the name of a file does not tell.
    pub region: String,
    /// Number of files.
    pub files: u64,
}

/// The kind of an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionKind {
    /// A log file whose text differs from its hash.
    AlteredFile,
    /// A log file that is not there.
    MissingFile,
    /// A digest that is not there.
    MissingDigest,
    /// A digest whose signature, place or content is wrong.
    BrokenDigest,
    /// A digest whose link to the one before it is wrong.
    BrokenLink,
    /// A stretch of time in which logging was off.
    Gap,
    /// A stretch of time at the end of the window for which no digest exists yet.
    NotYetCovered,
    /// A digest that no signature proves yet, because a folder has none for the newest one.
    NotYetSigned,
    /// A digest of a past day that no signature proves, because the folder does not hold the next one.
    Unsigned,
    /// A chain whose signatures were not checked, for lack of public keys.
    Unchecked,
    /// Files of an account and region without digests.
    WithoutDigests,
    /// A file that was read but that no digest names.
    UnnamedFile,
}

impl ExceptionKind {
    /// Returns the verdict that it causes.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        match self {
            Self::AlteredFile => Verdict::Altered,
            Self::MissingFile | Self::MissingDigest => Verdict::Missing,
            Self::BrokenDigest | Self::BrokenLink => Verdict::Broken,
            Self::Gap => Verdict::Gap,
            Self::NotYetCovered | Self::NotYetSigned => Verdict::Incomplete,
            Self::UnnamedFile => Verdict::Unnamed,
            Self::Unsigned | Self::Unchecked | Self::WithoutDigests => Verdict::Unproved,
        }
    }

    /// Returns the name to display.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AlteredFile => "altered file",
            Self::MissingFile => "missing file",
            Self::MissingDigest => "missing digest",
            Self::BrokenDigest => "broken digest",
            Self::BrokenLink => "broken link",
            Self::Gap => "gap",
            Self::NotYetCovered => "not yet covered",
            Self::NotYetSigned => "not yet signed",
            Self::Unsigned => "unsigned digest",
            Self::Unchecked => "unchecked signatures",
            Self::WithoutDigests => "files without digests",
            Self::UnnamedFile => "unnamed file",
        }
    }
}

/// Something that keeps a day from being proved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Exception {
    /// Its kind.
    pub kind: ExceptionKind,
    /// The object, or the chain.
    pub object: String,
    /// What is wrong with it.
    pub detail: String,
}

/// The digests that were listed for a day. A change of the list means that AWS has delivered more, or that some are gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestList {
    /// Number of digests.
    pub objects: u64,
    /// SHA-256 over the address, size and `ETag` of each, in hexadecimal.
    pub sha256: String,
}

/// What the digests prove about a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayProof {
    /// The verdict.
    pub verdict: Verdict,
    /// The time that digests have to cover: the day and its lateness.
    pub window: Stretch,
    /// The original place of copied logs, if the user named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The log files of all chains.
    #[serde(flatten)]
    pub files: FileLedger,
    /// Files that were read but that no digest names, with or without digests of their account and region.
    pub unnamed: u64,
    /// The digests that were listed.
    pub digests: DigestList,
    /// Fingerprints of the keys that signed them.
    pub keys: Vec<String>,
    /// The chains, in order of their names. If there are too many, those with the worst verdicts.
    pub chains: Vec<ChainProof>,
    /// Chains that are only counted.
    #[serde(default, skip_serializing_if = "FurtherChains::is_none")]
    pub further_chains: FurtherChains,
    /// Accounts and regions with logs but without digests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_digests: Vec<FilesWithoutDigests>,
    /// The exceptions: the first ones of each kind, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
    /// Exceptions that are only counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub exceptions_not_listed: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl DayProof {
    /// Returns the first exception that causes the verdict; `None` if the day is proved, or if it has no hourly digests.
    #[must_use]
    pub fn worst_exception(&self) -> Option<&Exception> {
        self.exceptions.iter().find(|one| one.kind.verdict() == self.verdict)
    }

    /// Returns all its numbers. A manifest checks that they are plausible.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        let of_chain = |chain: &ChainProof| {
            let FileLedger { named, right, altered, missing } = chain.files;
            let counts = [chain.digests, chain.signed_by_metadata, chain.signed_by_successor];
            [named, right, altered, missing].into_iter().chain(counts).chain([chain.covered_minutes])
        };
        let FileLedger { named, right, altered, missing } = self.files;
        let without = self.without_digests.iter().map(|group| group.files);
        let day = [named, right, altered, missing, self.unnamed, self.digests.objects];
        let FurtherChains { chains, hourly, files, covered_minutes } = self.further_chains;
        let further =
            [chains, hourly, covered_minutes, files.named, files.right, files.altered, files.missing];
        let of_day = day.into_iter().chain(further).chain([self.exceptions_not_listed]);
        self.chains.iter().flat_map(of_chain).chain(without).chain(of_day)
    }

    /// Whether the ledgers of the chains balance and add up to that of the day.
    #[must_use]
    pub fn balances(&self) -> bool {
        let mut sum = self.further_chains.files;
        self.chains.iter().for_each(|chain| sum += chain.files);
        let further = self.further_chains.files.balances();
        sum == self.files && further && self.chains.iter().all(|chain| chain.files.balances())
    }

    /// Returns the verdict that chains and listed exceptions give together.
    #[must_use]
    pub fn worst(&self) -> Verdict {
        let is_hourly = self.hourly() > 0;
        let of_chains = self.chains.iter().map(|chain| chain.verdict).max().filter(|_| is_hourly);
        let of_exceptions = self.exceptions.iter().map(|one| one.kind.verdict()).max();
        of_chains.unwrap_or(Verdict::Unproved).max(of_exceptions.unwrap_or(Verdict::Proved))
    }

    /// Returns why its numbers and verdicts contradict each other; `None` if they add up.
    #[must_use]
    pub fn contradiction(&self) -> Option<String> {
        if !self.balances() {
            return Some("the file ledger does not balance".to_owned());
        }
        let is_too_good = |chain: &&ChainProof| {
            let FileLedger { altered, missing, .. } = chain.files;
            (altered > 0 && chain.verdict < Verdict::Altered)
                || (missing > 0 && chain.verdict < Verdict::Missing)
        };
        if let Some(chain) = self.chains.iter().find(is_too_good) {
            let (name, verdict) = (&chain.name, chain.verdict.word());
            return Some(format!("the verdict of '{name}' is '{verdict}', but files are altered or missing"));
        }
        let (verdict, worst) = (self.verdict, self.worst());
        // An exception that is only counted can be worse than those that are listed.
        if verdict < worst || (verdict > worst && self.exceptions_not_listed == 0) {
            let (verdict, worst) = (verdict.word(), worst.word());
            return Some(format!("the verdict is '{verdict}', but chains and exceptions give '{worst}'"));
        }
        let (covered, wanted) = self.minutes();
        (verdict == Verdict::Proved && covered != wanted)
            .then(|| format!("the verdict is 'proved', but digests cover {covered} of {wanted} minutes"))
    }

    /// Returns the share of the window that all hourly chains cover, in minutes: those covered, and those to cover.
    #[must_use]
    pub fn minutes(&self) -> (u64, u64) {
        let covered: u64 = self.hourly_chains().map(|chain| chain.covered_minutes).sum();
        let wanted = self.window.minutes().saturating_mul(self.hourly());
        (covered + self.further_chains.covered_minutes, wanted)
    }

    /// Returns the number of chains of hourly digests.
    #[must_use]
    pub fn hourly(&self) -> u64 {
        self.hourly_chains().count() as u64 + self.further_chains.hourly
    }

    fn hourly_chains(&self) -> impl Iterator<Item = &ChainProof> {
        self.chains.iter().filter(|chain| !chain.name.backfill)
    }

    /// Lists the chains with the worst verdicts, as far as there is room, and counts the others.
    pub(super) fn limit_chains(&mut self, most: usize) {
        if self.chains.len() <= most {
            return;
        }
        self.chains
            .sort_by(|one, other| other.verdict.cmp(&one.verdict).then_with(|| one.name.cmp(&other.name)));
        self.chains.drain(most..).for_each(|chain| self.further_chains.add(&chain));
        self.chains.sort_by(|one, other| one.name.cmp(&other.name));
    }

    /// Lists the exceptions in order, as far as there is room, and counts the rest.
    pub(super) fn list_exceptions(&mut self, mut all: Vec<Exception>) {
        all.sort();
        self.exceptions_not_listed += all.len().saturating_sub(MOST_EXCEPTIONS) as u64;
        all.truncate(MOST_EXCEPTIONS);
        self.exceptions = all;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_ledger_balances_if_every_named_file_has_one_outcome() {
        let ledger = FileLedger { named: 6, right: 3, altered: 2, missing: 1 };
        assert!(ledger.balances());
        assert!(!FileLedger { right: 4, ..ledger }.balances());
        assert!(!FileLedger { right: u64::MAX, altered: 1, ..ledger }.balances());
    }

    fn proof() -> DayProof {
        let files = FileLedger { named: 2, right: 2, altered: 0, missing: 0 };
        let name = ChainName {
            account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            trail: "t".to_owned(),
            home_region: "us-east-1".to_owned(),
            backfill: false,
        };
        let chain = ChainProof {
            name,
            verdict: Verdict::Proved,
            files,
            digests: 1,
            signed_by_metadata: 1,
            signed_by_successor: 0,
            covered_minutes: 60,
            gaps: Vec::new(),
        };
        let [from, to] = ["2023-11-01T00:00:00Z", "2023-11-01T01:00:00Z"].map(str::to_owned);
        DayProof {
            verdict: Verdict::Proved,
            window: Stretch { from, to },
            origin: None,
            files,
            unnamed: 0,
            digests: DigestList::default(),
            keys: Vec::new(),
            chains: vec![chain],
            further_chains: FurtherChains::default(),
            without_digests: Vec::new(),
            exceptions: Vec::new(),
            exceptions_not_listed: 0,
        }
    }

    #[test]
    fn a_proof_adds_up_if_its_verdict_is_the_worst_one() {
        assert_eq!(proof().contradiction(), None);
        let check = |change: fn(&mut DayProof), expected: &str| {
            let mut changed = proof();
            change(&mut changed);
            let found = changed.contradiction().unwrap_or_default();
            assert!(found.contains(expected), "{found}");
        };
        check(|proof| proof.files.right = 1, "the file ledger does not balance");
        check(|proof| proof.chains[0].verdict = Verdict::Gap, "chains and exceptions give 'gap'");
        check(|proof| proof.verdict = Verdict::Gap, "the verdict is 'gap', but");
        check(|proof| proof.chains.clear(), "does not balance");
        let mut counted = proof();
        (counted.verdict, counted.exceptions_not_listed) = (Verdict::Gap, 1);
        assert_eq!(counted.contradiction(), None);
        check(|proof| proof.chains[0].covered_minutes = 59, "59 of 60 minutes");
        check(|proof| proof.chains[0].name.backfill = true, "chains and exceptions give 'unproved'");
        check(
            |proof| {
                let (kind, object) = (ExceptionKind::BrokenLink, String::new());
                proof.exceptions.push(Exception { kind, object, detail: String::new() });
            },
            "chains and exceptions give 'broken'",
        );
        check(
            |proof| {
                let files = FileLedger { named: 2, right: 1, altered: 1, missing: 0 };
                (proof.files, proof.chains[0].files) = (files, files);
            },
            "files are altered or missing",
        );
    }

    #[test]
    fn verdicts_are_ordered_from_best_to_worst_and_have_a_word_each() {
        assert!(Verdict::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        for verdict in Verdict::ALL {
            assert_eq!(serde_json::to_string(&verdict).unwrap(), format!("\"{}\"", verdict.word()));
        }
    }
}

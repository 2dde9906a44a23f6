//! Tests of the file ledger.

use super::super::name::ChainName;
use super::super::proof::ChainProof;
use super::*;

const NAME: &str = "111122223333_CloudTrail_us-east-1_20231101T0310Z";

fn chain(backfill: bool) -> ChainProof {
    let [account, region, trail] = ["111122223333", "us-east-1", "t"].map(str::to_owned);
    ChainProof {
        name: ChainName { account, home_region: region.clone(), region, trail, backfill },
        verdict: Verdict::Proved,
        files: FileLedger::default(),
        digests: 1,
        signed_by_metadata: 1,
        signed_by_successor: 0,
        covered_minutes: 60,
        gaps: Vec::new(),
    }
}

fn planned(chains: Vec<ChainProof>, files: &[(u32, &str, &[&str])]) -> PlannedProof {
    let file = |(chain, hash, found): &(u32, &str, &[&str])| NamedFile {
        chain: *chain,
        object: format!("s3://b/{hash}"),
        sha256: (*hash).to_owned(),
        found: found.iter().map(|found| (*found).to_owned()).collect(),
    };
    let stretch = Stretch { from: String::new(), to: String::new() };
    let proof = DayProof {
        verdict: Verdict::Unproved,
        window: stretch,
        origin: None,
        files: FileLedger::default(),
        unnamed: 0,
        digests: DigestList::default(),
        keys: Vec::new(),
        chains,
        without_digests: Vec::new(),
        exceptions: Vec::new(),
        exceptions_not_listed: 0,
    };
    PlannedProof { proof, files: files.iter().map(file).collect() }
}

#[expect(clippy::unnecessary_wraps, reason = "most objects have no hash")]
fn whole(byte: u8) -> Option<ReadText> {
    Some(ReadText::Whole([byte; 32]))
}

#[test]
fn every_named_file_has_one_outcome() {
    let (right, other) = ("AB".repeat(32), "cd".repeat(32));
    for (found, read, expected) in [
        (&["a"][..], vec![("a", whole(0xab))], (Verdict::Proved, [1, 0, 0])),
        (&["a"], vec![("a", whole(0xac))], (Verdict::Altered, [0, 1, 0])),
        (&["a"], vec![("a", Some(ReadText::Damaged))], (Verdict::Altered, [0, 1, 0])),
        (&["a"], vec![("a", Some(ReadText::Unread))], (Verdict::Missing, [0, 0, 1])),
        (&["a"], vec![], (Verdict::Missing, [0, 0, 1])),
        (&[], vec![], (Verdict::Missing, [0, 0, 1])),
        // Two copies of a file in a folder.
        (&["a", "b"], vec![("a", whole(0xab)), ("b", whole(0xab))], (Verdict::Proved, [1, 0, 0])),
        (&["a", "b"], vec![("a", whole(0xab)), ("b", whole(0xac))], (Verdict::Altered, [0, 1, 0])),
    ] {
        let proof = planned(vec![chain(false)], &[(0, &right, found)]).close(&read);
        let FileLedger { named, right, altered, missing } = proof.files;
        assert_eq!(
            (proof.verdict, [right, altered, missing], named),
            (expected.0, expected.1, 1),
            "{read:?}"
        );
        assert!(proof.balances());
    }
    // A file that two digests name differently can be right for one of them only.
    let twice = planned(vec![chain(false), chain(true)], &[(0, &right, &["a"]), (1, &other, &["a"])]);
    let proof = twice.close(&[("a", whole(0xab))]);
    assert_eq!(proof.files, FileLedger { named: 2, right: 1, altered: 1, missing: 0 });
    assert_eq!(proof.chains[0].verdict, Verdict::Proved);
    // A hash that is none matches nothing.
    let proof = planned(vec![chain(false)], &[(0, "xy", &["a"])]).close(&[("a", whole(0))]);
    assert_eq!(proof.verdict, Verdict::Altered);
}

#[test]
fn files_that_no_digest_names_are_counted_and_those_of_a_region_without_digests_prevent_a_proof() {
    let named = format!("{NAME}_a.json.gz");
    let beside = format!("{NAME}_b.json.gz");
    let elsewhere = beside.replace("us-east-1", "eu-west-1");
    let planned = planned(vec![chain(false)], &[(0, &"ab".repeat(32), &[&named])]);
    let proof = planned.close(&[(&named, whole(0xab)), (&beside, None)]);
    assert_eq!((proof.verdict, proof.unnamed, proof.without_digests.len()), (Verdict::Proved, 1, 0));
    assert_eq!(proof.exceptions[0].kind, ExceptionKind::UnnamedFile);
    let proof = planned.close(&[(&named, whole(0xab)), (&elsewhere, None), ("odd", None)]);
    assert_eq!((proof.verdict, proof.unnamed), (Verdict::Unproved, 2));
    let without: Vec<_> = proof.without_digests.iter().map(|group| (&*group.region, group.files)).collect();
    assert_eq!(without, [("", 1), ("eu-west-1", 1)]);
}

#[test]
fn a_day_without_hourly_digests_is_unproved() {
    assert_eq!(planned(vec![], &[]).close(&[]).verdict, Verdict::Unproved);
    assert_eq!(planned(vec![chain(true)], &[]).close(&[]).verdict, Verdict::Unproved);
    assert_eq!(planned(vec![chain(false)], &[]).close(&[]).verdict, Verdict::Proved);
}

#[test]
fn many_exceptions_are_counted_but_not_all_listed() {
    let files = vec![(0, "ab", &[][..]); 1500];
    let proof = planned(vec![chain(false)], &files).close(&[]);
    assert_eq!((proof.files.missing, proof.exceptions.len(), proof.exceptions_not_listed), (1500, 1000, 500));
}

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
        further_chains: FurtherChains::default(),
        without_digests: Vec::new(),
        exceptions: Vec::new(),
        exceptions_not_listed: 0,
    };
    PlannedProof { proof, files: files.iter().map(file).collect(), open_from_ms: None }
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
fn a_file_that_no_digest_names_prevents_a_proof() {
    let named = format!("{NAME}_a.json.gz");
    let beside = format!("{NAME}_b.json.gz");
    let elsewhere = beside.replace("us-east-1", "eu-west-1");
    let planned = planned(vec![chain(false)], &[(0, &"ab".repeat(32), &[&named])]);
    let kinds = |proof: &DayProof| proof.exceptions.iter().map(|one| one.kind).collect::<Vec<_>>();
    let proof = planned.close(&[(&named, whole(0xab)), (&beside, None)]);
    assert_eq!((proof.verdict, proof.unnamed, proof.without_digests.len()), (Verdict::Unnamed, 1, 0));
    assert_eq!((kinds(&proof), &*proof.exceptions[0].object), (vec![ExceptionKind::UnnamedFile], &*beside));
    // A region without digests is only unproved, but a name without an account can belong to any.
    let proof = planned.close(&[(&named, whole(0xab)), (&elsewhere, None)]);
    assert_eq!((proof.verdict, proof.unnamed), (Verdict::Unproved, 1));
    assert_eq!(kinds(&proof), [ExceptionKind::WithoutDigests]);
    assert_eq!((&*proof.without_digests[0].region, proof.without_digests[0].files), ("eu-west-1", 1));
    let proof = planned.close(&[(&named, whole(0xab)), (&elsewhere, None), ("odd", None)]);
    assert_eq!((proof.verdict, proof.unnamed), (Verdict::Unnamed, 2));
    assert_eq!(kinds(&proof), [ExceptionKind::WithoutDigests, ExceptionKind::UnnamedFile]);
}

#[test]
fn a_day_without_any_digests_has_no_unnamed_files() {
    let proof = planned(vec![], &[]).close(&[("odd", None), (&format!("{NAME}_a.json.gz"), None)]);
    assert_eq!((proof.verdict, proof.unnamed), (Verdict::Unproved, 2));
    let without: Vec<_> = proof.without_digests.iter().map(|group| (&*group.region, group.files)).collect();
    assert_eq!(without, [("", 1), ("us-east-1", 1)]);
}

#[test]
fn a_file_that_a_coming_digest_may_name_leaves_the_day_incomplete() {
    let at = UtcInstant::parse_iso8601("2023-11-01T03:10:00Z").unwrap();
    let file = format!("{NAME}_a.json.gz");
    for (open_from, verdict) in
        [(Some(at), Verdict::Incomplete), (Some(at.plus_ms(1)), Verdict::Unnamed), (None, Verdict::Unnamed)]
    {
        let open_from_ms = open_from.map(|from| from.0);
        let planned = PlannedProof { open_from_ms, ..planned(vec![chain(false)], &[]) };
        assert_eq!(planned.close(&[(&file, None)]).verdict, verdict, "{open_from:?}");
    }
}

#[test]
fn files_of_many_accounts_without_digests_are_counted_but_not_all_listed() {
    let names: Vec<String> =
        (0..1500).map(|number| NAME.replace("111122223333", &format!("{number:012}"))).collect();
    let objects: Vec<_> = names.iter().map(|name| (name.as_str(), None)).collect();
    let proof = planned(vec![], &[]).close(&objects);
    let files: u64 = proof.without_digests.iter().map(|group| group.files).sum();
    assert_eq!((proof.without_digests.len(), files, proof.unnamed), (1000, 1500, 1500));
}

#[test]
fn many_chains_are_counted_but_only_the_worst_are_listed() {
    let mut chains: Vec<ChainProof> = (0..5)
        .map(|number| {
            let mut chain = chain(number == 4);
            chain.name.trail = format!("trail-{number}");
            chain.covered_minutes = if chain.name.backfill { 0 } else { 60 };
            chain.files = FileLedger { named: 1, right: 1, ..FileLedger::default() };
            chain
        })
        .collect();
    chains[3].verdict = Verdict::Broken;
    let mut proof = planned(chains, &[]).proof;
    proof.files = FileLedger { named: 5, right: 5, ..FileLedger::default() };
    proof.limit_chains(2);
    let listed: Vec<_> = proof.chains.iter().map(|chain| &*chain.name.trail).collect();
    assert_eq!(listed, ["trail-0", "trail-3"]);
    let FurtherChains { chains, hourly, covered_minutes, .. } = proof.further_chains;
    assert_eq!((chains, hourly, covered_minutes, proof.hourly()), (3, 2, 120, 4));
    assert!(proof.balances());
    assert_eq!(proof.minutes().0, 240);
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

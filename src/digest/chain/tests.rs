//! Tests of chains, with digests that a key of the fixtures signs.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::document::Document;
use super::super::found::StoredSignature;
use super::super::hex::hexadecimal;
use super::*;

const ACCOUNT: &str = "111122223333";
const BUCKET: &str = "trail";

/// A key of the fixtures.
struct Signer {
    fingerprint: String,
    public: String,
    pair: Option<RsaKeyPair>,
}

impl Signer {
    fn named(json: &str) -> Self {
        let key: Value = serde_json::from_str(json).unwrap();
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        let pair = RsaKeyPair::from_pkcs8(&BASE64_STANDARD.decode(text("private")).unwrap()).ok();
        Self { fingerprint: text("fingerprint"), public: text("public"), pair }
    }

    fn ours() -> Self {
        Self::named(include_str!("../../../tests/fixtures/digests/signing-key.json"))
    }

    fn other() -> Self {
        Self::named(include_str!("../../../tests/fixtures/digests/other-key.json"))
    }

    fn sign(&self, text: &str) -> String {
        let pair = self.pair.as_ref().unwrap();
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        hexadecimal(&signature)
    }

    fn keys(&self) -> PublicKeys {
        let keys = json!({"PublicKeyList": [{"Value": self.public, "Fingerprint": self.fingerprint}]});
        PublicKeys::from_json(keys.to_string().as_bytes()).unwrap()
    }
}

fn at(text: &str) -> UtcInstant {
    UtcInstant::parse_iso8601(text).unwrap()
}

/// The tests' day has six hours, so that its chains are short.
fn window() -> UtcWindow {
    UtcWindow { start: at("2023-10-31T15:00:00Z"), end: at("2023-10-31T21:00:00Z") }
}

fn end(hour: i64) -> UtcInstant {
    window().start.plus_ms(hour * HOUR_MS)
}

fn key(hour: i64) -> String {
    let time: String = end(hour).to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    let folder = end(hour).to_string()[..10].replace('-', "/");
    format!(
        "AWSLogs/{ACCOUNT}/CloudTrail-Digest/us-east-1/{folder}/{ACCOUNT}_CloudTrail-Digest_us-east-1_t_us-east-1_{time}.json.gz"
    )
}

fn log(hour: i64) -> Value {
    let minute = end(hour).plus_ms(-HOUR_MS / 2).to_string();
    let time: String = minute.chars().filter(char::is_ascii_alphanumeric).take(13).collect();
    let object = format!(
        "AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/x/{ACCOUNT}_CloudTrail_us-east-1_{time}Z_a{hour}.json.gz"
    );
    json!({
        "s3Bucket": BUCKET, "s3Object": object, "hashValue": "ab".repeat(32), "hashAlgorithm": "SHA-256",
        "newestEventTime": minute, "oldestEventTime": minute,
    })
}

/// One digest of a chain that is being made.
struct SignedDigest {
    hour: i64,
    json: Value,
    signature: String,
}

impl SignedDigest {
    fn text(&self) -> Vec<u8> {
        self.json.to_string().into_bytes()
    }
}

/// Makes a chain with digests that end at these hours after the start of the window. `change` alters each before it is signed.
fn chain_of(hours: &[i64], mut change: impl FnMut(i64, &mut Value)) -> Vec<SignedDigest> {
    let signer = Signer::ours();
    let mut made: Vec<SignedDigest> = Vec::new();
    for hour in hours {
        let previous = made.last();
        let hash = previous.map(|previous| hexadecimal(&Sha256::digest(previous.text())));
        let mut json = json!({
            "awsAccountId": ACCOUNT, "digestStartTime": end(hour - 1).to_string(),
            "digestEndTime": end(*hour).to_string(), "digestS3Bucket": BUCKET, "digestS3Object": key(*hour),
            "digestPublicKeyFingerprint": signer.fingerprint, "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": null, "oldestEventTime": null,
            "previousDigestS3Bucket": previous.map(|_| BUCKET),
            "previousDigestS3Object": previous.map(|previous| key(previous.hour)),
            "previousDigestHashValue": hash, "previousDigestHashAlgorithm": previous.map(|_| "SHA-256"),
            "previousDigestSignature": previous.map(|previous| &previous.signature),
            "logFiles": [log(*hour)],
        });
        change(*hour, &mut json);
        let document = Document::parse(json.to_string().as_bytes(), |_| true);
        let sha256 = hexadecimal(&Sha256::digest(json.to_string()));
        let signature = document.map(|document| signer.sign(&document.signed_text(&sha256)));
        made.push(SignedDigest { hour: *hour, json, signature: signature.unwrap_or_default() });
    }
    made
}

fn whole() -> Vec<SignedDigest> {
    chain_of(&[0, 1, 2, 3, 4, 5, 6, 7], |_, _| ())
}

/// The digests in a bucket, where each has its signature.
fn in_bucket(made: &[SignedDigest]) -> Vec<FoundDigest> {
    let found = |made: &SignedDigest| {
        let address = format!("s3://{BUCKET}/{}", key(made.hour));
        let name = DigestName::parse(&address).unwrap();
        let signature = StoredSignature::Hex(made.signature.clone());
        FoundDigest::new(address.clone(), name, Some(address), Ok(made.text()), signature, scope(None, 100))
    };
    made.iter().map(found).collect()
}

/// The same digests in a folder, which keeps no signatures.
fn in_folder(made: &[SignedDigest]) -> Vec<FoundDigest> {
    let copy = |found: FoundDigest| FoundDigest {
        address: found.address.replace("s3://trail", "/copy"),
        original: None,
        signature: StoredSignature::NotKept,
        ..found
    };
    in_bucket(made).into_iter().map(copy).collect()
}

fn scope(keys: Option<&PublicKeys>, hours_later: i64) -> DayScope<'_> {
    let listed_at = window().end.plus_ms(hours_later * HOUR_MS);
    DayScope { day: window(), deliveries: window(), listed_at, keys }
}

fn examined(found: &[FoundDigest], keys: Option<&PublicKeys>, hours_later: i64) -> Examined {
    examine(&mut found.to_vec(), &BTreeSet::new(), scope(keys, hours_later))
}

fn kinds(examined: &Examined) -> Vec<ExceptionKind> {
    let mut kinds: Vec<_> = examined.exceptions.iter().map(|one| one.kind).collect();
    kinds.sort();
    kinds
}

fn check(found: &[FoundDigest], verdict: Verdict, minutes: u64, expected: &[ExceptionKind]) {
    let examined = examined(found, Some(&Signer::ours().keys()), 100);
    assert_eq!(kinds(&examined), expected, "{:#?}", examined.exceptions);
    let [chain] = &examined.chains[..] else { panic!("{:?}", examined.chains) };
    assert_eq!((chain.verdict, chain.covered_minutes), (verdict, minutes));
}

#[test]
fn a_whole_chain_is_proved_in_a_bucket_and_in_a_folder() {
    let made = whole();
    check(&in_bucket(&made), Verdict::Proved, 360, &[]);
    check(&in_folder(&made), Verdict::Proved, 360, &[]);
    let examined = examined(&in_bucket(&made), Some(&Signer::ours().keys()), 100);
    let [chain] = &examined.chains[..] else { panic!() };
    assert_eq!((chain.digests, chain.signed_by_metadata, chain.signed_by_successor), (6, 6, 0));
    assert_eq!(examined.files.len(), 6, "the digests beside the window name files of other times");
    assert_eq!(examined.keys.into_iter().collect::<Vec<_>>(), [Signer::ours().fingerprint]);
}

#[test]
fn the_newest_digest_of_a_folder_has_no_signature() {
    let made = whole();
    let found = in_folder(&made[..7]);
    // The folder will never hold the next one: to wait for it would be in vain.
    check(&found, Verdict::Unproved, 300, &[ExceptionKind::Unsigned]);
    let keys = Signer::ours().keys();
    assert_eq!(examined(&found, Some(&keys), 100).files.len(), 6, "its files are read and hashed");
    let soon = examined(&found, Some(&keys), 24);
    assert_eq!(
        (soon.chains[0].verdict, kinds(&soon)),
        (Verdict::Incomplete, vec![ExceptionKind::NotYetSigned])
    );
}

#[test]
fn a_late_file_that_only_an_unsigned_digest_names_is_read_and_prevents_a_proof() {
    let with_late = chain_of(&[0, 1, 2, 3, 4, 5, 6, 7, 8], |hour, json| {
        if hour == 8 {
            json["logFiles"][0]["oldestEventTime"] = json!(end(2).to_string());
        }
    });
    let keys = Signer::ours().keys();
    let late = examined(&in_folder(&with_late), Some(&keys), 100);
    assert_eq!((late.files.len(), late.chains[0].verdict), (7, Verdict::Unproved));
    assert_eq!(kinds(&late), [ExceptionKind::Unsigned]);
    let late = examined(&in_bucket(&with_late), Some(&keys), 100);
    assert_eq!((late.files.len(), late.chains[0].verdict), (7, Verdict::Proved));
}

#[test]
fn copies_of_a_digest_count_once_and_contradict_each_other_if_they_differ() {
    let made = whole();
    for found in [in_bucket(&made), in_folder(&made)] {
        let mut copies = found.clone();
        for copy in &mut copies {
            copy.address = copy.address.replacen("AWSLogs", "copy/AWSLogs", 1);
            copy.original = copy.original.as_ref().map(|_| copy.address.clone());
        }
        // The place decides, not the order.
        let mut twice = [copies.clone(), found.clone()].concat();
        check(&twice, Verdict::Proved, 360, &[]);
        check(&[found, copies].concat(), Verdict::Proved, 360, &[]);
        twice[3].content.as_mut().unwrap().sha256 = "00".repeat(32);
        check(&twice, Verdict::Broken, 300, &[ExceptionKind::BrokenDigest]);
        twice[3].content = Err("it is not gzip".to_owned());
        check(&twice, Verdict::Broken, 300, &[ExceptionKind::BrokenDigest]);
    }
}

#[test]
fn the_next_digest_shows_that_those_of_the_whole_window_were_removed() {
    let made = chain_of(&(0..40).collect::<Vec<_>>(), |_, _| ());
    for found in [in_bucket(&made), in_folder(&made)] {
        check(&found[30..31], Verdict::Missing, 0, &[ExceptionKind::MissingDigest]);
    }
    let found = in_bucket(&made);
    let cut = [&found[..3], &found[30..31]].concat();
    check(&cut, Verdict::Missing, 120, &[ExceptionKind::MissingDigest]);
    // A forged or unreadable digest before the next one hides nothing.
    let mut forged = in_bucket(&chain_of(&[20], |_, _| ()));
    forged[0].signature = StoredSignature::Hex("00".to_owned());
    check(&[&forged[..], &found[30..31]].concat(), Verdict::Missing, 0, &[ExceptionKind::MissingDigest]);
    forged[0].content = Err("it is not gzip".to_owned());
    check(&[&forged[..], &found[30..31]].concat(), Verdict::Missing, 0, &[ExceptionKind::MissingDigest]);
    // A chain that begins later says nothing about the day.
    let later = chain_of(&[30, 31], |_, _| ());
    assert!(examined(&in_bucket(&later)[..1], Some(&Signer::ours().keys()), 100).chains.is_empty());
    // Logging was off until then, if the chain is known to be older.
    let keys = Signer::ours().keys();
    for mut later in [in_bucket(&later), in_folder(&later)] {
        let older = BTreeSet::from([later[0].name.chain.clone()]);
        let examined = examine(&mut later, &older, scope(Some(&keys), 100));
        assert_eq!((examined.chains[0].verdict, kinds(&examined)), (Verdict::Gap, vec![ExceptionKind::Gap]));
    }
    let again: Vec<SignedDigest> = chain_of(&[0, 1, 2], |_, _| ()).into_iter().chain(later).collect();
    check(&in_bucket(&again)[..4], Verdict::Gap, 120, &[ExceptionKind::Gap]);
}

/// Digests of late files.
fn backfills(made: &[SignedDigest], to_found: fn(&[SignedDigest]) -> Vec<FoundDigest>) -> Vec<FoundDigest> {
    let late = |text: &str| text.replace(".json.gz", "_backfill.json.gz");
    let mut found = to_found(made);
    for digest in &mut found {
        digest.name.chain.backfill = true;
        digest.address = late(&digest.address);
        digest.original = digest.original.as_deref().map(late);
        let content = digest.content.as_mut().unwrap();
        content.document.object = late(&content.document.object);
        content.document.previous_object = content.document.previous_object.as_deref().map(late);
    }
    found
}

#[test]
fn the_next_digest_of_late_files_shows_that_one_is_missing() {
    let made = chain_of(&[2, 30, 60], |_, _| ());
    let hourly = in_bucket(&whole());
    for to_found in [in_bucket, in_folder] {
        let late = backfills(&made, to_found);
        let check = |late: &[FoundDigest], expected: &[ExceptionKind]| {
            let examined = examined(&[&hourly[..], late].concat(), None, 100);
            let mut found = kinds(&examined);
            found.retain(|kind| *kind != ExceptionKind::Unchecked);
            assert_eq!(found, expected, "{:#?}", examined.exceptions);
            examined.chains.len()
        };
        assert_eq!(check(&late[..2], &[]), 2, "the next one carries the signature");
        assert_eq!(check(&late[1..2], &[ExceptionKind::MissingDigest]), 2);
        assert_eq!(check(&late[2..], &[]), 1, "it links to one of another day");
        let mut broken = late[2..].to_vec();
        broken[0].content = Err("it is not gzip".to_owned());
        assert_eq!(check(&broken, &[ExceptionKind::BrokenDigest]), 2, "its link is not known");
    }
}

#[test]
fn a_digest_that_is_not_there_is_missing_wherever_it_was() {
    let made = whole();
    let without = |gone: &[i64]| {
        let mut found = in_bucket(&made);
        found.retain(|digest| !gone.iter().any(|hour| digest.name.end == end(*hour)));
        found
    };
    let one = [ExceptionKind::MissingDigest; 1];
    let two = [ExceptionKind::MissingDigest; 2];
    check(&without(&[1]), Verdict::Missing, 300, &two);
    check(&without(&[3]), Verdict::Missing, 300, &two);
    check(&without(&[3, 4]), Verdict::Missing, 240, &two);
    check(&without(&[6]), Verdict::Missing, 300, &one);
    // The end of the chain is cut off: no digest is left that links to those that are gone.
    check(&without(&[6, 7]), Verdict::Missing, 300, &one);
    check(&without(&[5, 6, 7]), Verdict::Missing, 240, &one);
    check(&without(&[0]), Verdict::Proved, 360, &[]);
}

#[test]
fn digests_that_are_not_written_yet_are_only_late_for_a_day() {
    let made = whole();
    let keys = Signer::ours().keys();
    for (hours_later, verdict) in
        [(0, Verdict::Incomplete), (24, Verdict::Incomplete), (25, Verdict::Missing)]
    {
        let examined = examined(&in_bucket(&made[..6]), Some(&keys), hours_later);
        assert_eq!(examined.chains[0].verdict, verdict, "{hours_later}");
    }
}

#[test]
fn a_chain_that_begins_again_shows_a_gap() {
    let first = chain_of(&[0, 1, 2], |_, _| ());
    let second = chain_of(&[5, 6, 7], |_, _| ());
    let both: Vec<SignedDigest> = first.into_iter().chain(second).collect();
    check(&in_bucket(&both), Verdict::Gap, 240, &[ExceptionKind::Gap]);
    check(&in_bucket(&chain_of(&[4, 5, 6, 7], |_, _| ())), Verdict::Gap, 180, &[ExceptionKind::Gap]);
}

/// Changes the digest of an hour after it was signed.
fn changed(hour: i64, change: impl Fn(&mut Value)) -> Vec<FoundDigest> {
    let mut made = whole();
    change(&mut made[usize::try_from(hour).unwrap()].json);
    in_bucket(&made)
}

#[test]
fn a_changed_digest_is_broken() {
    for change in [
        (|json| json["logFiles"] = json!([])) as fn(&mut Value),
        |json| json["awsAccountId"] = json!("444455556666"),
        |json| json["digestS3Object"] = json!(key(5)),
        |json| json["digestS3Object"] = json!(key(3).replace("us-east-1", "eu-west-1")),
        |json| json["digestS3Bucket"] = json!("another"),
        |json| json["digestEndTime"] = json!("2023-10-31T17:59:59Z"),
        |json| json["digestEndTime"] = json!("-023-10-31T18:00:00Z"),
        |json| json["digestPublicKeyFingerprint"] = json!("ff"),
        |json| json["previousDigestSignature"] = json!("00"),
    ] {
        check(&changed(3, change), Verdict::Broken, 300, &[ExceptionKind::BrokenDigest]);
    }
    let mut found = in_bucket(&whole());
    found[3].content = Err("it is not gzip".to_owned());
    check(&found, Verdict::Broken, 300, &[ExceptionKind::BrokenDigest]);
}

#[test]
fn a_copied_digest_is_proved_for_its_original_place_only() {
    let moved = |original: &str| {
        let mut found = in_bucket(&whole());
        for digest in &mut found {
            digest.original = digest.original.as_ref().map(|from| from.replace("s3://trail", original));
        }
        found
    };
    check(&moved("s3://trail"), Verdict::Proved, 360, &[]);
    check(&moved("s3://copy"), Verdict::Broken, 0, &[ExceptionKind::BrokenDigest; 6]);
}

#[test]
fn a_signature_must_be_there_and_be_of_a_known_key() {
    let made = whole();
    let mut found = in_bucket(&made);
    for (signature, verdict) in [
        (StoredSignature::Missing, Verdict::Broken),
        (StoredSignature::Hex("00".to_owned()), Verdict::Broken),
        (StoredSignature::Hex("x".to_owned()), Verdict::Broken),
        (StoredSignature::Hex(String::new()), Verdict::Broken),
        (StoredSignature::Hex(made[3].signature.to_uppercase()), Verdict::Proved),
        (StoredSignature::Hex(made[2].signature.clone()), Verdict::Broken),
    ] {
        found[3].signature = signature.clone();
        let examined = examined(&found, Some(&Signer::ours().keys()), 100);
        assert_eq!(examined.chains[0].verdict, verdict, "{signature:?}");
    }
    // The wrong key under the right fingerprint, and a key that is too short to be trusted.
    for other in
        [Signer::other(), Signer::named(include_str!("../../../tests/fixtures/digests/small-key.json"))]
    {
        let keys = Signer { fingerprint: Signer::ours().fingerprint, ..other }.keys();
        let examined = examined(&in_bucket(&made), Some(&keys), 100);
        assert_eq!(kinds(&examined), [ExceptionKind::BrokenDigest; 6]);
    }
    let examined = examined(&in_bucket(&made), None, 100);
    assert_eq!(kinds(&examined), [ExceptionKind::Unchecked]);
    assert_eq!((examined.chains[0].verdict, examined.files.len()), (Verdict::Unproved, 6));
}

#[test]
fn a_link_to_another_digest_than_the_one_before_is_broken() {
    // Signed by the key of the tests, as if AWS had signed it.
    let looping = chain_of(&[0, 1, 2, 3, 4, 5, 6, 7], |hour, json| {
        if hour == 3 {
            json["previousDigestS3Object"] = json!(key(5));
        }
    });
    check(&in_bucket(&looping), Verdict::Broken, 360, &[ExceptionKind::BrokenLink]);
    let other_hash = chain_of(&[0, 1, 2, 3, 4, 5, 6, 7], |hour, json| {
        if hour == 3 {
            json["previousDigestHashValue"] = json!("00");
        }
    });
    check(&in_bucket(&other_hash), Verdict::Broken, 300, &[ExceptionKind::BrokenLink]);
    let of_itself = chain_of(&[0, 1, 2, 3, 4, 5, 6, 7], |hour, json| {
        if hour == 3 {
            json["previousDigestS3Object"] = json!("../../etc/passwd");
        }
    });
    check(&in_bucket(&of_itself), Verdict::Broken, 360, &[ExceptionKind::BrokenLink]);
}

#[test]
fn late_files_without_hourly_digests_show_that_digests_were_removed() {
    let mut found = in_bucket(&whole());
    found.truncate(3);
    for digest in &mut found {
        digest.name.chain.backfill = true;
    }
    let examined = examined(&found, Some(&Signer::ours().keys()), 100);
    assert!(kinds(&examined).contains(&ExceptionKind::MissingDigest));
    assert!(examined.chains[0].verdict >= Verdict::Missing);
}

//! Generates a trail with signed digests, as AWS writes them, and a damaged copy of it.
//!
//! The key signs nothing else. Its private half is part of this generator only, so that the trail can be generated again.
//! The trail is a copy in a folder: it has no metadata, and each digest is proved by the signature that the next one carries.
//! With `--logs`, digests are generated for the log files of a folder instead, for benchmarks.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::Parser;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

#[path = "../sample-data/generate/clock.rs"]
#[expect(dead_code, reason = "the other generator uses all of it")]
mod clock;

use crate::clock::{HOUR, MINUTE, basic, folder, iso, kst_day, minute};

const ACCOUNT: &str = "123456789012";
const REGION: &str = "ap-northeast-2";
const TRAIL: &str = "org-trail";
const BUCKET: &str = "org-trail-logs";
/// PKCS#8, in base64.
const PRIVATE_KEY: &str = include_str!("signing-key.b64");
const FINGERPRINT: &str = "5a3c1d7e9f2b4a68c0d1e2f3a4b5c6d7";
/// Every third hour has a log file.
const LOG_HOURS: i64 = 3;
/// The hours whose digest was written before a late log file arrived.
const BACKFILL_HOURS: [i64; 2] = [6, 32];

/// The objects of a trail by key.
type Objects = BTreeMap<String, Vec<u8>>;

/// The digest before the next one: its key, the SHA-256 of its text, and its signature.
type Link = Option<(String, String, String)>;

/// The account and region of a chain of digests.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// The folders above the account: `AWSLogs` and maybe an organisation.
    above: String,
    account: String,
    region: String,
}

/// Generate a trail with signed digests, and a damaged copy of it.
#[derive(Parser)]
struct Args {
    /// Folder to write to.
    #[arg(long)]
    out: PathBuf,
    /// Folder with log files: write digests for them instead of a trail.
    #[arg(long)]
    logs: Option<PathBuf>,
    /// KST calendar day.
    #[arg(long, default_value = "2023-11-01", value_parser = kst_day)]
    day: i64,
    /// Number of hours, from the one before the day.
    #[arg(long, default_value_t = 34)]
    hours: i64,
}

/// Writes the trail to `whole`, its damaged copy to `damaged`, and the public key to `keys.json`.
fn main() -> Result<(), Box<dyn Error>> {
    let Args { out, logs, day, hours } = Args::parse();
    let key = BASE64_STANDARD.decode(PRIVATE_KEY.trim())?;
    let key = RsaKeyPair::from_pkcs8(&key).map_err(|cause| cause.to_string())?;
    let public = BASE64_STANDARD.encode(key.public_key().as_ref());
    let list = json!({"PublicKeyList": [{"Value": public, "Fingerprint": FINGERPRINT,
        "ValidityStartTime": "2023-10-01T00:00:00+00:00", "ValidityEndTime": "2023-12-01T00:00:00+00:00"}]});
    store(&out.join("keys.json"), format!("{list:#}\n").as_bytes())?;
    if let Some(logs) = logs {
        return write(&out, &digests_of(&key, &logs, day, hours)?);
    }
    let objects = trail(&key, day, hours)?;
    write(&out.join("whole"), &objects)?;
    write(&out.join("damaged"), &damaged(objects)?)
}

/// Writes a file and creates its parent folders.
fn store(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, bytes)
}

/// Compresses text as one gzip member, without a time.
fn gzip(text: &str) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

fn write(folder: &Path, objects: &Objects) -> Result<(), Box<dyn Error>> {
    objects.iter().try_for_each(|(key, body)| store(&folder.join(key), body).map_err(Into::into))
}

/// Generates digests that name the log files of a folder, one an hour for each account and region.
fn digests_of(key: &RsaKeyPair, logs: &Path, day: i64, hours: i64) -> Result<Objects, Box<dyn Error>> {
    let mut places: BTreeMap<Place, BTreeMap<String, Vec<Log>>> = BTreeMap::new();
    let mut folders = vec![logs.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Some((place, minute)) = place_of(path.strip_prefix(logs)?) {
                let mut text = String::new();
                GzDecoder::new(fs::File::open(&path)?).read_to_string(&mut text)?;
                let name = path.strip_prefix(logs)?.to_string_lossy().into_owned();
                let log = (name, ((sha256(&text), String::new()), Vec::new()));
                places.entry(place).or_default().entry(minute).or_default().push(log);
            }
        }
    }
    let mut objects = Objects::new();
    for (place, by_minute) in &places {
        let mut previous = None;
        for hour in 0..hours {
            let end = day + hour * HOUR;
            let in_hour = by_minute.range(minute(end - HOUR)..minute(end));
            let logs: Vec<Log> = in_hour.flat_map(|(_, logs)| logs.clone()).collect();
            let (body, link) = digest(key, place, end, &logs, previous, "")?;
            objects.insert(digest_key(place, end, ""), body);
            previous = link;
        }
    }
    Ok(objects)
}

/// Returns the account and region of a log file, and the UTC minute of its delivery; `None` for other files.
fn place_of(path: &Path) -> Option<(Place, String)> {
    let path = path.to_str()?;
    let (folders, name) = path.rsplit_once('/')?;
    let (above, _) = folders.split_once("/CloudTrail/")?;
    let (above, account) = above.rsplit_once('/')?;
    let parts: Vec<&str> = name.split('_').collect();
    let [_, "CloudTrail", region, minute, _] = parts[..] else { return None };
    let [above, account, region] = [above, account, region].map(str::to_owned);
    Some((Place { above, account, region }, minute.to_owned()))
}

/// Generates log files and digests.
fn trail(key: &RsaKeyPair, day: i64, hours: i64) -> Result<Objects, Box<dyn Error>> {
    let [above, account, region] = ["AWSLogs", ACCOUNT, REGION].map(str::to_owned);
    let place = &Place { above, account, region };
    let mut objects = Objects::new();
    let (mut hourly, mut backfill) = (None, None);
    for hour in 0..hours {
        let end = day + hour * HOUR;
        let logs = if hour % LOG_HOURS == 0 { vec![log(end - 20 * MINUTE, hour)?] } else { Vec::new() };
        let (body, link) = digest(key, place, end, &logs, hourly, "")?;
        objects.extend(logs.into_iter().map(|(name, text)| (name, text.1)));
        objects.insert(digest_key(place, end, ""), body);
        hourly = link;
        if BACKFILL_HOURS.contains(&hour) {
            let late = vec![log(end - 10 * MINUTE, 100 + hour)?];
            let (body, link) = digest(key, place, end, &late, backfill, "_backfill")?;
            objects.extend(late.into_iter().map(|(name, text)| (name, text.1)));
            objects.insert(digest_key(place, end, "_backfill"), body);
            backfill = link;
        }
    }
    Ok(objects)
}

/// A log file: its key, the SHA-256 of its text with the time of its event if known, and its bytes.
type Log = (String, ((String, String), Vec<u8>));

fn log(delivered: i64, number: i64) -> Result<Log, Box<dyn Error>> {
    let time = iso(delivered - 5 * MINUTE);
    let id = format!("{number:08x}-0000-4000-8000-000000000000");
    let record = json!({"eventVersion": "1.08", "eventTime": time, "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject", "awsRegion": REGION, "sourceIPAddress": "192.0.2.7", "eventID": id,
        "userIdentity": {"type": "AssumedRole", "accountId": ACCOUNT}, "recipientAccountId": ACCOUNT});
    let text = json!({"Records": [record]}).to_string();
    let name = format!("{ACCOUNT}_CloudTrail_{REGION}_{}_{number:016X}.json.gz", minute(delivered));
    let key = format!("AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{}/{name}", folder(delivered));
    Ok((key, ((sha256(&text), time), gzip(&text)?)))
}

fn digest_key(Place { above, account, region }: &Place, end: i64, kind: &str) -> String {
    let name = format!("{account}_CloudTrail-Digest_{region}_{TRAIL}_{REGION}_{}{kind}.json.gz", basic(end));
    format!("{above}/{account}/CloudTrail-Digest/{region}/{}/{name}", folder(end))
}

/// Generates a digest of an hour: its bytes, and what the next one says about it.
fn digest(
    key: &RsaKeyPair,
    place: &Place,
    end: i64,
    logs: &[Log],
    previous: Link,
    kind: &str,
) -> Result<(Vec<u8>, Link), Box<dyn Error>> {
    let object = digest_key(place, end, kind);
    let file = |(name, ((hash, time), _)): &Log| {
        let time = known(time);
        json!({"s3Bucket": BUCKET, "s3Object": name, "hashValue": hash, "hashAlgorithm": "SHA-256",
            "newestEventTime": time, "oldestEventTime": time})
    };
    let time = logs.first().and_then(|(_, ((_, time), _))| known(time));
    let (old_key, old_hash, old_signature) = match previous {
        Some((key, hash, signature)) => (json!(key), json!(hash), json!(signature)),
        None => (Value::Null, Value::Null, Value::Null),
    };
    let named = |value: &str| if old_key.is_null() { Value::Null } else { json!(value) };
    let text = json!({
        "awsAccountId": place.account, "digestStartTime": iso(end - HOUR), "digestEndTime": iso(end),
        "digestS3Bucket": BUCKET, "digestS3Object": object, "digestPublicKeyFingerprint": FINGERPRINT,
        "digestSignatureAlgorithm": "SHA256withRSA", "newestEventTime": time, "oldestEventTime": time,
        "previousDigestS3Bucket": named(BUCKET), "previousDigestS3Object": old_key,
        "previousDigestHashValue": old_hash, "previousDigestHashAlgorithm": named("SHA-256"),
        "previousDigestSignature": old_signature, "logFiles": logs.iter().map(file).collect::<Vec<_>>(),
    })
    .to_string();
    let hash = sha256(&text);
    let before = old_signature.as_str().unwrap_or("null");
    let signature = sign(key, &format!("{}\n{BUCKET}/{object}\n{hash}\n{before}", iso(end)))?;
    Ok((gzip(&text)?, Some((object, hash, signature))))
}

fn known(time: &str) -> Option<&str> {
    Some(time).filter(|time| !time.is_empty())
}

/// Signs a text. Signatures of this kind have no random part, so that the same text has the same one.
fn sign(key: &RsaKeyPair, text: &str) -> Result<String, Box<dyn Error>> {
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|cause| cause.to_string())?;
    Ok(hexadecimal(&signature))
}

fn sha256(text: &str) -> String {
    hexadecimal(&Sha256::digest(text))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Damages a trail: alters its fourth log file and removes the sixth.
fn damaged(mut objects: Objects) -> Result<Objects, Box<dyn Error>> {
    let logs: Vec<String> = objects.keys().filter(|key| key.contains("/CloudTrail/")).cloned().collect();
    let (altered, missing) = (&logs[3], &logs[5]);
    let text = json!({"Records": []}).to_string();
    objects.insert(altered.clone(), gzip(&text)?);
    objects.remove(missing);
    Ok(objects)
}

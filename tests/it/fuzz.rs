//! Replays the corpora of the fuzz targets, and the same number of mutations on every machine. It needs no fuzzer.

#[path = "../../fuzz/properties/mod.rs"]
mod properties;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;

use self::properties::{ALL, Property};

/// The number of mutated inputs for each property. `FUZZ_ROUNDS` sets another one.
const ROUNDS: usize = 1_000;

/// Longer inputs only cost time.
const MOST_BYTES: usize = 4_000;

/// Texts that decide about something in one of the parsers.
const TOKENS: [&[u8]; 40] = [
    b"\"",
    b"\\",
    b"\\\"",
    b"'",
    b"''",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"\" \"",
    b" - ",
    b"\0",
    b"\xff",
    b"\xed\x95\x9c",
    b"\xef\xbb\xbf",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"=",
    b"&",
    b"%",
    b"%25",
    b"%3D",
    b"%22",
    b"\\u0041",
    b"\\ud83d\\ude00",
    b"null",
    b"1e400",
    b"-0.0",
    b"18446744073709551616",
    b"../",
    b"X-Amz-Signature=",
    b"Signature",
    b"#Fields: ",
    b"{\"Records\":[",
    b"--",
    b"/*",
];

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name)
}

/// The inputs of a corpus, in the order of their names.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Checks the property on its corpus and on mutations of it.
fn replay(name: &str) {
    let property = ALL.iter().find(|(known, _)| *known == name).unwrap();
    let corpus = corpus(name);
    assert!(corpus.len() > 4, "a corpus has some inputs");
    for input in &corpus {
        check(property, input);
    }
    let rounds = std::env::var("FUZZ_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let mut random = fastrand::Rng::with_seed(name.bytes().map(u64::from).sum());
    for _ in 0..rounds {
        check(property, &mutated(&corpus, &mut random));
    }
}

/// Runs the check. If it fails, this prints the input, which then belongs in the corpus.
#[expect(clippy::print_stderr, reason = "shows the input that failed")]
fn check((name, check): &Property, input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(input))) {
        eprintln!("the property '{name}' fails on this input: b\"{}\"", input.escape_ascii());
        resume_unwind(panic);
    }
}

/// Changes an input of the corpus in up to four places.
fn mutated(corpus: &[Vec<u8>], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut input = corpus[random.usize(..corpus.len())].clone();
    for _ in 0..random.usize(1..=4) {
        let from = random.usize(..=input.len());
        let to = random.usize(from..=input.len().min(from + 40));
        match random.u8(..6) {
            0 if from < input.len() => input[from] ^= 1 << random.u8(..8),
            1 => drop(input.drain(from..to)),
            2 => {
                let copy = input[from..to].to_vec();
                input.splice(from..from, copy);
            }
            3 => {
                let other = &corpus[random.usize(..corpus.len())];
                let begin = random.usize(..=other.len());
                input.truncate(from);
                input.extend_from_slice(&other[begin..]);
            }
            _ => {
                let token = TOKENS[random.usize(..TOKENS.len())];
                input.splice(from..from, token.iter().copied());
            }
        }
    }
    input.truncate(MOST_BYTES);
    input
}

#[test]
fn every_property_has_a_corpus_and_a_target() {
    let names: BTreeSet<String> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    let entries = fs::read_dir(folder("")).unwrap();
    let mut known: BTreeSet<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let manifest = fs::read_to_string(folder("../Cargo.toml")).unwrap();
    let of_target = |line: &str| Some(line.strip_prefix("name = \"")?.strip_suffix('"')?.to_owned());
    let mut targets: BTreeSet<String> = manifest.lines().filter_map(of_target).collect();
    targets.remove("logmill-fuzz");
    if !cfg!(feature = "query") {
        known.remove("sql");
        targets.remove("sql");
    }
    assert_eq!((&known, &targets), (&names, &names));
}

#[test]
fn client_text_never_passes_as_another_field() {
    replay("access_line");
}

#[test]
fn access_logs_are_accounted_for_in_any_pieces() {
    replay("access_objects");
}

#[test]
fn logs_of_text_are_accounted_for_in_any_pieces() {
    replay("text_objects");
}

#[test]
fn logs_of_json_are_accounted_for_in_any_pieces() {
    replay("json_objects");
}

#[test]
fn the_walker_accepts_what_serde_json_accepts() {
    replay("json");
}

#[test]
fn both_gzip_decoders_agree() {
    replay("gzip");
}

#[test]
fn a_printed_filter_rule_means_the_same() {
    replay("filter");
}

#[test]
fn no_planted_secret_survives_the_masks() {
    replay("redact");
}

#[test]
fn accepted_files_stay_inside_and_are_accepted_again() {
    replay("stored");
}

#[test]
fn settings_of_a_file_and_of_variables_agree() {
    replay("settings");
}

#[cfg(feature = "query")]
#[test]
fn rewriting_keeps_the_texts_of_a_statement() {
    replay("sql");
}

//! One quick search that tells whether text can hold a name, so that text without one is not looked at twice.
//!
//! It looks for a rare pair of letters of each name, in upper and lower case, and for escapes of letters. Only what stands
//! around a hit is compared. It knows no borders between texts, so that whole columns can be searched at once: it may see a
//! name where there is none, never the reverse.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, Input, MatchKind};
use memchr::memchr;

use super::names::ends_in_percent;
use super::unescaped::{is_of_name, unescaped};

/// What stands right behind a name that has a value: `=`, also percent-encoded or as a JSON escape, or the end of a key.
const SIGNS: [u8; 4] = *b"=%\"\\";

/// How a JSON escape of a character of a name begins.
const JSON_ESCAPE: &[u8] = b"\\u00";

/// Bytes in which percent-encoded letters are looked for at once.
const BLOCK_BYTES: usize = 256;

/// Letters from frequent to rare, as in English.
const LETTERS: &[u8] = b"etaoinsrhldcumfpgwybvkxjqz";

/// Finds names.
#[derive(Debug)]
pub(super) struct Gate {
    names: Vec<Landmark>,
    automaton: AhoCorasick,
    /// Whether a name has other characters than letters, `-` and `_`.
    have_digits: bool,
}

/// A name, and where in it the bytes stand that are searched for.
#[derive(Debug)]
struct Landmark {
    name: Vec<u8>,
    at: usize,
}

impl Gate {
    /// For names of at least one byte.
    pub(super) fn new(names: &[String]) -> Self {
        let names: Vec<Landmark> = names.iter().map(|name| Landmark::of(name.as_bytes())).collect();
        let spellings = names.iter().flat_map(Landmark::spellings);
        let patterns: BTreeSet<Vec<u8>> = spellings.chain([JSON_ESCAPE.to_vec()]).collect();
        // Leftmost matches can be searched for with vector instructions.
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(patterns);
        let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_');
        let have_digits = !names.iter().flat_map(|landmark| &landmark.name).all(is_letter);
        Self {
            names,
            have_digits,
            automaton: automaton.expect("a few pairs of letters make a small automaton"),
        }
    }

    /// Whether there may be a name with a value in text, or in texts that stand one after the other.
    pub(super) fn is_passed(&self, text: &[u8]) -> bool {
        let mut from = 0;
        while let Some(hit) = self.automaton.find(Input::new(text).range(from..)) {
            if self.is_name_at(text, hit.start()) {
                return true;
            }
            from = hit.start() + 1;
        }
        memchr(b'%', text).is_some_and(|at| has_encoded(&text[at..], self.have_digits))
    }

    fn is_name_at(&self, text: &[u8], hit: usize) -> bool {
        let is_escape = || unescaped(&text[hit..]).is_some_and(|(byte, _)| is_of_name(byte));
        text[hit] == b'\\' && is_escape() || self.names.iter().any(|landmark| landmark.is_around(text, hit))
    }
}

/// Whether characters that a name can have are percent-encoded, once or more, in a text that begins with a percent sign.
fn has_encoded(text: &[u8], with_digits: bool) -> bool {
    let is_encoded = |high: u8, low: u8| {
        (high & 0xfc == b'4')
            | (high == b'2') & (low | 0x20 == b'd')
            | with_digits & matches!(high, b'2' | b'3')
    };
    let is_at = |at: usize| is_encoded(text[at + 1], text[at + 2]) && ends_in_percent(&text[..=at]);
    let places = text.len().saturating_sub(2);
    (0..places).step_by(BLOCK_BYTES).any(|start| {
        let end = (start + BLOCK_BYTES).min(places);
        // All places of a block are looked at, so that they can be compared at once.
        let may_be = text[start..end + 2].array_windows().fold(false, |any, &[lead, high, low]| {
            any | ((lead == b'%') | (lead == b'5')) & is_encoded(high, low)
        });
        may_be && (start..end).any(is_at)
    })
}

impl Landmark {
    fn of(name: &[u8]) -> Self {
        let rarity = |at: &usize| name[*at..*at + 2].iter().map(rank).sum::<usize>();
        let at = (0..name.len().saturating_sub(1)).max_by_key(rarity);
        Self { name: name.to_vec(), at: at.unwrap_or_default() }
    }

    /// What is searched for: the pair in upper and lower case; with all that can follow, if the name is a single letter.
    fn spellings(&self) -> Vec<Vec<u8>> {
        let cases = |byte: u8| [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
        let firsts = cases(self.name[self.at]);
        let seconds = self.name.get(self.at + 1).map_or(SIGNS.to_vec(), |byte| cases(*byte).to_vec());
        firsts.iter().flat_map(|first| seconds.iter().map(|second| vec![*first, *second])).collect()
    }

    /// Whether the name stands around a hit, with a sign behind it.
    fn is_around(&self, text: &[u8], hit: usize) -> bool {
        let name = hit.checked_sub(self.at).and_then(|start| text.get(start..start + self.name.len() + 1));
        let split = name.and_then(<[u8]>::split_last);
        split.is_some_and(|(sign, name)| SIGNS.contains(sign) && name.eq_ignore_ascii_case(&self.name))
    }
}

fn rank(byte: &u8) -> usize {
    LETTERS.iter().position(|letter| letter.eq_ignore_ascii_case(byte)).unwrap_or_default()
}

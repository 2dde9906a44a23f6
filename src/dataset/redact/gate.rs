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

/// Bytes in which encoded characters are looked for at once.
const CHUNK: usize = 16;

/// How a JSON escape of a character of a name begins.
const JSON_ESCAPE: &[u8] = b"\\u00";

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
        has_encoded(text, self.have_digits)
    }

    /// Whether characters that names can have may be escaped in a text.
    pub(super) fn has_escaped(&self, text: &[u8]) -> bool {
        has_encoded(text, self.have_digits) || memchr::memmem::find(text, JSON_ESCAPE).is_some()
    }

    fn is_name_at(&self, text: &[u8], hit: usize) -> bool {
        let is_escape = || unescaped(&text[hit..]).is_some_and(|(byte, _)| is_of_name(byte));
        text[hit] == b'\\' && is_escape() || self.names.iter().any(|landmark| landmark.is_around(text, hit))
    }
}

/// Whether characters that a name can have are percent-encoded, once or more.
fn has_encoded(text: &[u8], with_digits: bool) -> bool {
    let Some(first) = memchr(b'%', text) else { return false };
    let is_at = |at: usize| {
        let (high, low) = (text[at + 1], text[at + 2]);
        let is_encoded = is_encoded_letter(high, low) || with_digits && matches!(high, b'2' | b'3');
        is_encoded && ends_in_percent(&text[..=at])
    };
    let places = text.len().saturating_sub(2);
    if with_digits || first == 0 && places > 0 && is_at(0) {
        return (first..places).any(is_at);
    }
    let mut at = first.max(1);
    while let Some([before, lead, high, low]) = text.get(at - 1..).and_then(shifted) {
        // All places of a chunk are looked at, so that they can be compared at once.
        let may_be = (0..CHUNK).fold(false, |any, place| {
            let is_lead = (lead[place] == b'%') | (lead[place] == b'5') & (before[place] == b'2');
            any | is_lead & is_encoded_letter(high[place], low[place])
        });
        if may_be && (at..at + CHUNK).any(is_at) {
            return true;
        }
        at += CHUNK;
    }
    (at..places).any(is_at)
}

/// Whether these digits can be those of a letter, `_` or `-`.
fn is_encoded_letter(high: u8, low: u8) -> bool {
    (high & 0xfc == b'4') | (high == b'2') & (low | 0x20 == b'd')
}

/// The chunks that begin at the first four bytes of a text.
fn shifted(text: &[u8]) -> Option<[&[u8; CHUNK]; 4]> {
    let chunk = |from: usize| text.get(from..)?.first_chunk();
    Some([chunk(0)?, chunk(1)?, chunk(2)?, chunk(3)?])
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::unescaped::Unescaped;
    use super::*;

    fn gate(names: &[&str]) -> Gate {
        Gate::new(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_name_is_looked_for_by_its_rarest_pair_of_letters() {
        for (name, pair) in
            [("X-Amz-Signature", "mz"), ("Signature", "gn"), ("AWSAccessKeyId", "sK"), ("to", "to")]
        {
            let landmark = Landmark::of(name.as_bytes());
            assert_eq!(&name[landmark.at..landmark.at + 2], pair);
        }
        assert_eq!(Landmark::of(b"k").spellings().len(), 2 * SIGNS.len());
    }

    #[test]
    fn keys_with_longer_names_do_not_pass() {
        let gate = gate(&["Signature", "X-Amz-Signature"]);
        for none in ["\"SignatureVersion\":\"SigV4\"", "X-Amz-SignedHeaders=host", "gna=", "Signature", "mz-"]
        {
            assert!(!gate.is_passed(none.as_bytes()), "{none}");
        }
        assert!(gate.is_passed(b"\"SignatureVersion\":\"SigV4\",\"signature\":"));
    }

    proptest! {
        /// The slow twin writes all escapes out and looks at every place.
        #[test]
        fn no_name_gets_past_unseen(
            text in "(%|25|%25|2|5|4|58|2[dD]|6f|%6F|%EA|tO|to|t|o|=|\"|x-a|X|-|A|a|\\\\|\\\\u00|\\\\u006f|k| ){0,12}",
        ) {
            let (names, text) = (["to", "X-a", "k"], text.as_bytes());
            let written = Unescaped::of(text);
            let has_name = (0..written.bytes.len()).any(|at| {
                names.iter().any(|name| {
                    let split = written.bytes[at..].split_at_checked(name.len());
                    split.is_some_and(|(found, behind)| {
                        found.eq_ignore_ascii_case(name.as_bytes())
                            && behind.first().is_some_and(|sign| SIGNS.contains(sign))
                    })
                })
            });
            let gate = gate(&names);
            prop_assert!(!has_name || gate.is_passed(text));
            prop_assert!(gate.has_escaped(text) || written.bytes == text);
        }
    }
}

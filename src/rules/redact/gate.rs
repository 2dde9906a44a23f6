//! A quick search for text that may contain a name. Text that does not pass needs no second look.
//!
//! The search looks for a rare pair of letters of each name, in upper and lower case, and for escapes of letters. It compares
//! the whole name only at a hit. It ignores the borders between texts, so that it can search whole columns at once. It may
//! report a name that does not exist, but never misses one.

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::{AhoCorasick, Input, MatchKind};
use memchr::memchr;

use super::escapes::ends_in_percent;
use super::unescaped::{is_of_name, unescaped};
use super::value::may_follow_name;

/// How many bytes are checked for encoded characters at once.
const CHUNK: usize = 32;

/// The start of a JSON escape for a character that a name can contain.
const JSON_ESCAPE: &[u8] = b"\\u00";

/// Letters from frequent to rare, as in English.
const LETTERS: &[u8] = b"etaoinsrhldcumfpgwybvkxjqz";

/// Finds names.
#[derive(Debug)]
pub(super) struct Gate {
    names: Vec<Landmark>,
    automaton: AhoCorasick,
    /// Whether some name has characters other than letters, `-` and `_`.
    have_digits: bool,
}

/// A name, and the position in it of the pair that is searched for.
#[derive(Debug)]
struct Landmark {
    name: Vec<u8>,
    at: usize,
}

impl Gate {
    /// Builds the search for names of at least one byte.
    pub(super) fn new(names: &[String]) -> Self {
        let names: Vec<Landmark> = names.iter().map(|name| Landmark::of(name.as_bytes())).collect();
        let spellings = names.iter().flat_map(Landmark::spellings);
        let patterns: BTreeSet<Vec<u8>> = spellings.chain([JSON_ESCAPE.to_vec()]).collect();
        // Leftmost matching can use vector instructions.
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(patterns);
        let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_');
        let have_digits = !names.iter().flat_map(|landmark| &landmark.name).all(is_letter);
        Self { names, have_digits, automaton: automaton.expect("an automaton of a few pairs is small") }
    }

    /// Whether a text, or concatenated texts, may contain a name with a value.
    pub(super) fn is_passed(&self, text: &[u8]) -> bool {
        let is_escape = |hit: usize| {
            text[hit] == b'\\' && unescaped(&text[hit..]).is_some_and(|(byte, _)| is_of_name(byte))
        };
        let is_name = |hit: usize| self.names.iter().any(|landmark| landmark.around(text, hit).is_some());
        self.hits(text).any(|hit| is_escape(hit) || is_name(hit)) || has_encoded(text, self.have_digits)
    }

    /// Whether a text may contain escapes of characters that names can have.
    pub(super) fn has_escaped(&self, text: &[u8]) -> bool {
        has_encoded(text, self.have_digits) || memchr::memmem::find(text, JSON_ESCAPE).is_some()
    }

    /// Finds the names in a text without escapes, if a value can follow them.
    pub(super) fn names_in<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = Range<usize>> {
        self.hits(text).flat_map(move |hit| self.names.iter().filter_map(move |name| name.around(text, hit)))
    }

    fn hits<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = usize> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let hit = self.automaton.find(Input::new(text).range(from..))?.start();
            from = hit + 1;
            Some(hit)
        })
    }
}

/// Whether a text contains percent-encoded characters that a name can have, encoded once or more.
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
    while let Some(window) = text[at - 1..].first_chunk::<{ CHUNK + 3 }>() {
        // Without an early exit, the compiler can check all positions of a chunk at once.
        let may_be = (0..CHUNK).fold(false, |any, place| {
            let [before, lead, high, low] = [0, 1, 2, 3].map(|offset| window[place + offset]);
            let is_lead = lead == b'%' || lead == b'5' && before == b'2';
            any | (is_lead && is_encoded_letter(high, low))
        });
        if may_be && (at..at + CHUNK).any(is_at) {
            return true;
        }
        at += CHUNK;
    }
    (at..places).any(is_at)
}

/// Whether two hexadecimal digits can encode a letter, `_` or `-`.
fn is_encoded_letter(high: u8, low: u8) -> bool {
    high & 0xfc == b'4' || high == b'2' && low | 0x20 == b'd'
}

impl Landmark {
    fn of(name: &[u8]) -> Self {
        let rarity = |at: &usize| name[*at..*at + 2].iter().copied().map(rank).sum::<usize>();
        let at = (0..name.len().saturating_sub(1)).max_by_key(rarity);
        Self { name: name.to_vec(), at: at.unwrap_or_default() }
    }

    /// Returns the pair in upper and lower case. For a name of one letter, the second byte is any that can follow a name.
    fn spellings(&self) -> Vec<Vec<u8>> {
        let cases = |byte: u8| [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
        let firsts = cases(self.name[self.at]);
        let seconds = self.name.get(self.at + 1).map_or_else(followers, |byte| cases(*byte).to_vec());
        firsts.iter().flat_map(|first| seconds.iter().map(|second| vec![*first, *second])).collect()
    }

    /// Returns the range of the name around a hit, if a byte follows that can follow a name.
    fn around(&self, text: &[u8], hit: usize) -> Option<Range<usize>> {
        let start = hit.checked_sub(self.at)?;
        let range = start..start + self.name.len();
        let may_have_value = text.get(range.end).is_some_and(|byte| may_follow_name(*byte));
        (may_have_value && text[range.clone()].eq_ignore_ascii_case(&self.name)).then_some(range)
    }
}

/// Returns every byte that can follow a name.
fn followers() -> Vec<u8> {
    (0..=u8::MAX).filter(|byte| may_follow_name(*byte)).collect()
}

fn rank(byte: u8) -> usize {
    LETTERS.iter().position(|letter| letter.eq_ignore_ascii_case(&byte)).unwrap_or_default()
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
    fn a_name_is_searched_for_by_its_rarest_pair_of_letters() {
        for (name, pair) in
            [("X-Amz-Signature", "mz"), ("Signature", "gn"), ("AWSAccessKeyId", "sK"), ("to", "to")]
        {
            let landmark = Landmark::of(name.as_bytes());
            assert_eq!(&name[landmark.at..landmark.at + 2], pair);
        }
        assert_eq!(Landmark::of(b"k").spellings().len(), 2 * followers().len());
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
        /// The slow twin decodes all escapes and checks every position.
        #[test]
        fn no_name_is_missed(
            text in "(%|25|%25|2|5|4|58|2[dD]|6f|%6F|%EA|tO|to|t|o|=|\"|x-a|X|-|A|a|\\\\|\\\\u00|\\\\u006f|k| ){0,12}",
        ) {
            let (names, text) = (["to", "X-a", "k"], text.as_bytes());
            let written = Unescaped::of(text);
            let has_name = |text: &[u8]| {
                (0..text.len()).any(|at| {
                    names.iter().any(|name| {
                        let split = text[at..].split_at_checked(name.len());
                        split.is_some_and(|(found, behind)| {
                            found.eq_ignore_ascii_case(name.as_bytes())
                                && behind.first().is_some_and(|byte| may_follow_name(*byte))
                        })
                    })
                })
            };
            let gate = gate(&names);
            prop_assert!(!has_name(&written.bytes) || gate.is_passed(text));
            prop_assert!(gate.has_escaped(text) || has_name(&written.bytes) == has_name(text));
        }
    }
}

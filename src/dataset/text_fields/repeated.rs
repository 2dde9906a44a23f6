//! Detects fields that a client has shifted.
//!
//! A client that can write a raw quote can end its field and append fields of its own. The fields that AWS wrote after the
//! client's text then come last in the line. If the quotes and values of the forged line fit nevertheless, the real fields
//! are beyond the last known field, or bare dashes among them stand for texts. In both cases, a suffix of the line repeats
//! the fields after a text of a client.
//!
//! A time must be in that suffix, because a new field of AWS may look like any other field. So lines from before May 2018,
//! which have no time after the texts, and texts that no time follows cannot be judged.

use std::collections::VecDeque;

use super::field::Field;
use super::grammar::Grammar;
use super::split::{Splitter, Written};
use super::value::is_of_time;

/// Whether a suffix of a line repeats the fields after a text of a client.
pub(super) fn repeats<const N: usize>(grammar: &Grammar<N>, line: &str) -> bool {
    let last = last_fields(line, 2 * N);
    let of_clients = (1..).zip(grammar.fields).filter(|(_, field)| field.is_of_client);
    let mut tails =
        of_clients.map(|(after, _)| (after, grammar.oldest.saturating_sub(after), &grammar.fields[after..]));
    tails.any(|(after, fewest, tail)| {
        let mut suffixes = (0..last.len()).map(|from| &last[from..]);
        suffixes.any(|suffix| suffix[0].0 > after && is_tail(tail, fewest, line, suffix))
    })
}

/// A field and its number in the line, from 0.
type Numbered = (usize, Written);

/// Returns the last fields of a line, at most `most`: a client may have written millions.
fn last_fields(line: &str, most: usize) -> Vec<Numbered> {
    let mut last = VecDeque::with_capacity(most);
    for numbered in Splitter::new(line).flatten().enumerate() {
        if last.len() == most {
            last.pop_front();
        }
        last.push_back(numbered);
    }
    last.into()
}

/// Whether fields can be those of `tail`, of which a line has at least `fewest`.
fn is_tail(tail: &[Field], fewest: usize, line: &str, suffix: &[Numbered]) -> bool {
    let pairs = || tail.iter().zip(suffix.iter().map(|(_, written)| written));
    let has_time = || pairs().any(|(field, written)| is_of_time(&field.kind, written.text.of(line)));
    suffix.len() >= fewest && pairs().all(|(field, written)| field.fits(line, *written)) && has_time()
}

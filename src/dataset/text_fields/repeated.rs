//! Detects fields that a client has shifted.
//!
//! A client that can write a raw quote can end its field and append fields of its own. The fields that AWS wrote after the
//! client's text then come last in the line. If the quotes and values of the forged line fit nevertheless, the real fields
//! are beyond the last known field, or bare dashes among them stand for texts. In both cases, a suffix of the line repeats
//! the fields after a text of a client.
//!
//! A time must be in that suffix, because a new field of AWS may look like any other field. So lines of ALB from before May
//! 2018, which have no time after the texts, and texts that no time follows cannot be judged. A time that is the only field
//! of the suffix does not count, because a new field may be a time.
//!
//! Without quotes, a forged text reaches the last known field, so that all fields of the suffix are unknown ones.
//!
//! If a log type has no time after the first text of a client, the suffix follows a field in quotes and has all fields that
//! follow the text: AWS writes a closing quote after the text that the client forged.

use std::collections::VecDeque;

use super::field::Field;
use super::grammar::Grammar;
use super::split::{Quoting, Splitter, Written};
use super::value::{is_likely, is_of_time};

/// Whether a suffix of a line repeats the fields after a text of a client.
pub(super) fn repeats<const N: usize>(grammar: &Grammar<N>, line: &str) -> bool {
    let last = last_fields(grammar.quoting, line, 2 * N);
    let of_clients = (1..).zip(grammar.fields).filter(|(_, field)| field.is_of_client);
    let mut tails =
        of_clients.map(|(after, _)| (after, grammar.oldest.saturating_sub(after), &grammar.fields[after..]));
    let is_timed = tails.clone().any(|(_, _, tail)| tail.iter().any(|field| field.kind.is_time()));
    tails.any(|(after, fewest, tail)| {
        if !is_timed {
            return is_after_quotes(tail, line, &last, after);
        }
        let mut suffixes = (0..last.len()).map(|from| &last[from..]);
        let first = if grammar.quoting == Quoting::Bare { N } else { after + 1 };
        tail.len() > 1 && suffixes.any(|suffix| suffix[0].0 >= first && is_tail(tail, fewest, line, suffix))
    })
}

/// Whether the last fields of a line have the form of all of `tail` and follow a field in quotes.
fn is_after_quotes(tail: &[Field], line: &str, last: &[Numbered], after: usize) -> bool {
    let Some(before) = last.len().checked_sub(tail.len() + 1) else { return false };
    let (forged, suffix) = (last[before], &last[before + 1..]);
    let is_like = |(field, (_, written)): (&Field, &Numbered)| {
        field.fits(line, *written) && is_likely(&field.kind, written.text.of(line))
    };
    forged.0 >= after && forged.1.is_quoted && tail.iter().zip(suffix).all(is_like)
}

/// A field and its number in the line, from 0.
type Numbered = (usize, Written);

/// Returns the last fields of a line, at most `most`: a client may have written millions.
fn last_fields(quoting: Quoting, line: &str, most: usize) -> Vec<Numbered> {
    let mut last = VecDeque::with_capacity(most);
    for numbered in Splitter::new(line, quoting).flatten().enumerate() {
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

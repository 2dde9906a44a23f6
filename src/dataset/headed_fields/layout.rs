//! The fields of the lines after a header.

use std::collections::HashSet;

use super::fault::Reason;
use super::grammar::Grammar;

/// The fields of lines, in their order.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) fields: Vec<Place>,
    /// Why no line with these fields has a row.
    pub(super) refusal: Option<Reason>,
}

/// What a position in a line holds.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// A field of the table.
    Known(usize),
    /// A field with another name.
    Unknown(String),
}

impl Layout {
    /// Returns the layout that a header with these names describes.
    pub(super) fn of<const N: usize>(grammar: &Grammar<N>, names: &[&str]) -> Self {
        let place = |name: &&str| {
            grammar.field_named(name).map_or_else(|| Place::Unknown((*name).to_owned()), Place::Known)
        };
        let fields: Vec<Place> = names.iter().map(place).collect();
        let mut seen = HashSet::new();
        let is_repeated = !fields.iter().all(|field| seen.insert(field));
        let refusal = (grammar.foreign)(names).or_else(|| is_repeated.then_some(Reason::REPEATED_NAME));
        Self { fields, refusal }
    }
}

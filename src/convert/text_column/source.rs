//! Where the texts of rows are stored, and their keys in the dictionary of the row group.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, UInt32Array};
use arrow::datatypes::UInt32Type;
use hashbrown::HashMap;

/// The key of a text that has not been looked up yet.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// The texts of a block.
pub(super) enum Source<'a> {
    Null,
    Plain(&'a StringArray),
    /// Texts in a dictionary of the run, which is the one at this place in [`KnownKeys`].
    Dictionary {
        keys: &'a UInt32Array,
        texts: &'a StringArray,
        place: usize,
    },
}

/// The texts of dictionaries of runs, each with its key in the dictionary of the row group or [`UNKNOWN`].
#[derive(Default)]
pub(super) struct KnownKeys {
    /// The keys of the texts of each dictionary.
    keys: Vec<Vec<u32>>,
    /// The place of each dictionary, by address and length. The dictionary is kept, so that no other has its address.
    places: HashMap<(usize, usize), (usize, ArrayRef)>,
    /// The keys of a list of texts.
    listed: Vec<u32>,
}

impl KnownKeys {
    /// Returns where the texts of some cells are.
    pub(super) fn source<'a>(&mut self, cells: &'a ArrayRef) -> Source<'a> {
        if let Some(texts) = cells.as_string_opt() {
            return Source::Plain(texts);
        }
        let Some(dictionary) = cells.as_dictionary_opt::<UInt32Type>() else { return Source::Null };
        let texts: &StringArray = dictionary.values().as_string();
        let address = (texts.value_offsets().as_ptr().addr(), texts.len());
        let (place, _) = self.places.entry(address).or_insert_with(|| {
            self.keys.push(vec![UNKNOWN; texts.len()]);
            (self.keys.len() - 1, Arc::clone(dictionary.values()))
        });
        Source::Dictionary { keys: dictionary.keys(), texts, place: *place }
    }

    /// Returns the key of a text of a dictionary.
    pub(super) fn key(&mut self, place: usize, text: usize) -> &mut u32 {
        &mut self.keys[place][text]
    }

    /// Returns the keys of a list of texts, which is the same in all calls.
    pub(super) fn of_list(&mut self, length: usize) -> &mut [u32] {
        self.listed.resize(length, UNKNOWN);
        &mut self.listed
    }
}

//! The cells of a text column while a decoder fills them. While texts repeat, each distinct text is stored once.
//!
//! The result is a dictionary array, a plain array or an array of nulls, whichever is smallest. The choice does not
//! affect the published bytes.

use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{ArrayBuilder, ArrayRef, DictionaryArray, NullArray, StringBuilder, UInt32Array};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::UInt32Type;
use hashbrown::{DefaultHashBuilder, HashTable};

/// A longer text makes the column plain: hashing such texts costs more than deduplication saves.
const MAX_REPEATED_BYTES: usize = 512;

/// The number of distinct texts at which the column is first tested for repetition. Each doubling tests it again.
const TRIAL_TEXTS: usize = 1024;

/// The key of a null.
const NULL: u32 = u32::MAX;

/// Text cells.
#[derive(Debug)]
pub struct TextCells {
    form: Form,
    /// Number of nulls after the last text.
    nulls: usize,
}

#[derive(Debug)]
enum Form {
    Repeating(Box<Dictionary>),
    Plain(StringBuilder),
}

impl TextCells {
    /// Returns the empty cells of a column whose texts are expected to repeat.
    pub(super) fn repeating() -> Self {
        Self { form: Form::Repeating(Box::default()), nulls: 0 }
    }

    /// Returns the empty cells of a column whose texts hardly repeat.
    pub(super) fn plain() -> Self {
        Self { form: Form::Plain(StringBuilder::new()), nulls: 0 }
    }

    pub(super) fn len(&self) -> usize {
        let before = match &self.form {
            Form::Repeating(dictionary) => dictionary.len(),
            Form::Plain(cells) => cells.len(),
        };
        before + self.nulls
    }

    /// Returns the memory of the cells. Nulls at the end use none until a text follows them.
    pub(super) fn memory_bytes(&self) -> usize {
        match &self.form {
            Form::Repeating(dictionary) => dictionary.memory_bytes(),
            Form::Plain(cells) => text_bytes(cells),
        }
    }

    pub(super) fn push_nulls(&mut self, count: usize) {
        self.nulls += count;
    }

    pub(super) fn push(&mut self, text: &str) {
        self.settle_nulls();
        if let Form::Repeating(dictionary) = &mut self.form {
            if dictionary.push(text) {
                return;
            }
            self.form = Form::Plain(dictionary.take_plain());
        }
        if let Form::Plain(cells) = &mut self.form {
            cells.append_value(text);
        }
    }

    fn settle_nulls(&mut self) {
        match (std::mem::take(&mut self.nulls), &mut self.form) {
            (0, _) => {}
            (nulls, Form::Repeating(dictionary)) => {
                dictionary.keys.resize(dictionary.keys.len() + nulls, NULL);
            }
            (nulls, Form::Plain(cells)) => cells.append_nulls(nulls),
        }
    }

    /// Takes the cells. A column whose texts did not repeat remains plain.
    pub(super) fn finish(&mut self) -> ArrayRef {
        if let Form::Repeating(dictionary) = &self.form
            && dictionary.len() == 0
        {
            return Arc::new(NullArray::new(std::mem::take(&mut self.nulls)));
        }
        self.settle_nulls();
        match &mut self.form {
            Form::Repeating(dictionary) => dictionary.finish(),
            Form::Plain(cells) => {
                // The next batch will be about as large, and spare capacity costs nothing until it is touched.
                let [texts, bytes] = [cells.len(), cells.values_slice().len()].map(|used| used + used / 8);
                Arc::new(std::mem::replace(cells, StringBuilder::with_capacity(texts, bytes)).finish())
            }
        }
    }
}

/// The distinct texts of a column, and a key for each cell.
#[derive(Debug, Default)]
struct Dictionary {
    /// One key for each cell; [`NULL`] marks a null.
    keys: Vec<u32>,
    texts: StringBuilder,
    distinct: u32,
    /// Number of cells that are not null.
    filled: usize,
    /// Hash and key of each text.
    table: HashTable<(u64, u32)>,
    hasher: DefaultHashBuilder,
    last: u32,
}

impl Dictionary {
    fn len(&self) -> usize {
        self.keys.len()
    }

    fn memory_bytes(&self) -> usize {
        // The table has at most twice the capacity that it needs.
        let beside_text = 2 * size_of::<(u64, u32)>();
        let texts = text_bytes(&self.texts) + self.distinct as usize * beside_text;
        texts + self.keys.len() * size_of::<u32>()
    }

    /// Adds a cell. Returns false and adds nothing if a dictionary does not pay off.
    fn push(&mut self, text: &str) -> bool {
        // Adjacent texts are often equal.
        if self.distinct > 0 && text_at(&self.texts, self.last) == text.as_bytes() {
            self.push_key(self.last);
            return true;
        }
        let hash = self.hasher.hash_one(text);
        let same =
            |(known, key): &(u64, u32)| *known == hash && text_at(&self.texts, *key) == text.as_bytes();
        self.last = match self.table.find(hash, same) {
            Some((_, key)) => *key,
            None if self.pays_for(text) => self.add(hash, text),
            None => return false,
        };
        self.push_key(self.last);
        true
    }

    fn push_key(&mut self, key: u32) {
        self.keys.push(key);
        self.filled += 1;
    }

    fn pays_for(&self, text: &str) -> bool {
        let distinct = self.distinct as usize;
        let is_trial = distinct >= TRIAL_TEXTS && distinct.is_power_of_two();
        text.len() <= MAX_REPEATED_BYTES && !(is_trial && self.filled < 4 * distinct)
    }

    fn add(&mut self, hash: u64, text: &str) -> u32 {
        let key = self.distinct;
        self.texts.append_value(text);
        self.table.insert_unique(hash, (hash, key), |(hash, _)| *hash);
        self.distinct += 1;
        key
    }

    fn finish(&mut self) -> ArrayRef {
        let (keys, texts) = (self.take_keys(), self.texts.finish());
        self.table.clear();
        (self.distinct, self.filled, self.last) = (0, 0, 0);
        Arc::new(
            DictionaryArray::<UInt32Type>::try_new(keys, Arc::new(texts)).expect("every key is of a text"),
        )
    }

    fn take_keys(&mut self) -> UInt32Array {
        let room = self.keys.len() + self.keys.len() / 8;
        let mut keys = std::mem::replace(&mut self.keys, Vec::with_capacity(room));
        let is_text = BooleanBuffer::collect_bool(keys.len(), |cell| keys[cell] != NULL);
        let nulls = NullBuffer::new(is_text);
        keys.iter_mut().filter(|key| **key == NULL).for_each(|key| *key = 0);
        UInt32Array::new(keys.into(), Some(nulls).filter(|nulls| nulls.null_count() > 0))
    }

    /// Takes the cells with one text for each cell.
    fn take_plain(&mut self) -> StringBuilder {
        let (keys, texts) = (self.take_keys(), self.texts.finish());
        let mut cells = StringBuilder::new();
        for key in &keys {
            cells.append_option(key.map(|key| texts.value(key as usize)));
        }
        cells
    }
}

/// Returns the memory of the texts in a builder, with their offsets and null marks.
pub(super) fn text_bytes(texts: &StringBuilder) -> usize {
    texts.values_slice().len() + texts.len() * size_of::<i32>() + texts.len() / 8
}

/// Returns the bytes of a text in a builder.
fn text_at(texts: &StringBuilder, key: u32) -> &[u8] {
    let offset = |place: usize| usize::try_from(texts.offsets_slice()[place]).unwrap_or_default();
    &texts.values_slice()[offset(key as usize)..offset(key as usize + 1)]
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::compute::cast;
    use arrow::datatypes::DataType;
    use proptest::prelude::*;

    use super::*;

    fn cells(texts: &[Option<String>], mut cells: TextCells) -> ArrayRef {
        for text in texts {
            match text {
                Some(text) => cells.push(text),
                None => cells.push_nulls(1),
            }
        }
        assert_eq!(cells.len(), texts.len());
        cells.finish()
    }

    fn texts_of(cells: &ArrayRef) -> Vec<Option<String>> {
        let plain = cast(cells, &DataType::Utf8).unwrap();
        plain.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
    }

    #[test]
    fn texts_that_do_not_repeat_are_stored_plain() {
        let unique: Vec<_> = (0..3 * TRIAL_TEXTS).map(|number| Some(number.to_string())).collect();
        assert_eq!(*cells(&unique, TextCells::repeating()).data_type(), DataType::Utf8);
        let long = [Some("a".to_owned()), None, Some("b".repeat(MAX_REPEATED_BYTES + 1))];
        let cells = cells(&long, TextCells::repeating());
        assert_eq!((texts_of(&cells), cells.data_type()), (long.to_vec(), &DataType::Utf8));
    }

    #[test]
    fn a_column_of_nulls_becomes_a_null_array() {
        assert_eq!(*cells(&[None, None], TextCells::repeating()).data_type(), DataType::Null);
    }

    proptest! {
        #[test]
        fn cells_keep_their_texts(texts in prop::collection::vec(prop::option::of("[a-c]{0,20}"), 0..60)) {
            for empty in [TextCells::repeating, TextCells::plain] {
                prop_assert_eq!(texts_of(&cells(&texts, empty())), texts.clone());
            }
        }

        #[test]
        fn cells_can_be_reused(first in prop::collection::vec("[a-c]{0,2}", 0..9), second in prop::collection::vec("[b-d]{0,2}", 1..9)) {
            let mut cells = TextCells::repeating();
            for text in &first {
                cells.push(text);
            }
            cells.finish();
            for text in &second {
                cells.push(text);
            }
            prop_assert_eq!(texts_of(&cells.finish()), second.into_iter().map(Some).collect::<Vec<_>>());
        }
    }
}

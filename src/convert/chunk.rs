//! Rows in their final order, as references into blocks, and the columns gathered from them.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, ListArray, ListBuilder, PrimitiveArray,
    StringArray, StringBuilder,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, Float64Type, Int32Type, Int64Type, TimestampMillisecondType, UInt32Type,
};

use super::block::{Block, BlockKey};
use crate::table::ColumnType;

/// Rows in their final order.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) blocks: Vec<Arc<Block>>,
    /// Block and row of each row.
    pub(super) picks: Vec<(usize, usize)>,
    /// The keys of the rows.
    pub(super) keys: Vec<BlockKey>,
}

impl Chunk {
    pub(super) fn len(&self) -> usize {
        self.picks.len()
    }

    /// The cells of one decoded column in each block.
    pub(super) fn blocks_of(&self, column: usize) -> Vec<&ArrayRef> {
        self.blocks.iter().map(|block| &block.cells[column]).collect()
    }

    /// The cells of one decoded column, in order: an array of the type of the column.
    ///
    /// The array has a null mask only if it has nulls, wherever its rows come from: otherwise the Parquet writer would cut
    /// pages at other rows.
    pub(super) fn cells(&self, column: usize, column_type: ColumnType) -> ArrayRef {
        let cells = self.blocks_of(column);
        match column_type {
            ColumnType::Text | ColumnType::Json => self.texts(&cells),
            ColumnType::Bool => Arc::new(self.booleans(&cells)),
            ColumnType::Int => Arc::new(self.numbers::<Int32Type>(&cells)),
            ColumnType::BigInt => Arc::new(self.numbers::<Int64Type>(&cells)),
            ColumnType::Double => Arc::new(self.numbers::<Float64Type>(&cells)),
            ColumnType::Timestamp => Arc::new(self.numbers::<TimestampMillisecondType>(&cells)),
            ColumnType::TextList => Arc::new(self.lists(&cells)),
        }
    }

    fn numbers<T: ArrowPrimitiveType>(&self, cells: &[&ArrayRef]) -> PrimitiveArray<T> {
        let values: Vec<_> = cells.iter().map(|cells| cells.as_primitive::<T>().values()).collect();
        let gathered = self.picks.iter().map(|&(block, row)| values[block][row]).collect();
        PrimitiveArray::new(gathered, self.nulls(cells))
    }

    fn booleans(&self, cells: &[&ArrayRef]) -> BooleanArray {
        let values: Vec<_> = cells.iter().map(|cells| cells.as_boolean().values()).collect();
        let value = |place: usize| {
            let (block, row) = self.picks[place];
            values[block].value(row)
        };
        BooleanArray::new(BooleanBuffer::collect_bool(self.len(), value), self.nulls(cells))
    }

    /// The null mask, if there are nulls.
    fn nulls(&self, cells: &[&ArrayRef]) -> Option<NullBuffer> {
        if cells.iter().all(|cells| cells.null_count() == 0) {
            return None;
        }
        let is_valid = |place: usize| {
            let (block, row) = self.picks[place];
            cells[block].is_valid(row)
        };
        let nulls = NullBuffer::new(BooleanBuffer::collect_bool(self.len(), is_valid));
        (nulls.null_count() > 0).then_some(nulls)
    }

    fn lists(&self, cells: &[&ArrayRef]) -> ListArray {
        let lists: Vec<&ListArray> = cells.iter().map(|cells| cells.as_list()).collect();
        let texts: Vec<&StringArray> = lists.iter().map(|list| list.values().as_string()).collect();
        let mut gathered = ListBuilder::new(StringBuilder::new()).with_field(ColumnType::list_element());
        for &(block, row) in &self.picks {
            let (list, texts) = (lists[block], texts[block]);
            for place in list.value_offsets()[row]..list.value_offsets()[row + 1] {
                let place = usize::try_from(place).unwrap_or_default();
                gathered.values().append_option(texts.is_valid(place).then(|| texts.value(place)));
            }
            gathered.append(list.is_valid(row));
        }
        gathered.finish()
    }

    fn texts(&self, cells: &[&ArrayRef]) -> ArrayRef {
        let texts: Vec<Texts<'_>> = cells.iter().map(|cells| Texts::of(cells)).collect();
        let mut gathered = StringBuilder::with_capacity(self.len(), 0);
        for &(block, row) in &self.picks {
            gathered.append_option(texts[block].get(row));
        }
        Arc::new(gathered.finish())
    }
}

/// The texts of a block, in any representation.
enum Texts<'a> {
    Null,
    Plain(&'a StringArray),
    Dictionary(&'a DictionaryArray<UInt32Type>),
}

impl<'a> Texts<'a> {
    fn of(cells: &'a ArrayRef) -> Self {
        match (cells.as_string_opt(), cells.as_dictionary_opt()) {
            (Some(plain), _) => Self::Plain(plain),
            (None, Some(dictionary)) => Self::Dictionary(dictionary),
            (None, None) => Self::Null,
        }
    }

    fn get(&self, row: usize) -> Option<&'a str> {
        match *self {
            Self::Null => None,
            Self::Plain(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Self::Dictionary(dictionary) => {
                Some(dictionary.values().as_string::<i32>().value(dictionary.key(row)?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        DictionaryArray, Float64Array, Int64Array, NullArray, TimestampMillisecondArray, UInt32Array,
    };
    use arrow::compute::take;
    use proptest::prelude::*;

    use super::*;
    use crate::table::Position;

    /// A column in one of the forms that decoders produce.
    fn block(texts: &[Option<String>], form: u8) -> ArrayRef {
        match form {
            _ if texts.iter().all(Option::is_none) && form > 0 => Arc::new(NullArray::new(texts.len())),
            0 => Arc::new(texts.iter().cloned().collect::<StringArray>()),
            _ => {
                let key = |row: usize| texts[row].as_ref().map(|_| u32::try_from(row).unwrap());
                let values = texts.iter().map(|text| Some(text.as_deref().unwrap_or("?")));
                let values: StringArray = values.collect();
                let keys: UInt32Array = (0..texts.len()).map(key).collect();
                Arc::new(DictionaryArray::<UInt32Type>::new(keys, Arc::new(values)))
            }
        }
    }

    fn texts() -> impl Strategy<Value = Vec<Option<String>>> {
        prop::collection::vec(prop::option::of("[a-z가]{0,16}"), 1..8)
    }

    proptest! {
        #[test]
        fn a_column_is_gathered_from_blocks_of_any_form(
            blocks in prop::collection::vec((texts(), 0_u8..2, any::<bool>()), 1..5),
            picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..40),
        ) {
            let blocks: Vec<_> = blocks
                .into_iter()
                .map(|(texts, form, empty)| (if empty { vec![None; texts.len()] } else { texts }, form))
                .collect();
            let picks: Vec<(usize, usize)> = picks
                .iter()
                .map(|(block, row)| (block.index(blocks.len()), row))
                .map(|(block, row)| (block, row.index(blocks[block].0.len())))
                .collect();
            let expected: Vec<Option<String>> = picks.iter().map(|&(block, row)| blocks[block].0[row].clone()).collect();
            let as_block = |(texts, form): &(Vec<Option<String>>, u8)| {
                Arc::new(Block { cells: vec![block(texts, *form)], keys: Vec::new() })
            };
            let key = BlockKey { cluster: 0, at: 0, position: Position { object: 0, record: 0 }, bytes: 0, row: 0 };
            let keys = vec![key; picks.len()];
            let chunk = Chunk { blocks: blocks.iter().map(as_block).collect(), picks, keys };
            let gathered = chunk.cells(0, ColumnType::Text);
            prop_assert_eq!(gathered.nulls().is_some(), expected.contains(&None));
            let gathered: Vec<_> = gathered.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect();
            prop_assert_eq!(gathered, expected);
        }

        /// A null mask without nulls would move the ends of pages. It could come from blocks that another number of threads
        /// builds differently.
        #[test]
        fn only_a_column_with_nulls_has_a_null_mask(
            values in prop::collection::vec(prop::option::of(0_i64..9), 2..20),
            picked in prop::collection::vec(any::<prop::sample::Index>(), 1..10),
        ) {
            let lists = values.iter().map(|value| value.map(|value| vec![Some(value.to_string()), None]));
            let mut list = ListBuilder::new(StringBuilder::new()).with_field(ColumnType::list_element());
            lists.for_each(|texts| list.append_option(texts));
            let halves = values.iter().map(|value| value.map(|value| value as f64 / 2.0));
            let columns: [(ColumnType, ArrayRef); 5] = [
                (ColumnType::BigInt, Arc::new(values.iter().copied().collect::<Int64Array>())),
                (ColumnType::Double, Arc::new(halves.collect::<Float64Array>())),
                (ColumnType::Bool, Arc::new(values.iter().map(|value| value.map(|value| value > 4)).collect::<BooleanArray>())),
                (ColumnType::Timestamp, Arc::new(values.iter().copied().collect::<TimestampMillisecondArray>())),
                (ColumnType::TextList, Arc::new(list.finish())),
            ];
            let picks: Vec<(usize, usize)> = picked.iter().map(|row| (0, row.index(values.len()))).collect();
            let rows: UInt32Array = picks.iter().map(|(_, row)| u32::try_from(*row).unwrap()).collect();
            for (column_type, column) in columns {
                let expected = take(&column, &rows, None).unwrap();
                let block = Arc::new(Block { cells: vec![column], keys: Vec::new() });
                let chunk = Chunk { blocks: vec![block], picks: picks.clone(), keys: Vec::new() };
                let gathered = chunk.cells(0, column_type);
                prop_assert_eq!(gathered.nulls().is_some(), expected.null_count() > 0);
                prop_assert_eq!(gathered.as_ref(), expected.as_ref());
            }
        }
    }
}

//! Elements of arrays and maps.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListArray, NullBufferBuilder, StructArray, UInt32Array,
    new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};

use super::{Argument, Function, text_at, texts};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("element_at", &[Argument::ListOrMap, Argument::Any], element_type, element_at),
    Function::new("named_zip", &[Argument::Text, Argument::List], rows_type, named_zip).repeated(),
];

fn element_type(args: &[FieldRef], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(match args[0].data_type() {
        DataType::List(element) => element.data_type().clone(),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => fields[1].data_type().clone(),
            other => return plan_err!("a map cannot have entries of type {other}"),
        },
        _ => DataType::Null,
    })
}

/// Returns the array element at a position from 1 (from the end if negative), or the map value of a key. NULL if the element
/// does not exist.
fn element_at(columns: &[ArrayRef], return_type: &DataType) -> Result<ArrayRef> {
    let rows = columns[0].len();
    let (values, places) = match columns[0].data_type() {
        DataType::List(_) => {
            let lists = columns[0].as_list::<i32>();
            (lists.values(), places_of_numbers(lists, &cast(&columns[1], &DataType::Int64)?)?)
        }
        DataType::Map(..) => {
            let maps = columns[0].as_map();
            let [keys, wanted] = [maps.keys(), &columns[1]].map(|texts| cast(texts, &DataType::Utf8));
            let (keys, wanted) = (keys?, wanted?);
            let place = |row: usize| {
                let offsets = maps.offsets();
                let mut places = offsets[row]..offsets[row + 1];
                let wanted = text_at(texts(&wanted), row).filter(|_| maps.is_valid(row))?;
                let has_key = |place: &i32| {
                    usize::try_from(*place).is_ok_and(|place| text_at(texts(&keys), place) == Some(wanted))
                };
                places.find(has_key).and_then(|place| u32::try_from(place).ok())
            };
            (maps.values(), (0..rows).map(place).collect())
        }
        _ => return Ok(new_null_array(return_type, rows)),
    };
    Ok(take(values, &places, None)?)
}

fn places_of_numbers(lists: &ListArray, numbers: &ArrayRef) -> Result<UInt32Array> {
    let numbers: &Int64Array = numbers.as_primitive::<Int64Type>();
    let offsets = lists.offsets();
    let place = |row: usize| {
        if lists.is_null(row) || numbers.is_null(row) {
            return Ok(None);
        }
        let [start, end] = [offsets[row], offsets[row + 1]].map(i64::from);
        let place = match numbers.value(row) {
            0 => return exec_err!("element_at counts from 1, not from 0"),
            number @ 1.. => start.saturating_add(number - 1),
            number => end.saturating_add(number),
        };
        Ok((start..end).contains(&place).then(|| u32::try_from(place).ok()).flatten())
    };
    (0..lists.len()).map(place).collect()
}

/// Takes alternating names and arrays. The result is an array of rows, as long as the longest array.
fn rows_type(args: &[FieldRef], constants: &[Option<&ScalarValue>]) -> Result<DataType> {
    let pairs = args.chunks(2).zip(constants.chunks(2));
    let fields = pairs.map(|(fields, constants)| {
        let ([_, list], Some(Some(ScalarValue::Utf8(Some(name))))) = (fields, constants.first()) else {
            return plan_err!("named_zip takes alternating names and arrays");
        };
        let element = match list.data_type() {
            DataType::List(element) => element.data_type().clone(),
            _ => DataType::Null,
        };
        Ok(Field::new(name, element, true))
    });
    let fields = fields.collect::<Result<Fields>>()?;
    Ok(DataType::List(Arc::new(Field::new("element", DataType::Struct(fields), true))))
}

fn named_zip(columns: &[ArrayRef], return_type: &DataType) -> Result<ArrayRef> {
    let DataType::List(row_field) = return_type else { return plan_err!("named_zip gives an array") };
    let DataType::Struct(fields) = row_field.data_type() else { return plan_err!("named_zip gives rows") };
    let arrays: Vec<&ArrayRef> = columns.iter().skip(1).step_by(2).collect();
    let rows = columns[0].len();
    let length = |array: &ArrayRef, row: usize| {
        array.as_list_opt::<i32>().filter(|list| list.is_valid(row)).map(|list| list.value_length(row))
    };
    let (mut lengths, mut validity) = (Vec::with_capacity(rows), NullBufferBuilder::new(rows));
    for row in 0..rows {
        // As in Athena, the result is NULL if one of the arrays is NULL.
        let each: Option<Vec<i32>> = arrays.iter().map(|array| length(array, row)).collect();
        validity.append(each.is_some());
        let longest = each.and_then(|each| each.into_iter().max()).unwrap_or_default();
        lengths.push(usize::try_from(longest).unwrap_or_default());
    }
    let cells = arrays.iter().zip(fields).map(|(array, field)| elements(array, &lengths, field));
    let cells = cells.collect::<Result<Vec<_>>>()?;
    let structs = StructArray::try_new(fields.clone(), cells, None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::clone(row_field), offsets, Arc::new(structs), validity.finish())?))
}

/// Returns the elements of the arrays, each padded with NULL to its length.
fn elements(array: &ArrayRef, lengths: &[usize], field: &FieldRef) -> Result<ArrayRef> {
    let Some(list) = array.as_list_opt::<i32>() else {
        return Ok(new_null_array(field.data_type(), lengths.iter().sum()));
    };
    let places = lengths.iter().enumerate().flat_map(|(row, length)| {
        let (start, own) = (list.value_offsets()[row], list.value_length(row));
        (0i32..)
            .take(*length)
            .map(move |place| (place < own).then(|| u32::try_from(start + place).ok()).flatten())
    });
    Ok(take(list.values(), &places.collect::<UInt32Array>(), None)?)
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;

    use super::*;

    fn lists(lists: &[Option<&[&str]>]) -> ArrayRef {
        let lists =
            lists.iter().map(|list| list.map(|list| list.iter().map(|text| Some(*text)).collect::<Vec<_>>()));
        let mut built = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new());
        for list in lists {
            match list {
                Some(list) => built.append_value(list),
                None => built.append_null(),
            }
        }
        Arc::new(built.finish())
    }

    #[test]
    fn an_element_is_counted_from_either_end_and_is_null_beyond() {
        let abc: Option<&[&str]> = Some(&["a", "b", "c"]);
        let arrays = lists(&[abc, abc, abc, abc, abc, None, Some(&[])]);
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 3, 4, -1, -4, 1, 1]));
        let found = element_at(&[arrays, numbers], &DataType::Utf8).unwrap();
        let expected = StringArray::from(vec![Some("a"), Some("c"), None, Some("c"), None, None, None]);
        assert_eq!(found.as_ref(), &expected);
        let zero: ArrayRef = Arc::new(Int64Array::from(vec![0]));
        assert!(element_at(&[lists(&[abc]), zero], &DataType::Utf8).is_err());
    }

    #[test]
    fn a_zipped_array_is_as_long_as_the_longest_array() {
        let names = |name: &str| -> ArrayRef { Arc::new(StringArray::from(vec![name; 2])) };
        let columns =
            [names("x"), lists(&[Some(&["a", "b"]), None]), names("y"), lists(&[Some(&["c"]), Some(&["d"])])];
        let fields: Vec<FieldRef> =
            columns.iter().map(|column| Arc::new(Field::new("", column.data_type().clone(), true))).collect();
        let [x, y] = ["x", "y"].map(|name| ScalarValue::Utf8(Some(name.to_owned())));
        let return_type = rows_type(&fields, &[Some(&x), None, Some(&y), None]).unwrap();
        let zipped = named_zip(&columns, &return_type).unwrap();
        assert!(zipped.is_null(1));
        let rows = zipped.as_list::<i32>().value(0);
        let cell = |name: &str, row: usize| {
            text_at(texts(rows.as_struct().column_by_name(name).unwrap()), row).map(str::to_owned)
        };
        assert_eq!([cell("x", 0), cell("x", 1)], ["a", "b"].map(|text| Some(text.to_owned())));
        assert_eq!([cell("y", 0), cell("y", 1)], [Some("c".to_owned()), None]);
    }
}

//! Reads the columns of published part files from their footers alone.

use arrow::datatypes::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};

use super::part_reader::PartReader;
use crate::error::{Error, Result};
use crate::publish::Manifest;
use crate::store::Lake;
use crate::store::lake::Partition;
use crate::table::ColumnType;

/// Returns the name and Hive type of each column, from the first existing part file of a day. The result is empty if the
/// day has no part files.
pub fn part_columns(
    lake: &dyn Lake,
    partition: &Partition,
    manifest: &Manifest,
) -> Result<Vec<(String, String)>> {
    for part in &manifest.parts {
        let path = format!("{partition}/{}", part.path);
        let Some(file) = lake.open(&path)? else { continue };
        let reader = PartReader::new(file.into());
        // Skips the Arrow types that the writer stored, because engines do not know them.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(&reader, options).map_err(|cause| {
            Error::unusable("cannot read the footer of the file", cause).with("path", lake.address(&path))
        })?;
        let fields = metadata.schema().fields().iter();
        return Ok(fields.map(|field| (field.name().clone(), hive(field.data_type()))).collect());
    }
    Ok(Vec::new())
}

/// Returns the Hive type for a column of a file.
fn hive(found: &DataType) -> String {
    let known = [ColumnType::Text, ColumnType::Bool, ColumnType::Int, ColumnType::BigInt, ColumnType::Double];
    let own = known.into_iter().find(|own| own.arrow() == *found);
    match found {
        _ if let Some(own) = own => own.hive().to_owned(),
        DataType::Timestamp(TimeUnit::Millisecond, _) => ColumnType::Timestamp.hive().to_owned(),
        DataType::List(element) => format!("array<{}>", hive(element.data_type())),
        other => other.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_written_type_is_read_back_as_its_hive_type() {
        for own in [
            ColumnType::Text,
            ColumnType::Json,
            ColumnType::Bool,
            ColumnType::Int,
            ColumnType::BigInt,
            ColumnType::Double,
            ColumnType::Timestamp,
            ColumnType::TextList,
        ] {
            assert_eq!(hive(&own.arrow()), own.hive());
        }
        assert_eq!(hive(&DataType::Float32), "float32");
    }
}

//! Athena's names for column types.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, col, lit};

/// Returns the name of a type.
pub(super) fn name(data_type: &DataType) -> String {
    let named = match data_type {
        DataType::Null => "unknown",
        DataType::Boolean => "boolean",
        DataType::Int8 => "tinyint",
        DataType::Int16 | DataType::UInt8 => "smallint",
        DataType::Int32 | DataType::UInt16 => "integer",
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "bigint",
        DataType::Float32 => "real",
        DataType::Float64 => "double",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Utf8 | DataType::Utf8View => "varchar",
        // See `type_names`.
        DataType::LargeUtf8 => "json",
        DataType::FixedSizeBinary(16) => "ipaddress",
        DataType::FixedSizeBinary(17) => "ipprefix",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "varbinary",
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            return format!("decimal({precision},{scale})");
        }
        DataType::Time32(_) | DataType::Time64(_) => "time(3)",
        DataType::Timestamp(unit, zone) => {
            let zone = if zone.is_some() { " with time zone" } else { "" };
            return format!("timestamp({}){zone}", digits(*unit));
        }
        DataType::List(element) | DataType::LargeList(element) | DataType::ListView(element) => {
            return format!("array({})", name(element.data_type()));
        }
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|field| format!("{} {}", field.name(), name(field.data_type())));
            return format!("row({})", fields.collect::<Vec<_>>().join(", "));
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else { return "map".to_owned() };
            let sides = fields.iter().map(|field| name(field.data_type()));
            return format!("map({})", sides.collect::<Vec<_>>().join(", "));
        }
        DataType::Dictionary(_, value) => return name(value),
        other => return other.to_string().to_lowercase(),
    };
    named.to_owned()
}

/// The type without the engine's own ways to store it: dictionaries, and views of texts and lists.
pub(super) fn plain(data_type: &DataType) -> DataType {
    let field =
        |field: &Arc<Field>| Arc::new(field.as_ref().clone().with_data_type(plain(field.data_type())));
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::UInt64 => DataType::Int64,
        DataType::Dictionary(_, value) => plain(value),
        DataType::List(element)
        | DataType::ListView(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _) => DataType::List(field(element)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        DataType::Map(entries, is_sorted) => DataType::Map(field(entries), *is_sorted),
        other => other.clone(),
    }
}

/// Returns the number of fraction digits of a time unit.
fn digits(unit: TimeUnit) -> u32 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

/// Rewrites `DESCRIBE` to return Athena's columns and type names. Other plans are unchanged.
pub(super) fn described(plan: LogicalPlan) -> Result<LogicalPlan> {
    let LogicalPlan::DescribeTable(table) = plan else { return Ok(plan) };
    let row = |field: &Arc<Field>| vec![lit(field.name().as_str()), lit(name(field.data_type()))];
    let rows: Vec<_> = table.schema.fields().iter().map(row).collect();
    LogicalPlanBuilder::values(rows)?
        .project([col("column1").alias("column_name"), col("column2").alias("data_type")])?
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_athenas_names() {
        let field = |name: &str, data_type| Field::new(name, data_type, true);
        let fields = vec![field("key", DataType::Utf8), field("value", DataType::Int32)];
        let entries = field("entries", DataType::Struct(fields.clone().into()));
        for (data_type, expected) in [
            (DataType::Utf8View, "varchar"),
            (DataType::new_list(DataType::Boolean, true), "array(boolean)"),
            (DataType::Struct(fields.into()), "row(key varchar, value integer)"),
            (DataType::Map(entries.into(), false), "map(varchar, integer)"),
            (DataType::Timestamp(TimeUnit::Millisecond, None), "timestamp(3)"),
            (DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), "timestamp(9) with time zone"),
            (DataType::Decimal128(10, 2), "decimal(10,2)"),
            (DataType::Float64, "double"),
        ] {
            assert_eq!(name(&data_type), expected);
        }
    }
}

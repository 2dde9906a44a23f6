//! Columns of JSON values.

use std::borrow::Cow;

use crate::table::column::{CompactName, comment};
use crate::table::{Column, ColumnType, Naming, Origin, Promotion, Spread, TableSchema};

/// Returns a column of the values at a JSON path, or at alternative paths if a record uses one of several.
pub(in crate::dataset) const fn json_column(
    name: &'static str,
    column_type: ColumnType,
    paths: &'static [Cow<'static, str>],
    meaning: &'static str,
) -> Column {
    Column::new(name, column_type, Origin::Json(Cow::Borrowed(paths)), meaning)
}

/// `json_columns!(name, type, "path", "meaning")`, with alternative paths between `|`.
macro_rules! json_columns {
    ($name:literal, $kind:ident, $($path:literal)|+, $meaning:literal) => {
        $crate::dataset::json_fields::json_column($name, $kind, &[$(std::borrow::Cow::Borrowed($path)),+], $meaning)
    };
}
pub(in crate::dataset) use json_columns;

/// Number of columns that are always last in a table: `extra`, `source_object`, `source_record`.
const LAST: usize = 3;

/// Returns the schema of a table of JSON records: its columns, with those that the log type and the user promote before the
/// last three. The event time and the columns to sort by are given by name.
pub(in crate::dataset) fn json_schema(
    columns: &[Column],
    of_type: &[Column],
    of_user: &[Promotion],
    (event_time, cluster): (&str, &[&str]),
    naming: Naming,
) -> TableSchema {
    let (front, last) = columns.split_at(columns.len() - LAST);
    let of_user = of_user.iter().map(promoted_column);
    let columns: Vec<Column> =
        front.iter().chain(of_type).cloned().chain(of_user).chain(last.iter().cloned()).collect();
    let position =
        |name: &str| columns.iter().position(|column| column.name == name).expect("the table has the column");
    let (event_time, cluster) = (position(event_time), cluster.iter().map(|name| position(name)).collect());
    TableSchema { columns, event_time, cluster, naming }
}

/// Returns the column of a JSON value that the user promotes.
fn promoted_column(promotion: &Promotion) -> Column {
    Column {
        name: Cow::Owned(promotion.column.clone()),
        column_type: promotion.column_type,
        origin: Origin::Json(Cow::Owned(vec![Cow::Owned(promotion.path.clone())])),
        meaning: Cow::Owned(comment(format!("Promoted from {}", promotion.path))),
        spread: Spread::Repeating,
        identifies: None,
        compact: CompactName::AsGiven,
    }
}

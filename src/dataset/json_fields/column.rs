//! Columns of JSON values.

use std::borrow::Cow;

use crate::table::column::{CompactName, comment};
use crate::table::{Column, ColumnType, Origin, Promotion, Spread};

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

/// Returns the column of a JSON value that the user promotes.
pub(in crate::dataset) fn promoted_column(promotion: &Promotion) -> Column {
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

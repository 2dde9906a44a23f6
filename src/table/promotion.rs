//! Columns that users add.

use serde::{Deserialize, Serialize};

use super::ColumnType;

/// A JSON value that gets a column of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// Name of the column, `snake_case`.
    pub column: String,
    /// JSON path, for example `requestParameters.instanceId`.
    pub path: String,
    /// Type of the column. A value of another type is NULL here and is kept in the JSON column.
    #[serde(rename = "type", default = "Promotion::text")]
    pub column_type: ColumnType,
}

impl Promotion {
    fn text() -> ColumnType {
        ColumnType::Text
    }
}

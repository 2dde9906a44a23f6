//! Columns that users add.

use serde::{Deserialize, Serialize};

use super::ColumnType;

/// A JSON value that gets a column of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// Name of the column, `snake_case`.
    pub column: String,
    /// JSON path such as `requestParameters.instanceId`.
    pub path: String,
    /// Type of the column; a value of another type is NULL there and stays in the JSON column.
    #[serde(rename = "type", default = "Promotion::text")]
    pub column_type: ColumnType,
}

impl Promotion {
    fn text() -> ColumnType {
        ColumnType::Text
    }
}

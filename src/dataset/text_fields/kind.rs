//! The kinds of values in a field, and the columns that each fills.

use crate::table::Column;

/// The kind of the values in a field, with its columns. `-` is NULL in all of them.
#[derive(Debug)]
pub(in crate::dataset) enum Kind {
    /// The time that decides the day of a row. It cannot be NULL. The time in KST follows it.
    EventTime(Column),
    /// A time.
    Time(Column),
    /// Text as logged.
    Text(Column),
    /// Texts between commas.
    List(Column),
    /// An integer of the width of its column.
    Integer(Column),
    /// An HTTP status: three digits.
    Status(Column),
    /// A decimal number.
    Double(Column),
    /// `address:port`, divided at the last colon, because IPv6 addresses come without brackets. Brackets are dropped.
    AddressPort([Column; 2]),
    /// A request line: as a whole, its method, its URL and its protocol.
    Request([Column; 4]),
    /// `NotBefore=TIME;NotAfter=TIME`: as a whole, and both times. Other text has no times.
    Validity([Column; 3]),
}

impl Kind {
    /// Returns the columns that a field of this kind fills, in order.
    pub(super) fn columns(&self) -> &[Column] {
        match self {
            Self::EventTime(column)
            | Self::Time(column)
            | Self::Text(column)
            | Self::List(column)
            | Self::Integer(column)
            | Self::Status(column)
            | Self::Double(column) => std::slice::from_ref(column),
            Self::AddressPort(columns) => columns,
            Self::Validity(columns) => columns,
            Self::Request(columns) => columns,
        }
    }
}

//! The kinds of values in a field, and the columns that each fills.

use crate::table::Column;

/// The kind of the values in a field, with its columns. `-` is NULL in all of them.
#[derive(Debug)]
pub(in crate::dataset) enum Kind {
    /// The time that decides the day of a row. It cannot be NULL. The time in KST follows it.
    EventTime(Column),
    /// The same without a zone: the log type writes it in UTC.
    EventTimeUtc(Column),
    /// A time.
    Time(Column),
    /// The same without a zone: the log type writes it in UTC.
    TimeUtc(Column),
    /// The same word in every line.
    Word(Column, &'static str),
    /// Text as logged.
    Text(Column),
    /// The name of a TLS cipher or version.
    Tls(Column),
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
    /// A request line: as a whole, its method, its URL and its protocol. `- - - `, which stands for no request, is NULL.
    Request([Column; 4]),
    /// `NotBefore=TIME;NotAfter=TIME`: as a whole, and both times. Other text has no times.
    Validity([Column; 3]),
}

impl Kind {
    /// Returns the columns that a field of this kind fills, in order.
    pub(super) fn columns(&self) -> &[Column] {
        match self {
            Self::EventTime(column)
            | Self::EventTimeUtc(column)
            | Self::Time(column)
            | Self::TimeUtc(column)
            | Self::Word(column, _)
            | Self::Text(column)
            | Self::Tls(column)
            | Self::List(column)
            | Self::Integer(column)
            | Self::Status(column)
            | Self::Double(column) => std::slice::from_ref(column),
            Self::AddressPort(columns) => columns,
            Self::Validity(columns) => columns,
            Self::Request(columns) => columns,
        }
    }

    /// Whether the values are times.
    pub(super) const fn is_time(&self) -> bool {
        matches!(
            self,
            Self::EventTime(_) | Self::EventTimeUtc(_) | Self::Time(_) | Self::TimeUtc(_) | Self::Validity(_)
        )
    }
}

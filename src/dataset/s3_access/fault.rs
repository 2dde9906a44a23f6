//! Why a line is no row: a stable reason for machines, a sentence for people, and the place.

use std::fmt;

use memchr::memchr;

use super::field::Field;
use super::time::find_stamp;

/// Why a line cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Reason {
    /// Nothing but blanks.
    BlankLine,
    /// The line ends before the field that is named.
    MissingFields,
    /// Two spaces in a row.
    EmptyField,
    /// The bucket's owner or name holds a quote.
    QuotedField,
    /// The third field is no time such as `[06/Feb/2019:00:00:38 +0000]`.
    BadTime,
    /// The address holds a quote.
    BadRemoteIp,
    /// The request id has other characters than letters, digits and `-`.
    BadRequestId,
    /// The operation is not two or more words with dots between them.
    BadOperation,
    /// A status, size or duration is neither digits nor `-`.
    BadNumber,
    /// The error code has other characters than letters, digits, `.` and `_`.
    BadErrorCode,
    /// Neither a quote nor a bare `-` where client text should begin.
    UnquotedText,
    /// Text touches the last quote of the line.
    StrayQuote,
    /// No signature version in its place nor one place later.
    BadSignatureVersion,
    /// A second time where there should be fields: the rest of another record follows a record that was cut off.
    TornLine,
    /// A second time after the user agent: another record follows without a line break.
    MergedLines,
}

impl Reason {
    /// A stable name for columns and counters.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::BlankLine => "blank_line",
            Self::MissingFields => "missing_fields",
            Self::EmptyField => "empty_field",
            Self::QuotedField => "quoted_field",
            Self::BadTime => "bad_time",
            Self::BadRemoteIp => "bad_remote_ip",
            Self::BadRequestId => "bad_request_id",
            Self::BadOperation => "bad_operation",
            Self::BadNumber => "bad_number",
            Self::BadErrorCode => "bad_error_code",
            Self::UnquotedText => "unquoted_text",
            Self::StrayQuote => "stray_quote",
            Self::BadSignatureVersion => "bad_signature_version",
            Self::TornLine => "torn_line",
            Self::MergedLines => "merged_lines",
        }
    }

    /// The same as a sentence for people, without the place.
    const fn sentence(self) -> &'static str {
        match self {
            Self::BlankLine => "the line is blank",
            Self::MissingFields => "the line ends too early",
            Self::EmptyField => "a field is empty",
            Self::QuotedField => "a field that S3 writes without quotes holds one",
            Self::BadTime => "the time is not of the form [06/Feb/2019:00:00:38 +0000]",
            Self::BadRemoteIp => "the remote address holds a quote",
            Self::BadRequestId => "the request id is not letters, digits and dashes",
            Self::BadOperation => "the operation is not two or more dotted words",
            Self::BadNumber => "a number is neither digits nor a dash",
            Self::BadErrorCode => "the error code is not letters, digits, dots and underscores",
            Self::UnquotedText => "client text starts with neither a quote nor a bare dash",
            Self::StrayQuote => "text touches the last quote",
            Self::BadSignatureVersion => "the signature version is not in its place",
            Self::TornLine => "the record is cut off and another one follows in the same line",
            Self::MergedLines => "another record follows in the same line",
        }
    }
}

/// A line that cannot be read, and where reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fault {
    /// What is wrong.
    pub(super) reason: Reason,
    /// The field that was to be read.
    pub(super) field: Field,
    /// Byte position in the line as it was given, from 0.
    pub(super) at: usize,
}

impl Fault {
    pub(super) const fn new(reason: Reason, field: Field, at: usize) -> Self {
        Self { reason, field, at }
    }

    /// A stable name of the reason for columns and counters.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        self.reason.as_str()
    }

    /// This fault, or what explains it better: a second time among the unquoted bytes from `from` on.
    pub(super) fn explained(self, line: &[u8], from: usize) -> Self {
        if self.field <= Field::Time {
            return self;
        }
        let reason = if self.field < Field::Referer { Reason::TornLine } else { Reason::MergedLines };
        let rest = line.get(from..).unwrap_or_default();
        let unquoted = &rest[..memchr(b'"', rest).unwrap_or(rest.len())];
        find_stamp(unquoted).map_or(self, |offset| Self { reason, at: from + offset, ..self })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (field {}, byte {})", self.reason.sentence(), self.field.name(), self.at)
    }
}

//! The reason why a line is rejected: a stable name, a sentence, and the place.

use std::fmt;

use memchr::memchr;

use super::field::Field;
use super::time::find_stamp;

/// The reason why a line is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Reason {
    /// The line is blank.
    BlankLine,
    /// The line ends before the named field.
    MissingFields,
    /// Two spaces in a row.
    EmptyField,
    /// The bucket owner or bucket name holds a quote.
    QuotedField,
    /// The third field is not a time such as `[06/Feb/2019:00:00:38 +0000]`.
    BadTime,
    /// The address holds a quote.
    BadRemoteIp,
    /// The request id has characters other than letters, digits and `-`.
    BadRequestId,
    /// The operation is not two or more words with dots between them.
    BadOperation,
    /// A status, size or duration is not a number or `-`.
    BadNumber,
    /// The error code has characters other than letters, digits, `.` and `_`.
    BadErrorCode,
    /// Client text does not begin with a quote or a bare `-`.
    UnquotedText,
    /// Text touches the last quote of the line.
    StrayQuote,
    /// The signature version is not in its place or one place later.
    BadSignatureVersion,
    /// A second time is in the place of fields: the rest of another record follows a record that was cut off.
    TornLine,
    /// A second time follows the user agent: another record follows without a line break.
    MergedLines,
}

impl Reason {
    /// Returns the stable name for counters.
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

    /// Returns the reason as a sentence, without the place.
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

/// The reason and the place at which reading a line stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fault {
    /// The reason.
    pub(super) reason: Reason,
    /// The field in question.
    pub(super) field: Field,
    /// Byte position in the original line, from 0.
    pub(super) at: usize,
}

impl Fault {
    pub(super) const fn new(reason: Reason, field: Field, at: usize) -> Self {
        Self { reason, field, at }
    }

    /// Returns the stable name of the reason for counters.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        self.reason.as_str()
    }

    /// Returns this fault, or a better explanation: a second time among the unquoted bytes after `from`.
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

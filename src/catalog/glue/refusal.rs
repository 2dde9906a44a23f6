//! An entry that the catalog refused although it accepted the batch.

use aws_sdk_glue::types::ErrorDetail;

use super::wire::value_of;

/// Codes of entries that may succeed later: the service was busy, or another process was faster.
const LATER: [&str; 7] = [
    "AlreadyExistsException",
    "EntityNotFoundException",
    "ConcurrentModificationException",
    "InternalServiceException",
    "OperationTimeoutException",
    "ResourceNotReadyException",
    "ThrottlingException",
];

/// A refused entry of a batch.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    /// The value of the partition.
    pub(super) value: String,
    pub(super) code: String,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(values: &[String], detail: Option<&ErrorDetail>) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self {
            value: value_of(values).to_owned(),
            code: text(detail.and_then(ErrorDetail::error_code)),
            message: text(detail.and_then(ErrorDetail::error_message)),
        }
    }

    /// Whether another attempt may succeed after looking up the existing partitions again.
    pub(super) fn may_succeed_later(&self) -> bool {
        LATER.contains(&self.code.as_str())
    }

    /// Whether the partition does not exist.
    pub(super) fn is_of_missing(&self) -> bool {
        self.code == "EntityNotFoundException"
    }
}

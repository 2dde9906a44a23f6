//! Access logs of Classic Load Balancers: the text lines that they write about requests and TCP connections.

mod fields;

use super::elb_keys::ElbLog;
use super::elb_log_type::ElbLogType;

/// The log type. The shortest line has a time, ten fields of one byte and a request.
pub(super) static CLB_ACCESS: ElbLogType<15> = ElbLogType {
    name: "clb-access",
    table: "clb_access",
    log: ElbLog::ClassicAccess,
    min_row_bytes: 40,
    grammar: &fields::GRAMMAR,
};

#[cfg(test)]
mod tests;

//! NLB access logs: the text lines that Network Load Balancers write about connections of their TLS listeners.

mod fields;

use super::elb_keys::ElbLog;
use super::elb_log_type::ElbLogType;

/// The log type. The shortest line has a type, a version, a time and fifteen fields of one byte.
pub(super) static NLB_ACCESS: ElbLogType<22> = ElbLogType {
    name: "nlb-access",
    table: "nlb_access",
    log: ElbLog::NlbAccess,
    min_row_bytes: 48,
    grammar: &fields::GRAMMAR,
};

#[cfg(test)]
mod tests;

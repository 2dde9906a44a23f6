//! ALB access logs: the text lines that Application Load Balancers write about requests.

mod fields;

use super::elb_keys::ElbLog;
use super::elb_log_type::ElbLogType;

/// The log type. The shortest line has twelve bare fields, two texts and three bare fields.
pub(super) static ALB_ACCESS: ElbLogType<34> = ElbLogType {
    name: "alb-access",
    table: "alb_access",
    log: ElbLog::AlbAccess,
    min_row_bytes: 48,
    grammar: &fields::GRAMMAR,
};

#[cfg(test)]
mod tests;

//! ALB connection logs: the text lines that Application Load Balancers write about attempts to connect.

mod fields;

use super::elb_keys::ElbLog;
use super::elb_log_type::ElbLogType;

/// The log type. The shortest line has a time, ten fields and their spaces.
pub(super) static ALB_CONNECTION: ElbLogType<15> = ElbLogType {
    name: "alb-connection",
    table: "alb_connection",
    log: ElbLog::AlbConnection,
    min_row_bytes: 32,
    grammar: &fields::GRAMMAR,
};

#[cfg(test)]
mod tests;

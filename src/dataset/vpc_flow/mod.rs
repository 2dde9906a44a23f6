//! VPC flow logs as text: one line for each flow of packets in an aggregation interval, with the fields that the user chose.

mod fields;
mod keys;

use super::headed_log_type::{HeadedLogType, Keys};
use super::secrets;

/// The log type.
pub(super) static VPC_FLOW: HeadedLogType<55> = HeadedLogType {
    name: "vpc-flow",
    table: "vpc_flow",
    lateness_hours: keys::LATENESS_HOURS,
    redactions: secrets::DEFAULT_REDACTIONS,
    keys: Keys {
        services: &[keys::SERVICE],
        claim: keys::claim,
        time_in_key: keys::time_in_key,
        holds_days: keys::holds_days,
        holds_years: keys::holds_days,
        origin: keys::origin,
    },
    grammar: &fields::GRAMMAR,
};

#[cfg(test)]
mod tests;

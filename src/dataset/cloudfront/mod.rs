//! CloudFront standard logs: one line for each request of a viewer. Version 1 has a header line and values between tabs;
//! version 2 has the same with fields that the user chooses, or JSON.

mod fields;
mod keys;

use super::headed_log_type::{HeadedLogType, Keys};
use super::secrets;

/// The log type.
pub(super) static CLOUDFRONT: HeadedLogType<45> = HeadedLogType {
    name: "cloudfront",
    table: "cloudfront",
    // A late entry comes in another object of its hour, up to a day later.
    lateness_hours: 24,
    redactions: secrets::OF_CLOUDFRONT,
    keys: Keys {
        services: &[keys::SERVICE],
        claim: keys::claim,
        time_in_key: keys::time_in_key,
        holds_days: keys::holds_days,
        // Users choose the folders below that of the service.
        holds_years: |_| false,
        origin: keys::origin,
    },
    grammar: &fields::GRAMMAR,
};

#[cfg(test)]
mod tests;

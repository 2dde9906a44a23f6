//! Chooses round numbers for the ends of axes.

use crate::report::format::Unit;

/// Returns the smallest of 1, 2, 2.5, 5 and 10 times a power of ten that is not below the number; 1 if the number is zero.
/// Bytes are round in KiB, MiB and so on.
pub(super) fn top(most: f64, unit: Unit) -> f64 {
    if most <= 0.0 || !most.is_finite() {
        return 1.0;
    }
    let prefix = match unit {
        Unit::Bytes => 1024_f64.powf(most.log(1024.0).floor().max(0.0)),
        Unit::Count | Unit::Milliseconds | Unit::Share => 1.0,
    };
    let most = most / prefix;
    let power = 10_f64.powf(most.log10().floor());
    let round = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|step| step * power);
    prefix * round.into_iter().find(|round| *round >= most).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number_that_fits_all_values() {
        for (most, end) in [(0.0, 1.0), (1.0, 1.0), (7.0, 10.0), (23.0, 25.0), (1001.0, 2000.0), (0.3, 0.5)] {
            assert!((top(most, Unit::Count) - end).abs() < 1e-9, "{most}: {}", top(most, Unit::Count));
        }
        let mib = f64::from(1 << 20);
        for (most, end) in [(1.0, 1.0), (700.0, 1000.0), (1025.0, 2048.0), (23.8 * mib, 25.0 * mib)] {
            assert!((top(most, Unit::Bytes) - end).abs() < 1e-6, "{most}: {}", top(most, Unit::Bytes));
        }
    }
}

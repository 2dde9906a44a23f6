//! The cost of the requests to S3 that a backfill sends.

use super::console;
use crate::plan::discovery::Discovery;

/// List prices in dollars for 1,000 requests, as in `deploy/cost.py`.
const GET_1000: f64 = 0.00035;
const LIST_1000: f64 = 0.0045;
/// Where and when these prices were valid.
pub(super) const PRICE_REGION: &str = "ap-northeast-2";
pub(super) const PRICE_DATE: &str = "2024-25";

/// The requests of a backfill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestCost {
    /// One for each object.
    pub(super) gets: u64,
    /// One listing of its inputs for each log type.
    pub(super) lists: u64,
}

impl RequestCost {
    /// Returns the requests; `None` if the inputs take none.
    pub(super) fn of(discovery: &Discovery) -> Option<Self> {
        let gets = discovery.found.iter().map(|logs| logs.fetched).sum();
        let lists = discovery.found.iter().map(|logs| logs.requests).sum();
        (gets > 0).then_some(Self { gets, lists })
    }

    /// The cost in dollars.
    pub(super) fn dollars(self) -> f64 {
        (self.gets as f64 * GET_1000 + self.lists as f64 * LIST_1000) / 1000.0
    }

    /// Formats cost and assumptions.
    pub(super) fn text(self) -> String {
        let dollars = self.dollars();
        let cost = if dollars < 0.01 { "less than $0.01".to_owned() } else { format!("about ${dollars:.2}") };
        format!(
            "{cost}: {} GET at ${GET_1000} and {} LIST at ${LIST_1000} per 1,000, assuming the list prices of {PRICE_REGION} \
             in {PRICE_DATE}",
            console::count(self.gets),
            console::count(self.lists)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_states_its_assumptions() {
        for (gets, lists, expected) in [
            (1, 1, "less than $0.01: 1 GET at $0.00035 and 1 LIST at $0.0045 per 1,000"),
            (
                20_000_000,
                40_000,
                "about $7.18: 20,000,000 GET at $0.00035 and 40,000 LIST at $0.0045 per 1,000",
            ),
        ] {
            let expected = format!("{expected}, assuming the list prices of ap-northeast-2 in 2024-25");
            assert_eq!(RequestCost { gets, lists }.text(), expected);
        }
    }

    #[test]
    fn the_prices_are_those_of_the_cost_of_a_day() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/cost.py");
        let inputs = std::fs::read_to_string(path).unwrap();
        let seoul = inputs.lines().find(|line| line.contains(&format!("Prices(\"{PRICE_REGION}\""))).unwrap();
        assert!(seoul.contains(&format!(", {GET_1000}, {LIST_1000}, ")), "{seoul}");
        assert!(inputs.contains(&format!("of {PRICE_DATE}.")));
    }
}

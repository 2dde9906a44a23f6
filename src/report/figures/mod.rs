//! The figures of the report, in the order of the page.

mod cloudfront;
mod cloudtrail;
mod labels;
mod load_balancers;
mod s3_access;
mod waf;

use super::figure::Figure;

/// Returns the figures, in the order of the page.
pub fn figures() -> impl Iterator<Item = &'static Figure> {
    [cloudtrail::FIGURES, s3_access::FIGURES, load_balancers::FIGURES, cloudfront::FIGURES, waf::FIGURES]
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_figure_has_its_own_id() {
        let ids: BTreeSet<&str> = figures().map(|figure| figure.id).collect();
        assert_eq!(ids.len(), figures().count());
    }
}

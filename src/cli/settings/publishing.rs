//! The conditions under which a day is published.

use super::layers::Layers;
use super::rows;
use super::values::{ratio, size, truth};
use crate::error::Result;
use crate::publish::{PublishOptions, ShrinkLimits};

impl Layers {
    pub(super) fn publish_options(&mut self) -> Result<PublishOptions> {
        let max_reject_ratio = self.pick(&rows::MAX_REJECT_RATIO, ratio)?;
        let max_quarantine_bytes = self.pick(&rows::MAX_QUARANTINE, size)?;
        let allow_empty = self.pick(&rows::ALLOW_EMPTY, truth)?;
        let max_shrink = self.pick(&rows::MAX_SHRINK, ratio)?;
        let require_proof = self.pick(&rows::REQUIRE_PROOF, truth)?;
        let shrink = ShrinkLimits { allow_empty, max_shrink };
        Ok(PublishOptions { max_reject_ratio, max_quarantine_bytes, shrink, require_proof })
    }
}

//! How far a published day may shrink.

use super::layers::Layers;
use super::rows;
use super::values::{ratio, truth};
use crate::error::Result;
use crate::publish::ShrinkLimits;

impl Layers {
    pub(super) fn shrink_limits(&mut self) -> Result<ShrinkLimits> {
        let allow_empty = self.pick(&rows::ALLOW_EMPTY, truth)?;
        let max_shrink = self.pick(&rows::MAX_SHRINK, ratio)?;
        Ok(ShrinkLimits { allow_empty, max_shrink })
    }
}

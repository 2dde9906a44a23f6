//! What is decided about a day before it is published.

use super::layers::Layers;
use super::values::{ratio, size, truth};
use crate::cli::args::WriteArgs;
use crate::cli::config_file::ConfigFile;
use crate::error::Result;
use crate::publish::{PublishOptions, ShrinkLimits};

impl Layers {
    pub(super) fn publish_rules(
        &mut self,
        flags: Option<&WriteArgs>,
        file: &ConfigFile,
    ) -> Result<PublishOptions> {
        let rejects_flag = flags.and_then(|flags| flags.max_reject_ratio.as_ref());
        let max_reject_ratio =
            self.pick("max_reject_ratio", rejects_flag, file.max_reject_ratio.as_ref(), "1%", ratio)?;
        let quarantine_flag = flags.and_then(|flags| flags.max_quarantine.as_ref());
        let max_quarantine_bytes =
            self.pick("max_quarantine", quarantine_flag, file.max_quarantine.as_ref(), "256 MiB", size)?;
        let empty_flag = flags.and_then(|flags| flags.allow_empty).map(|wanted| wanted.to_string());
        let allow_empty =
            self.pick("allow_empty", empty_flag.as_ref(), file.allow_empty.as_ref(), "false", truth)?;
        let shrink_flag = flags.and_then(|flags| flags.max_shrink.as_ref());
        let max_shrink = self.pick("max_shrink", shrink_flag, file.max_shrink.as_ref(), "50%", ratio)?;
        let shrink = ShrinkLimits { allow_empty, max_shrink };
        Ok(PublishOptions { max_reject_ratio, max_quarantine_bytes, shrink })
    }
}

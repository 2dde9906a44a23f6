//! Who is told of runs beside the reader of the messages.

use std::path::PathBuf;

use super::layers::Layers;
use super::values::{text, truth};
use crate::cli::args::WriteArgs;
use crate::cli::config_file::ConfigFile;
use crate::error::Result;

/// Where the numbers of a run go.
pub(in crate::cli) struct WatchSettings {
    /// A file for Prometheus.
    pub(in crate::cli) metrics_file: Option<PathBuf>,
    /// Whether each table and day is a line for CloudWatch on standard error.
    pub(in crate::cli) emf: bool,
}

impl Layers {
    pub(super) fn watch(&mut self, flags: Option<&WriteArgs>, file: &ConfigFile) -> Result<WatchSettings> {
        let metrics_flag = flags.and_then(|flags| flags.metrics_file.as_ref());
        let metrics_file =
            self.pick_optional("metrics_file", metrics_flag, file.metrics_file.as_ref(), text)?;
        let emf_flag = flags.and_then(|flags| flags.emf).map(|wanted| wanted.to_string());
        let emf = self.pick("emf", emf_flag.as_ref(), file.emf.as_ref(), "false", truth)?;
        Ok(WatchSettings { metrics_file: metrics_file.map(PathBuf::from), emf })
    }
}

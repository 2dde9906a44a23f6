//! Where the metrics of a run go.

use std::path::PathBuf;

use super::layers::Layers;
use super::rows;
use super::values::{text, truth};
use crate::error::Result;

/// Where the metrics of a run go.
pub(in crate::cli) struct WatchSettings {
    /// A file for Prometheus.
    pub(in crate::cli) metrics_file: Option<PathBuf>,
    /// Whether each table and day is printed for CloudWatch on standard error.
    pub(in crate::cli) emf: bool,
}

impl Layers {
    pub(super) fn watch(&mut self) -> Result<WatchSettings> {
        let metrics_file = self.pick_optional(&rows::METRICS_FILE, text)?;
        let emf = self.pick(&rows::EMF, truth)?;
        Ok(WatchSettings { metrics_file: metrics_file.map(PathBuf::from), emf })
    }
}

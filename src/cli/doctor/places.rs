//! The three places that the doctor compares: raw logs, lake and catalog.

use crate::cli::context::Context;
use crate::cli::settings::Settings;
use crate::kst::UtcInstant;
use crate::road::Registrar;
use crate::store::{Connector, Lake};

/// The three places that are compared.
pub(super) struct Places<'a> {
    pub(super) settings: &'a Settings,
    pub(super) connector: &'a Connector,
    pub(super) lake: &'a dyn Lake,
    pub(super) registrar: Option<&'a Registrar>,
    pub(super) context: &'a Context,
    pub(super) now: UtcInstant,
}

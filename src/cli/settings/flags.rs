//! The flags of a command that are settings.

use super::given::Given;
use super::setting::Setting;

/// The flags of a command that are settings, without the global ones.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Flags {
    pub(super) given: Given,
    pub(super) needs_sources: bool,
    pub(super) steals: bool,
    pub(super) publishes: bool,
}

impl Flags {
    /// Joins groups of flags.
    pub(in crate::cli) fn of<'a>(groups: impl IntoIterator<Item = &'a Given>) -> Self {
        let mut flags = Self::default();
        groups.into_iter().for_each(|group| flags.given.extend(group));
        flags
    }

    /// Whether a flag gives a setting.
    pub(in crate::cli) fn has(&self, setting: &Setting) -> bool {
        self.given.has(setting)
    }

    /// Marks a command that needs the sources.
    #[must_use]
    pub(in crate::cli) fn with_sources(mut self) -> Self {
        self.needs_sources = true;
        self
    }

    /// Marks a command that publishes days.
    #[must_use]
    pub(in crate::cli) fn publishing(mut self) -> Self {
        self.publishes = true;
        self
    }

    /// Sets whether `--steal` was given.
    #[must_use]
    pub(in crate::cli) fn stealing(mut self, steals: bool) -> Self {
        self.steals = steals;
        self
    }

    /// Adds the value of a setting that no flag gives.
    #[must_use]
    pub(in crate::cli) fn or(mut self, setting: &'static Setting, value: &str) -> Self {
        if !self.given.has(setting) {
            self.given.insert(setting, vec![value.to_owned()]);
        }
        self
    }
}

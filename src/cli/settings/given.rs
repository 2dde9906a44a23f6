//! The values that one layer gives: the flags of a command, or a section of the config file.

use std::collections::BTreeMap;

use super::setting::Setting;

/// Values by setting, as they were written.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Given(BTreeMap<&'static str, Vec<String>>);

impl Given {
    /// No values.
    pub(in crate::cli) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Notes the values of a setting.
    pub(in crate::cli) fn insert(&mut self, setting: &'static Setting, values: Vec<String>) {
        self.0.insert(setting.name, values);
    }

    /// Adds what another part of the command line gives.
    pub(in crate::cli) fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.clone());
    }

    /// The values of a setting; none if this layer does not give it.
    pub(in crate::cli) fn all(&self, setting: &Setting) -> &[String] {
        self.0.get(setting.name).map_or(&[], Vec::as_slice)
    }

    /// The one value of a setting; the elements of a list have commas between them.
    pub(in crate::cli) fn one(&self, setting: &Setting) -> Option<String> {
        self.0.get(setting.name).map(|values| values.join(","))
    }

    /// Whether this layer gives a setting.
    pub(in crate::cli) fn has(&self, setting: &Setting) -> bool {
        self.0.contains_key(setting.name)
    }
}

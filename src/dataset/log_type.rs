//! A log type by its name: a [`Dataset`] that can be compared, printed and stored.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Dataset, require};
use crate::error::Result;

/// A log type that this version knows. It is compared, printed and stored by its name.
#[derive(Clone, Copy)]
pub struct LogType(&'static dyn Dataset);

impl LogType {
    /// Returns the log type of a stored name; see [`require`].
    pub fn require(name: &str) -> Result<Self> {
        require(name).map(Self)
    }

    /// Returns what the log type knows about its objects, records and columns.
    #[must_use]
    pub fn dataset(self) -> &'static dyn Dataset {
        self.0
    }
}

impl From<&'static dyn Dataset> for LogType {
    fn from(dataset: &'static dyn Dataset) -> Self {
        Self(dataset)
    }
}

impl Deref for LogType {
    type Target = dyn Dataset;

    fn deref(&self) -> &Self::Target {
        self.0
    }
}

impl PartialEq for LogType {
    fn eq(&self, other: &Self) -> bool {
        self.0.name() == other.0.name()
    }
}

impl Eq for LogType {}

impl fmt::Debug for LogType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("LogType").field(&self.0.name()).finish()
    }
}

impl fmt::Display for LogType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0.name())
    }
}

impl Serialize for LogType {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl<'de> Deserialize<'de> for LogType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        require(&name).map(Self).map_err(de::Error::custom)
    }
}

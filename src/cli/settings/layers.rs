//! The layers under the flags: environment, config file, default; and a note of what was taken from where.

use std::collections::BTreeMap;

use super::InForce;
use super::values::Parsed;
use crate::cli::config_file::Scalar;
use crate::error::{Error, ErrorKind, Result};

/// What is said to have given a setting that no layer says anything about.
pub(super) const DEFAULT: &str = "default";

/// The layers under the flags, and a note of what was taken from where.
pub(super) struct Layers {
    pub(super) environment: BTreeMap<String, String>,
    pub(super) path: String,
    pub(super) in_force: Vec<InForce>,
    /// Whether flag, environment or file say which log types the sources have.
    pub(super) log_types_named: bool,
}

impl Layers {
    /// The first layer that says something about a setting.
    pub(super) fn pick<T>(
        &mut self,
        name: &str,
        flag: Option<&String>,
        file: Option<&Scalar>,
        default: &str,
        parse: fn(&str) -> Parsed<T>,
    ) -> Result<T> {
        self.pick_from(name, flag, file, default, parse).map(|(value, _)| value)
    }

    /// [`pick`](Self::pick), with the layer that has said it.
    pub(super) fn pick_from<T>(
        &mut self,
        name: &str,
        flag: Option<&String>,
        file: Option<&Scalar>,
        default: &str,
        parse: fn(&str) -> Parsed<T>,
    ) -> Result<(T, String)> {
        let (value, from) = self.first(name, flag, file.map(ToString::to_string), default);
        let parsed = parse(&value).map_err(|why| {
            Error::new(ErrorKind::Usage, format!("'{value}' is no value for {name}: {why}"))
                .with("from", &from)
        })?;
        self.note(name.to_owned(), value, from.clone());
        Ok((parsed, from))
    }

    /// [`pick`](Self::pick) for a setting that need not be said.
    pub(super) fn pick_optional<T>(
        &mut self,
        name: &str,
        flag: Option<&String>,
        file: Option<&Scalar>,
        parse: fn(&str) -> Parsed<T>,
    ) -> Result<Option<T>> {
        let (value, _) = self.first(name, flag, file.map(ToString::to_string), "");
        if value.is_empty() { Ok(None) } else { self.pick(name, flag, file, "", parse).map(Some) }
    }

    pub(super) fn first(
        &self,
        name: &str,
        flag: Option<&String>,
        file: Option<String>,
        default: &str,
    ) -> (String, String) {
        let variable = format!("LOGMILL_{}", name.to_ascii_uppercase());
        if let Some(value) = flag {
            (value.clone(), format!("--{}", name.replace('_', "-")))
        } else if let Some(value) = self.environment.get(&variable) {
            (value.clone(), variable)
        } else if let Some(value) = file {
            (value, self.path.clone())
        } else {
            (default.to_owned(), DEFAULT.to_owned())
        }
    }

    pub(super) fn note(&mut self, name: String, value: String, from: String) {
        self.in_force.push(InForce { name, value, from });
    }

    /// [`pick`](Self::pick) for a setting that each source has.
    pub(super) fn pick_for<T>(
        &mut self,
        table: &str,
        name: &str,
        flag: Option<&String>,
        file: Option<&Scalar>,
        default: &str,
        parse: fn(&str) -> Parsed<T>,
    ) -> Result<T> {
        let value = self.pick(name, flag, file, default, parse)?;
        if let Some(noted) = self.in_force.last_mut() {
            noted.name = format!("{table}.{name}");
        }
        Ok(value)
    }
}

//! The layers in which a setting may have a value: flags, environment, config file and default.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::given::Given;
use super::setting::{DefaultValue, Setting};
use super::values::Parsed;
use crate::cli::config_file::ConfigFile;
use crate::error::{Error, ErrorKind, Result};

/// The origin of a setting that no layer gives.
pub(super) const DEFAULT: &str = "default";

/// A setting in effect.
#[derive(Debug, Clone)]
pub(in crate::cli) struct InForce {
    pub(in crate::cli) name: String,
    pub(in crate::cli) value: String,
    /// The flag, the variable, the path of the config file, or `default`.
    pub(in crate::cli) from: String,
}

/// The layers, and the settings resolved from them so far.
pub(super) struct Layers {
    pub(super) flags: Given,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) file: ConfigFile,
    pub(super) in_force: Vec<InForce>,
}

/// The question for one setting.
#[derive(Clone)]
pub(super) struct Ask<'a> {
    setting: &'static Setting,
    default: Option<Cow<'a, str>>,
    source: Option<(&'a str, &'a Given)>,
}

impl From<&'static Setting> for Ask<'_> {
    fn from(setting: &'static Setting) -> Self {
        Self { setting, default: None, source: None }
    }
}

impl<'a> Ask<'a> {
    /// The setting of one source, whose section of the config file is given.
    pub(super) fn of_source(setting: &'static Setting, table: &'a str, section: &'a Given) -> Self {
        Self { setting, default: None, source: Some((table, section)) }
    }

    /// The same with a computed default.
    pub(super) fn or(mut self, default: impl Into<Cow<'a, str>>) -> Self {
        self.default = Some(default.into());
        self
    }

    fn default_value(&self) -> &str {
        match (&self.default, self.setting.default) {
            (Some(computed), _) => computed,
            (None, DefaultValue::Text(text)) => text,
            (None, DefaultValue::Nothing | DefaultValue::Depends(_)) => "",
        }
    }

    /// The name in `logmill config`.
    fn name(&self) -> String {
        match self.source {
            Some((table, _)) => format!("{table}.{}", self.setting.name),
            None => self.setting.name.to_owned(),
        }
    }
}

impl Layers {
    /// Resolves a setting and records it.
    pub(super) fn pick<'a, T>(&mut self, ask: impl Into<Ask<'a>>, parse: fn(&str) -> Parsed<T>) -> Result<T> {
        self.pick_from(ask, parse).map(|(value, _)| value)
    }

    /// Resolves a setting, and returns the layer that gave it as well.
    pub(super) fn pick_from<'a, T>(
        &mut self,
        ask: impl Into<Ask<'a>>,
        parse: fn(&str) -> Parsed<T>,
    ) -> Result<(T, String)> {
        let ask = ask.into();
        let (value, from) = self.first(&ask);
        let parsed = parse(&value).map_err(|why| {
            let is_of_file = from == self.file.path || from == DEFAULT;
            let name = if is_of_file { ask.setting.name } else { from.as_str() };
            let error = Error::new(ErrorKind::Usage, format!("invalid value '{value}' for {name}: {why}"));
            if is_of_file { error.with("file", &from) } else { error }
        })?;
        self.note(ask.name(), value, from.clone());
        Ok((parsed, from))
    }

    /// Resolves a setting that may be absent, and records it if it is not.
    pub(super) fn pick_optional<T>(
        &mut self,
        setting: &'static Setting,
        parse: fn(&str) -> Parsed<T>,
    ) -> Result<Option<T>> {
        let (value, _) = self.first(&setting.into());
        if value.is_empty() { Ok(None) } else { self.pick(setting, parse).map(Some) }
    }

    /// The value of a setting and the layer that gives it.
    pub(super) fn first(&self, ask: &Ask<'_>) -> (String, String) {
        let setting = ask.setting;
        let section = ask.source.map_or_else(|| self.file.section(setting.place), |(_, section)| section);
        if let Some(value) = self.flags.one(setting) {
            (value, setting.flag().unwrap_or_default())
        } else if let Some((value, variable)) = self.variable(setting) {
            (value, variable)
        } else if let Some(value) = section.one(setting) {
            (value, self.file.path.clone())
        } else {
            (ask.default_value().to_owned(), DEFAULT.to_owned())
        }
    }

    /// The value of a setting in the environment, and the name of its variable.
    pub(super) fn variable(&self, setting: &Setting) -> Option<(String, String)> {
        let name = setting.variable()?;
        Some((self.environment.get(&name)?.clone(), name))
    }

    /// Records a setting in effect.
    pub(super) fn note(&mut self, name: String, value: String, from: String) {
        self.in_force.push(InForce { name, value, from });
    }
}

//! One row of the table of settings.
//!
//! A row defines the flag, environment variable, config key, default and help text of a setting.

use crate::dataset;

/// The prefix of all variables.
pub const PREFIX: &str = "LOGMILL_";

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Name in `logmill config`; flag and variable follow from it.
    pub name: &'static str,
    /// Its place in the config file.
    pub place: Place,
    /// The form of the flag.
    pub syntax: Syntax,
    /// The value that applies if no layer gives one.
    pub default: DefaultValue,
    /// A valid value.
    pub example: &'static str,
    /// The key in its section of the config file, if it is not the name.
    key: Option<&'static str>,
    /// The name of the flag in commands that publish nothing, if it is another.
    name_of_reader: Option<&'static str>,
    help: &'static str,
    details: &'static str,
}

/// The place of a setting in the config file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Nowhere.
    Nowhere,
    /// Above all sections.
    Top,
    /// In `[lake]`.
    Lake,
    /// In `[catalog]`.
    Catalog,
    /// In each `[[source]]`.
    Source,
}

impl Place {
    /// Name of the section; empty for [`Top`](Self::Top) and [`Nowhere`](Self::Nowhere).
    #[must_use]
    pub fn section(self) -> &'static str {
        match self {
            Self::Nowhere | Self::Top => "",
            Self::Lake => "lake",
            Self::Catalog => "catalog",
            Self::Source => "source",
        }
    }
}

/// The form of a flag. Its texts name the value in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// One value.
    Value(&'static str),
    /// One value; without it, the flag means the second text.
    OptionalValue(&'static str, &'static str),
    /// One value; the flag can be repeated.
    List(&'static str),
    /// No value, `=true` or `=false`.
    Switch,
    /// No flag, only a variable and a key.
    NoFlag,
    /// No flag and no variable, only a key: a TOML list of tables.
    Tables,
}

/// The value of a setting that no layer gives.
#[derive(Debug, Clone, Copy)]
pub enum DefaultValue {
    /// The setting has no default.
    Nothing,
    /// This text.
    Text(&'static str),
    /// It depends on the machine, the log type or another setting; the text describes it.
    Depends(fn() -> String),
}

impl Setting {
    /// A setting without a default.
    pub(super) const fn new(name: &'static str, place: Place, syntax: Syntax, help: &'static str) -> Self {
        Self {
            name,
            place,
            syntax,
            default: DefaultValue::Nothing,
            example: "",
            key: None,
            name_of_reader: None,
            help,
            details: "",
        }
    }

    /// Sets a default.
    pub(super) const fn default(mut self, text: &'static str) -> Self {
        self.default = DefaultValue::Text(text);
        self
    }

    /// Describes a computed default.
    pub(super) const fn depends(mut self, describe: fn() -> String) -> Self {
        self.default = DefaultValue::Depends(describe);
        self
    }

    /// Sets the valid value.
    pub(super) const fn example(mut self, value: &'static str) -> Self {
        self.example = value;
        self
    }

    /// Sets the key in its section of the config file, if it is not the name.
    pub(super) const fn keyed(mut self, key: &'static str) -> Self {
        self.key = Some(key);
        self
    }

    /// Sets the name of the flag in commands that publish nothing.
    pub(super) const fn reading(mut self, name: &'static str) -> Self {
        self.name_of_reader = Some(name);
        self
    }

    /// Sets the text below the first line of the help.
    pub(super) const fn more(mut self, details: &'static str) -> Self {
        self.details = details;
        self
    }

    /// The flag, with its dashes.
    #[must_use]
    pub fn flag(&self) -> Option<String> {
        let has_none = matches!(self.syntax, Syntax::NoFlag | Syntax::Tables);
        (!has_none).then(|| format!("--{}", self.name.replace('_', "-")))
    }

    /// The flag in commands that publish nothing, with its dashes. Each command also accepts the other name.
    #[must_use]
    pub fn flag_of_reader(&self) -> Option<String> {
        self.name_of_reader.map(|name| format!("--{name}")).or_else(|| self.flag())
    }

    /// The environment variable.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        (self.syntax != Syntax::Tables).then(|| format!("{PREFIX}{}", self.name.to_ascii_uppercase()))
    }

    /// The key within its section of the config file.
    #[must_use]
    pub fn key(&self) -> Option<&'static str> {
        match self.place {
            Place::Nowhere => None,
            _ => self.key.or(Some(self.name)),
        }
    }

    /// Whether the config file may hold a list of values.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self.syntax, Syntax::List(_))
    }

    /// The default as the help prints it.
    #[must_use]
    pub fn default_text(&self) -> Option<String> {
        match self.default {
            DefaultValue::Nothing => None,
            DefaultValue::Text(text) => Some(text.to_owned()),
            DefaultValue::Depends(describe) => Some(describe()),
        }
    }

    /// The first line of the help.
    #[must_use]
    pub fn help(&self) -> String {
        completed(self.help)
    }

    /// The rest of the help; may be empty.
    #[must_use]
    pub fn details(&self) -> String {
        completed(self.details)
    }
}

/// Puts the names of log types and tables into a text.
fn completed(text: &str) -> String {
    let tables: Vec<&str> = dataset::all().map(dataset::Dataset::default_table).collect();
    text.replace("{log_types}", &dataset::names()).replace("{tables}", &tables.join(", "))
}

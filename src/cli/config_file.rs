//! The config file, `logmill.toml`.
//!
//! Its keys are those of the table of settings. Every key is optional, and an unknown key is an error that suggests the
//! nearest known one.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::settings::given::Given;
use super::settings::rows;
use super::settings::setting::{Place, Setting};
use crate::dataset::{self, Dataset};
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::nearest_name;
use crate::table::Promotion;

/// The values of the file.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    /// Path of the file; empty without one.
    pub(super) path: String,
    top: Given,
    lake: Given,
    catalog: Given,
    /// Every `[[source]]`.
    pub(super) sources: Vec<SourceSection>,
}

/// One `[[source]]`.
pub(super) struct SourceSection {
    /// The log type. Without one, the section stands for every log type whose logs its inputs hold.
    pub(super) dataset: Option<&'static dyn Dataset>,
    pub(super) values: Given,
    pub(super) promote: Vec<Promotion>,
}

impl std::fmt::Debug for SourceSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dataset = self.dataset.map(Dataset::name);
        write!(f, "SourceSection({dataset:?}: {:?}, {:?})", self.values, self.promote)
    }
}

impl ConfigFile {
    /// The values of a place other than a source.
    pub(super) fn section(&self, place: Place) -> &Given {
        static NONE: Given = Given::new();
        match place {
            Place::Top => &self.top,
            Place::Lake => &self.lake,
            Place::Catalog => &self.catalog,
            Place::Nowhere | Place::Source => &NONE,
        }
    }
}

/// The file that is read if none is named.
pub(super) const DEFAULT_NAME: &str = "logmill.toml";

/// Reads the named file, or `logmill.toml` in this folder if it exists.
pub(super) fn load(named: Option<PathBuf>) -> Result<ConfigFile> {
    let path = match named {
        Some(path) => path,
        None if Path::new(DEFAULT_NAME).exists() => PathBuf::from(DEFAULT_NAME),
        None => return Ok(ConfigFile::default()),
    };
    let text = read(&path).map_err(|cause| {
        Error::new(ErrorKind::Usage, "cannot read the config file")
            .with("file", path.display())
            .caused_by(cause)
            .hint("check --config and LOGMILL_CONFIG; docs/settings.md lists the keys of the file")
    })?;
    parse(path.display().to_string(), &text)
}

/// Parses the text of a file.
pub(super) fn parse(path: String, text: &str) -> Result<ConfigFile> {
    Document { path, text }.parse()
}

/// The most bytes that a config file may have.
const MAX_BYTES: u64 = 4 << 20;

/// Reads a file or a pipe. The limit stops a read from a device without an end.
fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES { Err(std::io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}

/// The text of the file, from which values and errors are made.
struct Document<'t> {
    path: String,
    text: &'t str,
}

type Value<'t> = Spanned<DeValue<'t>>;

impl<'t> Document<'t> {
    fn parse(self) -> Result<ConfigFile> {
        let table = DeTable::parse(self.text).map_err(|cause| self.invalid(cause))?.into_inner();
        let mut file = ConfigFile::default();
        for (key, value) in &table {
            match key.get_ref().as_ref() {
                "lake" => file.lake = self.section(Place::Lake, value)?,
                "catalog" => file.catalog = self.section(Place::Catalog, value)?,
                "source" => file.sources = self.sources(value)?,
                name => {
                    let setting = self.setting(Place::Top, name, &key.span())?;
                    file.top.insert(setting, self.values(setting, value)?);
                }
            }
        }
        file.path = self.path;
        Ok(file)
    }

    fn section(&self, place: Place, value: &Value<'t>) -> Result<Given> {
        let mut given = Given::default();
        for (key, value) in self.table(place, value)? {
            let setting = self.setting(place, key.get_ref(), &key.span())?;
            given.insert(setting, self.values(setting, value)?);
        }
        Ok(given)
    }

    fn table<'v>(&self, place: Place, value: &'v Value<'t>) -> Result<&'v DeTable<'t>> {
        let section = place.section();
        value.get_ref().as_table().ok_or_else(|| {
            let shown =
                if place == Place::Source { format!("[[{section}]]") } else { format!("[{section}]") };
            self.error(format!("invalid value of '{section}': expected a section"), &value.span())
                .hint(format!("write {shown} on a line of its own, and its keys below it"))
        })
    }

    fn sources(&self, value: &Value<'t>) -> Result<Vec<SourceSection>> {
        match value.get_ref().as_array() {
            Some(sections) => sections.iter().map(|section| self.source(section)).collect(),
            // A section in single brackets is an error, too.
            None => self.table(Place::Source, value).and_then(|_| {
                Err(self.error("'source' is a list of sections", &value.span()).hint("write [[source]]"))
            }),
        }
    }

    fn source(&self, section: &Value<'t>) -> Result<SourceSection> {
        let (mut dataset, mut values, mut promote) = (None, Given::default(), Vec::new());
        for (key, value) in self.table(Place::Source, section)? {
            let setting = self.setting(Place::Source, key.get_ref(), &key.span())?;
            if setting.name == rows::PROMOTE.name {
                promote = self.promotions(value)?;
                continue;
            }
            let written = self.values(setting, value)?;
            if setting.name == rows::DATASET.name {
                let name = written.join(",");
                dataset = Some(dataset::chosen(&name).map_err(|error| self.located(error, &value.span()))?);
            }
            values.insert(setting, written);
        }
        let of_one_type = [
            (&rows::TABLE, values.one(&rows::TABLE).is_some()),
            (&rows::PROMOTE, !promote.is_empty()),
            (&rows::DROP_COLUMNS, values.one(&rows::DROP_COLUMNS).is_some()),
        ];
        match of_one_type.iter().find(|(_, is_given)| *is_given && dataset.is_none()) {
            Some((setting, _)) => {
                let message = format!("a source with '{}' has no 'dataset'", setting.name);
                Err(self.error(message, &section.span()).hint(format!("add one of {}", dataset::names())))
            }
            None => Ok(SourceSection { dataset, values, promote }),
        }
    }

    fn promotions(&self, value: &Value<'t>) -> Result<Vec<Promotion>> {
        Vec::deserialize(ValueDeserializer::from(value.clone())).map_err(|cause| self.invalid(cause))
    }

    /// The setting of a key.
    fn setting(&self, place: Place, key: &str, span: &Range<usize>) -> Result<&'static Setting> {
        let here = rows::SETTINGS.iter().filter(|setting| setting.place == place);
        if let Some(setting) = here.clone().find(|setting| setting.key() == Some(key)) {
            return Ok(setting);
        }
        let sections = ["lake", "catalog", "source"].into_iter().filter(|_| place == Place::Top);
        let hint = nearest_name(key, here.filter_map(|setting| setting.key()).chain(sections));
        let elsewhere = rows::SETTINGS.iter().find(|setting| setting.key() == Some(key));
        let hint = match (hint, elsewhere.map(|setting| setting.place.section())) {
            (_, Some("")) => "it belongs above all sections".to_owned(),
            (_, Some("source")) => "it belongs in a [[source]]".to_owned(),
            (_, Some(section)) => format!("it belongs in [{section}]"),
            (Some(name), None) => format!("did you mean '{name}'?"),
            (None, None) => "docs/settings.md lists the keys".to_owned(),
        };
        let section = place.section();
        let section = if section.is_empty() { String::new() } else { format!(" in the section '{section}'") };
        Err(self.error(format!("unknown key '{key}'{section}"), span).hint(hint))
    }

    /// The values of a key as texts.
    fn values(&self, setting: &Setting, value: &Value<'t>) -> Result<Vec<String>> {
        let texts = match value.get_ref() {
            DeValue::Array(elements) if setting.is_list() => {
                elements.iter().map(|element| scalar(element.get_ref())).collect()
            }
            single => scalar(single).map(|text| vec![text]),
        };
        texts.ok_or_else(|| {
            let list = if setting.is_list() { ", or a list of texts" } else { "" };
            let key = setting.key().unwrap_or_default();
            self.error(
                format!("invalid value of '{key}': expected a text, a number, true or false{list}"),
                &value.span(),
            )
        })
    }

    fn error(&self, message: impl Into<String>, span: &Range<usize>) -> Error {
        self.located(Error::new(ErrorKind::Usage, message), span)
    }

    /// Adds the place of a value to an error.
    fn located(&self, error: Error, span: &Range<usize>) -> Error {
        let line = 1 + self.text.bytes().take(span.start).filter(|byte| *byte == b'\n').count();
        error.with("file", &self.path).with("line", line)
    }

    fn invalid(&self, mut cause: toml::de::Error) -> Error {
        cause.set_input(Some(self.text));
        Error::new(ErrorKind::Usage, "invalid config file")
            .with("file", &self.path)
            .caused_by(cause)
            .hint("docs/settings.md lists the keys and their forms")
    }
}

/// A value as text, as in the other layers.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    Some(match value {
        DeValue::String(text) => text.clone().into_owned(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok()?.to_string(),
        DeValue::Float(number) => number.as_str().parse::<f64>().ok()?.to_string(),
        DeValue::Datetime(instant) => instant.to_string(),
        DeValue::Array(_) | DeValue::Table(_) => return None,
    })
}

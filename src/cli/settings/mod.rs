//! The settings in effect: flags override environment variables, which override the config file, which overrides defaults.
//!
//! They are resolved once; nothing reads the environment afterwards. Each setting is one row of [`rows`].

mod digests;
pub(super) mod environment;
pub(super) mod flags;
pub(super) mod given;
mod lake;
mod layers;
mod promotions;
mod publishing;
mod reference;
pub mod rows;
mod rules;
pub mod setting;
mod sources;
pub(super) mod values;
mod watch;

pub(super) use flags::Flags;
pub(super) use lake::LakeSettings;
pub use reference::reference;
pub(super) use values::LogFormat;
pub(super) use watch::WatchSettings;

use std::collections::BTreeMap;
use std::path::PathBuf;

use self::given::Given;
use self::layers::{Ask, InForce, Layers};
use self::values::{log_format, memory, ratio, size, threads, truth};
use super::config_file::{self, ConfigFile};
use crate::cancel::Cancel;
use crate::convert::ConvertOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::TableSource;
use crate::publish::PublishOptions;
use crate::road::{CatalogOptions, Clock, Registrar, RoadOptions};
use crate::store::Connector;

/// Everything that a command needs to know.
pub(super) struct Settings {
    pub(super) sources: Vec<TableSource>,
    pub(super) lake: LakeSettings,
    pub(super) catalog: Option<CatalogOptions>,
    pub(super) threads: usize,
    memory: u64,
    max_object_bytes: u64,
    max_quarantine_bytes: u64,
    pub(super) publish: PublishOptions,
    pub(super) fail_on_empty: bool,
    pub(super) watch: WatchSettings,
    /// The config file; empty without one.
    pub(super) config_file: String,
    pub(super) in_force: Vec<InForce>,
    /// The flags as they were typed.
    pub(super) typed: Given,
    /// Whether the command publishes days.
    publishes: bool,
}

impl Settings {
    /// Resolves all layers. `global` are the global flags, and `environment` has the variables that begin with `LOGMILL_`.
    pub(super) fn resolve(
        global: &Given,
        flags: &Flags,
        environment: BTreeMap<String, String>,
    ) -> Result<Self> {
        Self::from_layers(layers(all_given(global, flags), environment)?, flags)
    }

    /// Resolves all layers except the config file, for the command that writes one.
    pub(super) fn without_file(
        global: &Given,
        flags: &Flags,
        environment: BTreeMap<String, String>,
    ) -> Result<Self> {
        Self::from_layers(layers_without_file(all_given(global, flags), environment), flags)
    }

    fn from_layers(mut layers: Layers, flags: &Flags) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from).to_string();
        let threads = layers.pick(Ask::from(&rows::THREADS).or(cores), threads)?;
        let memory = layers.pick(&rows::MEMORY, memory)?;
        let max_object_bytes = layers.pick(&rows::MAX_OBJECT_SIZE, size)?;
        let max_reject_ratio = layers.pick(&rows::MAX_REJECT_RATIO, ratio)?;
        let max_quarantine_bytes = layers.pick(&rows::MAX_QUARANTINE, size)?;
        let shrink = layers.shrink_limits()?;
        let require_proof = layers.pick(&rows::REQUIRE_PROOF, truth)?;
        let publish = PublishOptions { max_reject_ratio, shrink, require_proof };
        let fail_on_empty = layers.pick(&rows::FAIL_ON_EMPTY, truth)?;
        // Recorded for `logmill config`; messages already have this format.
        layers.pick(&rows::LOG_FORMAT, log_format)?;
        let watch = layers.watch()?;
        let catalog = layers.catalog()?;
        let lake = layers.lake(flags.steals, catalog.as_ref())?;
        let mut sources = if flags.needs_sources { layers.sources()? } else { Vec::new() };
        for source in &mut sources {
            source.digests.require_proof = require_proof;
        }
        Ok(Self {
            sources,
            lake,
            catalog,
            threads,
            memory,
            max_object_bytes,
            max_quarantine_bytes,
            publish,
            fail_on_empty,
            watch,
            config_file: layers.file.path,
            in_force: layers.in_force,
            typed: layers.flags,
            publishes: flags.publishes,
        })
    }

    /// The lake's address, which must be given.
    pub(super) fn output(&self) -> Result<&str> {
        self.lake.output.as_deref().ok_or_else(|| {
            let (what, flag) = match (self.publishes, rows::OUTPUT.flag(), rows::OUTPUT.flag_of_reader()) {
                (true, Some(flag), _) => ("output", flag),
                (_, _, flag) => ("lake", flag.unwrap_or_default()),
            };
            Error::new(ErrorKind::Usage, format!("no {what} is given"))
                .hint(format!("pass {flag} with a folder or s3://bucket/prefix"))
        })
    }

    /// The lake's address; empty if none is given.
    pub(super) fn lake_address(&self) -> &str {
        self.lake.output.as_deref().unwrap_or_default()
    }

    /// The tables; fails if one has no input.
    pub(super) fn tables(&self) -> Result<&[TableSource]> {
        match self.sources.iter().find(|source| source.spec.inputs.is_empty()) {
            Some(source) => Err(Error::new(ErrorKind::Usage, "no input is given")
                .with("table", &source.spec.table)
                .hint("pass --input with a folder, a file or s3://bucket/prefix, or add a [[source]] to logmill.toml")),
            None => Ok(&self.sources),
        }
    }

    /// The catalog to update, if one is given.
    pub(super) fn registrar(&self, connector: &Connector, clock: Clock) -> Result<Option<Registrar>> {
        let open = |options: &CatalogOptions| {
            Registrar::open(options.clone(), self.output()?, self.lake.grace_ms, connector, clock)
        };
        self.catalog.as_ref().map(open).transpose()
    }

    /// The options of a run.
    pub(super) fn road_options(&self, cancel: &Cancel) -> RoadOptions {
        let LakeSettings { grace_ms, wait_ms, steals, .. } = self.lake;
        let (convert, publish) = (self.convert_options(cancel), self.publish);
        RoadOptions { convert, publish, grace_ms, wait_ms, steals }
    }

    pub(super) fn convert_options(&self, cancel: &Cancel) -> ConvertOptions {
        ConvertOptions {
            max_object_bytes: self.max_object_bytes,
            max_quarantine_bytes: self.max_quarantine_bytes,
            target_file_bytes: self.lake.target_file_bytes,
            cancel: cancel.clone(),
            ..ConvertOptions::new(self.threads, usize::try_from(self.memory).unwrap_or(usize::MAX))
        }
    }
}

/// The global flags and those of the command.
fn all_given(global: &Given, flags: &Flags) -> Given {
    let mut given = global.clone();
    given.extend(&flags.given);
    given
}

/// The layers, with the config file that they name.
fn layers(flags: Given, environment: BTreeMap<String, String>) -> Result<Layers> {
    let mut layers = layers_without_file(flags, environment);
    let (config, _) = layers.first(&(&rows::CONFIG).into());
    layers.file = config_file::load(Some(config).filter(|path| !path.is_empty()).map(PathBuf::from))?;
    Ok(layers)
}

fn layers_without_file(flags: Given, environment: BTreeMap<String, String>) -> Layers {
    Layers { flags, environment, file: ConfigFile::default(), in_force: Vec::new() }
}

/// The name of the config file that the command line or the environment gives, or the default name.
pub(super) fn config_name(global: &Given, environment: &BTreeMap<String, String>) -> String {
    let layers = layers_without_file(global.clone(), environment.clone());
    let ask = Ask::from(&rows::CONFIG).or(config_file::DEFAULT_NAME);
    layers.first(&ask).0
}

/// Resolves the settings of a config file with this text. Returns each setting in effect: its name, value and layer. It is
/// for fuzzing.
pub(crate) fn of_text(
    text: &str,
    environment: BTreeMap<String, String>,
) -> Result<Vec<(String, String, String)>> {
    let file = config_file::parse(config_file::DEFAULT_NAME.to_owned(), text)?;
    let layers = Layers { file, ..layers_without_file(Given::new(), environment) };
    let settings = Settings::from_layers(layers, &Flags { needs_sources: true, ..Flags::default() })?;
    Ok(settings.in_force.into_iter().map(|InForce { name, value, from }| (name, value, from)).collect())
}

/// The format of messages, which every command needs before its settings.
pub(super) fn message_format(global: &Given, environment: BTreeMap<String, String>) -> Result<LogFormat> {
    layers(global.clone(), environment)?.pick(&rows::LOG_FORMAT, log_format)
}

/// The format of messages according to flag or environment, for errors about the config file.
pub(super) fn wanted_log_format(global: &Given, environment: &BTreeMap<String, String>) -> LogFormat {
    let variable = || environment.get(&rows::LOG_FORMAT.variable()?).cloned();
    let wanted = global.one(&rows::LOG_FORMAT).or_else(variable);
    wanted.and_then(|value| log_format(&value).ok()).unwrap_or(LogFormat::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_of_the_settings_and_of_the_library_are_equal() {
        let settings = Settings::resolve(&Given::new(), &Flags::default(), BTreeMap::new()).unwrap();
        let cancel = Cancel::default();
        let memory = usize::try_from(settings.memory).unwrap();
        let convert =
            ConvertOptions { cancel: cancel.clone(), ..ConvertOptions::new(settings.threads, memory) };
        let expected = format!("{:#?}", RoadOptions::new(convert));
        assert_eq!(format!("{:#?}", settings.road_options(&cancel)), expected);
    }
}

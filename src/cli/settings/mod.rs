//! What is meant: flags over environment over config file over defaults, resolved once. Nothing reads the environment
//! after this.

mod lake;
mod layers;
mod promotions;
mod publishing;
mod rules;
mod sources;
mod values;
mod watch;

pub(super) use lake::LakeSettings;
pub(super) use values::span_ms;
pub(super) use watch::WatchSettings;

use std::collections::BTreeMap;
use std::path::PathBuf;

use self::layers::Layers;
use self::values::{log_format, memory, size, threads, truth};
use super::args::{CatalogArgs, GlobalArgs, LakeArgs, ReadArgs, RoadArgs, SourceArgs, WriteArgs};
use super::config_file::{self, ConfigFile};
use crate::cancel::Cancel;
use crate::convert::ConvertOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::TableSource;
use crate::publish::PublishOptions;
use crate::road::{CatalogOptions, Clock, Registrar, RoadOptions};
use crate::store::Connector;

/// Form of messages on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogFormat {
    Text,
    Json,
}

/// A setting in force.
#[derive(Debug, Clone)]
pub(super) struct InForce {
    pub(super) name: String,
    pub(super) value: String,
    /// `flag`, `LOGMILL_...`, the file, or `default`.
    pub(super) from: String,
}

/// Everything that a command needs to know.
pub(super) struct Settings {
    pub(super) sources: Vec<TableSource>,
    /// Whether the log types of the sources were named; otherwise the inputs say which of them there are.
    pub(super) log_types_named: bool,
    pub(super) lake: LakeSettings,
    pub(super) catalog: Option<CatalogOptions>,
    pub(super) threads: usize,
    memory: u64,
    max_object_bytes: u64,
    pub(super) rules: PublishOptions,
    pub(super) fail_on_empty: bool,
    pub(super) log_format: LogFormat,
    pub(super) watch: WatchSettings,
    pub(super) in_force: Vec<InForce>,
}

/// Flags that a command has beside the global ones.
#[derive(Default)]
pub(super) struct Flags<'a> {
    pub(super) source: Option<&'a SourceArgs>,
    pub(super) lake: Option<&'a LakeArgs>,
    pub(super) write: Option<&'a WriteArgs>,
    pub(super) read: Option<&'a ReadArgs>,
    pub(super) catalog: Option<&'a CatalogArgs>,
}

impl<'a> From<&'a RoadArgs> for Flags<'a> {
    fn from(road: &'a RoadArgs) -> Self {
        let RoadArgs { source, lake, write, read, catalog } = road;
        Self {
            source: Some(source),
            lake: Some(lake),
            write: Some(write),
            read: Some(read),
            catalog: Some(catalog),
        }
    }
}

impl Settings {
    /// Resolves all layers; `environment` holds the variables that begin with `LOGMILL_`.
    pub(super) fn resolve(
        global: &GlobalArgs,
        flags: &Flags<'_>,
        environment: BTreeMap<String, String>,
    ) -> Result<Self> {
        let named = global.config.clone().or_else(|| environment.get("LOGMILL_CONFIG").map(PathBuf::from));
        let (path, file) = config_file::load(named)?.unzip();
        let file: ConfigFile = file.unwrap_or_default();
        let path = path.map(|path| path.display().to_string());
        let mut layers = Layers {
            environment,
            path: path.unwrap_or_default(),
            in_force: Vec::new(),
            log_types_named: false,
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from).to_string();
        let write = flags.write;
        let empty_flag = write.and_then(|write| write.fail_on_empty).map(|wanted| wanted.to_string());
        let threads =
            layers.pick("threads", global.threads.as_ref(), file.threads.as_ref(), &cores, threads)?;
        let memory = layers.pick("memory", global.memory.as_ref(), file.memory.as_ref(), "1 GiB", memory)?;
        let max_object_flag = flags.read.and_then(|read| read.max_object_size.as_ref());
        let max_object_bytes =
            layers.pick("max_object_size", max_object_flag, file.max_object_size.as_ref(), "4 GiB", size)?;
        let rules = layers.publish_rules(write, &file)?;
        let fail_on_empty =
            layers.pick("fail_on_empty", empty_flag.as_ref(), file.fail_on_empty.as_ref(), "false", truth)?;
        let log_format = layers.pick(
            "log_format",
            global.log_format.as_ref(),
            file.log_format.as_ref(),
            "text",
            log_format,
        )?;
        let watch = layers.watch(write, &file)?;
        let catalog = layers.catalog(flags.catalog, &file.catalog)?;
        let lake = layers.lake(flags.lake, write, &file.lake, catalog.as_ref())?;
        let sources = match flags.source {
            Some(source) => layers.sources(source, file.source)?,
            None => Vec::new(),
        };
        Ok(Self {
            sources,
            log_types_named: layers.log_types_named,
            lake,
            catalog,
            threads,
            memory,
            max_object_bytes,
            rules,
            fail_on_empty,
            log_format,
            watch,
            in_force: layers.in_force,
        })
    }

    /// The lake's address, which must be given.
    pub(super) fn output(&self) -> Result<&str> {
        self.lake.output.as_deref().ok_or_else(|| {
            Error::new(ErrorKind::Usage, "no output is given")
                .hint("name the folder of the lake, or s3://bucket/prefix, with --output")
        })
    }

    /// The lake's address; empty where there is none.
    pub(super) fn lake_address(&self) -> &str {
        self.lake.output.as_deref().unwrap_or_default()
    }

    /// The tables, each of which must have an input.
    pub(super) fn tables(&self) -> Result<&[TableSource]> {
        match self.sources.iter().find(|source| source.spec.inputs.is_empty()) {
            Some(source) => Err(Error::new(ErrorKind::Usage, "no input is given")
                .with("table", &source.spec.table)
                .hint("name a folder, a file or s3://bucket/prefix with --input, or a [[source]] in logmill.toml")),
            None => Ok(&self.sources),
        }
    }

    /// The catalog to update, if one is named.
    pub(super) fn registrar(&self, connector: &Connector, clock: Clock) -> Result<Option<Registrar>> {
        let open = |options: &CatalogOptions| {
            Registrar::open(options.clone(), self.output()?, self.lake.grace_ms, connector, clock)
        };
        self.catalog.as_ref().map(open).transpose()
    }

    /// How a run works.
    pub(super) fn road_options(&self, cancel: &Cancel) -> RoadOptions {
        let LakeSettings { grace_ms, wait_ms, steals, .. } = self.lake;
        let (convert, publish) = (self.convert_options(cancel), self.rules);
        RoadOptions { convert, publish, grace_ms, wait_ms, steals }
    }

    pub(super) fn convert_options(&self, cancel: &Cancel) -> ConvertOptions {
        ConvertOptions {
            max_object_bytes: self.max_object_bytes,
            max_quarantine_bytes: self.rules.max_quarantine_bytes,
            target_file_bytes: self.lake.target_file_bytes,
            cancel: cancel.clone(),
            ..ConvertOptions::new(self.threads, usize::try_from(self.memory).unwrap_or(usize::MAX))
        }
    }
}

/// The form of messages as flag or environment want it, before the settings are known.
pub(super) fn wanted_log_format(global: &GlobalArgs, environment: &BTreeMap<String, String>) -> LogFormat {
    let wanted = global.log_format.as_ref().or_else(|| environment.get("LOGMILL_LOG_FORMAT"));
    wanted.and_then(|value| log_format(value).ok()).unwrap_or(LogFormat::Text)
}

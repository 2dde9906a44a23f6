//! What is meant: flags over environment over config file over defaults, resolved once. Nothing reads the environment
//! after this.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use bytesize::ByteSize;

use super::args::{GlobalArgs, LakeArgs, ReadArgs, SourceArgs, WriteArgs};
use super::config_file::{self, ConfigFile, Scalar, SourceSection};
use crate::cancel::Cancel;
use crate::convert::ConvertOptions;
use crate::dataset::{self, DecodeLimits, Naming};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{TableSource, is_table_name};
use crate::publish::PublishRules;

/// Encoded size of a row group: what AWS advises for Athena.
const ROW_GROUP_BYTES: usize = 128 << 20;
const MIN_MEMORY: u64 = 64 << 20;

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
    output: Option<String>,
    pub(super) threads: usize,
    memory: u64,
    max_object_bytes: u64,
    target_file_bytes: u64,
    pub(super) rules: PublishRules,
    pub(super) fail_on_empty: bool,
    pub(super) log_format: LogFormat,
    pub(super) in_force: Vec<InForce>,
}

/// Flags that a command has beside the global ones.
#[derive(Default)]
pub(super) struct Flags<'a> {
    pub(super) source: Option<&'a SourceArgs>,
    pub(super) lake: Option<&'a LakeArgs>,
    pub(super) write: Option<&'a WriteArgs>,
    pub(super) read: Option<&'a ReadArgs>,
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
        let mut layers = Layers { environment, path: path.unwrap_or_default(), in_force: Vec::new() };
        let cores = std::thread::available_parallelism().map_or(1, usize::from).to_string();
        let write = flags.write;
        let output_flag = flags.lake.and_then(|lake| lake.output.as_ref());
        let empty_flag = write.and_then(|write| write.fail_on_empty).map(|wanted| wanted.to_string());
        let threads =
            layers.pick("threads", global.threads.as_ref(), file.threads.as_ref(), &cores, threads)?;
        let memory = layers.pick("memory", global.memory.as_ref(), file.memory.as_ref(), "1 GiB", memory)?;
        let max_object_flag = flags.read.and_then(|read| read.max_object_size.as_ref());
        let max_object_bytes =
            layers.pick("max_object_size", max_object_flag, file.max_object_size.as_ref(), "4 GiB", size)?;
        let target_flag = write.and_then(|write| write.target_file_size.as_ref());
        let target_file_bytes = layers.pick(
            "target_file_size",
            target_flag,
            file.lake.target_file_size.as_ref(),
            "256 MiB",
            size,
        )?;
        let ratio_flag = write.and_then(|write| write.max_reject_ratio.as_ref());
        let max_reject_ratio =
            layers.pick("max_reject_ratio", ratio_flag, file.max_reject_ratio.as_ref(), "1%", ratio)?;
        let fail_on_empty =
            layers.pick("fail_on_empty", empty_flag.as_ref(), file.fail_on_empty.as_ref(), "false", truth)?;
        let log_format = layers.pick(
            "log_format",
            global.log_format.as_ref(),
            file.log_format.as_ref(),
            "text",
            log_format,
        )?;
        let output = layers.pick("output", output_flag, file.lake.output.as_ref(), "", text)?;
        let sources = match flags.source {
            Some(source) => layers.sources(source, file.source)?,
            None => Vec::new(),
        };
        Ok(Self {
            sources,
            output: Some(output).filter(|output| !output.is_empty()),
            threads,
            memory,
            max_object_bytes,
            target_file_bytes,
            rules: PublishRules { max_reject_ratio },
            fail_on_empty,
            log_format,
            in_force: layers.in_force,
        })
    }

    /// The lake's address, which must be given.
    pub(super) fn output(&self) -> Result<&str> {
        self.output.as_deref().ok_or_else(|| {
            Error::new(ErrorKind::Usage, "no output is given")
                .hint("name the folder of the lake with --output")
        })
    }

    /// The tables, each of which must have an input.
    pub(super) fn tables(&self) -> Result<&[TableSource]> {
        match self.sources.iter().find(|source| source.inputs.is_empty()) {
            Some(source) => Err(Error::new(ErrorKind::Usage, "no input is given")
                .with("table", &source.table)
                .hint("name a folder or file with --input, or a [[source]] in logmill.toml")),
            None => Ok(&self.sources),
        }
    }

    pub(super) fn convert_options(&self, cancel: &Cancel) -> ConvertOptions {
        ConvertOptions {
            threads: self.threads,
            memory: usize::try_from(self.memory).unwrap_or(usize::MAX),
            max_object_bytes: self.max_object_bytes,
            target_file_bytes: self.target_file_bytes,
            row_group_bytes: ROW_GROUP_BYTES,
            limits: DecodeLimits::ATHENA,
            cancel: cancel.clone(),
        }
    }
}

/// The form of messages as flag or environment want it, before the settings are known.
pub(super) fn wanted_log_format(global: &GlobalArgs, environment: &BTreeMap<String, String>) -> LogFormat {
    let wanted = global.log_format.as_ref().or_else(|| environment.get("LOGMILL_LOG_FORMAT"));
    wanted.and_then(|value| log_format(value).ok()).unwrap_or(LogFormat::Text)
}

/// The layers under the flags, and a note of what was taken from where.
struct Layers {
    environment: BTreeMap<String, String>,
    path: String,
    in_force: Vec<InForce>,
}

impl Layers {
    /// The first layer that says something about a setting.
    fn pick<T>(
        &mut self,
        name: &str,
        flag: Option<&String>,
        file: Option<&Scalar>,
        default: &str,
        parse: fn(&str) -> std::result::Result<T, String>,
    ) -> Result<T> {
        let (value, from) = self.first(name, flag, file.map(ToString::to_string), default);
        let parsed = parse(&value).map_err(|why| {
            Error::new(ErrorKind::Usage, format!("'{value}' is no value for {name}: {why}"))
                .with("from", &from)
        })?;
        self.note(name.to_owned(), value, from);
        Ok(parsed)
    }

    fn first(
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
            (default.to_owned(), "default".to_owned())
        }
    }

    fn note(&mut self, name: String, value: String, from: String) {
        self.in_force.push(InForce { name, value, from });
    }

    fn sources(&mut self, flags: &SourceArgs, sections: Vec<SourceSection>) -> Result<Vec<TableSource>> {
        let wanted = self.pick("dataset", flags.dataset.as_ref(), None, "all", dataset_name)?;
        let from_file = !sections.is_empty();
        let sections = if from_file { sections } else { default_sections() };
        let (table, _) = self.first("table", flags.table.as_ref(), None, "");
        let mut selected = Vec::new();
        for section in sections {
            dataset_name(&section.dataset)
                .map_err(|why| Error::new(ErrorKind::Usage, why).with("file", &self.path))?;
            let named = section.table.as_deref().is_some_and(|name| name == table);
            let by_table = !from_file || table.is_empty() || named;
            if (wanted == "all" || wanted == section.dataset) && by_table {
                selected.push(section);
            }
        }
        if selected.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "no source is left")
                .with("dataset", wanted)
                .with("table", table)
                .hint("'logmill config' lists the sources"));
        }
        if !from_file && !table.is_empty() {
            rename_only(&mut selected, table)?;
        }
        let mut sources = selected
            .iter()
            .map(|section| self.source(flags, section, from_file))
            .collect::<Result<Vec<_>>>()?;
        refuse_twins(&sources)?;
        let inputs: Vec<Vec<String>> = sources.iter().map(|source| source.inputs.clone()).collect();
        for (place, source) in sources.iter_mut().enumerate() {
            let others = inputs.iter().enumerate().filter(|(other, _)| *other != place);
            source.shares_input = others
                .into_iter()
                .any(|(_, inputs)| inputs.iter().any(|input| source.inputs.contains(input)));
        }
        Ok(sources)
    }

    fn source(
        &mut self,
        flags: &SourceArgs,
        section: &SourceSection,
        from_file: bool,
    ) -> Result<TableSource> {
        let dataset =
            dataset::named(&section.dataset).expect("the name was checked when the section was selected");
        let table = section.table.clone().unwrap_or_else(|| dataset.default_table().to_owned());
        check_table_name(&table)?;
        let origin = if from_file { self.path.clone() } else { "default".to_owned() };
        self.note(format!("{table}.dataset"), section.dataset.clone(), origin);
        for promotion in &section.promote {
            let value = format!("{} as {}", promotion.path, promotion.column);
            self.note(format!("{table}.promote"), value, self.path.clone());
        }
        let inputs = self.inputs(flags, section, &table);
        let default_lateness = format!("{}h", dataset.default_lateness_hours());
        let lateness_ms = self.pick_for(
            &table,
            "lateness",
            flags.lateness.as_ref(),
            section.lateness.as_ref(),
            &default_lateness,
            lateness_ms,
        )?;
        let naming =
            self.pick_for(&table, "naming", flags.naming.as_ref(), section.naming.as_ref(), "snake", naming)?;
        check_promotions(section, &table)?;
        let promote = section.promote.clone();
        Ok(TableSource { table, dataset, inputs, naming, promote, lateness_ms, shares_input: false })
    }

    fn inputs(&mut self, flags: &SourceArgs, section: &SourceSection, table: &str) -> Vec<String> {
        let (inputs, from) = if !flags.input.is_empty() {
            (flags.input.clone(), "--input".to_owned())
        } else if let Some(input) = self.environment.get("LOGMILL_INPUT") {
            (vec![input.clone()], "LOGMILL_INPUT".to_owned())
        } else {
            (section.input.to_vec(), self.path.clone())
        };
        if !inputs.is_empty() {
            self.note(format!("{table}.input"), inputs.join(", "), from);
        }
        inputs
    }

    /// [`pick`](Self::pick) for a setting that each source has.
    fn pick_for<T>(
        &mut self,
        table: &str,
        name: &str,
        flag: Option<&String>,
        file: Option<&Scalar>,
        default: &str,
        parse: fn(&str) -> std::result::Result<T, String>,
    ) -> Result<T> {
        let value = self.pick(name, flag, file, default, parse)?;
        if let Some(noted) = self.in_force.last_mut() {
            noted.name = format!("{table}.{name}");
        }
        Ok(value)
    }
}

fn default_sections() -> Vec<SourceSection> {
    let section = |dataset: &&dyn dataset::Dataset| SourceSection {
        dataset: dataset.name().to_owned(),
        ..SourceSection::default()
    };
    dataset::ALL.iter().map(section).collect()
}

fn rename_only(selected: &mut [SourceSection], table: String) -> Result<()> {
    let [only] = selected else {
        return Err(Error::new(ErrorKind::Usage, "--table names one table, but there are several")
            .hint("choose one log type with --dataset"));
    };
    only.table = Some(table);
    Ok(())
}

fn refuse_twins(sources: &[TableSource]) -> Result<()> {
    let mut names: Vec<&str> = sources.iter().map(|source| source.table.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::new(ErrorKind::Usage, "two sources name the same table")
            .with("table", pair[0])
            .hint("give one source a list of inputs, so that rows which come twice are dropped")),
        None => Ok(()),
    }
}

/// Table names as Athena takes them without quotes: they become folder names too.
fn check_table_name(name: &str) -> Result<()> {
    if is_table_name(name) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, format!("'{name}' is no table name"))
        .hint("use lower-case letters, digits and _, not _ in front"))
}

fn check_promotions(section: &SourceSection, table: &str) -> Result<()> {
    let dataset =
        dataset::named(&section.dataset).expect("the name was checked when the section was selected");
    let refused = |column: &str, why: &str| {
        Err(Error::new(ErrorKind::Usage, format!("cannot promote '{column}': {why}")).with("table", table))
    };
    let own = dataset.schema(Naming::Snake, &[]);
    for (place, promotion) in section.promote.iter().enumerate() {
        let name = promotion.column.as_str();
        if !is_table_name(name) {
            return refused(name, "a column name has lower-case letters, digits and _ only");
        }
        let earlier = section.promote[..place].iter().any(|other| other.column == name);
        let taken = |naming| own.columns.iter().any(|column| column.named(naming) == name);
        if taken(Naming::Snake) || taken(Naming::Compact) || earlier {
            return refused(name, "the table has a column of this name");
        }
        if dataset.schema(Naming::Snake, std::slice::from_ref(promotion)).position(name).is_none() {
            return refused(name, "this log type holds no JSON");
        }
        if promotion.column_type == dataset::ColumnType::TextList || !is_scalar_path(&promotion.path) {
            return refused(name, "a promoted value is a scalar at a path such as requestParameters.roleArn");
        }
    }
    Ok(())
}

/// A path of keys, none of them a list.
fn is_scalar_path(path: &str) -> bool {
    path.split('.').all(|key| !key.is_empty() && !key.ends_with("[]"))
}

type Parsed<T> = std::result::Result<T, String>;

#[expect(clippy::unnecessary_wraps, reason = "one of the parsers that pick takes")]
fn text(value: &str) -> Parsed<String> {
    Ok(value.to_owned())
}

fn threads(value: &str) -> Parsed<usize> {
    match value.parse() {
        Ok(threads @ 1..=1024) => Ok(threads),
        _ => Err("a number from 1 to 1024 is expected".to_owned()),
    }
}

fn size(value: &str) -> Parsed<u64> {
    ByteSize::from_str(value)
        .map(|size| size.as_u64())
        .map_err(|_| "a size such as 256MiB is expected".to_owned())
}

fn memory(value: &str) -> Parsed<u64> {
    match size(value)? {
        bytes if bytes >= MIN_MEMORY => Ok(bytes),
        _ => Err("at least 64MiB are needed".to_owned()),
    }
}

fn ratio(value: &str) -> Parsed<f64> {
    let parsed = match value.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => value.trim().parse::<f64>(),
    };
    parsed
        .ok()
        .filter(|ratio| (0.0..=1.0).contains(ratio))
        .ok_or_else(|| "a share such as 1% or 0.01 is expected".to_owned())
}

fn truth(value: &str) -> Parsed<bool> {
    match value {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" | "" => Ok(false),
        _ => Err("true or false is expected".to_owned()),
    }
}

fn log_format(value: &str) -> Parsed<LogFormat> {
    match value {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("text or json is expected".to_owned()),
    }
}

fn naming(value: &str) -> Parsed<Naming> {
    match value {
        "snake" => Ok(Naming::Snake),
        "compact" => Ok(Naming::Compact),
        _ => Err("snake or compact is expected".to_owned()),
    }
}

fn lateness_ms(value: &str) -> Parsed<i64> {
    let span =
        humantime::parse_duration(value).map_err(|_| "a time such as 6h or 90m is expected".to_owned())?;
    i64::try_from(span.as_millis())
        .ok()
        .filter(|millis| *millis <= 366 * 86_400_000)
        .ok_or_else(|| "at most a year is allowed".to_owned())
}

/// A dataset's name, or `all`.
fn dataset_name(value: &str) -> Parsed<String> {
    if value == "all" || dataset::named(value).is_some() {
        return Ok(value.to_owned());
    }
    let names: Vec<&str> = dataset::ALL.iter().map(|dataset| dataset.name()).collect();
    Err(format!("'{value}' is no log type: {} or all", names.join(", ")))
}

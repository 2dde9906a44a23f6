//! Where each table's rows come from.

use super::layers::{DEFAULT, Layers};
use super::promotions;
use super::values::{dataset_name, naming, span_ms, text, truth};
use crate::cli::args::SourceArgs;
use crate::cli::config_file::{Scalar, SourceSection};
use crate::dataset::{self, Dataset};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{KeyTimes, TableSource, is_table_name};
use crate::rules::RowRules;
use crate::store::SourceAccess;

impl Layers {
    pub(super) fn sources(
        &mut self,
        flags: &SourceArgs,
        sections: Vec<SourceSection>,
    ) -> Result<Vec<TableSource>> {
        let (wanted, from) = self.pick_from("dataset", flags.dataset.as_ref(), None, "all", dataset_name)?;
        let is_chosen = from != DEFAULT;
        let from_file = !sections.is_empty();
        self.log_types_named = is_chosen || from_file;
        let sections = if from_file { sections } else { default_sections() };
        let (table, _) = self.first("table", flags.table.as_ref(), None, "");
        let mut selected = Vec::new();
        for section in sections {
            dataset_name(&section.dataset)
                .map_err(|why| Error::new(ErrorKind::Usage, why).with("file", &self.path))?;
            let named = section.table.as_deref().is_some_and(|name| name == table);
            let by_table = !from_file || table.is_empty() || named;
            let by_default = || is_chosen || from_file || is_default(&section.dataset);
            if (wanted == section.dataset || wanted == "all" && by_default()) && by_table {
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
        let origin = if from_file { self.path.clone() } else { DEFAULT.to_owned() };
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
            span_ms,
        )?;
        let ignores_flag = flags.ignore_key_times.map(|wanted| wanted.to_string());
        let ignores_file = section.ignore_key_times.as_ref();
        let ignores =
            self.pick_for(&table, "ignore_key_times", ignores_flag.as_ref(), ignores_file, "false", truth)?;
        let key_times = if ignores { KeyTimes::Ignored } else { KeyTimes::Trusted };
        let naming =
            self.pick_for(&table, "naming", flags.naming.as_ref(), section.naming.as_ref(), "snake", naming)?;
        promotions::check(&section.promote, dataset, &table, &self.path)?;
        let promote = section.promote.clone();
        let access = self.access(flags, section, &table)?;
        let filter = self.filter(flags, section, &table);
        let redact = self.redact(flags, section, dataset, &table);
        RowRules::new(&dataset.schema(naming, &promote), &filter, &redact)
            .map_err(|error| error.with("table", &table))?;
        let shares_input = false;
        Ok(TableSource {
            table,
            dataset,
            inputs,
            access,
            naming,
            promote,
            filter,
            redact,
            lateness_ms,
            key_times,
            shares_input,
        })
    }

    /// How the inputs of a source are reached.
    fn access(&mut self, flags: &SourceArgs, section: &SourceSection, table: &str) -> Result<SourceAccess> {
        let mut said = |name: &str, flag: Option<&String>, file: Option<&Scalar>| {
            self.pick_for(table, name, flag, file, "", text)
                .map(|value| Some(value).filter(|value| !value.is_empty()))
        };
        let role_arn = said("role_arn", flags.role_arn.as_ref(), section.role_arn.as_ref())?;
        let owner_flag = flags.expected_bucket_owner.as_ref();
        let expected_bucket_owner =
            said("expected_bucket_owner", owner_flag, section.expected_bucket_owner.as_ref())?;
        let pays_flag = flags.requester_pays.map(|wanted| wanted.to_string());
        let pays_file = section.requester_pays.as_ref();
        let requester_pays =
            self.pick_for(table, "requester_pays", pays_flag.as_ref(), pays_file, "false", truth)?;
        Ok(SourceAccess { role_arn, requester_pays, expected_bucket_owner })
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
}

fn default_sections() -> Vec<SourceSection> {
    let section = |dataset: &dyn Dataset| SourceSection {
        dataset: dataset.name().to_owned(),
        ..SourceSection::default()
    };
    dataset::all().map(section).collect()
}

/// Whether a log type is built when neither flags nor the config file name any.
fn is_default(dataset: &str) -> bool {
    dataset::named(dataset).is_some_and(Dataset::is_default)
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

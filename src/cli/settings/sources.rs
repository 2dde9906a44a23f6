//! The sources: the raw logs of each table.

use super::given::Given;
use super::layers::{Ask, DEFAULT, Layers};
use super::promotions;
use super::rows;
use super::setting::Setting;
use super::values::{dataset_name, naming, span_ms, text, truth};
use crate::cli::config_file::SourceSection;
use crate::dataset::{self, Dataset};
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::nearest_name;
use crate::plan::{KeyTimes, KnownContents, TableSource, TableSpec, is_table_name};
use crate::store::SourceAccess;
use crate::table::Promotion;

/// The raw logs of one log type, as the settings describe them.
struct Candidate {
    dataset: &'static dyn Dataset,
    /// Whether a flag, a variable or the config file names the log type.
    is_named: bool,
    values: Given,
    promote: Vec<Promotion>,
}

impl Layers {
    /// Returns the tables to build.
    pub(super) fn sources(&mut self) -> Result<Vec<TableSource>> {
        let wanted = self.pick(&rows::DATASET, dataset_name)?;
        let sections = std::mem::take(&mut self.file.sources);
        let from_file = !sections.is_empty();
        let (table, _) = self.first(&(&rows::TABLE).into());
        let selected = of_log_type(candidates(sections), &wanted)?;
        let selected = if table.is_empty() { selected } else { of_table(selected, &table, from_file)? };
        let read = |candidate: &Candidate| self.source(candidate, from_file);
        let mut tables = selected.iter().map(read).collect::<Result<Vec<_>>>()?;
        refuse_twins(&tables)?;
        let contents = KnownContents::default();
        let inputs: Vec<Vec<String>> = tables.iter().map(|source| source.spec.inputs.clone()).collect();
        for (place, source) in tables.iter_mut().enumerate() {
            source.contents = contents.clone();
            let others = inputs.iter().enumerate().filter(|(other, _)| *other != place);
            source.shares_input = others
                .into_iter()
                .any(|(_, inputs)| inputs.iter().any(|input| source.spec.inputs.contains(input)));
        }
        Ok(tables)
    }

    fn source(&mut self, candidate: &Candidate, from_file: bool) -> Result<TableSource> {
        let Candidate { dataset, is_named, values, promote } = candidate;
        let table = table_of(candidate);
        check_table_name(&table)?;
        let origin = if from_file { self.file.path.clone() } else { DEFAULT.to_owned() };
        self.note(format!("{table}.dataset"), dataset.name().to_owned(), origin);
        for promotion in promote {
            let value = format!("{} as {}", promotion.path, promotion.column);
            self.note(format!("{table}.promote"), value, self.file.path.clone());
        }
        let inputs = self.inputs(values, &table);
        let ask = |setting: &'static Setting| Ask::of_source(setting, &table, values);
        let default_lateness = format!("{}h", dataset.default_lateness_hours());
        let lateness_ms = self.pick(ask(&rows::LATENESS).or(default_lateness), span_ms)?;
        let ignores = self.pick(ask(&rows::IGNORE_KEY_TIMES), truth)?;
        let key_times = if ignores { KeyTimes::Ignored } else { KeyTimes::Trusted };
        let naming = self.pick(ask(&rows::NAMING), naming)?;
        promotions::check(promote, *dataset, &table, &self.file.path)?;
        let schema = dataset.schema(naming, promote);
        let drop_columns = self.drop_columns(values, &table, &schema, promote)?;
        let access = self.access(ask)?;
        let digests = self.digests(ask)?;
        let (filter, redact) = (self.filter(values, &table), self.redact(values, *dataset, &table));
        let (dataset, promote) = ((*dataset).into(), promote.clone());
        let spec = TableSpec {
            table,
            dataset,
            inputs,
            access,
            naming,
            promote,
            drop_columns,
            filter,
            redact,
            lateness_ms,
        };
        spec.row_rules(&schema).map_err(|error| error.with("table", &spec.table))?;
        let contents = KnownContents::default();
        Ok(TableSource { spec, is_named: *is_named, key_times, shares_input: false, contents, digests })
    }

    /// How to access the inputs of a source.
    fn access<'a>(&mut self, ask: impl Fn(&'static Setting) -> Ask<'a>) -> Result<SourceAccess> {
        let given = |value: String| Some(value).filter(|value| !value.is_empty());
        let role_arn = given(self.pick(ask(&rows::ROLE_ARN), text)?);
        let expected_bucket_owner = given(self.pick(ask(&rows::EXPECTED_BUCKET_OWNER), text)?);
        let requester_pays = self.pick(ask(&rows::REQUESTER_PAYS), truth)?;
        Ok(SourceAccess { role_arn, requester_pays, expected_bucket_owner })
    }

    fn inputs(&mut self, section: &Given, table: &str) -> Vec<String> {
        let flags = self.flags.all(&rows::INPUT);
        let (inputs, from) = if !flags.is_empty() {
            (flags.to_vec(), rows::INPUT.flag().unwrap_or_default())
        } else if let Some((input, variable)) = self.variable(&rows::INPUT) {
            (vec![input], variable)
        } else {
            (section.all(&rows::INPUT).to_vec(), self.file.path.clone())
        };
        if !inputs.is_empty() {
            self.note(format!("{table}.input"), inputs.join(", "), from);
        }
        inputs
    }
}

/// Returns the candidates of the sections of the config file. Without sections, every log type is one, and a section without
/// a log type gives one for each log type that no other section names.
fn candidates(mut sections: Vec<SourceSection>) -> Vec<Candidate> {
    if sections.is_empty() {
        sections.push(SourceSection { dataset: None, values: Given::default(), promote: Vec::new() });
    }
    let named: Vec<&str> = sections.iter().filter_map(|section| Some(section.dataset?.name())).collect();
    let of_section = |SourceSection { dataset, values, promote }: SourceSection| {
        let is_meant = |other: &dyn Dataset| match dataset {
            Some(dataset) => other.name() == dataset.name(),
            None => !named.contains(&other.name()),
        };
        let candidate = |found: &'static dyn Dataset| {
            let (values, promote) = (values.clone(), promote.clone());
            Candidate { dataset: found, is_named: dataset.is_some(), values, promote }
        };
        dataset::all().filter(|other| is_meant(*other)).map(candidate).collect::<Vec<_>>()
    };
    sections.into_iter().flat_map(of_section).collect()
}

/// Keeps the candidates of a log type, or of all. A log type of which the settings name one is named.
fn of_log_type(candidates: Vec<Candidate>, wanted: &str) -> Result<Vec<Candidate>> {
    if wanted == dataset::ALL_LOG_TYPES {
        return Ok(candidates);
    }
    let of_file: Vec<String> =
        candidates.iter().map(|one| format!("{} ({})", table_of(one), one.dataset.name())).collect();
    let mut selected: Vec<Candidate> = candidates;
    selected.retain(|candidate| candidate.dataset.name() == wanted);
    for candidate in &mut selected {
        candidate.is_named = true;
    }
    if selected.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "the config file has no source of the log type")
            .with("dataset", wanted)
            .hint(format!("add a [[source]], or choose from its tables: {}", of_file.join(", "))));
    }
    Ok(selected)
}

/// Keeps the source of a table, whose log type is then named. Without a config file, the only source takes the name.
fn of_table(mut selected: Vec<Candidate>, table: &str, from_file: bool) -> Result<Vec<Candidate>> {
    if let ([only], false) = (&mut selected[..], from_file) {
        only.values.insert(&rows::TABLE, vec![table.to_owned()]);
        return Ok(selected);
    }
    let known: Vec<String> = selected.iter().map(table_of).collect();
    selected.retain(|candidate| table_of(candidate) == table);
    for candidate in &mut selected {
        candidate.is_named = true;
    }
    if !selected.is_empty() {
        return Ok(selected);
    }
    let near = nearest_name(table, known.iter().map(String::as_str));
    let meant = near.map(|nearest| format!("did you mean '{nearest}'? ")).unwrap_or_default();
    let names = known.join(", ");
    Err(Error::new(ErrorKind::Usage, format!("unknown table '{table}'")).hint(if from_file {
        format!("{meant}--table takes {names}, the tables of the config file")
    } else {
        format!("{meant}--table takes {names}, or with --dataset a new name for its table")
    }))
}

/// The name of a source's table.
fn table_of(candidate: &Candidate) -> String {
    candidate.values.one(&rows::TABLE).unwrap_or_else(|| candidate.dataset.default_table().to_owned())
}

fn refuse_twins(sources: &[TableSource]) -> Result<()> {
    let mut names: Vec<&str> = sources.iter().map(|source| source.spec.table.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::new(ErrorKind::Usage, "two sources have the same table")
            .with("table", pair[0])
            .hint("give one source a list of inputs; duplicate rows are dropped")),
        None => Ok(()),
    }
}

/// Returns a valid table name that resembles another name.
fn valid_table_name(name: &str) -> String {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
    let valid = name.trim().chars().map(letter).collect::<String>().trim_matches('_').to_owned();
    if is_table_name(&valid) { valid } else { "web_access".to_owned() }
}

/// Checks that Athena takes a table name without quotes. It becomes a folder name, too.
fn check_table_name(name: &str) -> Result<()> {
    if is_table_name(name) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, format!("invalid table name '{name}'")).hint(format!(
        "use lower-case letters, digits and _, and do not begin with _, for example {}",
        valid_table_name(name)
    )))
}

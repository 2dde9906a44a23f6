//! Selects the tables of a command and warns about their inputs.

use std::collections::BTreeSet;

use super::console::Console;
use super::context::Context;
use super::progress::Bar;
use super::settings::{LogFormat, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::plan::{TableSource, lone_dates};
use crate::road::{NotBuilt, Tables, Work};
use crate::store::{Connector, Lake};

/// Maximum number of missing folders that a warning names.
const NAMED_FOLDERS: usize = 3;

/// Returns the tables of a command that reads raw logs of these days.
pub(super) fn of_inputs(
    settings: &Settings,
    days: DayRange,
    connector: &Connector,
    context: &Context,
) -> Result<Tables> {
    let sources = settings.tables()?;
    refuse_own_output(sources, settings.lake_address())?;
    warn_of_lone_dates(sources, days, context.console);
    #[cfg(feature = "query")]
    warn_of_views(sources, context.console);
    let tables = {
        let _listing = Bar::begin(context.console, "inputs", Work::List);
        Tables::of(sources, settings.named_log_types, days, connector)?
    };
    report_not_built(&tables, context.console);
    Ok(tables)
}

/// Returns the tables of a command that inspects a lake. Includes every table that has days in the lake.
pub(super) fn of_lake(
    settings: &Settings,
    days: DayRange,
    connector: &Connector,
    context: &Context,
    lake: &dyn Lake,
) -> Result<Tables> {
    let sources = settings.tables()?;
    warn_of_lone_dates(sources, days, context.console);
    #[cfg(feature = "query")]
    warn_of_views(sources, context.console);
    let tables = {
        let _listing = Bar::begin(context.console, "inputs", Work::List);
        Tables::of_lake(sources, settings.named_log_types, days, connector, lake)?
    };
    report_not_built(&tables, context.console);
    Ok(tables)
}

fn report_not_built(tables: &Tables, console: Console) {
    for NotBuilt { table, dataset, why } in &tables.not_built {
        let hint = format!("pass --dataset {dataset} to include it");
        match console.format {
            LogFormat::Text => console.info(&format!("{table}: not built: {why} ({hint})"), &[]),
            LogFormat::Json => {
                let about = [("table", table.as_str().into()), ("dataset", (*dataset).into())];
                let fields = [("why", why.as_str().into()), ("hint", hint.into())];
                console.info("not_built", &[about, fields].concat());
            }
        }
    }
}

/// Refuses an input that is the lake, because tables and raw logs would be mixed. One may be inside the other: published days
/// are not read as logs.
fn refuse_own_output(sources: &[TableSource], output: &str) -> Result<()> {
    let place = |address: &str| std::fs::canonicalize(address).unwrap_or_else(|_| address.into());
    let lake = output.trim_end_matches('/');
    let is_lake = |input: &&str| !lake.is_empty() && place(input.trim_end_matches('/')) == place(lake);
    match inputs_of(sources).find(is_lake) {
        Some(input) => Err(Error::new(ErrorKind::Usage, "the output is also an input")
            .with("input", input)
            .with("output", output)
            .hint(format!("pass another --output, for example {lake}-lake"))),
        None => Ok(()),
    }
}

/// Warns about inputs that are the folder of one UTC date. A KST day needs two dates, and one has only part of its rows.
fn warn_of_lone_dates(sources: &[TableSource], days: DayRange, console: Console) {
    let inputs: BTreeSet<&str> = inputs_of(sources).collect();
    let inputs: Vec<String> = inputs.into_iter().map(str::to_owned).collect();
    for dated in lone_dates(&inputs, days) {
        let named =
            dated.missing.iter().take(NAMED_FOLDERS).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = dated.missing.len().saturating_sub(NAMED_FOLDERS);
        let missing = if more > 0 { format!("{named} and {more} more") } else { named };
        let unit = dated.unit;
        console.warn(
            &format!(
                "the input is the folder of one UTC {unit}, but a KST day needs two UTC dates: rows of the other dates will \
                 be missing"
            ),
            &[("input", dated.input.into()), ("also_needed", missing.into())],
        );
    }
}

/// Warns about tables with the name of a view. A catalog cannot hold a table and a view of the same name, and queries read
/// the table.
#[cfg(feature = "query")]
fn warn_of_views(sources: &[TableSource], console: Console) {
    let is_view =
        |source: &&TableSource| crate::query::VIEWS.iter().any(|view| view.name == source.spec.table);
    for source in sources.iter().filter(is_view) {
        let hint = "choose another table name with --table or in the config file";
        console.warn(
            "the table has the name of a view of glue/sql, so the view cannot be used",
            &[("table", source.spec.table.as_str().into()), ("hint", hint.into())],
        );
    }
}

fn inputs_of(sources: &[TableSource]) -> impl Iterator<Item = &str> {
    sources.iter().flat_map(|source| &source.spec.inputs).map(String::as_str)
}

//! Selects the tables of a command and warns about their inputs.

use std::collections::BTreeSet;

use serde_json::json;

use super::console::{self, Console};
use super::context::Context;
use super::progress::Bar;
use super::settings::{LogFormat, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::plan::{TableSource, lone_dates};
use crate::road::{Tables, Work};
use crate::store::{Connector, Lake};

/// Maximum number of missing folders that a warning names.
const NAMED_FOLDERS: usize = 3;

/// Returns the tables of a command that reads raw logs of these days.
pub(super) fn of_inputs(
    settings: &Settings,
    days: DayRange,
    connector: &Connector,
    context: &Context,
    lake: Option<&dyn Lake>,
) -> Result<Tables> {
    let sources = settings.tables()?;
    refuse_own_output(sources, settings.lake_address())?;
    warn_of_lone_dates(sources, days, context.console);
    #[cfg(feature = "query")]
    warn_of_views(sources, context.console);
    let tables = {
        let _listing = Bar::begin(context.console, "inputs", Work::List);
        connector.share_listings(console::now());
        Tables::of(sources, days, connector, lake)?
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
        connector.share_listings(console::now());
        Tables::of_lake(sources, days, connector, lake)?
    };
    report_not_built(&tables, context.console);
    Ok(tables)
}

/// Names the log types that are left out, in one message.
fn report_not_built(tables: &Tables, console: Console) {
    let not_built = &tables.unread.not_built;
    let names: Vec<&str> = not_built.iter().map(|left| left.dataset).collect();
    let Some((last, others)) = names.split_last() else { return };
    let log_types =
        if others.is_empty() { (*last).to_owned() } else { format!("{} or {last}", others.join(", ")) };
    let hint = match others {
        [] => format!("pass --dataset {last} to include it"),
        _ => "pass --dataset to include one".to_owned(),
    };
    let why = format!("the inputs hold no {log_types} logs outside the folders of other services");
    match console.format {
        LogFormat::Text => {
            console.info(&format!("not built: {why} ({hint})"), &[]);
        }
        LogFormat::Json => {
            let tables: Vec<&str> = not_built.iter().map(|left| left.table.as_str()).collect();
            let of_each = [("tables", json!(tables)), ("datasets", json!(names))];
            console
                .info("not_built", &[&of_each[..], &[("why", why.into()), ("hint", hint.into())]].concat());
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

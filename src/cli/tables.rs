//! Which tables a command works on.
//!
//! The log types that were named are made in any case. Where none was, the inputs decide: a table of which they hold
//! nothing is left out before anything of it is locked, reported or written, so that a wrong input empties no day.

use std::collections::BTreeSet;

use super::console::Console;
use super::settings::{LogFormat, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::plan::{TableSource, holds_logs, lone_dates};
use crate::store::Connector;

/// Missing folders that are named one by one.
const NAMED_FOLDERS: usize = 3;

/// The tables of a command that reads raw logs of these days. Fails when the inputs hold no logs at all.
pub(super) fn tables(
    settings: &Settings,
    days: DayRange,
    connector: &Connector,
    console: Console,
) -> Result<Vec<TableSource>> {
    let sources = settings.tables()?;
    warn_of_lone_dates(sources, days, console);
    if settings.log_types_named {
        return Ok(sources.to_vec());
    }
    let (held, left) = by_content(sources, days, connector)?;
    if held.is_empty() {
        return Err(no_logs(sources));
    }
    left.iter().for_each(|source| say_left_out(source, console));
    Ok(held)
}

/// The sources of whose log type the inputs hold something, and the others.
fn by_content(
    sources: &[TableSource],
    days: DayRange,
    connector: &Connector,
) -> Result<(Vec<TableSource>, Vec<TableSource>)> {
    let (mut held, mut left) = (Vec::new(), Vec::new());
    for source in sources {
        let group = if holds_logs(source, days, connector)? { &mut held } else { &mut left };
        group.push(source.clone());
    }
    Ok((held, left))
}

fn no_logs(sources: &[TableSource]) -> Error {
    let inputs: BTreeSet<&str> = inputs_of(sources).collect();
    let log_types: Vec<&str> = sources.iter().map(|source| source.dataset.name()).collect();
    Error::new(ErrorKind::Unusable, "the inputs hold no logs: nothing is changed")
        .with("inputs", inputs.into_iter().collect::<Vec<_>>().join(", "))
        .with("looked_for", log_types.join(", "))
        .hint("check that the path is right and mounted, or name a log type with --dataset to publish an empty day")
}

fn say_left_out(source: &TableSource, console: Console) {
    let (table, dataset) = (source.table.as_str(), source.dataset.name());
    let why = format!("the inputs hold no {dataset} logs");
    let hint = format!("name it with --dataset {dataset} to publish an empty day");
    match console.format {
        LogFormat::Text => console.info(&format!("{table}: not built: {why} ({hint})"), &[]),
        LogFormat::Json => {
            let about = [("table", table.into()), ("dataset", dataset.into())];
            let facts = [("why", why.into()), ("hint", hint.into())];
            console.info("not_built", &[about, facts].concat());
        }
    }
}

/// A KST day needs two UTC dates: an input that is the folder of one gives about half of it.
fn warn_of_lone_dates(sources: &[TableSource], days: DayRange, console: Console) {
    let inputs: BTreeSet<&str> = inputs_of(sources).collect();
    let inputs: Vec<String> = inputs.into_iter().map(str::to_owned).collect();
    for dated in lone_dates(&inputs, days) {
        let named =
            dated.missing.iter().take(NAMED_FOLDERS).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = dated.missing.len().saturating_sub(NAMED_FOLDERS);
        let missing = if more > 0 { format!("{named} and {more} more") } else { named };
        console.warn(
            "the input is the folder of one UTC date, but a KST day needs two: rows of the others will be missing",
            &[("input", dated.input.into()), ("also_needed", missing.into())],
        );
    }
}

fn inputs_of(sources: &[TableSource]) -> impl Iterator<Item = &str> {
    sources.iter().flat_map(|source| &source.inputs).map(String::as_str)
}

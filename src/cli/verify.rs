//! `logmill verify`: checks a published day against its manifest.

use super::args::{GlobalArgs, VerifyArgs};
use super::context::Context;
use super::exit::Exit;
use super::settings::Flags;
use super::{console, existing_lake, published_days};
use crate::audit::Finding;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::nearest::nearest_name;
use crate::publish;
use crate::store::Lake;
use crate::store::lake::{Partition, table_names};

pub(super) fn run(args: &VerifyArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &Flags::of([&*args.lake]))?;
    let connector = context.connector(&settings);
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    let day = published_days::day_of(&args.day, lake.as_ref(), args.table.as_deref())?;
    let mut findings = 0;
    for table in tables(args.table.as_deref(), lake.as_ref(), day)? {
        findings += verify_table(lake.as_ref(), &Partition { table, day })?;
    }
    Ok(if findings == 0 { Exit::Done } else { Exit::Unusable })
}

/// Checks one table, prints the findings and returns their number.
fn verify_table(lake: &dyn Lake, partition: &Partition) -> Result<usize> {
    let manifest = publish::read_manifest(lake, partition)?.ok_or_else(|| not_published(lake, partition))?;
    let findings = crate::audit::verify(lake, partition, &manifest)?;
    for Finding { path, problem } in &findings {
        console::print_line(&format!("{path}: {problem}"))?;
    }
    if findings.is_empty() {
        let rows = console::counted(manifest.ledger.written, "row");
        console::print_line(&format!(
            "{partition}: {rows} in {}, as listed in the manifest",
            console::counted(manifest.parts.len() as u64, "file")
        ))?;
    }
    Ok(findings.len())
}

pub(super) fn not_published(lake: &dyn Lake, partition: &Partition) -> Error {
    Error::new(ErrorKind::Unusable, "the day was never published")
        .with("table", &partition.table)
        .with("day", partition.day)
        .with("lake", lake.address(""))
        .hint(format!("publish it with 'logmill run --day {}'", partition.day))
}

/// Fails if the lake has tables, but not this one.
pub(super) fn require_table(lake: &dyn Lake, table: &str) -> Result<()> {
    let tables = table_names(lake)?;
    if tables.is_empty() || tables.iter().any(|name| name == table) {
        return Ok(());
    }
    let names = tables.join(", ");
    Err(Error::new(ErrorKind::Unusable, format!("unknown table '{table}'"))
        .with("lake", lake.address(""))
        .hint(match nearest_name(table, tables.iter().map(String::as_str)) {
            Some(nearest) => format!("did you mean '{nearest}'? the lake has {names}"),
            None => format!("pass --table with a table of the lake: {names}"),
        }))
}

/// Returns the requested table, or every table of the lake in which the day is published.
pub(super) fn tables(only: Option<&str>, lake: &dyn Lake, day: KstDay) -> Result<Vec<String>> {
    existing_lake::names(lake)?;
    if let Some(table) = only {
        require_table(lake, table)?;
        return Ok(vec![table.to_owned()]);
    }
    let mut tables = Vec::new();
    for table in table_names(lake)? {
        let partition = Partition { table: table.clone(), day };
        if lake.manifest(&partition)?.is_some() {
            tables.push(table);
        }
    }
    if tables.is_empty() {
        return Err(Error::new(ErrorKind::Unusable, "the day was never published in any table")
            .with("day", day)
            .with("lake", lake.address(""))
            .hint(format!(
                "publish it with 'logmill run --day {day}'; 'logmill status' shows the published days"
            )));
    }
    Ok(tables)
}

//! `logmill clean`: removes what killed and superseded runs left behind.

use super::args::{CleanArgs, GlobalArgs, OLDER_THAN};
use super::context::Context;
use super::exit::Exit;
use super::settings::values::span_ms;
use super::settings::{Flags, Settings};
use super::{console, existing_lake, verify};
use crate::error::{Error, Result};
use crate::publish::{CleanOptions, Leftover, Leftovers};
use crate::road::clean::{CleanedDay, Cleaner, shown_runs};
use crate::road::time_at;
use crate::store::Lake;
use crate::store::lake::{Partition, RunFile};

pub(super) fn run(args: &CleanArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let flags = Flags::of([&*args.lake, &args.grace, &args.catalog]);
    let settings = context.settings(global, &flags)?;
    let connector = context.connector(&settings);
    let registrar = settings.registrar(&connector, console::now)?;
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    if let Some(registrar) = &registrar {
        registrar.catalog.require_database(false)?;
    }
    let options = clean_options(&settings, args.older_than, lake.as_ref())?;
    let cleaner = Cleaner { lake: lake.as_ref(), options, dry: args.dry_run };
    let unfinished = lake.unfinished()?;
    let tables = tables(args.table.as_deref(), &cleaner, &unfinished, context)?;
    let mut total = Total::default();
    for table in tables {
        context.cancel.check()?;
        let days = cleaner.days(&table, &unfinished)?;
        let shown = shown_runs(registrar.as_ref(), &table, &days)?;
        for day in days {
            let partition = Partition { table: table.clone(), day };
            let outcome = cleaner.clean_day(&partition, &shown)?;
            total.add(&outcome);
            print_day(&partition, &outcome, args.dry_run, print_text)?;
        }
    }
    console::print(&total.text(args.dry_run))?;
    Ok(Exit::Done)
}

/// Returns the requested table, or all tables that can have leftovers. Fails if the lake has no such table.
fn tables(
    only: Option<&str>,
    cleaner: &Cleaner<'_>,
    unfinished: &[Partition],
    context: &Context,
) -> Result<Vec<String>> {
    let with_leftovers = cleaner.tables(unfinished)?;
    // The first run of a lake may have been killed before the lake existed.
    if with_leftovers.iter().all(|name| name.starts_with("proc_ymd=")) {
        existing_lake::require(cleaner.lake, context.console)?;
    }
    let Some(only) = only.map(str::to_owned) else { return Ok(with_leftovers) };
    if !with_leftovers.contains(&only) {
        verify::require_table(cleaner.lake, &only)?;
    }
    Ok(vec![only])
}

/// Returns the options of a `logmill clean` without `--older-than`.
pub(super) fn default_options(settings: &Settings, lake: &dyn Lake) -> Result<CleanOptions> {
    let unknown_ms = span_ms(OLDER_THAN).map_err(Error::bug)?;
    clean_options(settings, unknown_ms, lake)
}

/// Returns the options for removing files of runs, from the settings and the clock of the lake.
fn clean_options(settings: &Settings, unknown_ms: i64, lake: &dyn Lake) -> Result<CleanOptions> {
    Ok(CleanOptions {
        grace_ms: settings.lake.grace_ms,
        unknown_ms,
        queried_catalog: settings.catalog.is_some(),
        now: time_at(lake, console::now)?,
    })
}

/// Prints a line about an action.
pub(super) type PrintLine = fn(&str) -> Result<()>;

/// Prints a line as text.
pub(super) fn print_text(line: &str) -> Result<()> {
    console::print_line(line)
}

/// What was removed, and how many days were skipped.
#[derive(Debug, Default)]
struct Total {
    files: u64,
    bytes: u64,
    busy: u64,
}

/// Prints what was removed from a partition, or would be.
pub(super) fn print_day(
    partition: &Partition,
    cleaned: &CleanedDay,
    dry: bool,
    print: PrintLine,
) -> Result<()> {
    match cleaned {
        CleanedDay::Held => print(&format!("{partition}: skipped, a run holds it")),
        CleanedDay::Swept => {
            print(&format!("{} unfinished work of {partition}: its run was killed", verb(dry)))
        }
        CleanedDay::JustPublished(Leftovers { kept, .. }) => {
            print_kept(partition, kept, print)?;
            print(&format!("{partition}: skipped, a run has just published it"))
        }
        CleanedDay::Removed(Leftovers { files, kept, .. }) => {
            print_kept(partition, kept, print)?;
            files.iter().try_for_each(|Leftover { file, why }| {
                let size = console::size(file.bytes);
                print(&format!("{} {} ({size}): {why}", verb(dry), file.path))
            })
        }
    }
}

fn print_kept(partition: &Partition, files: &[RunFile], print: PrintLine) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let count = console::counted(files.len() as u64, "file");
    let size = console::size(files.iter().map(|file| file.bytes).sum());
    print(&format!(
        "{partition}: kept {count} ({size}) until the next run: the day was never published, and a paused run may still \
         publish it"
    ))
}

fn verb(dry: bool) -> &'static str {
    if dry { "would remove" } else { "removed" }
}

impl Total {
    fn add(&mut self, cleaned: &CleanedDay) {
        match cleaned {
            CleanedDay::Held | CleanedDay::JustPublished(_) => self.busy += 1,
            CleanedDay::Swept => self.files += 1,
            CleanedDay::Removed(leftovers) => {
                self.files += leftovers.files.len() as u64;
                self.bytes += leftovers.files.iter().map(|leftover| leftover.file.bytes).sum::<u64>();
            }
        }
    }

    fn text(&self, dry: bool) -> String {
        let verb = verb(dry);
        let (files, size) = (console::counted(self.files, "file"), console::size(self.bytes));
        let mut text = format!("{verb} {files}, {size}\n");
        if self.busy > 0 {
            text += &format!("skipped {} in use by other runs\n", console::counted(self.busy, "day"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_of_one_is_singular() {
        for (files, busy, dry, expected) in [
            (0, 0, false, "removed 0 files, 5 B\n"),
            (1, 1, false, "removed 1 file, 5 B\nskipped 1 day in use by other runs\n"),
            (1000, 2, true, "would remove 1,000 files, 5 B\nskipped 2 days in use by other runs\n"),
        ] {
            assert_eq!(Total { files, bytes: 5, busy }.text(dry), expected);
        }
    }
}

//! `logmill clean`: removes what killed and superseded runs left behind.

use std::collections::BTreeSet;

use super::args::{CleanArgs, GlobalArgs};
use super::console;
use super::context::Context;
use super::exit::Exit;
use super::settings::{Flags, Settings};
use crate::error::Result;
use crate::kst::KstDay;
use crate::publish::{self, CleanOptions, Leftover, Leftovers};
use crate::road::{Registrar, lock_taker, run_name, time_at};
use crate::store::lake::{LOCKS, Partition, RunFile, is_held, run_of};
use crate::store::{DayLock, Lake};

/// Default minimum age, in milliseconds, at which files of an unknown run are removed.
pub(super) const UNKNOWN_MS: i64 = 24 * 3_600_000;

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
    let mut cleaner = Cleaner::new(lake.as_ref(), options, args.dry_run, print_text);
    let unfinished = lake.unfinished()?;
    for table in tables(args, lake.as_ref(), &unfinished)? {
        context.cancel.check()?;
        cleaner.clean_table(&table, &unfinished, registrar.as_ref())?;
    }
    console::print(&cleaner.total.text(args.dry_run))?;
    Ok(Exit::Done)
}

/// Returns the options for removing files of runs, from the settings and the clock of the lake.
pub(super) fn clean_options(settings: &Settings, unknown_ms: i64, lake: &dyn Lake) -> Result<CleanOptions> {
    Ok(CleanOptions {
        grace_ms: settings.lake.grace_ms,
        unknown_ms,
        asked_catalog: settings.catalog.is_some(),
        now: time_at(lake, console::now)?,
    })
}

/// Returns the requested table, or all tables of the lake. A local lake keeps unfinished work of all tables in one folder.
fn tables(args: &CleanArgs, lake: &dyn Lake, unfinished: &[Partition]) -> Result<Vec<String>> {
    if let Some(table) = &args.table {
        return Ok(vec![table.clone()]);
    }
    let mut tables = lake.names(root_of_runs(lake))?;
    tables.retain(|table| !table.starts_with(['_', '.']));
    // A first run that was killed may have left only uploads and its lock.
    tables.extend(unfinished.iter().map(|partition| partition.table.clone()));
    tables.extend(lake.names(LOCKS)?);
    tables.sort();
    tables.dedup();
    Ok(tables)
}

/// Returns the folder below which runs leave files, by table.
fn root_of_runs(lake: &dyn Lake) -> &'static str {
    if lake.keeps_runs() { "" } else { "_staging" }
}

/// Returns the days of a table that can contain leftovers of runs.
fn days(lake: &dyn Lake, table: &str, unfinished: &[Partition]) -> Result<Vec<KstDay>> {
    let root = root_of_runs(lake);
    let folder = if root.is_empty() { table.to_owned() } else { format!("{root}/{table}") };
    let day = |name: &String| {
        let value = name.strip_prefix("proc_ymd=")?;
        value.split('.').next()?.parse().ok()
    };
    let names = [lake.names(&folder)?, lake.names(&format!("{LOCKS}/{table}"))?].concat();
    let mut days: BTreeSet<KstDay> = names.iter().filter_map(day).collect();
    days.extend(
        unfinished.iter().filter(|partition| partition.table == table).map(|partition| partition.day),
    );
    Ok(days.into_iter().collect())
}

/// Prints a line about an action.
pub(super) type PrintLine = fn(&str) -> Result<()>;

/// Prints a line as text.
pub(super) fn print_text(line: &str) -> Result<()> {
    console::print_line(line)
}

/// Removes leftovers of runs, or lists them.
pub(super) struct Cleaner<'a> {
    lake: &'a dyn Lake,
    rules: CleanOptions,
    /// Whether to only list what would be removed.
    dry: bool,
    print: PrintLine,
    total: Total,
}

/// What was removed, and how many days were skipped.
#[derive(Debug, Default)]
struct Total {
    files: u64,
    bytes: u64,
    busy: u64,
}

impl<'a> Cleaner<'a> {
    pub(super) fn new(lake: &'a dyn Lake, rules: CleanOptions, dry: bool, print: PrintLine) -> Self {
        Self { lake, rules, dry, print, total: Total::default() }
    }

    fn clean_table(
        &mut self,
        table: &str,
        unfinished: &[Partition],
        registrar: Option<&Registrar>,
    ) -> Result<()> {
        let days = days(self.lake, table, unfinished)?;
        let shown = match (registrar, days.first(), days.last()) {
            (Some(registrar), Some(first), Some(last)) => {
                let partitions = registrar.catalog.partitions(table, *first, *last)?;
                partitions.iter().filter_map(|partition| run_of(&partition.location)).collect()
            }
            _ => BTreeSet::new(),
        };
        for day in days {
            self.clean_day(&Partition { table: table.to_owned(), day }, &shown)?;
        }
        Ok(())
    }

    /// Cleans one partition, unless a run holds it. A dry run puts no lock into a bucket.
    pub(super) fn clean_day(&mut self, partition: &Partition, shown: &BTreeSet<String>) -> Result<()> {
        let needs_lock = !(self.dry && self.lake.keeps_runs());
        let _lock = match needs_lock.then(|| self.lock(partition)).transpose() {
            Err(error) if is_held(&error) => {
                self.total.busy += 1;
                return (self.print)(&format!("{partition}: skipped, a run holds it"));
            }
            lock => lock?,
        };
        if !self.lake.keeps_runs() {
            return self.sweep(partition);
        }
        if !self.dry {
            self.lake.sweep(partition)?;
        }
        let leftovers = publish::leftovers(self.lake, partition, self.rules, shown)?;
        self.remove(partition, &leftovers)
    }

    fn lock(&self, partition: &Partition) -> Result<Box<dyn DayLock>> {
        let taker = lock_taker("logmill clean", &run_name(self.rules.now)?, false, self.rules.now);
        self.lake.lock(partition, &taker)
    }

    fn sweep(&mut self, partition: &Partition) -> Result<()> {
        self.total.files += 1;
        if !self.dry {
            self.lake.sweep(partition)?;
        }
        (self.print)(&format!("{} unfinished work of {partition}: its run was killed", self.verb()))
    }

    fn remove(&mut self, partition: &Partition, leftovers: &Leftovers) -> Result<()> {
        self.print_kept(partition, &leftovers.staying)?;
        if !self.dry && !leftovers.remove(self.lake, partition)? {
            self.total.busy += 1;
            return (self.print)(&format!("{partition}: skipped, a run has just published it"));
        }
        for Leftover { file, why } in &leftovers.files {
            self.total.files += 1;
            self.total.bytes += file.bytes;
            let size = console::size(file.bytes);
            (self.print)(&format!("{} {} ({size}): {why}", self.verb(), file.path))?;
        }
        Ok(())
    }

    fn print_kept(&self, partition: &Partition, files: &[RunFile]) -> Result<()> {
        if files.is_empty() {
            return Ok(());
        }
        let count = console::counted(files.len() as u64, "file");
        let size = console::size(files.iter().map(|file| file.bytes).sum());
        (self.print)(&format!(
            "{partition}: kept {count} ({size}) until the next run: the day was never published, and a paused run may still \
             publish it"
        ))
    }

    fn verb(&self) -> &'static str {
        if self.dry { "would remove" } else { "removed" }
    }
}

impl Total {
    fn text(&self, dry: bool) -> String {
        let verb = if dry { "would remove" } else { "removed" };
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

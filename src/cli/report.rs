//! `logmill report`: shows published days as one page.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::args::{GlobalArgs, Lang, ReportArgs};
use super::console::Console;
use super::context::Context;
use super::exit::Exit;
use super::new_file::NewFile;
use super::query::{open_engine, warn_of_views};
use super::settings::Flags;
use super::{console, existing_lake, published_days};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::publish;
use crate::query::Engine;
use crate::report::{Answer, Answered, FIGURES, Figure, Language, LedgerLine, Log, Report, page};
use crate::store::Lake;
use crate::store::lake::Partition;

pub(super) fn run(args: &ReportArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let flags = Flags::of([&*args.lake]).with_sources();
    let settings = context.settings(global, &flags)?;
    let days = args.days.range(console::now(), Some(1))?;
    existing_lake::refuse_result_file(settings.output()?)?;
    let connector = context.connector(&settings);
    let lake: Arc<dyn Lake> = connector.lake(settings.output()?, &settings.lake.access)?.into();
    existing_lake::require(lake.as_ref(), context.console)?;
    let engine = open_engine(Arc::clone(&lake), &settings, Some(days), context)?;
    let ledgers = ledgers(lake.as_ref(), &engine, days, context)?;
    let tables: BTreeSet<&str> =
        ledgers.iter().filter(|line| line.manifest.is_some()).map(|line| line.table.as_str()).collect();
    if tables.is_empty() {
        return Err(Error::new(ErrorKind::Unusable, "none of the days is published in any table")
            .with("days", days)
            .with("lake", lake.address(""))
            .hint(published_days::hint(lake.as_ref(), None)?));
    }
    warn_of_other_names(&ledgers, context);
    // The file is created first, because the queries can take long.
    let page_file = PageFile::open(args, days)?;
    let figures = FIGURES.iter().filter(|figure| tables.contains(figure.log.table()));
    let answers = figures.map(|figure| answer(&engine, figure)).collect::<Result<Vec<_>>>()?;
    warn_of_views(&engine, context);
    let language = match args.lang {
        Lang::En => Language::English,
        Lang::Ko => Language::Korean,
    };
    let html = page(&Report { days, answers, ledgers, language });
    page_file.write(&html, context)?;
    Ok(Exit::Done)
}

/// Returns what is published of each day, table by table. Leaves out tables that have none of the days.
fn ledgers(lake: &dyn Lake, engine: &Engine, days: DayRange, context: &Context) -> Result<Vec<LedgerLine>> {
    let mut lines = Vec::new();
    for table in engine.tables() {
        let mut of_table = Vec::new();
        for day in days.days() {
            context.cancel.check()?;
            let partition = Partition { table: table.to_owned(), day };
            let manifest = publish::read_manifest(lake, &partition)?;
            of_table.push(LedgerLine { table: partition.table, day, manifest });
        }
        if of_table.iter().any(|line| line.manifest.is_some()) {
            lines.extend(of_table);
        }
    }
    Ok(lines)
}

fn answer(engine: &Engine, figure: &'static Figure) -> Result<Answered> {
    let rows = engine.sql(figure.sql).map_err(|error| error.with("figure", figure.title.en))?;
    Ok(Answered { figure, answer: Answer::of(&rows.batches)? })
}

/// Warns about tables that the views of `glue/sql` do not read, because of their names. The page shows only their ledgers.
fn warn_of_other_names(ledgers: &[LedgerLine], context: &Context) {
    let others: BTreeSet<(&str, &str)> = ledgers
        .iter()
        .filter_map(|line| Some((line.table.as_str(), line.manifest.as_ref()?.dataset.as_str())))
        .filter(|(table, _)| Log::ALL.iter().all(|log| log.table() != *table))
        .collect();
    for (table, dataset) in others {
        let fields = [("table", table.into()), ("dataset", dataset.into())];
        context.console.warn(
            "only tables named cloudtrail, s3_access and alb_access have figures: the page shows only the ledgers of this table",
            &fields,
        );
    }
}

/// The destination of the page.
enum PageFile {
    Stdout,
    File { path: String, file: NewFile },
}

impl PageFile {
    fn open(args: &ReportArgs, days: DayRange) -> Result<Self> {
        match args.to_file.as_deref() {
            Some("-") => Ok(Self::Stdout),
            given => {
                let path = given.map_or_else(|| default_name(days), str::to_owned);
                Ok(Self::File { file: NewFile::create(Path::new(&path))?, path })
            }
        }
    }

    fn write(self, html: &str, context: &Context) -> Result<()> {
        let Self::File { path, file } = self else { return console::print_as_is(html) };
        let mut writer = file.writer()?;
        let written = writer.write_all(html.as_bytes()).and_then(|()| writer.flush());
        written.map_err(|cause| Error::unusable("cannot write the file", cause).with("to-file", &path))?;
        file.keep()?;
        let tell = if context.console.advises() { Console::info } else { Console::step };
        tell(context.console, "report written", &[("file", path.into()), ("bytes", html.len().into())]);
        Ok(())
    }
}

fn default_name(days: DayRange) -> String {
    if days.first == days.last {
        return format!("logmill-report-{}.html", days.first.proc_ymd());
    }
    format!("logmill-report-{}-{}.html", days.first.proc_ymd(), days.last.proc_ymd())
}

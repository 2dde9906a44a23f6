//! `logmill query`: a statement over the lake, and its rows in the form that was asked for.

mod cells;
mod csv;
mod format;

use std::io::{self, IsTerminal, Read};
use std::sync::Arc;
use std::time::Instant;

use self::format::{Form, Sink, Written};
use super::args::{GlobalArgs, QueryArgs, QueryFormat};
use super::console;
use super::context::Context;
use super::exit::Exit;
use super::new_file::NewFile;
use super::settings::{Flags, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay};
use crate::query::{Engine, EngineOptions, KnownTable, Scanned};
use crate::store::Lake;

pub(super) fn run(args: &QueryArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let flags = Flags::of([&*args.lake]).with_sources();
    let settings = context.settings(global, &flags)?;
    let form = form_of(args)?;
    let sql = statement(args)?;
    let connector = context.connector(&settings);
    let lake: Arc<dyn Lake> = connector.lake(settings.output()?, &settings.lake.access)?.into();
    check(lake.as_ref(), context)?;
    let begun = Instant::now();
    let days = wanted_days(args)?;
    let engine = open_engine(lake, &settings, days, context)?;
    let mut rows = engine.stream(&sql)?;
    warn_of_days(&engine, days, context);
    warn_of_views(&engine, context);
    let written = match &args.to_file {
        Some(path) => {
            let file = NewFile::create(path)?;
            let mut sink = Sink::of_file(form, file.writer()?, rows.schema())?;
            let written = sink.write_all(&mut rows, args.max_rows)?;
            file.keep()?;
            written
        }
        None => Sink::of_stdout(form, rows.schema()).write_all(&mut rows, args.max_rows)?,
    };
    say(&written, rows.scanned(), begun, context);
    Ok(Exit::Done)
}

/// Warns of tables without days, and of days that the statement names though they are not published.
fn warn_of_days(engine: &Engine, days: Option<DayRange>, context: &Context) {
    let empty: Vec<&str> = engine.tables_without_days().collect();
    for table in &empty {
        let days = days.map(|days| ("days", days.to_string().into()));
        let facts: Vec<_> = [("table", (*table).into())].into_iter().chain(days).collect();
        context.console.warn("no day of the table is published", &facts);
    }
    for table in engine.tables_that_no_day_fits() {
        let hint = "days are written as '20231101'";
        context
            .console
            .warn("no day fits the condition on proc_ymd", &[("table", table.into()), ("hint", hint.into())]);
    }
    for days in engine.unpublished_days().filter(|days| !empty.contains(&days.table)) {
        let facts = [
            ("table", days.table.into()),
            ("unpublished", days.missing.into()),
            ("named", days.named.into()),
            ("first", days.first.to_string().into()),
        ];
        context.console.warn("the statement names days that are not published", &facts);
    }
}

/// Warns of tables that were read where a view may have been meant.
pub(super) fn warn_of_views(engine: &Engine, context: &Context) {
    for table in engine.tables_over_views() {
        let hint = "another name for the table, with --table, makes the view available";
        let facts = [("table", table.into()), ("hint", hint.into())];
        context.console.warn("a table has the name of a view: the table is read", &facts);
    }
}

/// A lake that is not there has no rows, but neither has it an answer: a name may be mistyped.
fn check(lake: &dyn Lake, context: &Context) -> Result<()> {
    if !lake.names("")?.is_empty() {
        return Ok(());
    }
    if lake.local_path("").is_some_and(|path| path.is_dir()) {
        context.console.warn("the lake is empty", &[("output", lake.address("").into())]);
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unusable, "there is no lake")
        .with("output", lake.address(""))
        .hint("check --output, or publish a day there with 'logmill run'"))
}

/// An engine over the lake of the settings.
pub(super) fn open_engine(
    lake: Arc<dyn Lake>,
    settings: &Settings,
    days: Option<DayRange>,
    context: &Context,
) -> Result<Engine> {
    let options = EngineOptions {
        threads: settings.threads,
        memory: settings.convert_options(&context.cancel).memory,
        scratch: settings.lake.scratch.clone(),
        days,
        cancel: context.cancel.clone(),
    };
    Engine::open(lake, &known_tables(settings), &options)
}

/// The statement as it was typed, or from where it stands.
fn statement(args: &QueryArgs) -> Result<String> {
    let mut text = String::new();
    let (read, name) = match (&args.sql, args.file.as_deref()) {
        (Some(sql), _) => return Ok(sql.clone()),
        (None, Some("-") | None) => {
            (io::stdin().lock().read_to_string(&mut text).map(|_| ()), "standard input")
        }
        (None, Some(path)) => (std::fs::read_to_string(path).map(|read| text = read), path),
    };
    read.map_err(|cause| {
        Error::new(ErrorKind::Usage, "cannot read the statement").with("file", name).caused_by(cause)
    })?;
    Ok(text)
}

/// What was asked for; else what the name of the file says, and what the reader can use.
fn form_of(args: &QueryArgs) -> Result<Form> {
    let format = format_of(args)?;
    if args.csv_safe && format != QueryFormat::Csv {
        return Err(Error::new(ErrorKind::Usage, "--csv-safe is about CSV, and the output is not")
            .hint("pass --format csv, or leave --csv-safe out"));
    }
    Ok(Form { format, is_csv_safe: args.csv_safe })
}

fn format_of(args: &QueryArgs) -> Result<QueryFormat> {
    let by_name = args.to_file.as_ref().map(|path| match path.extension().and_then(|kind| kind.to_str()) {
        Some("parquet") => QueryFormat::Parquet,
        Some("json" | "jsonl" | "ndjson") => QueryFormat::Json,
        _ => QueryFormat::Csv,
    });
    let by_reader = || if io::stdout().is_terminal() { QueryFormat::Table } else { QueryFormat::Csv };
    match args.format.or(by_name).unwrap_or_else(by_reader) {
        QueryFormat::Parquet if args.to_file.is_none() => {
            Err(Error::new(ErrorKind::Usage, "Parquet is not for a terminal or a pipe")
                .hint("name a file with --to-file"))
        }
        format => Ok(format),
    }
}

/// The tables that the settings name, whether or not they have a day.
fn known_tables(settings: &Settings) -> Vec<KnownTable> {
    let known = |source: &crate::plan::TableSource| KnownTable {
        name: source.table.clone(),
        dataset: source.dataset,
        naming: source.naming,
        promote: source.promote.clone(),
    };
    settings.sources.iter().map(known).collect()
}

fn wanted_days(args: &QueryArgs) -> Result<Option<DayRange>> {
    let now = console::now();
    Ok(match &args.day {
        Some(day) => Some(DayRange::only(KstDay::parse(day, now)?)),
        None if args.days.is_given() => Some(args.days.range(now, None)?),
        None => None,
    })
}

/// What it took, for people and for machines.
fn say(written: &Written, scanned: Scanned, begun: Instant, context: &Context) {
    let seconds = begun.elapsed().as_secs_f64();
    if context.console.format == super::settings::LogFormat::Json {
        context.console.step(
            "query answered",
            &[
                ("rows", written.rows.into()),
                ("seconds", seconds.into()),
                ("scanned_files", scanned.files.into()),
                ("scanned_bytes", scanned.bytes.into()),
            ],
        );
    } else if !context.console.quiet {
        let rows = match written.rows {
            1 => "1 row".to_owned(),
            rows => format!("{} rows", console::count(rows)),
        };
        let files = if scanned.files == 1 { "file" } else { "files" };
        console::to_stderr(&format!(
            "{rows} in {seconds:.1} s, scanned {} of {} {files}",
            console::size(scanned.bytes),
            console::count(scanned.files)
        ));
    }
    if written.is_cut && !context.console.quiet {
        console::to_stderr(
            "there are more rows: --max-rows 0 shows all, --format csv or --to-file writes all",
        );
    }
}

//! `logmill query`: runs a statement over the lake and writes its rows in the requested format.

mod cells;
mod csv;
mod format;
mod shell;

use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use self::format::{Form, Sink, Written};
use super::args::{GlobalArgs, QueryArgs, QueryFormat};
use super::context::Context;
use super::exit::Exit;
use super::new_file::NewFile;
use super::screen::Shown;
use super::settings::{Flags, Settings};
use super::{console, existing_lake};
use crate::dataset::TableShape;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::query::{Engine, EngineOptions, Scanned};
use crate::store::Lake;
pub(super) use shell::is_wanted as opens_shell;

pub(super) fn run(args: &QueryArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let flags = Flags::of([&*args.lake]).with_sources();
    let settings = context.settings(global, &flags)?;
    let form = form_of(args, context)?;
    let sql = if opens_shell(args) { None } else { Some(statement(args)?) };
    existing_lake::refuse_result_file(settings.output()?)?;
    let connector = context.connector(&settings);
    let lake: Arc<dyn Lake> = connector.lake(settings.output()?, &settings.lake.access)?.into();
    existing_lake::require(lake.as_ref(), context.console)?;
    let begun = Instant::now();
    let days = wanted_days(args)?;
    let engine = open_engine(lake, &settings, days, context)?;
    let Some(sql) = sql else { return shell::run(engine, form, args, days, context) };
    let mut rows = engine.stream(&sql)?;
    warn_of_days(&engine, days, context);
    warn_of_views(&engine, context);
    let width = context.console.out.width;
    let written = match &args.to_file {
        Some(path) => {
            let file = NewFile::create(path)?;
            let mut sink = Sink::of_file(form, file.writer()?, rows.schema())?;
            let written = sink.write_all(&mut rows, args.max_rows)?;
            file.keep()?;
            written
        }
        None => Sink::of_stdout(form, rows.schema(), width).write_all(&mut rows, args.max_rows)?,
    };
    print_statistics(&written, rows.scanned(), begun, context);
    Ok(Exit::Done)
}

/// Warns about tables without days, and about unpublished days that the statement names.
fn warn_of_days(engine: &Engine, days: Option<DayRange>, context: &Context) {
    let empty: Vec<&str> = engine.tables_without_days().collect();
    for table in &empty {
        let days = days.map(|days| ("days", days.to_string().into()));
        let fields: Vec<_> = [("table", (*table).into())].into_iter().chain(days).collect();
        context.console.warn("the table has no published day", &fields);
    }
    for table in engine.unmatched_tables() {
        let hint = "write days as '20231101'";
        context.console.warn(
            "no day matches the condition on proc_ymd",
            &[("table", table.into()), ("hint", hint.into())],
        );
    }
    for days in engine.unpublished_days().filter(|days| !empty.contains(&days.table)) {
        let fields = [
            ("table", days.table.into()),
            ("unpublished", days.missing.into()),
            ("named", days.named.into()),
            ("first", days.first.to_string().into()),
        ];
        context.console.warn("the statement names days that are not published", &fields);
    }
}

/// Warns about tables that were read instead of a view of the same name.
pub(super) fn warn_of_views(engine: &Engine, context: &Context) {
    for table in engine.tables_over_views() {
        let hint = "choose another table name with --table to make the view available";
        let fields = [("table", table.into()), ("hint", hint.into())];
        context.console.warn("a table has the name of a view: the query reads the table", &fields);
    }
}

/// Opens an engine over a lake, with these settings.
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
        chosen: settings
            .sources
            .iter()
            .filter(|source| source.is_named)
            .map(|source| source.spec.table.clone())
            .collect(),
        cancel: context.cancel.clone(),
    };
    Engine::open(lake, &known_tables(settings), &options)
}

/// Returns the statement from the command line, from a file or from standard input.
fn statement(args: &QueryArgs) -> Result<String> {
    let mut text = String::new();
    let (read, name) = match (&args.sql, args.file.as_deref()) {
        (Some(sql), _) if sql != "-" => {
            refuse_file_name(sql)?;
            return Ok(sql.clone());
        }
        (None, None) if io::stdin().is_terminal() => {
            return Err(Error::new(ErrorKind::Usage, "no statement is given").hint(
                "pass it in quotes, or with --file; without one, a shell needs a terminal for its output",
            ));
        }
        (Some(_), _) | (None, Some("-") | None) => {
            (io::stdin().lock().read_to_string(&mut text).map(|_| ()), "standard input")
        }
        (None, Some(path)) => (std::fs::read_to_string(path).map(|read| text = read), path),
    };
    read.map_err(|cause| {
        Error::new(ErrorKind::Usage, "cannot read the statement").with("file", name).caused_by(cause).hint(
            "pass an existing file with --file, - for standard input, or the statement itself in quotes",
        )
    })?;
    Ok(text)
}

/// Refuses the name of a file in the place of a statement.
fn refuse_file_name(sql: &str) -> Result<()> {
    let is_of_sql = Path::new(sql).extension().is_some_and(|kind| kind.eq_ignore_ascii_case("sql"));
    if is_of_sql && !sql.contains(char::is_whitespace) {
        return Err(Error::new(ErrorKind::Usage, format!("'{sql}' is a file name, not a statement"))
            .hint(format!("pass it with '--file {sql}'")));
    }
    Ok(())
}

/// Returns the requested format. By default, the name of the file decides, or whether standard output is a terminal.
fn form_of(args: &QueryArgs, context: &Context) -> Result<Form> {
    let format = format_of(args, context)?;
    if args.csv_safe && format != QueryFormat::Csv {
        return Err(Error::new(ErrorKind::Usage, "--csv-safe applies only to CSV output")
            .hint("pass --format csv, or omit --csv-safe"));
    }
    Ok(Form { format, is_csv_safe: args.csv_safe })
}

fn format_of(args: &QueryArgs, context: &Context) -> Result<QueryFormat> {
    let by_name = args.to_file.as_ref().map(|path| match path.extension().and_then(|kind| kind.to_str()) {
        Some("parquet") => QueryFormat::Parquet,
        Some("json" | "jsonl" | "ndjson") => QueryFormat::Json,
        _ => QueryFormat::Csv,
    });
    let is_read = context.console.out.is_terminal;
    let by_reader = || if is_read { QueryFormat::Table } else { QueryFormat::Csv };
    match args.format.or(by_name).unwrap_or_else(by_reader) {
        QueryFormat::Parquet if args.to_file.is_none() => {
            Err(Error::new(ErrorKind::Usage, "cannot write Parquet to standard output")
                .hint("pass a file with --to-file"))
        }
        format => Ok(format),
    }
}

/// Returns the tables of the settings, including those without a day.
fn known_tables(settings: &Settings) -> Vec<TableShape> {
    settings.sources.iter().map(|source| source.spec.shape()).collect()
}

fn wanted_days(args: &QueryArgs) -> Result<Option<DayRange>> {
    args.days.is_given().then(|| args.days.range(console::now(), None)).transpose()
}

/// Prints the number of rows, the time and the amount of scanned data.
fn print_statistics(written: &Written, scanned: Scanned, begun: Instant, context: &Context) {
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
        context.console.write(&Shown::of(&format!(
            "{} in {seconds:.1} s, scanned {} of {}",
            console::counted(written.rows, "row"),
            console::size(scanned.bytes),
            console::counted(scanned.files, "file")
        )));
    }
    if written.is_cut && !context.console.quiet {
        let more = "more rows are available: pass --max-rows 0 to show all, or --format csv or --to-file to write all";
        context.console.write(&Shown::of(more));
    }
}

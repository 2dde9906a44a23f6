//! `logmill report`: shows published days as one page.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::args::{GlobalArgs, Lang, ReportArgs};
use super::context::Context;
use super::exit::Exit;
use super::new_file::NewFile;
use super::query::{open_engine, warn_of_views};
use super::settings::Flags;
use super::{console, existing_lake, published_days};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay};
use crate::publish;
use crate::query::Engine;
use crate::report::{
    Answer, Answered, Beats, FINDINGS, Filters, Found, Language, LedgerLine, Log, LogBeats, MIN_HISTORY,
    Report, Scope, figures, page, pulses,
};
use crate::store::Lake;
use crate::store::lake::Partition;

pub(super) fn run(args: &ReportArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let flags = Flags::of([&*args.lake]).with_sources();
    let settings = context.settings(global, &flags)?;
    let scope = Scope { days: args.days.range(console::now(), Some(1))?, filters: filters(args) };
    existing_lake::refuse_result_file(settings.output()?)?;
    let connector = context.connector(&settings);
    let lake: Arc<dyn Lake> = connector.lake(settings.output()?, &settings.lake.access)?.into();
    existing_lake::require(lake.as_ref(), context.console)?;
    let engine = open_engine(Arc::clone(&lake), &settings, Some(scope.read()), context)?;
    let (ledgers, logs) = published(lake.as_ref(), &engine, &scope, context)?;
    if ledgers.is_empty() {
        return Err(Error::new(ErrorKind::Unusable, "none of the days is published in any table")
            .with("days", scope.days)
            .with("lake", lake.address(""))
            .hint(published_days::hint(lake.as_ref(), None)?));
    }
    // The file is created first, because the queries can take long.
    let page_file = PageFile::open(args, scope.days)?;
    let mut queries = Queries { engine: &engine, scope: &scope, answers: HashMap::new(), context };
    let logs = queries.logs(&logs)?;
    let found = queries.findings(&logs)?;
    let answers = queries.figures(&logs)?;
    warn_of_views(&engine, context);
    let language = match args.lang {
        Lang::En => Language::English,
        Lang::Ko => Language::Korean,
    };
    let html = page(&Report { scope, logs, found, answers, ledgers, language });
    page_file.write(&html, args.open, context)?;
    Ok(Exit::Done)
}

fn filters(args: &ReportArgs) -> Filters {
    Filters {
        accounts: args.account.clone(),
        buckets: args.bucket.clone(),
        principals: args.principal.clone(),
    }
}

/// The published days of each log, with its tables.
type PublishedLogs = BTreeMap<Log, BTreeSet<KstDay>>;

/// Returns what is published of each day, table by table, and all published days of each log that the report can need. Leaves out
/// tables that have none of the days of the report.
fn published(
    lake: &dyn Lake,
    engine: &Engine,
    scope: &Scope,
    context: &Context,
) -> Result<(Vec<LedgerLine>, PublishedLogs)> {
    let mut lines = Vec::new();
    let mut logs = PublishedLogs::new();
    for table in engine.tables() {
        let mut of_table = Vec::new();
        for day in scope.read().days() {
            context.cancel.check()?;
            let partition = Partition { table: table.to_owned(), day };
            let manifest = publish::read_manifest(lake, &partition)?;
            let dataset = manifest.as_ref().map(|manifest| manifest.dataset.as_str());
            if let Some(log) = Log::ALL.into_iter().find(|log| Some(log.dataset()) == dataset) {
                logs.entry(log).or_default().insert(day);
            }
            if scope.days.contains(day) {
                of_table.push(LedgerLine { table: partition.table, day, manifest });
            }
        }
        if of_table.iter().any(|line| line.manifest.is_some()) {
            lines.extend(of_table);
        }
    }
    logs.retain(|_, days| days.iter().any(|day| scope.days.contains(*day)));
    Ok((lines, logs))
}

/// Runs the queries of a report. A statement that two figures share runs once.
struct Queries<'a> {
    engine: &'a Engine,
    scope: &'a Scope,
    answers: HashMap<String, Answer>,
    context: &'a Context,
}

impl Queries<'_> {
    /// Returns the numbers of each log over time, without logs that the views or the filters exclude.
    fn logs(&mut self, published: &PublishedLogs) -> Result<Vec<LogBeats>> {
        let mut logs = Vec::new();
        for (log, days) in published {
            if !self.scope.suits(log.rows()) || !self.is_readable(*log)? {
                continue;
            }
            let count = |range: DayRange| days.iter().filter(|day| range.contains(**day)).count();
            let mut beats = Beats::default();
            for pulse in pulses(*log).filter(|pulse| self.scope.suits(pulse.view)) {
                beats.add(pulse, &self.answer(pulse.statement(self.scope), pulse.view.name)?);
            }
            logs.push(LogBeats {
                log: *log,
                beats,
                days_before: count(self.scope.previous()),
                days_of_history: count(self.scope.history()),
            });
        }
        Ok(logs)
    }

    /// Whether the view over a log can be planned. Warns if not.
    fn is_readable(&self, log: Log) -> Result<bool> {
        match self.engine.sql(&format!("SELECT 1 FROM {} LIMIT 0", log.rows().name)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Usage => {
                let hint = error.next_step().unwrap_or_default();
                let fields = [
                    ("dataset", log.dataset().into()),
                    ("cause", error.to_string().into()),
                    ("hint", hint.into()),
                ];
                self.context.console.warn("cannot query a log: the page shows only its ledgers", &fields);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the answers of the findings that the days before the range allow.
    fn findings(&mut self, logs: &[LogBeats]) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for finding in FINDINGS {
            let figure = &finding.figure;
            let log = logs.iter().find(|log| log.log == figure.view.log);
            let is_asked =
                log.is_some_and(|log| !finding.needs_history || log.days_of_history >= MIN_HISTORY);
            if is_asked && figure.suits(self.scope) {
                let (answer, all_rows) =
                    self.answer(figure.statement(self.scope), figure.title.en)?.without_count();
                found.push(Found { finding, answer, all_rows });
            }
        }
        Ok(found)
    }

    fn figures(&mut self, logs: &[LogBeats]) -> Result<Vec<Answered>> {
        let mut answers = Vec::new();
        for figure in figures().filter(|figure| figure.suits(self.scope)) {
            if logs.iter().any(|log| log.log == figure.view.log) {
                let (answer, all_rows) =
                    self.answer(figure.statement(self.scope), figure.title.en)?.without_count();
                answers.push(Answered { figure, answer, all_rows });
            }
        }
        Ok(answers)
    }

    fn answer(&mut self, statement: String, title: &str) -> Result<Answer> {
        if let Some(answer) = self.answers.get(&statement) {
            return Ok(answer.clone());
        }
        let rows = self.engine.sql(&statement).map_err(|error| error.with("figure", title))?;
        let answer = Answer::of(&rows.batches)?;
        self.answers.insert(statement, answer.clone());
        Ok(answer)
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
            Some("-") if args.open => Err(Error::new(ErrorKind::Usage, "--open needs a file")
                .with("to-file", "-")
                .hint("pass a file with --to-file, or leave out --open")),
            Some("-") => Ok(Self::Stdout),
            given => {
                let path = given.map_or_else(|| default_name(days), str::to_owned);
                Ok(Self::File { file: NewFile::create(Path::new(&path))?, path })
            }
        }
    }

    fn write(self, html: &str, opens: bool, context: &Context) -> Result<()> {
        let Self::File { path, file } = self else { return console::print_as_is(html) };
        let mut writer = file.writer()?;
        let written = writer.write_all(html.as_bytes()).and_then(|()| writer.flush());
        written.map_err(|cause| Error::unusable("cannot write the file", cause).with("to-file", &path))?;
        file.keep()?;
        context
            .console
            .info("report written", &[("file", path.as_str().into()), ("bytes", html.len().into())]);
        if opens {
            open(&path, context);
        }
        Ok(())
    }
}

/// Opens the page in the reader's browser. A machine without one keeps the page.
fn open(path: &str, context: &Context) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    // A path that begins with a dash is not an option.
    let place = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let command = Command::new(program)
        .arg(place)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(cause) = command {
        let fields =
            [("program", program.into()), ("cause", cause.to_string().into()), ("file", path.into())];
        context.console.warn("cannot open the page: open the file in a browser", &fields);
    }
}

fn default_name(days: DayRange) -> String {
    if days.first == days.last {
        return format!("report-{}.html", days.first);
    }
    format!("report-{}-to-{}.html", days.first, days.last)
}

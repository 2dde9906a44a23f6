//! The shell of `logmill query`: statements and commands on a terminal.
//!
//! The engine opens once, and each statement sees the lake as it is when the statement begins. Errors are printed and do not
//! end the shell. Ctrl-C stops a statement or clears the line; Ctrl-D leaves.

mod commands;
mod completion;
mod history;
mod pager;
mod script;

use std::cell::RefCell;
use std::io::{self, IsTerminal};
use std::rc::Rc;
use std::time::Instant;

use rustyline::error::ReadlineError;
use rustyline::{CompletionType, Config, Editor};

use self::completion::Assistant;
use self::history::History;
use super::format::{Form, Sheet, Sink, Written};
use super::{print_statistics, warn_of_days, warn_of_views};
use crate::cli::args::{QueryArgs, QueryFormat};
use crate::cli::console;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::DayRange;
use crate::query::{Engine, RowStream};

const PROMPT: &str = "logmill> ";

/// Whether the command opens a shell: it has no statement, and a person types and reads.
pub(in crate::cli) fn is_wanted(args: &QueryArgs) -> bool {
    args.sql.is_none() && args.file.is_none() && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Whether the shell continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Prompt,
    Leave,
}

/// A shell over one lake.
struct Shell<'c> {
    engine: Rc<RefCell<Engine>>,
    form: Form,
    /// Maximum number of rows of a table; 0 for all.
    max_rows: usize,
    times_statements: bool,
    days: Option<DayRange>,
    /// Text with which the next line begins.
    begun: String,
    context: &'c Context,
}

/// Reads and runs statements until the person leaves.
pub(super) fn run(
    engine: Engine,
    form: Form,
    args: &QueryArgs,
    days: Option<DayRange>,
    context: &Context,
) -> Result<Exit> {
    let mut shell = Shell {
        engine: Rc::new(RefCell::new(engine)),
        form,
        max_rows: args.max_rows,
        times_statements: !context.console.quiet,
        days,
        begun: String::new(),
        context,
    };
    let config = Config::builder().completion_type(CompletionType::List).build();
    let mut editor = Editor::with_history(config, History::new()).map_err(of_terminal)?;
    editor.set_helper(Some(Assistant::new(Rc::clone(&shell.engine))));
    let history = history::path();
    if let Some(path) = &history {
        history::load(&mut editor, path, context.console);
    }
    shell.greet();
    loop {
        let begun = std::mem::take(&mut shell.begun);
        // From the end of a line on, Ctrl-C is meant for its statements.
        context.cancel.clear();
        let text = match editor.readline_with_initial(PROMPT, (&begun, "")) {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(Exit::Done),
            Err(cause) => return Err(of_terminal(cause)),
        };
        if let Some(path) = &history {
            history::add(&mut editor, text.trim(), path);
        }
        if shell.obey(&text) == Next::Leave {
            return Ok(Exit::Done);
        }
    }
}

fn of_terminal(cause: ReadlineError) -> Error {
    Error::new(ErrorKind::Unusable, "cannot read from the terminal").caused_by(cause)
}

impl Shell<'_> {
    fn greet(&self) {
        if self.context.console.advises() {
            let lines = "End a statement with ';'. Tab completes, .help lists commands, Ctrl-D leaves.";
            self.context.console.write(&self.context.console.err.wrap(lines));
        }
    }

    /// Runs what was typed: a command, or one or more statements.
    fn obey(&mut self, text: &str) -> Next {
        if script::is_command(text) {
            return commands::run(self, text.trim()).unwrap_or_else(|error| self.report(&error));
        }
        let (statements, rest) = script::statements(text);
        for statement in statements.into_iter().chain([rest]).filter(|text| !script::is_blank(text)) {
            if let Err(error) = self.answer(statement) {
                // The statements behind a failed one can depend on it.
                return self.report(&error);
            }
        }
        Next::Prompt
    }

    fn report(&self, error: &Error) -> Next {
        self.context.console.error(error);
        Next::Prompt
    }

    /// Runs a statement and shows its rows.
    fn answer(&self, sql: &str) -> Result<()> {
        let began = Instant::now();
        let mut engine = self.engine.borrow_mut();
        engine.refresh()?;
        let mut rows = engine.stream(sql)?;
        warn_of_days(&engine, self.days, self.context);
        warn_of_views(&engine, self.context);
        let written = self.show(&mut rows)?;
        if self.times_statements {
            print_statistics(&written, rows.scanned(), began, self.context);
        }
        Ok(())
    }

    fn show(&self, rows: &mut RowStream) -> Result<Written> {
        let screen = self.context.console.out;
        if self.form.format != QueryFormat::Table {
            return Sink::of_stdout(self.form, rows.schema(), None).write_all(rows, self.max_rows);
        }
        let sheet = Sheet::read(rows, self.max_rows)?;
        let whole = sheet.text(None)?;
        if pager::fits(&whole, screen) || !pager::show(&whole) {
            console::print_as_is(&sheet.text(screen.width)?)?;
        }
        Ok(sheet.written)
    }
}

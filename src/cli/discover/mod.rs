//! `logmill discover`: shows what inputs hold, without a day.

mod show;

use super::args::{DiscoverArgs, GlobalArgs, TextFormat};
use super::command_line::{CommandLine, closed};
use super::console;
use super::context::Context;
use super::exit::Exit;
use super::progress::Bar;
use super::settings::{Flags, Settings, rows};
use crate::error::Result;
use crate::kst::KstDay;
use crate::plan::discovery::{Discovery, Search};
use crate::road::Work;

pub(super) fn run(args: &DiscoverArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &Flags::of([&*args.place]).with_sources())?;
    let discovery = look(&settings, context)?;
    let next = next_commands(&discovery, args, global, &settings);
    match args.format {
        TextFormat::Text => {
            console::print_shown(&show::text(&discovery, &settings, &next, context.console.out))?;
        }
        TextFormat::Json => console::print_line(&show::json(&discovery, &settings, &next).to_string())?,
    }
    Ok(Exit::Done)
}

/// Lists the inputs of the settings.
pub(super) fn look(settings: &Settings, context: &Context) -> Result<Discovery> {
    let (connector, console) = (context.connector(settings), context.console);
    let _listing = Bar::begin(console, "inputs", Work::List);
    let progress = |objects| console.display.listed.add(objects);
    Search::for_all(settings.tables()?, &connector, &context.cancel, &progress).discover()
}

/// Returns the commands to type next: one that writes a config file, unless there is one, and a backfill of all days that are
/// over.
fn next_commands(
    discovery: &Discovery,
    args: &DiscoverArgs,
    global: &GlobalArgs,
    settings: &Settings,
) -> Vec<CommandLine> {
    let named = |line: CommandLine| {
        let config = global.settings.one(&rows::CONFIG);
        let line = config.iter().fold(line, |line, config| line.with("--config", config));
        let inputs = if args.place.has(&rows::INPUT) { &discovery.inputs[..] } else { &[] };
        let line = line.reading(inputs).accessing_as(&args.place);
        if settings.lake_address().is_empty() { line.with("--output", "lake") } else { line }
    };
    let yesterday = KstDay::of(console::now()).previous();
    let days = discovery.days().and_then(|days| closed(days, yesterday));
    let is_new = settings.config_file.is_empty() && !discovery.found.is_empty();
    let init = is_new.then(|| named(CommandLine::new("init")));
    init.into_iter().chain(days.map(|days| named(CommandLine::new("backfill").over(days)))).collect()
}

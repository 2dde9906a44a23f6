//! The error of a command without a day: it proposes the days that the inputs hold.

use super::command_line::{closed, flags_of};
use super::console;
use super::context::Context;
use super::settings::{LogFormat, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay};
use crate::plan::discovery::{HeldDays, MAX_FOR_DAYS, Search};
use crate::plan::{KeyTimes, TableSource};

/// Returns the day, or an error that proposes days.
pub(super) fn day_of(day: Option<KstDay>, settings: &Settings, context: &Context) -> Result<KstDay> {
    match day {
        Some(day) => Ok(day),
        None => Err(no_day(settings, context)),
    }
}

fn no_day(settings: &Settings, context: &Context) -> Error {
    let error = Error::new(ErrorKind::Usage, "no day is given");
    let sources = settings.tables().unwrap_or_default();
    let yesterday = KstDay::of(console::now()).previous();
    match held_days(sources, settings, context, yesterday) {
        Err(error) if error.kind() == ErrorKind::Interrupted => error,
        Ok(Some(held)) => match hint(held, yesterday) {
            Some(hint) => error.with("inputs", inputs(sources)).hint(hint),
            None => short(error),
        },
        // The error of a run with a day explains why an input cannot be read.
        _ => short(error),
    }
}

/// Returns the days of the raw logs that are over, if the inputs show any.
pub(super) fn days_of_inputs(settings: &Settings, context: &Context) -> Result<Option<DayRange>> {
    let yesterday = KstDay::of(console::now()).previous();
    let held = held_days(settings.tables()?, settings, context, yesterday)?;
    Ok(held.and_then(|held| closed(held.days, yesterday)))
}

/// Proposes days after a day without rows, if the inputs hold only others.
pub(super) fn propose_other_days(day: KstDay, settings: &Settings, context: &Context) {
    let yesterday = KstDay::of(console::now()).previous();
    // The day is published, so it does not matter if an input cannot be listed now.
    let held = held_days(&settings.sources, settings, context, yesterday).ok().flatten();
    let others = held.filter(|held| !held.days.contains(day));
    if let Some(hint) = others.and_then(|held| hint(held, yesterday)) {
        let fields = [("day", day.to_string().into()), ("hint", hint.into())];
        let event = match context.console.format {
            LogFormat::Text => "the inputs hold no logs of the day",
            LogFormat::Json => "no_logs",
        };
        context.console.info(event, &fields);
    }
}

fn short(error: Error) -> Error {
    error.hint("pass --day with a KST day: 2023-11-01, 20231101, yesterday or today")
}

/// Returns the days that the inputs hold. If names are not trusted, nothing cheap shows them.
fn held_days(
    sources: &[TableSource],
    settings: &Settings,
    context: &Context,
    yesterday: KstDay,
) -> Result<Option<HeldDays>> {
    if sources.is_empty() || sources.iter().any(|source| source.key_times == KeyTimes::Ignored) {
        return Ok(None);
    }
    Search::for_own(sources, &context.connector(settings), &context.cancel).days(yesterday)
}

/// Returns the sentence that proposes the days; `None` if none has begun.
fn hint(held: HeldDays, yesterday: KstDay) -> Option<String> {
    let HeldDays { days, complete, is_cut } = held;
    let proposed = closed(days, yesterday)?;
    let extent = if is_cut {
        format!(" (judged by the first {} objects and folders)", console::count(MAX_FOR_DAYS))
    } else {
        String::new()
    };
    let day = complete.min(proposed.last);
    if proposed.first == proposed.last {
        return Some(format!("the inputs hold logs of {days}{extent}: pass --day {day}"));
    }
    let backfill = format!("'logmill backfill{}' and the same options", flags_of(proposed));
    Some(format!(
        "the inputs hold logs of {days}{extent}: pass --day {day}, or build all days with {backfill}"
    ))
}

fn inputs(sources: &[TableSource]) -> String {
    let mut inputs: Vec<&str> =
        sources.iter().flat_map(|source| &source.spec.inputs).map(String::as_str).collect();
    inputs.sort_unstable();
    inputs.dedup();
    inputs.join(", ")
}

//! Tries what a store promises, and prints what it keeps.

use serde_json::{Value, json};

use crate::cli::args::ShowFormat;
use crate::cli::console;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::grid::Grid;
use crate::cli::screen::{Screen, Shown};
use crate::cli::settings::Settings;
use crate::error::Result;
use crate::road::run_name;
use crate::store::probe::{ProbeOptions, Probed, probe};
use crate::store::{Need, Promise, Seen, Tried};

pub(super) fn run(address: &str, settings: &Settings, context: &Context, format: ShowFormat) -> Result<Exit> {
    let now = console::now();
    let options =
        ProbeOptions { access: &settings.lake.access, run: &run_name(now)?, now, cancel: &context.cancel };
    let Probed { tried, left } = probe(&context.connector(settings), address, &options)?;
    match format {
        ShowFormat::Json => {
            console::print(&tried.iter().map(|tried| line(tried).to_string() + "\n").collect::<String>())?;
        }
        ShowFormat::Table => console::print_shown(&text(&tried, context.console.out))?,
    }
    if let Some(error) = &left {
        context.console.error(error);
    }
    Ok(if left.is_some() || tried.iter().any(Tried::is_fatal) { Exit::Unusable } else { Exit::Done })
}

fn need(promise: &Promise) -> &'static str {
    match promise.need {
        Need::Required => "required",
        Need::Useful => "useful",
    }
}

fn words(seen: &Seen) -> (&'static str, &str) {
    match seen {
        Seen::Kept => ("kept", ""),
        Seen::Broken(found) => ("not kept", found),
        Seen::Untried(why) => ("not tried", why),
    }
}

fn text(tried: &[Tried], screen: Screen) -> Shown {
    let row = |Tried { promise, seen }: &Tried| {
        let cells = [promise.name, need(promise), words(seen).0, promise.purpose];
        cells.map(str::to_owned).to_vec()
    };
    let grid = Grid::new(&["promise", "need", "state", "purpose"], &[], tried.iter().map(row));
    let mut text = Grid { spare: &["need"], prose: Some("purpose"), ..grid }.text(screen);
    for Tried { promise, seen } in tried.iter().filter(|tried| tried.seen != Seen::Kept) {
        let (state, found) = words(seen);
        text += "\n";
        text += screen.wrap(&format!("{}: {state}: {}", promise.name, console::shown(found)));
        text += "\n";
        if matches!(seen, Seen::Broken(_)) {
            text += screen.wrap(&format!("  effect: {}", promise.broken));
            text += "\n";
            text += screen.wrap(&format!("  next: {}", promise.next));
            text += "\n";
        }
    }
    text += "\n";
    text += screen.wrap(&verdict(tried));
    text += "\n";
    text
}

/// The result in one sentence.
fn verdict(tried: &[Tried]) -> String {
    let lacks =
        |need| tried.iter().filter(|tried| tried.promise.need == need && tried.seen != Seen::Kept).count();
    let all = console::counted(tried.len() as u64, "promise");
    match (lacks(Need::Required), lacks(Need::Useful)) {
        (0, 0) => format!("{all} kept: the store can hold a lake"),
        (0, useful) => format!("the store can hold a lake, without {useful} of {all}"),
        (required, _) => {
            format!("do not keep a lake here: {required} required of {all} not kept or not tried")
        }
    }
}

fn line(Tried { promise, seen }: &Tried) -> Value {
    let (state, found) = words(seen);
    let (effect, next) = match seen {
        Seen::Broken(_) => (Some(promise.broken), Some(promise.next)),
        _ => (None, None),
    };
    json!({
        "promise": promise.name,
        "need": need(promise),
        "state": state,
        "purpose": promise.purpose,
        "found": found,
        "effect": effect,
        "next": next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn promise(need: Need) -> Promise {
        Promise { name: "n", need, purpose: "p", broken: "b", next: "do it" }
    }

    static REQUIRED: Promise = promise(Need::Required);
    static USEFUL: Promise = promise(Need::Useful);

    #[test]
    fn a_store_that_lacks_a_required_promise_is_refused() {
        let broken = || Seen::Broken("another version was replaced".to_owned());
        let untried = || Seen::Untried("denied".to_owned());
        for (required, useful, is_fatal, expected) in [
            (Seen::Kept, Seen::Kept, false, "2 promises kept: the store can hold a lake"),
            (Seen::Kept, broken(), false, "the store can hold a lake, without 1 of 2 promises"),
            (
                untried(),
                broken(),
                true,
                "do not keep a lake here: 1 required of 2 promises not kept or not tried",
            ),
            (
                broken(),
                Seen::Kept,
                true,
                "do not keep a lake here: 1 required of 2 promises not kept or not tried",
            ),
        ] {
            let tried =
                [Tried { promise: &REQUIRED, seen: required }, Tried { promise: &USEFUL, seen: useful }];
            assert_eq!((tried.iter().any(Tried::is_fatal), verdict(&tried).as_str()), (is_fatal, expected));
        }
    }

    #[test]
    fn only_a_broken_promise_has_an_effect_and_a_next_step() {
        let next = |seen| line(&Tried { promise: &USEFUL, seen })["next"].clone();
        assert_eq!(next(Seen::Kept), Value::Null);
        assert_eq!(next(Seen::Untried("denied".to_owned())), Value::Null);
        assert_eq!(next(Seen::Broken("lost".to_owned())), "do it");
    }
}

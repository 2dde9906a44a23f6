//! `logmill plan`: shows which objects a day needs, and why.

use std::collections::BTreeMap;

use super::args::{GlobalArgs, PlanArgs, PlanFormat};
use super::context::Context;
use super::exit::Exit;
use super::grid::Grid;
use super::progress::Bar;
use super::screen::{Screen, Shown};
use super::settings::Flags;
use super::{console, proposal, tables};
use crate::error::{Error, Result};
use crate::kst::{DayRange, KstDay};
use crate::plan::{NO_KEYS, PLAN_VERSION, Plan, TablePlan, TableSource, plan_proved};
use crate::road::shards::PlanFile;
use crate::road::{Work, identity_key};

pub(super) fn run(args: &PlanArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &Flags::of([&*args.source]).with_sources())?;
    let now = console::now();
    let day = proposal::day_of(args.day.begun(now)?, &settings, context)?;
    let connector = context.connector(&settings);
    let plan_one = |source: &TableSource| {
        let _listing = Bar::begin(context.console, &source.spec.table, Work::List);
        plan_proved(source, day, now, &connector)
    };
    // A machine that plans need not have access to the lake.
    let lake = settings.output().and_then(|output| connector.lake(output, &settings.lake.access)).ok();
    let lake = lake.as_deref().filter(|lake| lake.names("").is_ok());
    let days = DayRange::only(day);
    let tables = tables::of_inputs(&settings, days, &connector, context, lake)?.all()?;
    let tables = tables.iter().map(plan_one).collect::<Result<Vec<_>>>()?;
    warn_of_keys(&settings.sources, context);
    let (planned_at, identity_key) = (now.to_string(), identity_key()?);
    let mut plan = Plan { version: PLAN_VERSION, day, planned_at, shards: 1, identity_key, tables };
    plan.assign_shards(args.shards);
    if let Some(address) = &args.plan {
        PlanFile::at(address, &settings.lake.access, &connector)?.write(&json(&plan)?)?;
    }
    match args.format {
        PlanFormat::Json => console::print(&json(&plan)?)?,
        PlanFormat::Table => {
            for table in &plan.tables {
                let text = text(table, day, context.console.verbose > 0, context.console.out);
                console::print_shown(&text)?;
            }
        }
    }
    Ok(Exit::Done)
}

/// Warns if AWS gave no keys to check digests with.
fn warn_of_keys(sources: &[TableSource], context: &Context) {
    let [text, hint] = NO_KEYS;
    for (source, refusal) in
        sources.iter().filter_map(|source| Some((source, source.digests.ring.take_refusal()?)))
    {
        let table = ("table", source.spec.table.as_str().into());
        context.console.warn(text, &[table, ("why", refusal.to_string().into()), ("hint", hint.into())]);
    }
}

fn json(plan: &Plan) -> Result<String> {
    let json = serde_json::to_string(plan)
        .map_err(|cause| Error::bug("cannot write the plan as JSON").caused_by(cause))?;
    Ok(json + "\n")
}

/// Formats the objects, grouped by decision and reason. With `each`, prints one line per object.
fn text(plan: &TablePlan, day: KstDay, each: bool, screen: Screen) -> Shown {
    let window = day.window();
    let mut text = screen.wrap(&format!(
        "{}: KST day {day}, {} to {}, late objects until {}\n\n",
        plan.spec.table,
        window.start,
        window.end,
        plan.complete_at(day)
    ));
    text += if each { each_object(plan, screen) } else { groups(plan, screen) };
    let listed = plan.listed();
    text += &format!(
        "\nlisted: {} = {} to read ({}) + {} left out\n",
        console::counted(listed.listed, "object"),
        console::count(listed.read),
        console::size(plan.bytes()),
        console::count(listed.left_out())
    );
    if plan.requests > 0 {
        text += &format!("listed with {}\n", console::counted(plan.requests, "request"));
    }
    text += "\n";
    text
}

/// Formats one line per object, and per folder that was not entered.
fn each_object(plan: &TablePlan, screen: Screen) -> Shown {
    let chosen =
        plan.objects.iter().map(|object| ("read", object.why.as_ref(), object.bytes, &object.address));
    let left = plan.left.iter().map(|object| ("leave", object.why.as_ref(), object.bytes, &object.address));
    let row = |(what, why, bytes, address): (&str, &str, u64, &String)| {
        vec![what.to_owned(), console::size(bytes), why.to_owned(), address.clone()]
    };
    let header = ["", "bytes", "why", "object"];
    Grid { prose: Some("object"), ..Grid::new(&header, &header[1..2], chosen.chain(left).map(row)) }
        .text(screen)
}

/// Formats one line per reason.
fn groups(plan: &TablePlan, screen: Screen) -> Shown {
    let mut read: BTreeMap<&str, (u64, u64, &str)> = BTreeMap::new();
    for object in &plan.objects {
        let group = read.entry(object.why.as_ref()).or_insert((0, 0, &object.address));
        group.0 += 1;
        group.1 += object.bytes;
    }
    let row = |what: &str, objects: u64, folders: u64, bytes: u64, why: &str, first: &str| {
        let folders = if folders > 0 { console::count(folders) } else { String::new() };
        let (objects, bytes) = (console::count(objects), console::size(bytes));
        vec![what.to_owned(), objects, folders, bytes, why.to_owned(), first.to_owned()]
    };
    let read =
        read.into_iter().map(|(why, (objects, bytes, first))| row("read", objects, 0, bytes, why, first));
    let listed = plan.listed();
    let left = listed
        .left
        .iter()
        .map(|group| row("leave", group.objects, group.folders, group.bytes, &group.why, &group.first));
    let heads = ["", "objects", "folders", "bytes", "why", "first"];
    let grid = Grid::new(&heads, &heads[1..4], read.chain(left));
    Grid { spare: &["first", "folders", "bytes"], prose: Some("why"), ..grid }.text(screen)
}

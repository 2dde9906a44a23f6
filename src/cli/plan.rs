//! `logmill plan`: which objects a day needs, and why.

use std::collections::BTreeMap;

use super::args::{GlobalArgs, PlanArgs, PlanFormat};
use super::day::identity_key;
use super::exit::Exit;
use super::plan_file::PlanFile;
use super::settings::Flags;
use super::tables::Tables;
use super::{Context, console};
use crate::error::{Error, Result};
use crate::kst::{DayRange, KstDay};
use crate::plan::{PLAN_VERSION, Plan, TablePlan, plan_table};

pub(super) fn run(args: &PlanArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &Flags { source: Some(&args.source), ..Flags::default() })?;
    let now = console::now();
    let day = args.day.begun(now)?;
    let connector = context.connector(&settings);
    let plan_one = |source| plan_table(source, day, &connector);
    let tables = Tables::of(&settings, DayRange::only(day), &connector, context.console)?.all()?;
    let tables = tables.iter().map(plan_one).collect::<Result<Vec<_>>>()?;
    let (planned_at, identity_key) = (now.to_string(), identity_key()?);
    let mut plan = Plan { version: PLAN_VERSION, day, planned_at, shards: 1, identity_key, tables };
    plan.deal(args.shards);
    if let Some(address) = &args.plan {
        PlanFile::at(address, &settings, &connector)?.write(&json(&plan)?)?;
    }
    match args.format {
        PlanFormat::Json => console::print(&json(&plan)?)?,
        PlanFormat::Table => {
            for table in &plan.tables {
                console::print(&text(table, day, context.console.verbose > 0))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn json(plan: &Plan) -> Result<String> {
    let json = serde_json::to_string(plan)
        .map_err(|cause| Error::bug("cannot write the plan as JSON").caused_by(cause))?;
    Ok(json + "\n")
}

/// Objects grouped by what was decided and why; with `each`, one line an object.
fn text(plan: &TablePlan, day: KstDay, each: bool) -> String {
    let window = day.window();
    let mut text = format!(
        "{}: KST day {day}, {} to {}, late objects until {}\n\n",
        plan.table,
        window.start,
        window.end,
        plan.complete_at(day)
    );
    let chosen =
        plan.objects.iter().map(|object| ("read", object.why.as_ref(), object.bytes, &object.address));
    let left = plan.left.iter().map(|object| ("leave", object.why.as_ref(), object.bytes, &object.address));
    let all: Vec<_> = chosen.chain(left).collect();
    if each {
        let row = |(what, why, bytes, address): &(&str, &str, u64, &String)| {
            vec![(*what).to_owned(), console::size(*bytes), (*why).to_owned(), (*address).clone()]
        };
        text += &console::table(&["", "bytes", "why", "object"], &["bytes"], all.iter().map(row));
    } else {
        let mut groups: BTreeMap<(bool, &str), (u64, u64, &String)> = BTreeMap::new();
        for (what, why, bytes, address) in &all {
            let group = groups.entry((*what == "leave", *why)).or_insert((0, 0, *address));
            group.0 += 1;
            group.1 += bytes;
        }
        let row = |((left, why), (count, bytes, first)): (&(bool, &str), &(u64, u64, &String))| {
            let what = if *left { "leave" } else { "read" };
            vec![
                what.to_owned(),
                console::count(*count),
                console::size(*bytes),
                (*why).to_owned(),
                (*first).clone(),
            ]
        };
        text += &console::table(
            &["", "objects", "bytes", "why", "first"],
            &["objects", "bytes"],
            groups.iter().map(row),
        );
    }
    text += &format!(
        "\nto read: {} objects, {}\n",
        console::count(plan.objects.len() as u64),
        console::size(plan.bytes())
    );
    if plan.requests > 0 {
        text += &format!("listed with {} requests\n", console::count(plan.requests));
    }
    text.push('\n');
    text
}

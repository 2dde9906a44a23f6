//! `logmill config`: the settings in effect and where each comes from, of all tables or of those that a run builds.

use serde_json::json;

use super::args::{ConfigArgs, GlobalArgs, ShowFormat};
use super::context::Context;
use super::exit::Exit;
use super::grid::Grid;
use super::settings::Settings;
use super::{console, tables};
use crate::error::Result;
use crate::kst::DayRange;
use crate::road::Refusal;

pub(super) fn run(args: &ConfigArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &args.road.flags())?;
    let left_out = if args.days.is_given() {
        not_built(&settings, args.days.range(console::now(), None)?, context)?
    } else {
        Vec::new()
    };
    let is_listed = |name: &str| name.split_once('.').is_none_or(|(table, _)| !left_out.contains(&table));
    let lines = settings.in_force.iter().filter(|line| is_listed(&line.name));
    match args.format {
        ShowFormat::Json => {
            let lines = lines.map(|line| {
                json!({"name": line.name, "value": line.value, "from": line.from}).to_string() + "\n"
            });
            console::print(&lines.collect::<String>())?;
        }
        ShowFormat::Table => {
            let rows = lines.map(|line| vec![line.name.clone(), line.value.clone(), line.from.clone()]);
            let grid = Grid::new(&["setting", "value", "from"], &[], rows);
            console::print_shown(&Grid { prose: Some("value"), ..grid }.text(context.console.out))?;
        }
    }
    Ok(Exit::Done)
}

/// Returns the tables that a run of these days does not build. Warns of tables that fail, and fails if all do.
fn not_built<'s>(settings: &'s Settings, days: DayRange, context: &Context) -> Result<Vec<&'s str>> {
    let connector = context.connector(settings);
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    let tables = tables::of_inputs(settings, days, &connector, context, Some(lake.as_ref()))?;
    if tables.sources.is_empty() {
        tables.all()?;
        return Ok(settings.sources.iter().map(|source| source.spec.table.as_str()).collect());
    }
    for (table, error) in tables.refused.iter().flat_map(Refusal::failures) {
        let fields = [("table", table.into()), ("cause", error.to_string().into())];
        context.console.warn("a run of these days would refuse the table", &fields);
    }
    let refused = tables.refused.iter().flat_map(|refusal| &refusal.sources);
    let worked_on: Vec<&str> =
        tables.sources.iter().chain(refused).map(|source| source.spec.table.as_str()).collect();
    let all = settings.sources.iter().map(|source| source.spec.table.as_str());
    Ok(all.filter(|table| !worked_on.contains(table)).collect())
}

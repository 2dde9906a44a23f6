//! `logmill config`: the settings in effect and where each comes from.

use serde_json::json;

use super::args::{ConfigArgs, GlobalArgs, ShowFormat};
use super::console;
use super::context::Context;
use super::exit::Exit;
use super::grid::Grid;
use crate::error::Result;

pub(super) fn run(args: &ConfigArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &args.road.flags())?;
    let lines = settings.in_force.iter();
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

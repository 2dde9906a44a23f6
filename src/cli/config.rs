//! `logmill config`: the settings in effect and where each comes from.

use serde_json::json;

use super::args::{ConfigArgs, GlobalArgs, ShowFormat};
use super::console;
use super::context::Context;
use super::exit::Exit;
use crate::error::Result;

pub(super) fn run(args: &ConfigArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &args.road.flags())?;
    let text = match args.format {
        ShowFormat::Json => {
            let lines = settings.in_force.iter();
            lines
                .map(|line| {
                    json!({"name": line.name, "value": line.value, "from": line.from}).to_string() + "\n"
                })
                .collect()
        }
        ShowFormat::Table => {
            let rows = settings.in_force.iter();
            let rows = rows.map(|line| vec![line.name.clone(), line.value.clone(), line.from.clone()]);
            console::table(&["setting", "value", "from"], &[], rows)
        }
    };
    console::print(&text)?;
    Ok(Exit::Done)
}

//! `logmill convert`: one shard of a plan into a staging folder.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::args::{ConvertArgs, GlobalArgs};
use super::day::run_name;
use super::exit::Exit;
use super::progress::Progress;
use super::settings::{Flags, Settings};
use super::{Context, console, on_workers};
use crate::convert::{self, DayTarget, Leg, Residency, hexadecimal, shard_scratch};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;

pub(super) fn run(args: &ConvertArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let settings = context.settings(global, &Flags { read: Some(&args.read), ..Flags::default() })?;
    let (plan, plan_id) = read_plan(&args.plan)?;
    if args.shard >= plan.shards {
        return Err(Error::new(ErrorKind::Usage, "the plan has no such shard")
            .with("shard", args.shard)
            .with("shards", plan.shards)
            .hint("shards are counted from 0"));
    }
    on_workers(settings.threads, || convert_shard(args, &settings, &plan, &plan_id, context))??;
    Ok(Exit::Done)
}

fn convert_shard(
    args: &ConvertArgs,
    settings: &Settings,
    plan: &Plan,
    plan_id: &str,
    context: &Context,
) -> Result<()> {
    let options = settings.convert_options(&context.cancel);
    let run = run_name(console::now())?;
    let connector = context.connector(settings);
    for table in &plan.tables {
        let scratch = shard_scratch(&args.staging, &table.table, args.shard, &run)?;
        let own = table.objects.iter().filter(|object| object.shard == args.shard);
        let progress = Progress::reading(context.console, &table.table, own.map(|object| object.bytes).sum());
        let target = DayTarget { day: plan.day, scratch: scratch.path() };
        let leg = Leg::of_plan(table, target, plan.identity_key, Some(args.shard));
        // Another process will read it.
        let found = convert::scatter(&leg, &Residency::none(), &options, &connector, &progress)?;
        let scattered = found.into_iter().next().unwrap_or_default();
        let rows_read = scattered.rows_read();
        scattered.keep(&scratch, &args.staging, &table.table, args.shard, plan_id)?;
        if !context.console.quiet {
            let (own, all) = (args.shard, plan.shards);
            let name = &table.table;
            console::print(&format!(
                "{name}: shard {own} of {all}, {} rows read\n",
                console::count(rows_read)
            ))?;
        }
    }
    Ok(())
}

/// Reads a plan, and its checksum, by which shards are matched to it.
pub(super) fn read_plan(path: &Path) -> Result<(Plan, String)> {
    let json = std::fs::read(path).map_err(|cause| {
        Error::new(ErrorKind::Usage, "cannot read the plan")
            .with("file", path.display())
            .caused_by(cause)
            .hint("make a plan with 'logmill plan --format json'")
    })?;
    let id = hexadecimal(&Sha256::digest(&json));
    let plan = Plan::from_json(json).map_err(|error| error.with("file", path.display()))?;
    Ok((plan, id))
}

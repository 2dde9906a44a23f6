//! `logmill convert`: one shard of a plan into a staging folder or bucket.

use super::args::{ConvertArgs, GlobalArgs, LakeArgs, WriteArgs};
use super::day::run_name;
use super::exit::Exit;
use super::plan_file::{PlanFile, staging};
use super::progress::Progress;
use super::settings::{Flags, Settings};
use super::shard::Share;
use super::{Context, console, on_workers};
use crate::convert::{self, Attempt, DayTarget, Leg, Residency, Staging};
use crate::error::Result;
use crate::plan::{Plan, TablePlan};
use crate::store::Connector;

pub(super) fn run(args: &ConvertArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let lake = LakeArgs { scratch: args.scratch.clone(), ..LakeArgs::default() };
    let write = WriteArgs { max_quarantine: args.max_quarantine.clone(), ..WriteArgs::default() };
    let flags = Flags { read: Some(&args.read), lake: Some(&lake), write: Some(&write), ..Flags::default() };
    let settings = context.settings(global, &flags)?;
    let connector = context.connector(&settings);
    let (plan, plan_id) = PlanFile::at(&args.plan, &settings, &connector)?.read()?;
    let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let shard = match args.shard.share(plan.shards, variable)? {
        Share::Shard(shard) => shard,
        Share::Spare(number) => {
            let facts = [("number", number.into()), ("shards", plan.shards.into())];
            context
                .console
                .warn("no shard is left for this machine: the plan has fewer than the array", &facts);
            return Ok(Exit::Done);
        }
    };
    let staging = staging(&args.staging, plan.day, &settings, &connector)?;
    let run = run_name(console::now())?;
    let work =
        ShardWork { settings: &settings, connector: &connector, context, plan: &plan, staging: &staging };
    on_workers(settings.threads, || {
        plan.tables.iter().try_for_each(|table| {
            work.convert(table, &Attempt { table: &table.table, shard, run: &run, plan: &plan_id })
        })
    })??;
    Ok(Exit::Done)
}

struct ShardWork<'a> {
    settings: &'a Settings,
    connector: &'a Connector,
    context: &'a Context,
    plan: &'a Plan,
    staging: &'a Staging,
}

impl ShardWork<'_> {
    fn convert(&self, table: &TablePlan, attempt: &Attempt<'_>) -> Result<()> {
        let (plan, console) = (self.plan, self.context.console);
        let options = self.settings.convert_options(&self.context.cancel);
        let scratch = self.staging.scratch(attempt)?;
        let own = table.objects.iter().filter(|object| object.shard == attempt.shard);
        let progress = Progress::reading(console, &table.table, own.map(|object| object.bytes).sum());
        let target = DayTarget { day: plan.day, scratch: scratch.path() };
        let leg = Leg::of_plan(table, target, plan.identity_key, Some(attempt.shard));
        // Another process will read it.
        let found = convert::scatter(&leg, &Residency::none(), &options, self.connector, &progress)?;
        let scattered = found.into_iter().next().unwrap_or_default();
        let rows_read = scattered.rows_read();
        scattered.keep(self.staging, &scratch, attempt)?;
        if !console.quiet {
            let (name, shard, all) = (&table.table, attempt.shard, plan.shards);
            let rows = console::count(rows_read);
            console::print_line(&format!("{name}: shard {shard} of {all}, {rows} rows read"))?;
        }
        Ok(())
    }
}

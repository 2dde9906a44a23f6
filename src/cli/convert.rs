//! `logmill convert`: converts one shard of a plan into a staging folder or bucket.

use super::args::{ConvertArgs, GlobalArgs};
use super::console;
use super::context::{Context, on_workers};
use super::exit::Exit;
use super::settings::Flags;
use super::shard::Share;
use crate::error::Result;
use crate::kst::KstDay;
use crate::road::run_name;
use crate::road::shards::{AttemptOutcome, PlanFile, Planned, ShardWork, staging};

pub(super) fn run(args: &ConvertArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let flags = Flags::of([&*args.settings, &args.read]);
    let settings = context.settings(global, &flags)?;
    let (access, connector) = (&settings.lake.access, context.connector(&settings));
    let plan_file = PlanFile::at(&args.plan, access, &connector)?;
    let (plan, plan_id) = match plan_file.read()? {
        Planned::Plan(plan, id) => (plan, id),
        Planned::Published(receipt) => return Ok(too_late(context, receipt.day)),
    };
    let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let shard = match args.shard.share(plan.shards, variable)? {
        Share::Shard(shard) => shard,
        Share::Spare(number) => {
            let fields = [("number", number.into()), ("shards", plan.shards.into())];
            context
                .console
                .warn("nothing to convert: the plan has fewer shards than the array has machines", &fields);
            return Ok(Exit::Done);
        }
    };
    let staging = staging(&args.staging, plan.day, access, &connector)?;
    let run = run_name(console::now())?;
    let work = ShardWork {
        plan_file: &plan_file,
        plan: &plan,
        plan_id: &plan_id,
        staging: &staging,
        connector: &connector,
        options: settings.convert_options(&context.cancel),
        observer: &context.announcer(&settings),
    };
    on_workers(settings.threads, || {
        for table in &plan.tables {
            match work.convert(table, shard, &run)? {
                AttemptOutcome::Kept { rows_read } if !context.console.quiet => {
                    let (name, all) = (&table.spec.table, plan.shards);
                    let rows = console::counted(rows_read, "row");
                    console::print_line(&format!("{name}: shard {shard} of {all}, {rows} read"))?;
                }
                AttemptOutcome::Kept { .. } => {}
                AttemptOutcome::TooLate => return Ok(too_late(context, plan.day)),
            }
        }
        Ok(Exit::Done)
    })?
}

/// Ends an attempt whose plan is already published. This is not a failure: other runs have done the work.
fn too_late(context: &Context, day: KstDay) -> Exit {
    let fields = [("day", day.to_string().into())];
    let event = "nothing to convert: the plan is already published; to rebuild the day, create a new plan";
    context.console.warn(event, &fields);
    Exit::Done
}

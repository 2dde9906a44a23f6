//! `logmill convert`: converts one shard of a plan into a staging folder or bucket.

use super::args::{ConvertArgs, GlobalArgs};
use super::console;
use super::context::{Context, on_workers};
use super::exit::Exit;
use super::plan_file::{PlanFile, PlanId, PlanState, Planned, staging};
use super::progress::Bar;
use super::settings::{Flags, Settings};
use super::shard::Share;
use crate::convert::{self, Attempt, DayTarget, Leg, Residency, Scattered, Staging};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::{Plan, TablePlan};
use crate::road::{Work, run_name};
use crate::store::{Connector, Scratch};

pub(super) fn run(args: &ConvertArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let flags = Flags::of([&*args.settings, &args.read]);
    let settings = context.settings(global, &flags)?;
    let connector = context.connector(&settings);
    let plan_file = PlanFile::at(&args.plan, &settings, &connector)?;
    let (plan, plan_id) = match plan_file.read()? {
        Planned::Plan(plan, id) => (plan, id),
        Planned::Published(receipt) => return Ok(too_late(context, receipt.day)),
    };
    let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let shard = match args.shard.share(plan.shards, variable)? {
        Share::Shard(shard) => shard,
        Share::Spare(number) => {
            let facts = [("number", number.into()), ("shards", plan.shards.into())];
            context
                .console
                .warn("nothing to convert: the plan has fewer shards than the array has machines", &facts);
            return Ok(Exit::Done);
        }
    };
    let staging = staging(&args.staging, plan.day, &settings, &connector)?;
    let run = run_name(console::now())?;
    let work = ShardWork {
        settings: &settings,
        connector: &connector,
        context,
        plan_file: &plan_file,
        plan: &plan,
        plan_id: &plan_id,
        staging: &staging,
    };
    on_workers(settings.threads, || {
        for table in &plan.tables {
            let attempt = Attempt { table: &table.spec.table, shard, run: &run, plan: &plan_id.id };
            if !work.convert(table, &attempt)? {
                return Ok(too_late(context, plan.day));
            }
        }
        Ok(Exit::Done)
    })?
}

/// Ends an attempt whose plan is already published. This is not a failure: other runs have done the work.
fn too_late(context: &Context, day: KstDay) -> Exit {
    let facts = [("day", day.to_string().into())];
    let event = "nothing to convert: the plan is already published; to rebuild the day, create a new plan";
    context.console.warn(event, &facts);
    Exit::Done
}

struct ShardWork<'a> {
    settings: &'a Settings,
    connector: &'a Connector,
    context: &'a Context,
    plan_file: &'a PlanFile<'a>,
    plan: &'a Plan,
    plan_id: &'a PlanId,
    staging: &'a Staging,
}

impl ShardWork<'_> {
    /// Converts the shard of a table. Returns false, and leaves nothing behind, if the plan was published in the meantime.
    /// The working folder may then be gone as well, which can make the conversion fail.
    fn convert(&self, table: &TablePlan, attempt: &Attempt<'_>) -> Result<bool> {
        match self.try_convert(table, attempt) {
            Err(_) if matches!(self.plan_file.state(self.plan_id), Ok(PlanState::Published)) => Ok(false),
            done => done,
        }
    }

    fn try_convert(&self, table: &TablePlan, attempt: &Attempt<'_>) -> Result<bool> {
        let (plan, console) = (self.plan, self.context.console);
        let options = self.settings.convert_options(&self.context.cancel);
        let scratch = self.staging.scratch(attempt)?;
        let own = table.objects.iter().filter(|object| object.shard == attempt.shard);
        let progress =
            Bar::begin(console, &table.spec.table, Work::Read(own.map(|object| object.bytes).sum()));
        let target = DayTarget { day: plan.day, scratch: scratch.path() };
        let leg = Leg::of_plan(table, target, plan.identity_key, Some(attempt.shard));
        // Another process reads the rows, so none are kept in memory.
        let found = convert::scatter(&leg, &Residency::none(), &options, self.connector, &progress)?;
        let scattered = found.into_iter().next().unwrap_or_default();
        let rows_read = scattered.rows_read();
        if !self.keep(scattered, &scratch, attempt)? {
            return Ok(false);
        }
        if !console.quiet {
            let (name, shard, all) = (&table.spec.table, attempt.shard, plan.shards);
            let rows = console::counted(rows_read, "row");
            console::print_line(&format!("{name}: shard {shard} of {all}, {rows} read"))?;
        }
        Ok(true)
    }

    /// Makes an attempt the result of its shard, unless the plan is already published. Checks the plan again afterwards,
    /// because a publish in between may already have removed the shards.
    fn keep(&self, scattered: Scattered, scratch: &Scratch, attempt: &Attempt<'_>) -> Result<bool> {
        if !self.is_wanted(attempt)? {
            return Ok(false);
        }
        scattered.keep(self.staging, scratch, attempt)?;
        let is_wanted = self.is_wanted(attempt);
        if !matches!(is_wanted, Ok(true)) {
            self.staging.withdraw(attempt)?;
        }
        is_wanted
    }

    /// Returns whether the plan still needs its shards.
    fn is_wanted(&self, attempt: &Attempt<'_>) -> Result<bool> {
        match self.plan_file.state(self.plan_id)? {
            PlanState::Unchanged => Ok(true),
            PlanState::Published => Ok(false),
            PlanState::Replaced => {
                Err(Error::new(ErrorKind::Usage, "the plan was replaced while its shard was converted")
                    .with("table", attempt.table)
                    .with("shard", attempt.shard)
                    .hint("convert the shard of the new plan"))
            }
        }
    }
}

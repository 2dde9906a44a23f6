//! `logmill convert`: one shard of a plan into a staging folder or bucket.

use super::args::{ConvertArgs, GlobalArgs};
use super::console;
use super::context::{Context, on_workers};
use super::exit::Exit;
use super::plan_file::{PlanFile, PlanId, Planned, Standing, staging};
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
                .warn("no shard is left for this machine: the plan has fewer than the array", &facts);
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
            let attempt = Attempt { table: &table.table, shard, run: &run, plan: &plan_id.id };
            if !work.convert(table, &attempt)? {
                return Ok(too_late(context, plan.day));
            }
        }
        Ok(Exit::Done)
    })?
}

/// The end of an attempt whose plan is published: others have done its work. Nothing has failed.
fn too_late(context: &Context, day: KstDay) -> Exit {
    let facts = [("day", day.to_string().into())];
    let event = "the plan is published already: nothing is converted; to rebuild the day, make a new plan";
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
    /// Converts the shard of a table; false where its plan was published meanwhile, and nothing of it is left. Then the folder
    /// in which it works may have been taken away, too.
    fn convert(&self, table: &TablePlan, attempt: &Attempt<'_>) -> Result<bool> {
        match self.try_convert(table, attempt) {
            Err(_) if matches!(self.plan_file.standing(self.plan_id), Ok(Standing::Published)) => Ok(false),
            done => done,
        }
    }

    fn try_convert(&self, table: &TablePlan, attempt: &Attempt<'_>) -> Result<bool> {
        let (plan, console) = (self.plan, self.context.console);
        let options = self.settings.convert_options(&self.context.cancel);
        let scratch = self.staging.scratch(attempt)?;
        let own = table.objects.iter().filter(|object| object.shard == attempt.shard);
        let progress = Bar::begin(console, &table.table, Work::Read(own.map(|object| object.bytes).sum()));
        let target = DayTarget { day: plan.day, scratch: scratch.path() };
        let leg = Leg::of_plan(table, target, plan.identity_key, Some(attempt.shard));
        // Another process will read it.
        let found = convert::scatter(&leg, &Residency::none(), &options, self.connector, &progress)?;
        let scattered = found.into_iter().next().unwrap_or_default();
        let rows_read = scattered.rows_read();
        if !self.keep(scattered, &scratch, attempt)? {
            return Ok(false);
        }
        if !console.quiet {
            let (name, shard, all) = (&table.table, attempt.shard, plan.shards);
            let rows = console::count(rows_read);
            console::print_line(&format!("{name}: shard {shard} of {all}, {rows} rows read"))?;
        }
        Ok(true)
    }

    /// Makes an attempt the result of its shard, unless it comes too late. Afterwards it checks the
    /// plan once more, because a publish in between may already have removed the shards.
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

    /// Whether the plan waits for its shards.
    fn is_wanted(&self, attempt: &Attempt<'_>) -> Result<bool> {
        match self.plan_file.standing(self.plan_id)? {
            Standing::Stands => Ok(true),
            Standing::Published => Ok(false),
            Standing::Replaced => {
                Err(Error::new(ErrorKind::Usage, "the plan was replaced while its shard was converted")
                    .with("table", attempt.table)
                    .with("shard", attempt.shard)
                    .hint("convert the shard of the new plan"))
            }
        }
    }
}

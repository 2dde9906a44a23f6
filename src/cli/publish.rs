//! `logmill publish`: a day whose shards have all been converted.

use std::collections::BTreeMap;

use super::args::{GlobalArgs, PublishArgs, begun};
use super::catalog::Registrar;
use super::day::DayRun;
use super::exit::Exit;
use super::outcomes::{conclude, each_table};
use super::plan_file::{PlanFile, PlanId, Planned, Standing, staging};
use super::receipt::Receipt;
use super::settings::{Flags, Settings};
use super::summary::deliver;
use super::{Context, console, metrics, on_workers};
use crate::convert::{Scattered, Staging};
use crate::error::Result;
use crate::kst::KstDay;
use crate::plan::{Plan, TablePlan};
use crate::store::{Connector, Lake};

pub(super) fn run(args: &PublishArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let flags = Flags {
        lake: Some(&args.lake),
        write: Some(&args.write),
        catalog: Some(&args.catalog),
        ..Flags::default()
    };
    let settings = context.settings(global, &flags)?;
    metrics::check(settings.watch.metrics_file.as_deref())?;
    let connector = context.connector(&settings);
    let place = Place {
        plan: PlanFile::at(&args.plan, &settings, &connector)?,
        lake: connector.lake(settings.output()?, &settings.lake.access)?,
        args,
        settings: &settings,
        connector: &connector,
        context,
    };
    match place.plan.read()? {
        Planned::Plan(plan, id) => place.publish(&plan, &id),
        Planned::Published(receipt) => place.conclude_again(&receipt),
    }
}

/// Where everything is.
struct Place<'a> {
    plan: PlanFile<'a>,
    lake: Box<dyn Lake>,
    args: &'a PublishArgs,
    settings: &'a Settings,
    connector: &'a Connector,
    context: &'a Context,
}

impl Place<'_> {
    fn staging(&self, day: KstDay) -> Result<Staging> {
        staging(&self.args.staging, day, self.settings, self.connector)
    }

    fn publish(&self, plan: &Plan, id: &PlanId) -> Result<Exit> {
        let (lake, settings) = (self.lake.as_ref(), self.settings);
        begun(plan.day, console::now())?;
        let staging = self.staging(plan.day)?;
        let registrar = Registrar::open(settings, self.connector, self.context.console)?;
        Registrar::foresee(registrar.as_ref(), lake, &plan.tables)?;
        let registrar = registrar.as_ref();
        let day_run = DayRun {
            planned_at: plan.planned_at()?,
            ..DayRun::new(settings, lake, plan.day, self.context, self.connector, registrar)?
        };
        let publish_table = |table: &TablePlan| {
            let began = console::now();
            let staged = day_run.begin(&table.table, &table.dataset, true)?;
            day_run.note_plan(table);
            day_run.warn_of_no_object(table);
            let scratch = staged.scratch().path();
            let scattered = Scattered::of_shards(&staging, table, plan.shards, &id.id, scratch)?;
            day_run.finish(table, scattered, staged, began)
        };
        let outcomes = on_workers(settings.threads, || {
            each_table(&day_run, &plan.tables, |table| table.table.as_str(), publish_table)
        })?;
        let summary_json = self.args.write.summary_json.as_deref();
        let (exit, summary) = conclude(&day_run, outcomes, BTreeMap::new(), Vec::new(), summary_json)?;
        if self.args.remove_staging && exit == Exit::Done {
            let receipt = Receipt::of(plan, &id.id, &day_run.run, lake, &summary)?;
            // Before the first file goes: what follows can be begun again. Another plan in its place is not ours to replace.
            if self.plan.standing(id)? == Standing::Stands {
                self.plan.write(&receipt.to_json()?)?;
            }
            self.remove(&receipt)?;
        }
        Ok(exit)
    }

    /// The end of a command that was killed after all was published, or that is given again.
    fn conclude_again(&self, receipt: &Receipt) -> Result<Exit> {
        receipt.check(self.lake.as_ref())?;
        let text = || format!("KST day {} was published already, by run {}\n", receipt.day, receipt.run);
        let summary_json = self.args.write.summary_json.as_deref();
        deliver(&receipt.summary, text, summary_json, self.context.console.quiet)?;
        if self.args.remove_staging {
            self.remove(receipt)?;
        }
        Ok(Exit::Done)
    }

    fn remove(&self, receipt: &Receipt) -> Result<()> {
        let staging = self.staging(receipt.day)?;
        on_workers(self.settings.threads, || {
            receipt.tables.iter().try_for_each(|table| staging.remove(table, &receipt.plan))
        })?
    }
}

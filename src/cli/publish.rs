//! `logmill publish`: publishes a day whose shards have all been converted.

use serde_json::{Value, json};

use super::args::{GlobalArgs, PublishArgs, begun};
use super::conclusion::Conclusion;
use super::context::{Context, on_workers};
use super::exit::Exit;
use super::screen::Shown;
use super::settings::{Flags, Settings};
use super::summary::{FailedTable, Summary, deliver};
use super::{console, metrics};
use crate::convert::Staging;
use crate::error::{Error, Result};
use crate::kst::KstDay;
use crate::plan::{Plan, TablePlan};
use crate::road::backfill::LookedBack;
use crate::road::shards::{PlanFile, PlanId, Planned, Receipt, Repeated, staging};
use crate::road::{DayRoad, Registrar, Road, Unread, each_table};
use crate::store::{Connector, Lake};

pub(super) fn run(args: &PublishArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let flags =
        Flags::of([&*args.lake, &args.write.settings, &args.catalog]).publishing().stealing(args.write.steal);
    let settings = context.settings(global, &flags)?;
    metrics::check(settings.watch.metrics_file.as_deref())?;
    let connector = context.connector(&settings);
    let place = Place {
        plan: PlanFile::at(&args.plan, &settings.lake.access, &connector)?,
        lake: connector.lake(settings.output()?, &settings.lake.access)?,
        args,
        settings: &settings,
        connector: &connector,
        context,
    };
    match place.plan.read()? {
        Planned::Plan(plan, id) => place.publish(&plan, &id),
        Planned::Published(mut receipt) => place.conclude_again(&mut receipt),
    }
}

/// The plan, the lake and the settings of a `publish`.
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
        staging(&self.args.staging, day, &self.settings.lake.access, self.connector)
    }

    fn publish(&self, plan: &Plan, id: &PlanId) -> Result<Exit> {
        let (lake, settings) = (self.lake.as_ref(), self.settings);
        begun(plan.day, console::now())?;
        let staging = self.staging(plan.day)?;
        let registrar = settings.registrar(self.connector, console::now)?;
        Registrar::foresee(registrar.as_ref(), lake, &plan.tables)?;
        let announcer = self.context.announcer(settings);
        let options = settings.road_options(&self.context.cancel);
        let road = Road::new(lake, self.connector, registrar.as_ref(), options, &announcer, console::now)?;
        let day = DayRoad::planned(&road, plan.day, plan.planned_at()?);
        let publish_one = |table: &TablePlan| day.publish_shards(table, &staging, plan.shards, &id.id);
        let outcomes = on_workers(settings.threads, || each_table(&day, &plan.tables, publish_one))?;
        let (exit, summary) =
            self.conclusion(&road, plan.day).of_day(&outcomes, &LookedBack::default(), Unread::default())?;
        if self.args.remove_staging && exit == Exit::Done {
            let receipt = Receipt::of(plan, &id.id, &road.run, lake, value_of(&summary)?);
            // The receipt precedes the first removal, so that an interrupted removal can be resumed.
            self.plan.leave_receipt(id, &receipt)?;
            self.remove(&receipt)?;
        }
        Ok(exit)
    }

    fn conclusion<'r>(&'r self, road: &'r Road<'r>, day: KstDay) -> Conclusion<'r> {
        let summary_json = self.args.write.summary_json.as_deref();
        Conclusion { road, settings: self.settings, console: self.context.console, day, summary_json }
    }

    /// Ends a command whose plan is already published: it was killed after publishing, or it is repeated, possibly with a
    /// catalog that the first command did not have.
    fn conclude_again(&self, receipt: &mut Receipt) -> Result<Exit> {
        let (lake, settings) = (self.lake.as_ref(), self.settings);
        receipt.check(lake)?;
        let registrar = settings.registrar(self.connector, console::now)?;
        let announcer = self.context.announcer(settings);
        let options = settings.road_options(&self.context.cancel);
        let road = Road::new(lake, self.connector, registrar.as_ref(), options, &announcer, console::now)?;
        let exit = match road.database() {
            Some(database) => {
                let day = DayRoad::new(&road, receipt.day);
                let repeated = receipt.register(&day, lake, database)?;
                note_all(&mut receipt.summary, repeated)
            }
            None => Exit::Done,
        };
        let text = || {
            let Receipt { day, run, .. } = &*receipt;
            Shown::of(&format!("KST day {day} was already published by run {run}\n"))
        };
        let summary_json = self.args.write.summary_json.as_deref();
        deliver(&receipt.summary, text, summary_json, self.context.console.quiet)?;
        let published = receipt.run_records(lake, &road.records())?;
        self.conclusion(&road, receipt.day).of_published(&published, exit);
        if self.args.remove_staging && exit != Exit::Interrupted {
            self.remove(receipt)?;
        }
        Ok(exit)
    }

    fn remove(&self, receipt: &Receipt) -> Result<()> {
        let staging = self.staging(receipt.day)?;
        on_workers(self.settings.threads, || receipt.remove_shards(&staging))?
    }
}

fn value_of(summary: &Summary) -> Result<Value> {
    serde_json::to_value(summary)
        .map_err(|cause| Error::bug("cannot write the summary as JSON").caused_by(cause))
}

/// Adds the outcomes of repeated registrations to the summary of an earlier run.
fn note_all(summary: &mut Value, repeated: Vec<Repeated>) -> Exit {
    let mut failures = Vec::new();
    for Repeated { table, registration } in repeated {
        match registration {
            Ok(registration) => note(summary, &table, &json!(registration)),
            Err(error) => {
                failures.push(Exit::from(error.kind()));
                note_failure(summary, &FailedTable { table, published: true, error: error.to_string() });
            }
        }
    }
    let exit = Exit::of_failures(&failures, true);
    summary["exit_code"] = exit.code().into();
    exit
}

fn note(summary: &mut Value, table: &str, registration: &Value) {
    let tables = summary["tables"].as_array_mut().into_iter().flatten();
    for noted in tables.filter(|noted| noted["table"] == table) {
        noted["catalog"] = registration.clone();
    }
}

fn note_failure(summary: &mut Value, failed: &FailedTable) {
    if let Some(noted) = summary["failed"].as_array_mut() {
        noted.push(json!(failed));
    }
}

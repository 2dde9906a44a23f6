//! Machines that convert shards, and one that publishes them, over a plan and a staging folder in the bucket.

use std::fs;
use std::sync::Arc;

use super::Broken;
use super::actor::{Process, begin, clock};
use super::days::{Day, SHARDS, STAGING, TABLE};
use crate::cancel::Cancel;
use crate::convert::{Attempt, ConvertOptions, Scattered, Staging};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
use crate::road::shards::{AttemptOutcome, PlanFile, PlanId, Planned, Receipt, ShardWork};
use crate::road::{DayRoad, Silent};
use crate::store::s3::{S3Lake, S3Location};
use crate::store::{ConnectionOptions, Connector};

/// The file of a shard in its folder. An attempt writes its name and the rows of its shard.
const ROWS: &str = "rows-0";

impl Process<'_> {
    /// A lake over the staging folder.
    fn staging_lake(&self, name: &str) -> Box<S3Lake> {
        let location = S3Location::parse(&format!("lake/{STAGING}")).expect("a prefix");
        let scratch = self.setting.scratch.join(format!("{}-{name}", self.me));
        Box::new(S3Lake::simulated(Arc::clone(&self.aws), &location, &scratch))
    }

    fn plan_file(&self) -> PlanFile<'static> {
        PlanFile::over(self.staging_lake("plan"), "plan.json")
    }

    fn staging(&self, plan: &Plan) -> Staging {
        Staging::new(self.staging_lake("shards"), plan.day)
    }

    /// Converts a shard, as `logmill convert` does.
    pub(super) fn convert(&self, shard: u32) -> Result<()> {
        let plan_file = self.plan_file();
        let Planned::Plan(plan, plan_id) = plan_file.read()? else { return Ok(()) };
        let connector =
            Connector::new(Cancel::default(), self.setting.scratch.into(), ConnectionOptions::default());
        let staging = self.staging(&plan);
        let work = ShardWork {
            plan_file: &plan_file,
            plan: &plan,
            plan_id: &plan_id,
            staging: &staging,
            connector: &connector,
            options: ConvertOptions::new(1, 64 << 20),
            observer: &Silent,
        };
        let run = self.new_name()?;
        let attempt = Attempt { table: TABLE, shard, run: &run, plan: &plan_id.id };
        let outcome = work.unless_published(|| {
            let scratch = staging.scratch(&attempt)?;
            let content = format!("{run}\n{}\n", Day(0).row(shard));
            fs::write(scratch.path().join(ROWS), content)
                .map_err(|cause| Error::unusable("cannot write the rows", cause))?;
            self.spend(5, 0..90);
            work.keep_rows(Scattered::default(), &scratch, &attempt)
        })?;
        if outcome == AttemptOutcome::TooLate && !self.world.state().promises.has_receipt {
            self.violated(format!("{run} is called too late, but the plan is not published"));
        }
        Ok(())
    }

    /// A name that no other attempt has.
    fn new_name(&self) -> Result<String> {
        Ok(self.run_name(&crate::road::run_name(clock())?))
    }

    /// Publishes the shards of the plan and removes them, as `logmill publish --remove-staging` does.
    pub(super) fn publish_shards(&self) -> Result<()> {
        let plan_file = self.plan_file();
        match plan_file.read()? {
            Planned::Plan(plan, id) => self.publish_plan(&plan_file, &plan, &id),
            Planned::Published(receipt) => self.conclude_again(&receipt),
        }
    }

    fn publish_plan(&self, plan_file: &PlanFile<'_>, plan: &Plan, id: &PlanId) -> Result<()> {
        let staging = self.staging(plan);
        self.on_road(false, |road| {
            let of_day = DayRoad::planned(road, plan.day, plan.planned_at()?);
            let table = &plan.tables[0];
            let staged = begin(&of_day, table)?;
            let shards = if self.setting.broken == Broken::Shards { 1 } else { plan.shards };
            let scratch = staged.scratch().path().to_owned();
            Scattered::of_shards(&staging, table, shards, &id.id, &scratch)?;
            let rows = staged_rows(&scratch.join("shards").join(TABLE))?;
            self.write_and_publish(&of_day, table, staged, &rows)?;
            let receipt = Receipt::of(plan, &id.id, &road.run, &self.lake, serde_json::Value::Null);
            plan_file.leave_receipt(id, &receipt)?;
            receipt.remove_shards(&staging)
        })
    }

    fn conclude_again(&self, receipt: &Receipt) -> Result<()> {
        receipt.check(&self.lake)?;
        self.on_road(false, |road| {
            if let Some(database) = road.database() {
                let repeated = receipt.register(&DayRoad::new(road, receipt.day), &self.lake, database)?;
                repeated.into_iter().try_for_each(|repeated| repeated.registration.map(drop))?;
            }
            receipt.remove_shards(&Staging::new(self.staging_lake("shards"), receipt.day))
        })
    }
}

/// The rows of the shards that were fetched to a folder, in the order of shards.
fn staged_rows(folder: &std::path::Path) -> Result<Vec<String>> {
    let unusable = |cause| Error::unusable("cannot read the fetched rows", cause);
    let mut rows = Vec::new();
    for shard in 0..SHARDS {
        // A shard that was not fetched has no folder.
        let Ok(attempts) = fs::read_dir(folder.join(format!("shard-{shard:05}"))) else { continue };
        for attempt in attempts {
            let attempt = attempt.map_err(unusable)?;
            let text = fs::read_to_string(attempt.path().join(ROWS)).map_err(unusable)?;
            let of_attempt = text.strip_prefix(&*attempt.file_name().to_string_lossy()).map(str::trim_start);
            let found = of_attempt.ok_or_else(|| Error::new(ErrorKind::Bug, "rows of another attempt"))?;
            rows.extend(found.lines().map(str::to_owned));
        }
    }
    Ok(rows)
}

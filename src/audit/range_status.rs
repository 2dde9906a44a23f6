//! Determines the status of many days of a table from one listing, without reading a log.

use super::freshness::{DayStatus, day_status};
use super::known_logs::KnownLogs;
use crate::cancel::Cancel;
use crate::error::Result;
use crate::kst::KstDay;
use crate::plan::{ListedObjects, RangePlanner, TableSource};
use crate::store::Lake;

/// Determines the status of days.
#[derive(Clone, Copy)]
pub struct StatusReader<'a> {
    /// The lake.
    pub lake: &'a dyn Lake,
    /// The catalog database in which days should be registered; see [`day_status`].
    pub database: Option<&'a str>,
    /// Stops the listing.
    pub cancel: &'a Cancel,
}

/// The status of many days.
pub struct RangeStatus {
    /// Each day in the order of the listing, with its status or why it is unknown.
    pub days: Vec<(KstDay, Result<DayStatus>)>,
    /// Number of raw objects that the chosen days need. An object that several days need counts once.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The counts of objects and folders that were left out.
    pub left: ListedObjects,
    /// Number of list requests.
    pub requests: u64,
}

impl StatusReader<'_> {
    /// Lists the inputs and determines the status of each day. `choose` sees each status while days before the first log are
    /// still missing. It decides whether the objects of the day are counted.
    pub fn read(
        &self,
        source: &TableSource,
        mut planner: RangePlanner<'_>,
        choose: &mut dyn FnMut(&Result<DayStatus>) -> Result<bool>,
    ) -> Result<RangeStatus> {
        let (mut days, mut objects, mut bytes) = (Vec::new(), 0, 0);
        while let Some(leg) = planner.next_leg(&mut |about| {
            self.cancel.check()?;
            let status = day_status(self.lake, source.spec.partition(about.day), about, self.database);
            let is_chosen = choose(&status)?;
            days.push((about.day, status));
            Ok(is_chosen)
        })? {
            objects += leg.objects.len() as u64;
            bytes += leg.objects.iter().map(|shared| shared.object.bytes).sum::<u64>();
        }
        self.settle(source, &mut days)?;
        let (left, requests) = (ListedObjects::count(0, planner.left()), planner.requests());
        Ok(RangeStatus { days, objects, bytes, left, requests })
    }

    /// Changes missing days before the first log to `NoLogs`.
    fn settle(&self, source: &TableSource, days: &mut [(KstDay, Result<DayStatus>)]) -> Result<()> {
        let mut known_logs = KnownLogs::new(self.lake, &source.spec.table);
        let mut known: Vec<&mut DayStatus> =
            days.iter_mut().filter_map(|(_, status)| status.as_mut().ok()).collect();
        for status in &known {
            known_logs.note(status);
        }
        known.iter_mut().try_for_each(|status| known_logs.settle(status))
    }
}

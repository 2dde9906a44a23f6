//! A walk over objects of a table: which ones are read, and for which days.

use std::path::Path;

use crate::kst::{DayRange, KstDay};
use crate::plan::{PlannedObject, TablePlan, TableSpec};
use crate::table::IdentityKey;

/// An object to read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The number that its rows use for it; numbers grow with addresses.
    pub number: u32,
    /// The object.
    pub object: &'a PlannedObject,
    /// The days that it can feed.
    pub days: DayRange,
}

/// A day whose rows are wanted.
#[derive(Debug, Clone, Copy)]
pub struct DayTarget<'a> {
    /// The day.
    pub day: KstDay,
    /// A folder for rows that do not fit into memory.
    pub scratch: &'a Path,
}

/// One walk over objects of a table.
#[derive(Debug)]
pub struct Leg<'a> {
    /// The table.
    pub spec: &'a TableSpec,
    /// The objects to read.
    pub readings: Vec<Reading<'a>>,
    /// The days to feed: rows of other days are counted and dropped.
    pub days: Vec<DayTarget<'a>>,
    /// The secret of the row identities, the same in all legs of a day.
    pub identity_key: IdentityKey,
    /// The position among the legs of its days, which separates their files.
    pub number: usize,
    /// The share of rejected rows, or of bytes in damaged objects, beyond which the day is not published: reading stops once
    /// that is certain and the quarantine is full. Only for a leg that reads all objects of its only day.
    pub max_reject_ratio: Option<f64>,
}

impl<'a> Leg<'a> {
    /// Creates the leg that reads everything in a plan for its day, or one of its shards.
    #[must_use]
    pub fn of_plan(
        plan: &'a TablePlan,
        target: DayTarget<'a>,
        identity_key: IdentityKey,
        shard: Option<u32>,
    ) -> Self {
        let days = DayRange::only(target.day);
        let objects = (0..).zip(&plan.objects);
        let own = objects.filter(|(_, object)| shard.is_none_or(|own| own == object.shard));
        let readings = own.map(|(number, object)| Reading { number, object, days }).collect();
        Self {
            spec: &plan.spec,
            readings,
            days: vec![target],
            identity_key,
            number: 0,
            max_reject_ratio: None,
        }
    }
}

//! Joins the results of several legs for one day.
//!
//! Each leg numbers its own objects. The day's plan numbers them again, in the order of all addresses. Both orders are those of
//! addresses, so sorted rows remain sorted.

use std::sync::Arc;

use super::scattered::{ObjectCount, Scattered};
use crate::kst::KstDay;
use crate::plan::{PlannedObject, SharedObject};

/// The number of an object that the day does not read.
const NOT_OF_THE_DAY: u32 = u32::MAX;

/// A day whose objects are read leg by leg.
#[derive(Debug)]
pub struct DayLegs {
    day: KstDay,
    /// The objects of all legs so far.
    objects: Vec<PlannedObject>,
    /// The results of each leg, with the place of each of its objects among those of the day.
    legs: Vec<(Scattered, Vec<u32>)>,
}

impl DayLegs {
    /// Creates a day with nothing read yet.
    #[must_use]
    pub fn new(day: KstDay) -> Self {
        Self { day, objects: Vec::new(), legs: Vec::new() }
    }

    /// Bytes of rows that are buffered in memory.
    #[must_use]
    pub fn resident_bytes(&self) -> usize {
        self.legs.iter().map(|(found, _)| found.resident_bytes()).sum()
    }

    /// Adds the results of a leg over `objects` for the day.
    pub fn add(&mut self, objects: &[SharedObject], found: Scattered) {
        let place = |shared: &SharedObject| {
            if !shared.days.contains(self.day) {
                return NOT_OF_THE_DAY;
            }
            self.objects.push(shared.object.clone());
            u32::try_from(self.objects.len() - 1).expect("objects are counted in 32 bits")
        };
        let places = objects.iter().map(place).collect();
        self.legs.push((found, places));
    }

    /// Returns the plan of the day, built from an empty one of its table, and all results for it.
    #[must_use]
    pub fn join(self) -> (Vec<PlannedObject>, Scattered) {
        let Self { objects, legs, .. } = self;
        let mut order: Vec<usize> = (0..objects.len()).collect();
        order.sort_by(|a, b| objects[*a].address.cmp(&objects[*b].address));
        let mut numbers = vec![NOT_OF_THE_DAY; objects.len()];
        for (number, place) in (0..).zip(&order) {
            numbers[*place] = number;
        }
        let number_of = |place: u32| numbers.get(place as usize).copied().unwrap_or(NOT_OF_THE_DAY);
        let legs = legs.into_iter().map(|(found, places)| {
            let numbers: Arc<[u32]> = places.into_iter().map(number_of).collect();
            found.renumbered(&numbers)
        });
        let mut all = Scattered::default();
        legs.for_each(|found| all.append(found));
        all.counts.sort_by_key(|count| count.object);
        let mut objects: Vec<Option<PlannedObject>> = objects.into_iter().map(Some).collect();
        let objects = order.into_iter().filter_map(|place| objects[place].take()).collect();
        (objects, all)
    }
}

impl Scattered {
    fn renumbered(mut self, numbers: &Arc<[u32]>) -> Self {
        let renumbered = |object: u32| numbers[object as usize];
        let count = |count: ObjectCount| ObjectCount { object: renumbered(count.object), ..count };
        self.runs = self.runs.into_iter().map(|run| run.renumbered(numbers)).collect();
        self.identities = self.identities.into_iter().map(|run| run.renumbered(numbers)).collect();
        self.counts = self.counts.into_iter().map(count).collect();
        self.quarantines.iter_mut().for_each(|quarantine| quarantine.renumber(numbers));
        self
    }

    fn append(&mut self, mut other: Self) {
        self.runs.append(&mut other.runs);
        self.identities.append(&mut other.identities);
        self.counts.append(&mut other.counts);
        self.quarantines.append(&mut other.quarantines);
        self.resident_bytes += other.resident_bytes;
    }
}

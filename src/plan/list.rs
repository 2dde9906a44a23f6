//! Lists the inputs of a table for one day.

use super::choose::Wanted;
use super::listing::{Familiar, Listing};
use super::source::TableSource;
use super::{PlannedObject, TablePlan};
use crate::error::Result;
use crate::kst::{DayRange, KstDay};
use crate::store::Connector;

/// Lists the inputs of a table and chooses what a day needs.
pub fn plan_table(source: &TableSource, day: KstDay, connector: &Connector) -> Result<TablePlan> {
    let wanted = Wanted::new(DayRange::only(day), source.lateness_ms);
    let mut plan = source.empty_plan();
    for (input, store) in (0..).zip(&source.stores(connector)?) {
        let mut familiar = Familiar::default();
        let mut listing = Listing::new(source, wanted, store.as_ref(), &mut familiar);
        store.list(&mut listing)?;
        let (found, left) = listing.finish();
        plan.objects.extend(found.into_iter().map(|found| PlannedObject::new(store.as_ref(), input, found)));
        plan.left.extend(left);
        plan.requests += store.requests();
    }
    plan.objects.sort_by(|a, b| a.address.cmp(&b.address));
    plan.left.sort_by(|a, b| a.address.cmp(&b.address));
    Ok(plan)
}

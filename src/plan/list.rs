//! Lists the inputs of a table for one day.

use super::digest_folders::DigestPlaces;
use super::digests::{DayDigests, ProvedDay};
use super::held::Held;
use super::listing::{JudgedKeys, Listing};
use super::source::TableSource;
use super::{PlannedObject, TablePlan};
use crate::error::Result;
use crate::kst::{DayRange, KstDay, UtcInstant};
use crate::store::{Connector, Store};

/// Lists the inputs of a table and chooses the objects that a day needs.
pub fn plan_table(source: &TableSource, day: KstDay, connector: &Connector) -> Result<TablePlan> {
    let mut places = DigestPlaces::default();
    list(source, day, connector, &source.stores(connector)?, &mut places)
}

/// Lists the inputs of a table like [`plan_table`], and reads the digests of the day. A late log file that only a digest
/// names is added to the objects. `listed_at` is the present time.
pub fn plan_proved(
    source: &TableSource,
    day: KstDay,
    listed_at: UtcInstant,
    connector: &Connector,
) -> Result<TablePlan> {
    let (stores, mut places) = (source.stores(connector)?, DigestPlaces::default());
    let mut plan = list(source, day, connector, &stores, &mut places)?;
    let stores: Vec<&dyn Store> = stores.iter().map(AsRef::as_ref).collect();
    let ahead = DayRange::only(day);
    let digests = DayDigests { source, stores, places: &places, connector, day, ahead, listed_at };
    let proved = digests.prove(&plan.objects.iter().collect::<Vec<_>>())?;
    if let Some(ProvedDay { planned, late }) = proved {
        plan.objects.extend(late);
        plan.objects.sort_by(|a, b| a.address.cmp(&b.address));
        let named = planned.addresses();
        plan.objects.iter_mut().for_each(|object| object.named = named.contains(object.address.as_str()));
        drop(named);
        plan.proof = Some(planned);
    }
    Ok(plan)
}

fn list(
    source: &TableSource,
    day: KstDay,
    connector: &Connector,
    stores: &[Box<dyn Store>],
    places: &mut DigestPlaces,
) -> Result<TablePlan> {
    let wanted = source.wanted(DayRange::only(day));
    let (mut requests, mut objects, mut left) = (0, Vec::new(), Vec::new());
    for (input, store) in (0..).zip(stores) {
        let mut judged_keys = JudgedKeys::default();
        let listed =
            Listing::new(source, wanted, store.as_ref(), &mut judged_keys, connector.listed())?.run()?;
        let planned = |found| PlannedObject::new(store.as_ref(), input, found);
        objects.extend(listed.found.into_iter().map(planned));
        left.extend(listed.left.into_iter().map(|left| left.object));
        places.add(input, listed.digests);
        requests += store.requests();
    }
    objects.sort_by(|a, b| a.address.cmp(&b.address));
    left.sort_by(|a, b| a.address.cmp(&b.address));
    Ok(TablePlan { spec: source.spec.clone(), requests, objects, left, counted: Vec::new(), proof: None })
}

/// Whether the inputs of a table hold logs of its log type, of any day. The search stops at the first one.
///
/// `days` limits the search only below folders that AWS divides by date. Folders of other dates are not entered. They count
/// as logs if this log type alone has that layout. An error does not name the table.
pub fn holds_logs(source: &TableSource, days: DayRange, connector: &Connector) -> Result<Held> {
    let stores = source.open_stores(connector)?;
    let look = |days: DayRange| {
        stores.iter().try_fold(Held::No, |held, store| {
            if held == Held::Yes {
                return Ok(held);
            }
            let mut judged_keys = JudgedKeys::default();
            let (wanted, store) = (source.wanted(days), store.as_ref());
            let listing = Listing::new(source, wanted, store, &mut judged_keys, connector.listed())?;
            Ok(held.max(listing.look()?))
        })
    };
    // A search limited to the last day usually finds a log, because only folders divided by date are limited.
    let last = DayRange::only(days.last);
    let held = look(last)?;
    if held == Held::Yes || days == last { Ok(held) } else { Ok(held.max(look(days)?)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Cancel;
    use crate::dataset;
    use crate::store::ConnectionOptions;

    #[test]
    fn a_listing_counts_the_objects_that_it_finds() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["2023-11-01-03-10-00-A", "2023-12-24-03-10-00-B", "notes.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let scratch = folder.path().join("scratch");
        let connector = Connector::new(Cancel::default(), scratch, ConnectionOptions::default());
        let s3_access = dataset::named("s3-access").unwrap();
        let source = TableSource::new(s3_access, vec![folder.path().to_str().unwrap().to_owned()]);
        for expected in [3, 6] {
            plan_table(&source, "2023-11-01".parse().unwrap(), &connector).unwrap();
            assert_eq!(connector.listed().get(), expected);
        }
    }
}

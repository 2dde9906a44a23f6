//! Lists the inputs of a table for one day.

use super::digest_folders::DigestPlaces;
use super::digests::{DayDigests, ProvedDay};
use super::held::{Held, HeldLogs, Misplaced};
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

/// Whether the inputs of a table hold logs of its log type, of any day, and which misplaced logs the search has met. It stops
/// at the first log.
///
/// `days` limits the search only below folders that AWS divides by date. Folders of other dates are not entered. They count
/// as logs if this log type alone has that layout. An error does not name the table.
pub fn holds_logs(source: &TableSource, days: DayRange, connector: &Connector) -> Result<HeldLogs> {
    let stores = source.open_stores(connector)?;
    let look = |days: DayRange| -> Result<HeldLogs> {
        let (mut held, mut misplaced) = (Held::No, Misplaced::default());
        for store in stores.iter().map(AsRef::as_ref) {
            if held != Held::Yes {
                let mut judged_keys = JudgedKeys::default();
                let wanted = source.wanted(days);
                let listing = Listing::new(source, wanted, store, &mut judged_keys, connector.listed())?;
                let found = listing.look()?;
                held = held.max(found.held);
                misplaced.extend(found.misplaced);
            }
        }
        Ok(HeldLogs { held, misplaced })
    };
    // A search limited to the last day usually finds a log, because only folders divided by date are limited.
    let last = DayRange::only(days.last);
    let of_last = look(last)?;
    if of_last.held == Held::Yes || days == last {
        return Ok(of_last);
    }
    let of_all = look(days)?;
    Ok(HeldLogs { held: of_last.held.max(of_all.held), ..of_all })
}

#[cfg(test)]
mod tests {
    use super::super::MisplacedLogs;
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

    #[test]
    fn logs_in_folders_that_their_table_does_not_search_are_misplaced() {
        let folder = tempfile::tempdir().unwrap();
        let account = "raw/AWSLogs/111122223333";
        let balancer = "111122223333_elasticloadbalancing_us-east-1_app.web.0a1b_20231101";
        let trail = "111122223333_CloudTrail_us-east-1_20231101T0305Z_AbCd.json.gz";
        for key in [
            format!("{account}/vpcflowlogs/us-east-1/2023/11/01/{balancer}T0305Z_1.2.3.4_a.log.gz"),
            format!("{account}/vpcflowlogs/us-east-1/2023/11/01/{balancer}T0310Z_1.2.3.4_b.log.gz"),
            format!("{account}/vpcflowlogs/us-east-1/2023/11/09/{balancer}T0305Z_1.2.3.4_c.log.gz"),
            format!("{account}/vpcflowlogs/{trail}"),
            format!("{account}/elasticloadbalancing/us-east-1/2023/11/01/{balancer}T0305Z_1.2.3.4_d.log.gz"),
            format!("{account}/vpcflowlogs/us-east-1/2023/11/01/notes.txt"),
        ] {
            let path = folder.path().join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let connector =
            Connector::new(Cancel::default(), folder.path().join("scratch"), ConnectionOptions::default());
        let input = folder.path().join("raw").to_str().unwrap().to_owned();
        let found = |dataset: &str| {
            let source = TableSource::new(dataset::named(dataset).unwrap(), vec![input.clone()]);
            let found =
                holds_logs(&source, DayRange::only("2023-11-01".parse().unwrap()), &connector).unwrap();
            let count = |logs: MisplacedLogs| (logs.dataset, logs.objects);
            (found.held, found.misplaced.counts().into_iter().map(count).collect::<Vec<_>>())
        };
        assert_eq!(found("vpc-flow"), (Held::Perhaps, vec![("alb-access", 2), ("cloudtrail", 1)]));
        assert_eq!(found("alb-access"), (Held::Yes, vec![]));
        assert_eq!(found("nlb-access").1, []);
    }
}

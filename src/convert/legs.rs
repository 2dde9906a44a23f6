//! Puts together what several legs have found for one day.
//!
//! Each leg numbers its objects on its own; in the day's plan they are numbered anew, in the order of all addresses. Since
//! both orders are that of addresses, rows that were sorted stay so.

use std::sync::Arc;

use super::scatter::{ObjectCount, Scattered};

/// Joins the legs of a day: each with the number that each of its objects has in the day's plan.
#[must_use]
pub fn join_legs(legs: Vec<(Scattered, Vec<u32>)>) -> Scattered {
    let mut all = Scattered::default();
    for (mut found, numbers) in legs {
        let numbers: Arc<[u32]> = numbers.into();
        let renumbered = |object: u32| numbers[object as usize];
        all.runs.extend(found.runs.into_iter().map(|run| run.renumbered(&numbers)));
        all.identities.extend(found.identities.into_iter().map(|run| run.renumbered(&numbers)));
        let counts = found.counts.into_iter();
        all.counts.extend(counts.map(|count| ObjectCount { object: renumbered(count.object), ..count }));
        found.quarantines.iter_mut().for_each(|quarantine| quarantine.renumber(renumbered));
        all.quarantines.append(&mut found.quarantines);
        all.resident_bytes += found.resident_bytes;
    }
    all.counts.sort_by_key(|count| count.object);
    all
}

//! Plans a range of days: every raw object is listed once and handed out once, however many days it feeds.
//!
//! The planner walks through UTC dates, because folders are named by them, in the requested order of days. It lists
//! everything that can feed a day before it hands out the day's first object. The caller can therefore decide whether to
//! build the day at all.

use std::collections::{BTreeMap, VecDeque};

use super::digest_folders::DigestPlaces;
use super::digests::{DayDigests, ProvedDay};
use super::key_times::Wanted;
use super::listing::{JudgedKeys, Left, Listed, Listing};
use super::source::TableSource;
use super::{LeftGroup, LeftObject, ListedObjects, PlannedObject, TablePlan, WARNED_REASONS};
use crate::digest::PlannedProof;
use crate::error::{Error, Result};
use crate::kst::{DAY_MS, DayRange, KstDay, UtcInstant, UtcWindow};
use crate::store::{Connector, ListingCount, Store};

/// How many dates one listing covers: at first and at most. The span shrinks if a listing finds more objects than
/// `MANY_OBJECTS`.
const FIRST_SPAN: usize = 4;
const LONGEST_SPAN: usize = 64;
const MANY_OBJECTS: usize = 100_000;

/// The order of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The oldest day first.
    Oldest,
    /// The newest day first.
    Newest,
}

/// An object with the days that it can feed.
#[derive(Debug, Clone)]
pub struct SharedObject {
    /// The object.
    pub object: PlannedObject,
    /// The days.
    pub days: DayRange,
}

/// Everything that can feed a day.
pub struct DayObjects<'a> {
    /// The day.
    pub day: KstDay,
    /// The objects, in no particular order.
    pub objects: Vec<&'a PlannedObject>,
    /// Objects and folders that are left out, except those of other times.
    pub left: Vec<LeftGroup>,
    /// Whether the listing found logs from before the day. Their names alone are enough.
    pub logs_before: bool,
    /// The source that was listed.
    pub source: &'a TableSource,
    /// When the listing began. Objects that arrived later may be missing.
    pub listed_at: UtcInstant,
    /// The digests of the day.
    pub digests: DayDigests<'a>,
}

impl DayObjects<'_> {
    /// Whether a missing object would be among them if it still existed, by the time in its address.
    #[must_use]
    pub fn would_include(&self, address: &str) -> bool {
        self.source.spec.would_read(address, self.day, self.source.key_times)
    }
}

/// The objects that one pass reads.
#[derive(Debug, Default)]
pub struct RangeLeg {
    /// Objects whose rows a chosen day needs, in address order.
    pub objects: Vec<SharedObject>,
    /// The chosen days that no later leg can feed.
    pub closes: Vec<KstDay>,
}

/// Decides whether a day is built.
type Chooser<'a> = dyn FnMut(&DayObjects<'_>) -> Result<bool> + 'a;

/// Lists the inputs of a table for many days and hands out their objects in legs.
pub struct RangePlanner<'a> {
    source: &'a TableSource,
    order: Order,
    connector: &'a Connector,
    inputs: Vec<(Box<dyn Store>, JudgedKeys)>,
    wanted: Wanted,
    /// Each day with the first and last date that can feed it, in walk order.
    days: BTreeMap<KstDay, (UtcInstant, UtcInstant)>,
    clock: fn() -> UtcInstant,
    count: ListingCount,
    /// Dates that are not listed yet, in walk order.
    ahead: VecDeque<UtcInstant>,
    /// Dates that are listed but not handed out yet.
    listed: VecDeque<ListedDate>,
    /// Objects without a date, until they are handed out.
    undated: Vec<SharedObject>,
    span: usize,
    /// The decision for each day so far.
    chosen: BTreeMap<KstDay, bool>,
    /// Objects and folders that are left out, except those of other times, counted by the days that search their place and
    /// by reason.
    left: BTreeMap<(KstDay, KstDay, String), LeftGroup>,
    /// Objects that are left out for one of the [`WARNED_REASONS`] reasons.
    possible_logs: Vec<Left>,
    /// The earliest time in the name of a log, or in a folder that AWS divides by date.
    earliest: Option<UtcInstant>,
    digest_places: DigestPlaces,
    /// The proofs of the chosen days that have digests.
    proofs: BTreeMap<KstDay, PlannedProof>,
}

struct ListedDate {
    date: UtcInstant,
    at: UtcInstant,
    objects: Vec<SharedObject>,
}

impl<'a> RangePlanner<'a> {
    /// Opens the inputs of a table. Lists nothing yet.
    pub fn open(
        source: &'a TableSource,
        days: &[KstDay],
        order: Order,
        connector: &'a Connector,
        clock: fn() -> UtcInstant,
    ) -> Result<Self> {
        let (mut ahead, mut ends) = (Vec::new(), BTreeMap::new());
        for day in days {
            let dates = source.wanted(DayRange::only(*day)).dates();
            if let (Some(first), Some(last)) = (dates.first(), dates.last()) {
                ends.insert(*day, if order == Order::Oldest { (*first, *last) } else { (*last, *first) });
            }
            ahead.extend(dates);
        }
        ahead.sort_unstable();
        ahead.dedup();
        if order == Order::Newest {
            ahead.reverse();
        }
        let all = DayRange {
            first: days.iter().min().copied().unwrap_or(DayRange::EVER.last),
            last: days.iter().max().copied().unwrap_or(DayRange::EVER.first),
        };
        let stores = source.stores(connector)?;
        Ok(Self {
            source,
            order,
            connector,
            inputs: stores.into_iter().map(|store| (store, JudgedKeys::default())).collect(),
            wanted: source.wanted(all),
            days: ends,
            clock,
            count: connector.listed().clone(),
            ahead: ahead.into(),
            listed: VecDeque::new(),
            undated: Vec::new(),
            span: FIRST_SPAN,
            chosen: BTreeMap::new(),
            left: BTreeMap::new(),
            possible_logs: Vec::new(),
            earliest: None,
            digest_places: DigestPlaces::default(),
            proofs: BTreeMap::new(),
        })
    }

    /// Returns the number of requests that listing has taken so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.inputs.iter().map(|(store, _)| store.requests()).sum()
    }

    /// Returns the objects that were left out so far for one of the [`WARNED_REASONS`] reasons.
    pub fn possible_logs(&self) -> impl Iterator<Item = &LeftObject> {
        self.possible_logs.iter().map(|left| &left.object)
    }

    /// Returns the plan of a day that reads these objects. It names skipped objects that may be logs, and counts all others.
    #[must_use]
    pub fn plan_of(&self, day: KstDay, objects: Vec<PlannedObject>) -> TablePlan {
        let possible = self.possible_logs.iter().filter(|left| left.days.contains(day));
        let mut left: Vec<LeftObject> = possible.map(|left| left.object.clone()).collect();
        left.sort_by(|a, b| a.address.cmp(&b.address));
        let mut counted = self.left_of(day);
        counted.retain(|group| !WARNED_REASONS.contains(&group.why.as_str()));
        let proof = self.proofs.get(&day).cloned();
        TablePlan { spec: self.source.spec.clone(), requests: 0, objects, left, counted, proof }
    }

    /// Returns the groups that were left out so far, except those of other times.
    pub fn left(&self) -> impl Iterator<Item = LeftGroup> {
        self.left.values().cloned()
    }

    /// Returns the groups that a plan of the day alone would leave out, by reason.
    #[must_use]
    pub fn left_of(&self, day: KstDay) -> Vec<LeftGroup> {
        let of_day = self.left.iter().filter(|((first, last, _), _)| (*first..=*last).contains(&day));
        ListedObjects::count(0, of_day.map(|(_, group)| group.clone())).left
    }

    fn leave(&mut self, left: Left) {
        let DayRange { first, last } = left.days;
        let group = LeftGroup::of(&left.object);
        if WARNED_REASONS.contains(&left.object.why.as_ref()) {
            self.possible_logs.push(left);
        }
        match self.left.get_mut(&(first, last, group.why.clone())) {
            Some(known) => known.add(group),
            None => drop(self.left.insert((first, last, group.why.clone()), group)),
        }
    }

    /// Returns the next leg, or `None` at the end. A leg ends with the next day that no later date can feed. Objects without
    /// a date form a leg of their own.
    ///
    /// `choose` is called once for every day, before its first object is handed out.
    pub fn next_leg(&mut self, choose: &mut Chooser<'_>) -> Result<Option<RangeLeg>> {
        let mut leg = RangeLeg::default();
        while leg.closes.is_empty() {
            if self.listed.is_empty() && !self.list_ahead()? {
                break;
            }
            if !self.undated.is_empty() {
                self.hand_out_undated(&mut leg, choose)?;
                // They feed every day. No other object may share their leg, because its failure would fail every day.
                if !leg.objects.is_empty() {
                    break;
                }
            }
            self.hand_out_date(&mut leg, choose)?;
        }
        leg.objects.sort_by(|a, b| a.object.address.cmp(&b.object.address));
        Ok(Some(leg).filter(|leg| !leg.objects.is_empty() || !leg.closes.is_empty()))
    }

    /// Hands out the objects without a date. They can feed every day, so every day must be decided first.
    fn hand_out_undated(&mut self, leg: &mut RangeLeg, choose: &mut Chooser<'_>) -> Result<()> {
        let days: Vec<KstDay> = self.days.keys().copied().collect();
        days.into_iter().try_for_each(|day| self.decide(day, choose))?;
        let undated = std::mem::take(&mut self.undated);
        leg.objects.extend(undated.into_iter().filter_map(|object| self.needed(object)));
        Ok(())
    }

    fn hand_out_date(&mut self, leg: &mut RangeLeg, choose: &mut Chooser<'_>) -> Result<()> {
        let Some(date) = self.listed.front().map(|listed| listed.date) else { return Ok(()) };
        let begun = self.days.iter().filter(|(_, (first, _))| *first == date).map(|(day, _)| *day);
        begun.collect::<Vec<_>>().into_iter().try_for_each(|day| self.decide(day, choose))?;
        let objects = self.listed.pop_front().map(|listed| listed.objects).unwrap_or_default();
        leg.objects.extend(objects.into_iter().filter_map(|object| self.needed(object)));
        for day in self.days.iter().filter(|(_, (_, last))| *last == date).map(|(day, _)| day) {
            // Later dates do not open it again.
            if self.chosen.insert(*day, false) == Some(true) {
                leg.closes.push(*day);
            }
        }
        Ok(())
    }

    /// Returns the object with its chosen days that are still open, if any.
    fn needed(&self, object: SharedObject) -> Option<SharedObject> {
        let DayRange { first, last } = object.days;
        let mut chosen = self.chosen.range(first..=last).filter(|(_, chosen)| **chosen).map(|(day, _)| *day);
        let first = chosen.next()?;
        Some(SharedObject { days: DayRange { first, last: chosen.next_back().unwrap_or(first) }, ..object })
    }

    /// Lists everything that can feed a day, then asks whether to build the day.
    fn decide(&mut self, day: KstDay, choose: &mut Chooser<'_>) -> Result<()> {
        if self.chosen.contains_key(&day) {
            return Ok(());
        }
        let last = self.days[&day].1;
        while self.ahead.contains(&last) {
            self.list_ahead()?;
        }
        let objects = self.listed.iter().flat_map(|listed| &listed.objects).chain(&self.undated);
        let objects =
            objects.filter(|shared| shared.days.contains(day)).map(|shared| &shared.object).collect();
        let near = self.listed.iter().filter(|listed| self.feeds(listed.date, day));
        let listed_at = near.map(|listed| listed.at).min().unwrap_or_else(self.clock);
        let left = self.left_of(day);
        let logs_before = self.earliest.is_some_and(|earliest| earliest < day.window().start);
        let digests = DayDigests {
            source: self.source,
            stores: self.inputs.iter().map(|(store, _)| store.as_ref()).collect(),
            places: &self.digest_places,
            connector: self.connector,
            day,
            ahead: self.ahead_of(day),
            listed_at,
        };
        let about = DayObjects { day, objects, left, logs_before, source: self.source, listed_at, digests };
        let is_chosen = choose(&about)?;
        let proved = if is_chosen { about.digests.prove(&about.objects)? } else { None };
        if let Some(proved) = proved {
            self.take_proof(day, proved);
        }
        self.chosen.insert(day, is_chosen);
        Ok(())
    }

    /// Returns a day and those that are decided after it, as many as one listing covers.
    fn ahead_of(&self, day: KstDay) -> DayRange {
        let days = i64::try_from(self.span).unwrap_or(1) - 1;
        let near = match self.order {
            Order::Oldest => DayRange { first: day, last: day.minus_days(-days) },
            Order::Newest => DayRange { first: day.minus_days(days), last: day },
        };
        let wanted = self.days.keys().filter(|wanted| near.contains(**wanted));
        let wanted = wanted.map(|wanted| DayRange::only(*wanted));
        wanted.fold(DayRange::only(day), DayRange::joined)
    }

    /// Marks the objects that digests of a day name, and adds late ones to the next date that is handed out.
    fn take_proof(&mut self, day: KstDay, ProvedDay { planned, late }: ProvedDay) {
        let named = planned.addresses();
        let late = late.into_iter().map(|object| SharedObject { object, days: DayRange::only(day) });
        match self.listed.front_mut() {
            Some(next) => next.objects.extend(late),
            None => self.undated.extend(late),
        }
        let listed = self.listed.iter_mut().flat_map(|listed| &mut listed.objects);
        for shared in listed.chain(&mut self.undated) {
            shared.object.named |= named.contains(shared.object.address.as_str());
        }
        drop(named);
        self.proofs.insert(day, planned);
    }

    fn feeds(&self, date: UtcInstant, day: KstDay) -> bool {
        let (one, other) = self.days[&day];
        (one.min(other)..=one.max(other)).contains(&date)
    }

    /// Lists the next dates; `false` if no dates are left.
    fn list_ahead(&mut self) -> Result<bool> {
        let dates = self.next_dates();
        let (Some(first), Some(last)) = (dates.iter().min(), dates.iter().max()) else { return Ok(false) };
        let wanted = self.wanted.within(UtcWindow { start: *first, end: last.plus_ms(DAY_MS) });
        let at = self.source.listed_since(self.connector, (self.clock)(), None);
        let mut by_date: BTreeMap<UtcInstant, Vec<SharedObject>> = BTreeMap::new();
        let (mut count, mut lefts) = (0, Vec::new());
        for (input, (store, judged_keys)) in (0..).zip(&mut self.inputs) {
            let Listed { found, left, earliest, digests } =
                Listing::new(self.source, wanted, store.as_ref(), judged_keys, &self.count)?.run()?;
            self.digest_places.add(input, digests);
            self.earliest = self.earliest.into_iter().chain(earliest).min();
            count += found.len();
            lefts.extend(left.into_iter().filter(|left| !left.object.of_another_time));
            for found in found {
                let (days, date) = (found.days, found.date);
                let object = SharedObject { object: PlannedObject::new(store.as_ref(), input, found), days };
                match date {
                    Some(date) => by_date.entry(date).or_default().push(object),
                    None => self.undated.push(object),
                }
            }
        }
        for left in lefts {
            self.leave(left);
        }
        let listed = |date| ListedDate { date, at, objects: by_date.remove(&date).unwrap_or_default() };
        self.listed.extend(dates.into_iter().map(listed));
        if !by_date.is_empty() {
            return Err(Error::bug("an object was listed under a date that was not requested"));
        }
        self.span = if count > MANY_OBJECTS { 1.max(self.span / 2) } else { LONGEST_SPAN.min(self.span * 2) };
        Ok(true)
    }

    /// Takes the next dates to list together. They have no gap between them.
    fn next_dates(&mut self) -> Vec<UtcInstant> {
        let mut dates: Vec<UtcInstant> = Vec::new();
        while let Some(next) = self.ahead.front() {
            let is_next = dates.last().is_none_or(|last| (next.0 - last.0).abs() == DAY_MS);
            if !is_next || dates.len() == self.span {
                break;
            }
            dates.extend(self.ahead.pop_front());
        }
        dates
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::cancel::Cancel;
    use crate::dataset;
    use crate::plan::{KeyTimes, plan_table};
    use crate::store::ConnectionOptions;

    const HOUR: i64 = 3_600_000;
    const LINE: &str = "o web [31/Oct/2023:21:03:00 +0000] 192.0.2.3 - 3E57427F3EXAMPLE REST.GET.OBJECT a \
                        \"GET /web/a HTTP/1.1\" 200 - 1 1 1 1 \"-\" \"-\" -\n";

    fn day(text: &str) -> KstDay {
        text.parse().unwrap()
    }

    fn source(root: &Path, lateness_ms: i64) -> TableSource {
        let dataset = dataset::named("s3-access").unwrap();
        TableSource::plain(dataset, root.to_string_lossy().into_owned(), lateness_ms)
    }

    /// Returns the key of a log that was delivered `hours` hours after 2023-10-25T00:00Z. The layouts are a flat series,
    /// folders by delivery date and folders by event day. Some keys are in the folder of another date, and some have no time.
    fn key(hours: i64, number: usize, layout: u8) -> String {
        let at = UtcInstant::parse_iso8601("2023-10-25T00:07:00Z").unwrap().plus_ms(hours * HOUR).to_string();
        let (date, time) = (&at[..10], at[11..19].replace(':', "-"));
        let folder = date.replace('-', "/");
        match layout {
            0 => format!("flat/{date}-{time}-{number:016X}"),
            1 => format!("by-delivery/1/r/b/{folder}/{date}-{time}-{number:016X}"),
            2 => format!("by-event/1/r/b/{folder}/{date}-00-00-00-{number:016X}"),
            3 => format!("by-event/1/r/b/{folder}/notes-{number}"),
            4 => format!("by-delivery/1/r/b/2023/10/28/{date}-{time}-{number:016X}"),
            6 => format!("by-event/1/r/b/{folder}/prose-{number}"),
            7 => format!("123456789012/ap-northeast-2/web/{folder}/{date}-{time}-{number:016X}"),
            8 => format!("123456789012/ap-northeast-2/web/{folder}/prose-{number}"),
            _ => format!("unnamed-{number}"),
        }
    }

    fn make(root: &Path, keys: &[String]) {
        for key in keys {
            let path = root.join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            // The content of this line is recognised.
            fs::write(path, if key.contains("prose") { "prose" } else { LINE }).unwrap();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn a_range_gives_each_day_the_objects_of_its_own_plan_and_hands_out_each_object_once(
            logs in prop::collection::vec((0_i64..240, 0_u8..9), 1..60),
            ignores_names in prop::sample::select(vec![false, false, true]),
            lateness in prop::sample::select(vec![0, 6, 24, 60]),
            wanted in prop::sample::subsequence((26..34).collect::<Vec<u32>>(), 1..8),
            left_out in 0_usize..3,
            newest_first in any::<bool>(),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let keys: Vec<String> =
                logs.iter().enumerate().map(|(number, (hours, layout))| key(*hours, number, *layout)).collect();
            make(folder.path(), &keys);
            let key_times = if ignores_names { KeyTimes::Ignored } else { KeyTimes::Trusted };
            let source = TableSource { key_times, ..source(folder.path(), lateness * HOUR) };
            let connector = Connector::new(Cancel::default(), folder.path().to_owned(), ConnectionOptions::default());
            let days: Vec<KstDay> = wanted.iter().map(|offset| {
                if *offset < 32 { day(&format!("2023-10-{offset}")) } else { day(&format!("2023-11-{:02}", offset - 31)) }
            }).collect();
            let order = if newest_first { Order::Newest } else { Order::Oldest };
            let mut planner =
                RangePlanner::open(&source, &days, order, &connector, || UtcInstant(0)).unwrap();
            let mut found: BTreeMap<KstDay, BTreeSet<String>> = BTreeMap::new();
            let (mut handed_out, mut closed, mut asked) = (BTreeSet::new(), Vec::new(), BTreeMap::new());
            while let Some(leg) = planner.next_leg(&mut |about| {
                asked.insert(about.day, about.objects.len());
                Ok(asked.len() > left_out)
            }).unwrap() {
                for shared in leg.objects {
                    prop_assert!(handed_out.insert(shared.object.address.clone()), "{} twice", shared.object.address);
                    for day in shared.days.days().filter(|day| days.contains(day)) {
                        prop_assert!(!closed.contains(&day), "{day} was closed");
                        found.entry(day).or_default().insert(shared.object.address.clone());
                    }
                }
                closed.extend(leg.closes);
            }
            prop_assert_eq!(asked.len(), days.len());
            prop_assert_eq!(closed.len(), days.len().saturating_sub(left_out));
            let mut sorted = closed.clone();
            sorted.sort_unstable();
            if newest_first { sorted.reverse(); }
            prop_assert_eq!(&sorted, &closed);
            for day in closed {
                let plan = plan_table(&source, day, &connector).unwrap();
                prop_assert_eq!(planner.left_of(day), plan.listed().of_the_day().left);
                let of_range = planner.plan_of(day, Vec::new());
                prop_assert_eq!(of_range.listed().left, plan.listed().of_the_day().left);
                let possible_logs: Vec<_> = plan.left.into_iter().filter(|left| WARNED_REASONS.contains(&left.why.as_ref())).collect();
                prop_assert_eq!(of_range.left, possible_logs);
                let expected: BTreeSet<String> =
                    plan.objects.into_iter().map(|object| object.address).collect();
                prop_assert_eq!(asked[&day], expected.len());
                prop_assert_eq!(found.remove(&day).unwrap_or_default(), expected, "{}", day);
            }
        }
    }
}

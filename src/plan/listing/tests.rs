//! A bucket and a folder give the same result: over random trees of keys, the listing that skips keys is compared with one
//! that visits every key, and listings that share pages with ones that do not.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::*;
use crate::kst::KstDay;
use crate::store::page_memory::{BucketPages, PageMemory};
use crate::store::walk::{Page, Request, Walk};
use crate::store::{KeysAfter, ObjectFeed};

const HOUR: i64 = 3_600_000;
const LINE: &str = "o web [31/Oct/2023:21:03:00 +0000] 192.0.2.3 - 3E57427F3EXAMPLE REST.GET.OBJECT a \
                    \"GET /web/a HTTP/1.1\" 200 - 1 1 1 1 \"-\" \"-\" -\n";

/// Keys, listed as a folder or as a bucket with pages of a few names.
struct Keys {
    all: BTreeSet<String>,
    /// Names per page, and the number of pages of a gap that are listed before it is skipped.
    page: Option<(usize, u8)>,
    /// Whether an answer omits a group that begins before the name after which the answer starts.
    skips_groups: bool,
    /// The pages that other listings share.
    shared: Option<BucketPages>,
    requests: AtomicU64,
}

impl Keys {
    /// Visits every key, as a folder does.
    fn list_folder(&self, folder: &str, visitor: &mut dyn ListVisitor) {
        let mut folders = BTreeSet::new();
        for key in self.all.iter().filter_map(|key| key.strip_prefix(folder)) {
            match key.split_once('/') {
                Some((inner, _)) => {
                    folders.insert(format!("{folder}{inner}"));
                }
                None => visitor.object(object(&format!("{folder}{key}"))),
            }
        }
        for inner in folders {
            if visitor.enter(&inner) {
                self.list_folder(&format!("{inner}/"), visitor);
            }
        }
    }

    /// Returns the answer of S3 to a request.
    fn answer(&self, request: &Request, size: usize) -> Page {
        let group = |key: &str| {
            let rest = &key[request.prefix.len()..];
            let end = rest.find(request.delimiter)? + request.delimiter.len_utf8();
            Some(key[..request.prefix.len() + end].to_owned())
        };
        let keys = self.all.iter().filter(|key| key.starts_with(&request.prefix));
        let mut entries: Vec<(String, bool)> = Vec::new();
        for key in keys {
            let (entry, is_group) = group(key).map_or((key.clone(), false), |group| (group, true));
            // A token skips the group that it names. If a group begins before the name after which the answer starts, some
            // servers return it and others do not.
            let passed = match (&request.token, request.start_after()) {
                (Some(token), _) => entry <= *token,
                (None, Some(after)) => key.as_str() <= after || self.skips_groups && entry.as_str() <= after,
                (None, None) => false,
            };
            if !passed && entries.last().is_none_or(|(last, _)| *last != entry) {
                entries.push((entry, is_group));
            }
        }
        let is_cut = entries.len() > size;
        entries.truncate(size);
        let next = entries.last().map(|(last, _)| last.clone()).filter(|_| is_cut);
        let (groups, objects): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(_, is_group)| *is_group);
        let groups = groups.into_iter().map(|(group, _)| group).collect();
        Page { groups, objects: objects.iter().map(|(key, _)| object(key)).collect(), next }
    }
}

fn object(key: &str) -> ObjectMeta {
    ObjectMeta { key: key.to_owned(), bytes: 1, etag: None }
}

impl Store for Keys {
    fn address(&self, key: &str) -> String {
        key.to_owned()
    }

    fn root(&self) -> Result<String> {
        Ok(String::new())
    }

    fn above(&self) -> Result<String> {
        Ok(String::new())
    }

    fn list(&self, visitor: &mut dyn ListVisitor) -> Result<()> {
        let Some((size, patience)) = self.page else {
            self.list_folder("", visitor);
            return Ok(());
        };
        let mut walk = Walk::new("", "", patience);
        while let Some(request) = walk.waiting.pop().filter(|_| !visitor.is_done()) {
            let page = self.shared.as_ref().and_then(|shared| shared.get(&request)).unwrap_or_else(|| {
                let page = self.answer(&request, size);
                self.requests.fetch_add(1, Ordering::Relaxed);
                self.shared.iter().for_each(|shared| shared.keep(&request, &page));
                page
            });
            walk.take(&request, &page, visitor);
        }
        Ok(())
    }

    fn open(&self, key: &str) -> Result<Box<dyn Read + Send>> {
        Ok(if key.contains("notes") { Box::new(&b"notes"[..]) } else { Box::new(LINE.as_bytes()) })
    }

    fn meta(&self, key: &str) -> Result<Option<ObjectMeta>> {
        Ok(self.all.contains(key).then(|| object(key)))
    }

    fn list_after(&self, _: &[KeysAfter]) -> Result<Vec<Vec<ObjectMeta>>> {
        unreachable!("nothing is listed again")
    }

    fn feed(&self, _: Vec<ObjectMeta>, _: usize) -> Box<dyn ObjectFeed + '_> {
        unreachable!("nothing is read")
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// The decision for each key: why it is read and for which days, or why it is left out.
type Decided = BTreeMap<String, (String, Option<DayRange>)>;

impl Keys {
    fn of(all: &BTreeSet<String>, page: Option<(usize, u8)>, shared: Option<&Arc<PageMemory>>) -> Self {
        let skips_groups = all.len().is_multiple_of(2);
        let shared = shared.map(|memory| BucketPages::of(memory, "bucket".to_owned()));
        Self { all: all.clone(), page, skips_groups, shared, requests: AtomicU64::new(0) }
    }
}

/// Lists keys. Returns those that are left out for their time separately.
fn decided(store: &Keys, source: &TableSource, wanted: Wanted) -> (Decided, BTreeSet<String>) {
    let (mut judged_keys, count) = (JudgedKeys::default(), ListingCount::default());
    let Listed { found, left, .. } =
        Listing::new(source, wanted, store, &mut judged_keys, &count).unwrap().run().unwrap();
    let mut all = Decided::new();
    for found in found {
        let again = all.insert(found.object.key.clone(), (found.why.to_owned(), Some(found.days)));
        assert!(again.is_none(), "{} is read twice", found.object.key);
    }
    let (timed, left): (Vec<_>, Vec<_>) = left.into_iter().partition(|left| left.object.of_another_time);
    for left in left {
        let again = all.insert(left.object.address.clone(), (left.object.why.into_owned(), None));
        assert!(again.is_none(), "{} is left twice", left.object.address);
    }
    (all, timed.into_iter().map(|left| left.object.address).collect())
}

/// Folders that may contain logs, some of them named as AWS does.
const FOLDERS: [&str; 18] = [
    "",
    "",
    "logs/",
    "logs/2023/",
    "logs/2023/10/31/",
    "111122223333/ap-northeast-2/web/",
    "111122223333/ap-northeast-2/111122223333/ap-northeast-2/web/",
    "111122223333/ap-northeast-2/web/2023/",
    "111122223333/ap-northeast-2/web/2023/x/",
    "AWSLogs/111122223333/elasticloadbalancing/us-east-1/",
    "111122223333/ap-northeast-2/web/2023/11/",
    "AWSLogs/111122223333/CloudTrail/ap-northeast-2/",
    "AWSLogs/111122223333/CloudTrail/ap-northeast-2/2023/",
    "AWSLogs/AWSLogs/o-org/111122223333/CloudTrail/us-east-1/",
    "AWSLogs/archive/AWSLogs/111122223333/CloudTrail/us-east-1/",
    "AWSLogs/111122223333/Config/ap-northeast-2/",
    "copy/CloudTrail/ap-northeast-2/",
    "web-2023-notes/",
];

/// Date formats in folders.
const DATES: [&str; 6] = ["", "", "YYYY/MM/DD/", "YYYY/MM/DD/", "year=YYYY/month=MM/day=DD/", "YYYY/M/D/"];

/// Text before the time in the name of an access log.
const PREFIXES: [&str; 14] = [
    "",
    "",
    "",
    "web-",
    "web-",
    "app1",
    "~",
    "2",
    "20",
    "2023",
    "2023-",
    "2023-10-",
    "web-2023-",
    "web-2023-10-x-",
];

/// Returns the key of a log or of another file.
fn key((folder, date, prefix, kind): (usize, usize, usize, usize), hours: i64, number: usize) -> String {
    let at = UtcInstant::parse_iso8601("2023-11-01T00:07:03Z").unwrap().plus_ms(hours * HOUR).to_string();
    let (year, month, day, time) = (&at[..4], &at[5..7], &at[8..10], at[11..19].replace(':', "-"));
    let short = |text: &str| text.trim_start_matches('0').to_owned();
    let date = DATES[date].replace("YYYY", year).replace("MM", month).replace("DD", day);
    let date = date.replace("/M/D/", &format!("/{}/{}/", short(month), short(day)));
    let (above, prefix) = (format!("{}{date}", FOLDERS[folder]), PREFIXES[prefix]);
    let minute = format!("{year}{month}{day}T{}Z", &time[..5].replace('-', ""));
    match kind {
        0..=3 => format!("{above}{prefix}{year}-{month}-{day}-{time}-{number:016X}"),
        4 => format!("{above}{prefix}{year}-{month}-{day}-00-00-00-{number:016X}"),
        5..=8 => format!("{above}111122223333_CloudTrail_ap-northeast-2_{minute}_{number:016x}.json.gz"),
        9 => format!("{above}111122223333_vpcflowlogs_ap-northeast-2_fl-0a_{minute}_{number:08x}.log.gz"),
        10 => format!("{above}{prefix}{year}-{month}-{day}-{time}-{number:016X}.tmp"),
        11 => format!("{above}._{prefix}{year}-{month}-{day}-{time}-{number:016X}"),
        12 => format!("{above}{prefix}notes-{number}"),
        13 => format!(
            "{above}111122223333_elasticloadbalancing_us-east-1_app.web.0a1b_{minute}_1.2.3.4_{number:x}.log.gz"
        ),
        _ => format!("{above}{prefix}unnamed-{number}"),
    }
}

fn shape() -> impl Strategy<Value = (usize, usize, usize, usize)> {
    (0..FOLDERS.len(), 0..DATES.len(), 0..PREFIXES.len(), 0_usize..15)
}

/// Generates trees with a few shapes of keys, each with many times around the day and over two years.
fn tree() -> impl Strategy<Value = BTreeSet<String>> {
    let hours = prop_oneof![3 => -72_i64..72, 2 => -12_000_i64..6_000];
    let logs = prop::collection::vec((0_usize..6, hours), 1..120);
    (prop::collection::vec(shape(), 1..7), logs).prop_map(|(shapes, logs)| {
        let keys = logs.into_iter().enumerate();
        keys.map(|(number, (shape, hours))| key(shapes[shape % shapes.len()], hours, number)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn a_bucket_and_a_folder_give_the_same_result(
        keys in tree(),
        dataset in prop::sample::select(dataset::all().collect::<Vec<_>>()),
        other in prop::sample::select(dataset::all().collect::<Vec<_>>()),
        lateness in prop::sample::select(vec![0, 6, 24]),
        first in 0_i64..3,
        more in prop::sample::select(vec![0, 0, 0, 1, 40]),
        page in prop::sample::select(vec![1, 2, 3, 5, 7, 20, 1000]),
        patience in 0_u8..3,
    ) {
        let day: KstDay = "2023-11-02".parse().unwrap();
        let days = DayRange { first: day.minus_days(first), last: day.minus_days(first - more) };
        let source = TableSource::plain(dataset, "bucket".to_owned(), lateness * HOUR);
        let wanted = source.wanted(days);
        let (folder, left_by_folder) = decided(&Keys::of(&keys, None, None), &source, wanted);
        let (bucket, left_by_bucket) = decided(&Keys::of(&keys, Some((page, patience)), None), &source, wanted);
        prop_assert_eq!(&bucket, &folder);
        // The tables of a command share pages, whatever room these have.
        let room = if keys.len().is_multiple_of(3) { 2000 } else { 1 << 20 };
        let memory = Arc::new(PageMemory::of_at_most(room));
        let other = TableSource::plain(other, "bucket".to_owned(), lateness * HOUR);
        let joint = [&other, &source].map(|table| {
            decided(&Keys::of(&keys, Some((page, patience)), Some(&memory)), table, table.wanted(days))
        });
        prop_assert_eq!(&joint[1].0, &bucket);
        prop_assert_eq!(&joint[1].1, &left_by_bucket);
        // Keys that a bucket skips are named, and are of another time.
        let names = |left: &String, key: &String| left == key || key.starts_with(left.trim_end_matches("*/"));
        for key in &left_by_folder {
            prop_assert!(left_by_bucket.iter().any(|left| names(left, key)), "{key} is not among {left_by_bucket:?}");
        }
    }
}

/// Returns the names of forty days in the layouts of all log types, 24 a day each.
fn forty_days() -> BTreeSet<String> {
    let start = UtcInstant::parse_iso8601("2023-10-10T00:07:03Z").unwrap();
    let keys = (0..40 * 24_i64).flat_map(|hour| {
        let at = start.plus_ms(hour * HOUR).to_string();
        let (date, minute) = (at[..10].replace('-', "/"), format!("{}Z", at[..16].replace(['-', ':'], "")));
        let account = "AWSLogs/111122223333";
        let trail = format!("111122223333_CloudTrail_us-east-1_{minute}_{hour:016x}.json.gz");
        let balancer = format!(
            "111122223333_elasticloadbalancing_us-east-1_app.web.0a1b_{minute}_1.2.3.4_{hour:x}.log.gz"
        );
        [
            format!("access/{}-{hour:016X}", at[..19].replace(['T', ':'], "-")),
            format!("{account}/CloudTrail/us-east-1/{date}/{trail}"),
            format!("{account}/elasticloadbalancing/us-east-1/{date}/{balancer}"),
            format!("copies/{balancer}"),
        ]
    });
    keys.collect()
}

#[test]
fn requests_do_not_grow_with_the_number_of_log_types() {
    let keys = forty_days();
    let day = DayRange::only("2023-11-01".parse().unwrap());
    let requests = |datasets: &[&'static dyn Dataset], memory: &Arc<PageMemory>| -> u64 {
        let of_one = |dataset: &&'static dyn Dataset| {
            let source = TableSource::plain(*dataset, "bucket".to_owned(), 6 * HOUR);
            let store = Keys::of(&keys, Some((7, 1)), Some(memory));
            let (mut judged_keys, count) = (JudgedKeys::default(), ListingCount::default());
            let looked =
                Listing::new(&source, source.wanted(day), &store, &mut judged_keys, &count).unwrap().look();
            assert!(looked.is_ok());
            decided(&store, &source, source.wanted(day));
            store.requests()
        };
        datasets.iter().map(of_one).sum()
    };
    let all: Vec<_> = dataset::all().collect();
    let alone = |dataset| requests(&[dataset], &Arc::default());
    let most = all.iter().map(|dataset| alone(*dataset)).max().unwrap();
    let joint = requests(&all, &Arc::default());
    let without_room = requests(&all, &Arc::new(PageMemory::of_at_most(0)));
    assert!(
        joint <= most + 12,
        "{joint} requests for all, {most} for one, {without_room} without shared pages"
    );
    // All 960 names of a series take 137 pages; the series is skipped by every log type.
    assert!(most < 100, "{most} requests for one");
}

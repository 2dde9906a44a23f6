//! A bucket and a folder give the same result: over random trees of keys, the listing that skips keys is compared with one
//! that visits every key.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use proptest::prelude::*;

use super::*;
use crate::kst::KstDay;
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
        while let Some(request) = walk.waiting.pop() {
            walk.take(&request, &self.answer(&request, size), visitor);
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
        0
    }
}

/// The decision for each key: why it is read and for which days, or why it is left out.
type Decided = BTreeMap<String, (String, Option<DayRange>)>;

/// Lists keys. Returns those that are left out for their time separately.
fn decided(
    keys: &BTreeSet<String>,
    source: &TableSource,
    wanted: Wanted,
    page: Option<(usize, u8)>,
) -> (Decided, BTreeSet<String>) {
    let store = Keys { all: keys.clone(), page, skips_groups: keys.len().is_multiple_of(2) };
    let (mut judged_keys, count) = (JudgedKeys::default(), ListingCount::default());
    let Listed { found, left, .. } =
        Listing::new(source, wanted, &store, &mut judged_keys, &count).unwrap().run().unwrap();
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
const FOLDERS: [&str; 16] = [
    "",
    "",
    "logs/",
    "logs/2023/",
    "logs/2023/10/31/",
    "111122223333/ap-northeast-2/web/",
    "111122223333/ap-northeast-2/111122223333/ap-northeast-2/web/",
    "111122223333/ap-northeast-2/web/2023/",
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
        _ => format!("{above}{prefix}unnamed-{number}"),
    }
}

fn shape() -> impl Strategy<Value = (usize, usize, usize, usize)> {
    (0..FOLDERS.len(), 0..DATES.len(), 0..PREFIXES.len(), 0_usize..14)
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
        let (folder, left_by_folder) = decided(&keys, &source, wanted, None);
        let (bucket, left_by_bucket) = decided(&keys, &source, wanted, Some((page, patience)));
        prop_assert_eq!(&bucket, &folder);
        // Keys that a bucket skips are named, and are of another time.
        let names = |left: &String, key: &String| left == key || key.starts_with(left.trim_end_matches("*/"));
        for key in &left_by_folder {
            prop_assert!(left_by_bucket.iter().any(|left| names(left, key)), "{key} is not among {left_by_bucket:?}");
        }
    }
}

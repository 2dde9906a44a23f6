//! Sample days of CloudFront and VPC flow logs, whose objects begin with a header line.
//!
//! Each line knows what an import makes of it, so that the tally of the day follows from the objects that the import reads.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

use fastrand::Rng;
use serde_json::json;

use crate::choices::{BROWSERS, CIPHERS, pick, zipf};
use crate::clock::{DAY, HOUR, MINUTE, basic, folder, iso, minute};
use crate::pack::{gzip, store};

/// A line of an object.
#[derive(Clone)]
struct Line {
    text: String,
    /// The time of its event; `None` if an import rejects it.
    time: Option<i64>,
    /// Whether equal lines are one request.
    has_id: bool,
}

/// An object.
struct Object {
    key: String,
    /// The header lines.
    head: String,
    lines: Vec<Line>,
    /// The end of each line.
    end: &'static str,
    /// Whether an import of the day reads it.
    is_read: bool,
}

/// A day that is being generated.
pub(crate) struct HeadedDay {
    day: i64,
    rng: Rng,
    objects: Vec<Object>,
}

const NAMES: &str = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) \
    cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken \
    x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields \
    c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end";
/// Number of fields since 2018 and in 2011.
const OF_2018: usize = 26;
const OF_2011: usize = 12;
/// Fields of version 2 in the order of a user.
const CHOSEN: &str = "timestamp(ms) DistributionId c-country asn c-ip cs-method cs-uri-stem sc-status cs(User-Agent) \
    x-edge-result-type x-edge-request-id x-host-header sc-bytes time-taken time-to-first-byte origin-fbl x-new-thing";
const EDGES: &[&str] = &["ICN57-P1", "ICN54-C2", "NRT20-P3", "HKG62-C2"];
/// Paths and results: the status, the result and the detailed result.
const STEMS: &[&str] =
    &["/", "/app.js", "/img/logo.png", "/api/orders", "/a%20b/%ED%95%9C.html", "/.env", "/video/1.mp4"];
const RESULTS: &[[&str; 3]] = &[
    ["200", "Hit", "Hit"],
    ["200", "Miss", "Miss"],
    ["304", "RefreshHit", "RefreshHit"],
    ["404", "Error", "Error"],
    ["502", "Error", "OriginDnsError"],
    ["000", "Error", "ClientCommError"],
];
const AGENTS: &[&str] = &[
    "curl/8.4.0",
    "x%09-%09-%09Error%0A2020-01-01",
    "Mozilla/5.0%2520(iPhone;%2520CPU)",
    "Googlebot/2.1",
    "-",
];
const QUERIES: &[&str] = &["-", "-", "a=b%20c", "q=%2525", "Signature=abc~&Key-Pair-Id=K1EXAMPLE"];
const COUNTRIES: &[&str] = &["KR", "KR", "JP", "US", "-"];

const DEFAULT: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
/// All fields of version 5 in alphabetical order, and an unknown name.
const CUSTOM: &str = "account-id action az-id bytes dstaddr dstport end flow-direction instance-id interface-id log-status new-thing \
    packets pkt-dst-aws-service pkt-dstaddr pkt-src-aws-service pkt-srcaddr protocol region srcaddr srcport start sublocation-id \
    sublocation-type subnet-id tcp-flags traffic-path type version vpc-id";
const SERVICES: &[&str] = &["-", "-", "S3", "AMAZON"];
/// Ports with their protocols.
const PORTS: &[(u16, u8)] = &[(443, 6), (443, 6), (22, 6), (3389, 6), (53, 17), (5432, 6), (123, 17)];

impl HeadedDay {
    pub(crate) fn new(day: i64, seed: u64) -> Self {
        Self { day, rng: Rng::with_seed(seed), objects: Vec::new() }
    }

    /// Generates a day of CloudFront.
    pub(crate) fn cloudfront(mut self, out: &Path) -> Result<(), Box<dyn Error>> {
        for hour in -3..=26 {
            let from = self.day + hour * HOUR;
            if hour % 2 == 0 || !(1..23).contains(&hour) {
                self.of_hour("cdn/", "E2ABCDEFGHIJKL", 33, from, 12);
            }
            if hour % 6 == 0 {
                self.of_hour("cdn/", "E1ZYXWVUTSRQPO", OF_2018, from, 6);
                self.json(from, 6);
                self.chosen(from, 6);
            }
        }
        let noon = self.day + 12 * HOUR;
        self.of_hour("old/", "E0LDESTF0RM011", OF_2011, noon, 6);
        // Equal lines without an id of the request are real.
        let first = self.last().lines[0].clone();
        self.last().lines.push(first);
        self.of_hour("cdn/", "E2ABCDEFGHIJKL", 33, noon + HOUR, 5);
        self.last().end = "\r\n";
        // Delivered again in another object.
        self.of_hour("cdn/", "E2ABCDEFGHIJKL", 33, noon + HOUR, 0);
        let again = self.objects[self.objects.len() - 2].lines.clone();
        self.last().lines = again;
        // No requests.
        self.of_hour("cdn/", "E2ABCDEFGHIJKL", 33, noon + 2 * HOUR, 0);
        self.of_hour("cdn/", "E2ABCDEFGHIJKL", 33, noon + 3 * HOUR, 5);
        let object = self.last();
        let cut = object.lines[1].text.rsplitn(14, '\t').last().unwrap_or_default().to_owned();
        object.lines[1] = Line { text: cut, time: None, has_id: true };
        let text = "delivery agent: connection reset by peer, 3 retries left".to_owned();
        object.lines.push(Line { text, time: None, has_id: true });
        // Two objects in one, as users concatenate them; the header of the second one has other fields.
        self.of_hour("cdn/", "E2ABCDEFGHIJKL", 33, noon + 4 * HOUR, 4);
        self.of_hour("cdn/", "E2ABCDEFGHIJKL", OF_2018, noon + 4 * HOUR, 4);
        let second = self.objects.pop().expect("two objects were added");
        self.last().lines.extend(second.lines);
        let (head, at) = (second.head.trim_end().to_owned(), 4);
        self.last().lines[at].text.insert_str(0, &(head + "\n"));
        // Without a header, and under another name.
        self.of_hour("cdn/", "E2ABCDEFGHIJKL", 33, noon + 5 * HOUR, 4);
        let object = self.last();
        (object.head, object.key) = (String::new(), "cdn/renamed.log".to_owned());
        self.streaming(noon);
        self.write("cloudfront", out)?;
        let name = format!("E3JS0NLINES002.{}.0a1b2c3d.parquet", hour_of(noon));
        Ok(store(&out.join("cdn").join(name), b"PAR1 not a table PAR1")?)
    }

    /// Generates a large day of CloudFront, of version 1.
    pub(crate) fn busy_cloudfront(mut self, out: &Path) -> Result<(), Box<dyn Error>> {
        for number in 0..240 {
            self.of_hour("cdn/", "E2ABCDEFGHIJKL", 33, self.day + number / 10 * HOUR, 2500);
        }
        self.write("cloudfront", out)
    }

    /// Generates a large day of VPC flow logs, in the default format.
    pub(crate) fn busy_vpc_flow(mut self, out: &Path) -> Result<(), Box<dyn Error>> {
        for number in 0..240 {
            self.flows(DEFAULT, self.day + number * 6 * MINUTE, 2500);
        }
        self.write("vpc_flow", out)
    }

    /// Generates a day of VPC flow logs.
    pub(crate) fn vpc_flow(mut self, out: &Path) -> Result<(), Box<dyn Error>> {
        for half in -14..=62 {
            let at = self.day + half * 30 * MINUTE;
            if half % 3 == 0 || matches!(half, 0 | 1 | 47 | 48) {
                self.flows(DEFAULT, at, 10);
            }
            if half % 8 == 0 {
                self.flows(CUSTOM, at, 7);
            }
        }
        let noon = self.day + 12 * HOUR + 5 * MINUTE;
        self.flows(DEFAULT, noon, 4);
        // Equal rows are real.
        let first = self.last().lines[0].clone();
        self.last().lines.push(first);
        self.last().end = "\r\n";
        self.flows(DEFAULT, noon + 5 * MINUTE, 5);
        // A copy of an object elsewhere has the same rows.
        let (key, lines) = (self.last().key.clone(), self.last().lines.clone());
        let name = key.rsplit('/').next().unwrap_or_default();
        let copy = Object {
            key: format!("copies/{name}"),
            head: format!("{DEFAULT}\n"),
            lines,
            end: "\n",
            is_read: true,
        };
        self.objects.push(copy);
        self.flows(CUSTOM, noon + 10 * MINUTE, 5);
        let object = self.last();
        let cut = object.lines[2].text.rsplitn(12, ' ').last().unwrap_or_default().to_owned();
        object.lines[2] = Line { text: cut, time: None, has_id: false };
        object.lines.push(Line {
            text: "delivery agent: connection reset".to_owned(),
            time: None,
            has_id: false,
        });
        // The format of the flow log changed, and a user concatenated its objects.
        self.flows(DEFAULT, noon + 15 * MINUTE, 3);
        self.flows(CUSTOM, noon + 15 * MINUTE, 3);
        let second = self.objects.pop().expect("two objects were added");
        self.last().lines.extend(second.lines);
        self.last().lines[3].text.insert_str(0, &second.head);
        self.flows(DEFAULT, noon + 20 * MINUTE, 3);
        let object = self.last();
        (object.head, object.key) = (String::new(), "copies/renamed.log".to_owned());
        self.flows("resource-type tgw-id start end", noon + 25 * MINUTE, 0);
        let text = "TransitGateway tgw-0a1b2c3d 1698811200 1698811260".to_owned();
        self.last().lines.push(Line { text, time: None, has_id: false });
        let parquet = self.last().key.replace(".log.gz", ".log.parquet");
        self.write("vpc_flow", out)?;
        Ok(store(&out.join(parquet), b"PAR1 not a table PAR1")?)
    }

    fn last(&mut self) -> &mut Object {
        self.objects.last_mut().expect("an object was added")
    }

    fn hex(&mut self, digits: usize) -> String {
        format!("{:016x}", self.rng.u64(..))[..digits].to_owned()
    }

    fn address(&mut self) -> String {
        match zipf(&mut self.rng, 40) {
            9 => "2001:db8:3::10a".to_owned(),
            number if number % 3 == 0 => format!("198.51.100.{}", number + 1),
            number => format!("203.0.113.{}", number + 1),
        }
    }

    /// Adds an object of version 1: rows of one hour, some of them a few seconds before or after it.
    fn of_hour(&mut self, folder: &str, distribution: &str, fields: usize, from: i64, rows: usize) {
        let names: Vec<&str> = NAMES.split(' ').take(fields).collect();
        let key = format!("{folder}{distribution}.{}.{}.gz", hour_of(from), self.hex(8));
        let lines = (0..rows).map(|_| {
            let time = self.rng.i64(from - 5..from + HOUR + 5);
            let values: Vec<String> =
                self.request(time).into_iter().map(|(_, value)| value).take(fields).collect();
            Line { text: values.join("\t"), time: Some(time), has_id: fields > OF_2011 }
        });
        let lines = lines.collect();
        let head = format!("#Version: 1.0\n#Fields: {}\n", names.join(" "));
        let is_read = from - HOUR < self.day + DAY && from + 2 * HOUR > self.day;
        self.objects.push(Object { key, head, lines, end: "\n", is_read });
    }

    /// Adds an object of version 2 in JSON.
    fn json(&mut self, from: i64, rows: usize) {
        let distribution = "E3JS0NLINES002";
        let lines = (0..rows).map(|_| {
            let time = self.rng.i64(from..from + HOUR);
            let mut record = serde_json::Map::new();
            record
                .extend(self.request(time).into_iter().map(|(name, value)| (name.to_owned(), value.into())));
            let millis = self.rng.i64(0..1000);
            record.insert("timestamp(ms)".to_owned(), (time * 1000 + millis).to_string().into());
            record.insert("DistributionId".to_owned(), distribution.into());
            record.insert("c-country".to_owned(), pick(&mut self.rng, COUNTRIES).into());
            record.insert("cs(Cookie)".to_owned(), "a=\"b\\".into());
            if self.rng.u8(..) < 60 {
                record.insert("x-new-thing".to_owned(), json!({"level": 2, "name": "한"}));
            }
            Line { text: serde_json::Value::Object(record).to_string(), time: Some(time), has_id: true }
        });
        let lines = lines.collect();
        let name = format!("{distribution}.{}.{}.gz", hour_of(from), self.hex(8));
        let day = folder(from);
        let key =
            format!("AWSLogs/111122223333/CloudFront/{distribution}/{day}/{}/{name}", &iso(from)[11..13]);
        self.objects.push(Object {
            key,
            head: String::new(),
            lines,
            end: "\n",
            is_read: self.is_read_of_2(from),
        });
    }

    /// Adds an object of version 2 with the fields of a user, in folders that are compatible with Hive.
    fn chosen(&mut self, from: i64, rows: usize) {
        let distribution = "E4H1VEW3CF0RM0";
        let lines = (0..rows).map(|_| {
            let time = self.rng.i64(from..from + HOUR);
            let request: BTreeMap<&str, String> = self.request(time).into_iter().collect();
            let value = |name: &str| match name {
                "timestamp(ms)" => (time * 1000 + self.rng.i64(0..1000)).to_string(),
                "DistributionId" => "-".to_owned(),
                "c-country" => pick(&mut self.rng, COUNTRIES).to_owned(),
                "asn" => pick(&mut self.rng, &["4766", "16509", "-"]).to_owned(),
                "origin-fbl" => format!("0.{:03}", self.rng.u32(0..1000)),
                "x-new-thing" => pick(&mut self.rng, &["-", "7", "a\"b"]).to_owned(),
                name => request[name].clone(),
            };
            let values: Vec<String> = CHOSEN.split(' ').map(value).collect();
            Line { text: values.join("\t"), time: Some(time), has_id: true }
        });
        let lines = lines.collect();
        let at = iso(from);
        let (year, month, day, hour) = (&at[..4], &at[5..7], &at[8..10], &at[11..13]);
        let above = "AWSLogs/aws-account-id=111122223333/CloudFront";
        let dated = format!("DistributionId={distribution}/year={year}/month={month}/day={day}/hour={hour}");
        let name = format!("{distribution}.{}.{}.gz", hour_of(from), self.hex(8));
        let head = format!("#Version: 1.0\n#Fields: {CHOSEN}\n");
        let is_read = self.is_read_of_2(from);
        self.objects.push(Object { key: format!("{above}/{dated}/{name}"), head, lines, end: "\n", is_read });
    }

    /// Whether an import reads an object of version 2: named within the day or 24 hours after it.
    fn is_read_of_2(&self, from: i64) -> bool {
        (self.day..self.day + 2 * DAY).contains(&(from + HOUR))
    }

    /// Adds an object of a streaming distribution, whose rows are of another log.
    fn streaming(&mut self, from: i64) {
        let text = format!("{}\t00:00:00\tSEA4\t192.0.2.147\tconnect", &iso(from)[..10]);
        let key = format!("old/E9STREAM1NG000.{}.{}.gz", hour_of(from), self.hex(8));
        let head = "#Version: 1.0\n#Fields: date time x-edge-location c-ip x-event\n".to_owned();
        let lines = vec![Line { text, time: None, has_id: false }];
        self.objects.push(Object { key, head, lines, end: "\n", is_read: true });
    }

    /// Returns the fields of a request, by their names.
    fn request(&mut self, time: i64) -> Vec<(&'static str, String)> {
        let (at, id, ip) = (iso(time), self.hex(16), self.address());
        let rng = &mut self.rng;
        let [status, result, detail] = RESULTS[usize::try_from(zipf(rng, 6)).expect("an index")];
        let (cipher, tls) = *CIPHERS.get(rng.usize(0..4)).unwrap_or(&("-", "-"));
        let protocol = if tls == "-" { "http" } else { "https" };
        let taken = zipf(rng, 4000);
        let agent =
            if rng.bool() { pick(rng, BROWSERS).replace(' ', "%20") } else { pick(rng, AGENTS).to_owned() };
        let host = pick(rng, &["www.example.com", "www.example.com", "img.example.com"]);
        let values = vec![
            at[..10].to_owned(),
            at[11..19].to_owned(),
            pick(rng, EDGES).to_owned(),
            (400 + zipf(rng, 90_000)).to_string(),
            ip,
            pick(rng, &["GET", "GET", "GET", "HEAD", "POST"]).to_owned(),
            "d111111abcdef8.cloudfront.net".to_owned(),
            pick(rng, STEMS).to_owned(),
            status.to_owned(),
            pick(rng, &["-", "https://www.example.com/?a=%2522b%2522"]).to_owned(),
            agent,
            pick(rng, QUERIES).to_owned(),
            pick(rng, &["-", "-", "zip 98101"]).to_owned(),
            result.to_owned(),
            format!("SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHm{id}Q=="),
            host.to_owned(),
            protocol.to_owned(),
            rng.u32(20..900).to_string(),
            format!("{}.{:03}", taken / 1000, taken % 1000),
            pick(rng, &["-", "-", "192.0.2.1, 192.0.2.2"]).to_owned(),
            tls.to_owned(),
            cipher.to_owned(),
            result.to_owned(),
            pick(rng, &["HTTP/2.0", "HTTP/1.1", "HTTP/3.0"]).to_owned(),
            "-".to_owned(),
            "-".to_owned(),
            rng.u32(1024..65_536).to_string(),
            format!("{}.{:03}", taken / 2000, taken / 2 % 1000),
            detail.to_owned(),
            pick(rng, &["text/html", "image/png", "-"]).to_owned(),
            pick(rng, &["78", "1045619", "-"]).to_owned(),
            "-".to_owned(),
            "-".to_owned(),
        ];
        NAMES.split(' ').zip(values).collect()
    }

    /// Adds an object of flows, named by the end of five minutes. Default formats are in folders of days, others in folders
    /// that are compatible with Hive.
    fn flows(&mut self, format: &'static str, at: i64, rows: usize) {
        let lines = (0..rows).map(|_| {
            let time = self.rng.i64(at - 6 * MINUTE..at + 20);
            let flow: BTreeMap<&str, String> = self.flow(time).into_iter().collect();
            let values: Vec<&str> =
                format.split(' ').map(|name| flow.get(name).map_or("-", String::as_str)).collect();
            Line { text: values.join(" "), time: Some(time), has_id: false }
        });
        let lines = lines.collect();
        let (account, flow_log) = if format == CUSTOM {
            ("111122223333", "fl-0f1e2d3c4b5a69788")
        } else {
            ("123456789012", "fl-0a1b2c3d4e5f60718")
        };
        let (region, date) = ("ap-northeast-2", basic(at));
        let name = format!("{account}_vpcflowlogs_{region}_{flow_log}_{}_{}.log.gz", minute(at), self.hex(8));
        let key = if format == CUSTOM {
            let above =
                format!("AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}");
            let (year, month, day, hour) = (&date[..4], &date[4..6], &date[6..8], &date[9..11]);
            format!("{above}/year={year}/month={month}/day={day}/hour={hour}/{name}")
        } else {
            format!("AWSLogs/{account}/vpcflowlogs/{region}/{}/{name}", folder(at))
        };
        let is_read = at - 6 * HOUR < self.day + DAY && at + 10 * MINUTE > self.day;
        self.objects.push(Object { key, head: format!("{format}\n"), lines, end: "\n", is_read });
    }

    /// Returns the fields of a flow, by their names.
    fn flow(&mut self, time: i64) -> Vec<(&'static str, String)> {
        let (client, kind) = (self.address(), self.rng.u8(0..20));
        let rng = &mut self.rng;
        let (port, protocol) = pick(rng, PORTS);
        let (packets, own) = (1 + zipf(rng, 500), format!("10.0.{}.{}", rng.u8(0..3), rng.u8(4..24)));
        let status = ["NODATA", "SKIPDATA"].get(usize::from(kind)).copied().unwrap_or("OK");
        let (ephemeral, is_in) = (rng.u16(32_768..61_000), rng.bool());
        let both = |first: String, second: String| if is_in { [first, second] } else { [second, first] };
        let [source, target] = both(client, own);
        let [source_port, target_port] = both(ephemeral.to_string(), port.to_string());
        let action = if matches!(port, 22 | 3389) && kind > 5 { "REJECT" } else { "ACCEPT" };
        let no_data = status != "OK";
        let data = |text: String| if no_data { "-".to_owned() } else { text };
        let end = time + rng.i64(1..60);
        vec![
            ("version", if kind == 9 { "5" } else { "2" }.to_owned()),
            ("account-id", if kind == 8 { "unknown" } else { "123456789012" }.to_owned()),
            ("interface-id", format!("eni-0a1b2c3d4e5f6071{}", rng.u8(0..3))),
            ("pkt-srcaddr", data(source.clone())),
            ("pkt-dstaddr", data(target.clone())),
            (
                "type",
                data(if source.contains(':') || target.contains(':') { "IPv6" } else { "IPv4" }.to_owned()),
            ),
            ("srcaddr", data(source)),
            ("dstaddr", data(target)),
            ("srcport", data(source_port)),
            ("dstport", data(target_port)),
            ("protocol", data(protocol.to_string())),
            ("packets", data(packets.to_string())),
            ("bytes", data((packets * rng.u64(40..1500)).to_string())),
            ("start", time.to_string()),
            ("end", end.to_string()),
            ("action", data(action.to_owned())),
            ("log-status", status.to_owned()),
            ("az-id", "apne2-az1".to_owned()),
            ("flow-direction", data(if is_in { "ingress" } else { "egress" }.to_owned())),
            ("instance-id", "i-0123456789abcdef0".to_owned()),
            ("new-thing", pick(rng, &["-", "beta"]).to_owned()),
            ("pkt-dst-aws-service", pick(rng, SERVICES).to_owned()),
            ("pkt-src-aws-service", pick(rng, SERVICES).to_owned()),
            ("region", "ap-northeast-2".to_owned()),
            ("subnet-id", "subnet-0123456789abcdef0".to_owned()),
            ("tcp-flags", if protocol == 6 { pick(rng, &["2", "19", "3"]) } else { "0" }.to_owned()),
            ("traffic-path", if is_in { "-" } else { "8" }.to_owned()),
            ("vpc-id", "vpc-0123456789abcdef0".to_owned()),
        ]
    }

    /// Writes the objects and the counts that an import of the day must report.
    fn write(&self, table: &str, out: &Path) -> Result<(), Box<dyn Error>> {
        let mut tally: BTreeMap<&str, u64> =
            ["objects", "read", "written", "other_day", "duplicate", "quarantined"]
                .map(|name| (name, 0))
                .into();
        let mut seen = BTreeSet::new();
        for object in &self.objects {
            let lines = object.lines.iter().map(|line| line.text.replace('\n', object.end) + object.end);
            let text = object.head.replace('\n', object.end) + &lines.collect::<String>();
            let bytes =
                if object.key.rsplit('.').next() == Some("gz") { gzip(&text)? } else { text.into_bytes() };
            store(&out.join(&object.key), &bytes)?;
            if !object.is_read {
                continue;
            }
            *tally.entry("objects").or_default() += 1;
            let name = object.key.rsplit('/').next().unwrap_or_default();
            for (number, line) in (1..).zip(&object.lines) {
                let place = if line.has_id { None } else { Some((name, number)) };
                let text = line.text.rsplit('\n').next().unwrap_or_default();
                let outcome = match line.time {
                    None => "quarantined",
                    Some(time) if !(self.day..self.day + DAY).contains(&time) => "other_day",
                    Some(_) if !seen.insert((place, text)) => "duplicate",
                    Some(_) => "written",
                };
                *tally.entry(outcome).or_default() += 1;
                *tally.entry("read").or_default() += 1;
            }
        }
        let expected = json!({ table: tally });
        Ok(store(&out.join("expected.json"), format!("{expected:#}\n").as_bytes())?)
    }
}

/// `2023-10-31-15`
fn hour_of(time: i64) -> String {
    iso(time)[..13].replace('T', "-")
}

//! Sources of objects: the layouts of keys, and the accounts, regions and buckets that deliver.
//!
//! A layout defines the time span of the events in an object, its delivery time, the time in its name, and whether an import
//! of the day reads an object with that name.

use fastrand::Rng;

use crate::choices::{ALPHANUMERIC, HEX, random};
use crate::clock::{DAY, HOUR, MINUTE, folder, iso, minute};

/// The folder of the organisation's trail.
pub(crate) const ORGANISATION: &str = "cloudtrail/AWSLogs/o-exampleorgid";

/// The way in which a source names, selects and packs its objects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// gzip of JSON, named by the minute of delivery.
    CloudTrail,
    /// Plain lines, named by the second of delivery.
    Simple,
    /// Plain lines, in a folder of the UTC day of their events.
    Partitioned,
    /// gzip of access lines, named by the end of five minutes.
    AlbAccess,
    /// The same of connection lines.
    AlbConnection,
    /// gzip of access logs in JSON, without a time in the name.
    AccessJson,
    /// gzip of AWS WAF, named by the start of five minutes.
    Waf,
    /// The same, delivered by Firehose.
    WafStream,
    /// gzip of DNS queries, named by the start of five minutes.
    Resolver,
    /// gzip of lines about TLS connections, named by the end of five minutes, without the address of a node.
    NlbAccess,
    /// Plain access lines, named by the end of an hour.
    ClbAccess,
}

/// One source of objects.
pub(crate) struct Source {
    pub(crate) layout: Layout,
    pub(crate) account: &'static str,
    pub(crate) region: &'static str,
    /// The bucket of all rows, or `None` if each row names its own.
    pub(crate) bucket: Option<&'static str>,
}

/// Sources of `CloudTrail` objects, the busiest first.
pub(crate) const TRAILS: &[Source] = &[
    Source { layout: Layout::CloudTrail, account: "123456789012", region: "ap-northeast-2", bucket: None },
    Source { layout: Layout::CloudTrail, account: "111122223333", region: "ap-northeast-2", bucket: None },
    Source { layout: Layout::CloudTrail, account: "123456789012", region: "us-east-1", bucket: None },
    Source { layout: Layout::CloudTrail, account: "111122223333", region: "us-east-1", bucket: None },
];

/// Sources of access lines, the busiest first.
pub(crate) const SITES: &[Source] = &[
    Source {
        layout: Layout::Simple,
        account: "123456789012",
        region: "ap-northeast-2",
        bucket: Some("web-kr"),
    },
    Source {
        layout: Layout::Partitioned,
        account: "123456789012",
        region: "ap-northeast-2",
        bucket: Some("datalake-kr"),
    },
    Source {
        layout: Layout::Simple,
        account: "123456789012",
        region: "ap-northeast-2",
        bucket: Some("media"),
    },
    Source {
        layout: Layout::Partitioned,
        account: "111122223333",
        region: "ap-northeast-2",
        bucket: Some("results"),
    },
];

/// Load balancers that write access lines, the busiest first. The bucket is the name of the load balancer.
pub(crate) const BALANCERS: &[Source] =
    &[balancer(Layout::AlbAccess, "123456789012", SHOP), balancer(Layout::AlbAccess, "111122223333", BACK)];

/// The same load balancers with their connection lines.
pub(crate) const LISTENERS: &[Source] = &[
    balancer(Layout::AlbConnection, "123456789012", SHOP),
    balancer(Layout::AlbConnection, "111122223333", BACK),
];

/// Buckets whose access logs are JSON, some with the text lines of the same requests.
pub(crate) const JSON_SITES: &[Source] = &[
    Source {
        layout: Layout::AccessJson,
        account: "123456789012",
        region: "ap-northeast-2",
        bucket: Some("web-kr"),
    },
    Source {
        layout: Layout::AccessJson,
        account: "111122223333",
        region: "us-east-1",
        bucket: Some("media"),
    },
];

/// Web ACLs, the busiest first. The bucket is the name of the web ACL.
pub(crate) const ACLS: &[Source] = &[
    Source {
        layout: Layout::Waf,
        account: "123456789012",
        region: "ap-northeast-2",
        bucket: Some("shop_web"),
    },
    Source { layout: Layout::Waf, account: "111122223333", region: "cloudfront", bucket: Some("site") },
    Source { layout: Layout::WafStream, account: "123456789012", region: "us-east-1", bucket: Some("api") },
];

/// VPCs, the busiest first, and a Route 53 Profile. The bucket is the id of the VPC or the profile.
pub(crate) const VPCS: &[Source] = &[
    Source {
        layout: Layout::Resolver,
        account: "123456789012",
        region: "ap-northeast-2",
        bucket: Some("vpc-0123456789abcdef0"),
    },
    Source {
        layout: Layout::Resolver,
        account: "111122223333",
        region: "us-east-1",
        bucket: Some("vpc-0fedcba9876543210"),
    },
    Source {
        layout: Layout::Resolver,
        account: "123456789012",
        region: "ap-northeast-2",
        bucket: Some("rp-4987774726example"),
    },
];

/// Network Load Balancers.
pub(crate) const EDGES: &[Source] = &[
    balancer(Layout::NlbAccess, "123456789012", "net.edge.c6e77e28c25b2234"),
    balancer(Layout::NlbAccess, "111122223333", "net.mqtt.0a1b2c3d4e5f6071"),
];

/// Classic Load Balancers, the first for HTTP and the second for TCP too.
pub(crate) const CLASSICS: &[Source] = &[
    balancer(Layout::ClbAccess, "123456789012", "old-web"),
    balancer(Layout::ClbAccess, "111122223333", "old-gateway"),
];

const SHOP: &str = "app.shop.50dc6c495c0c9188";
const BACK: &str = "app.back-office.9b1c6d2e8f7a0345";

const fn balancer(layout: Layout, account: &'static str, name: &'static str) -> Source {
    Source { layout, account, region: "ap-northeast-2", bucket: Some(name) }
}

/// The length of the intervals of load balancers.
const INTERVAL: i64 = 5 * MINUTE;

impl Layout {
    /// Returns the maximum time span of the events in an object, in seconds.
    pub(crate) fn longest(self) -> i64 {
        match self {
            Self::CloudTrail => 10 * MINUTE,
            Self::AlbAccess
            | Self::AlbConnection
            | Self::NlbAccess
            | Self::Waf
            | Self::WafStream
            | Self::Resolver => INTERVAL,
            Self::Simple | Self::Partitioned | Self::AccessJson | Self::ClbAccess => HOUR,
        }
    }

    /// Returns the time by which the events of an object must end if they start at `from`.
    pub(crate) fn limit(self, from: i64) -> i64 {
        match self {
            Self::Partitioned => (from.div_euclid(DAY) + 1) * DAY,
            Self::AlbAccess | Self::AlbConnection | Self::NlbAccess | Self::Waf | Self::Resolver => {
                (from.div_euclid(INTERVAL) + 1) * INTERVAL
            }
            Self::ClbAccess => (from.div_euclid(HOUR) + 1) * HOUR,
            Self::CloudTrail | Self::Simple | Self::AccessJson | Self::WafStream => i64::MAX,
        }
    }

    /// Returns the seconds from the newest event to the delivery.
    pub(crate) fn delay(self, rng: &mut Rng) -> i64 {
        let (least, most) = match self {
            Self::Resolver => return 0,
            Self::CloudTrail => (5, 15),
            _ => (20, 90),
        };
        rng.i64(least * MINUTE..most * MINUTE)
    }

    /// Returns the time in the name of an object.
    pub(crate) fn stamp(self, from: i64, to: i64, delay: i64) -> i64 {
        match self {
            Self::CloudTrail => (to + delay).div_euclid(MINUTE) * MINUTE,
            Self::Simple => to + delay,
            Self::Partitioned => from.div_euclid(DAY) * DAY,
            Self::Waf => from.div_euclid(INTERVAL) * INTERVAL,
            Self::WafStream => from,
            // Some records are delayed.
            Self::Resolver => (from + delay).div_euclid(INTERVAL) * INTERVAL,
            Self::AccessJson => 0,
            Self::AlbAccess | Self::AlbConnection | Self::NlbAccess => -(-to).div_euclid(INTERVAL) * INTERVAL,
            // An upload is logged when it is complete, under the time at which it began.
            Self::ClbAccess => -(-to - delay).div_euclid(HOUR) * HOUR,
        }
    }

    /// Whether an import of the day reads an object with this time in its name.
    pub(crate) fn is_read(self, stamp: i64, day: i64) -> bool {
        let (first, end) = match self {
            Self::CloudTrail => (day, day + DAY + 6 * HOUR),
            Self::Simple => (day, day + 2 * DAY),
            Self::Partitioned => (day - DAY + 1, day + DAY),
            // An hour of events before and after the name.
            Self::Waf | Self::WafStream => (day - HOUR + 1, day + DAY + HOUR),
            Self::AccessJson => (0, 1),
            // Six hours of events before the name, and one after it.
            Self::Resolver => (day - HOUR + 1, day + DAY + 6 * HOUR),
            // An hour of events before the name, and ten minutes after it.
            Self::AlbAccess | Self::AlbConnection | Self::NlbAccess => {
                (day - 10 * MINUTE + 1, day + DAY + HOUR)
            }
            // Three hours before the name.
            Self::ClbAccess => (day - 10 * MINUTE + 1, day + DAY + 3 * HOUR),
        };
        (first..end).contains(&stamp)
    }

    /// Whether equal rows in different places are different rows.
    pub(crate) fn has_places(self) -> bool {
        self == Self::Resolver
    }

    /// Whether an import may read the object because its name can also mean a delivery at midnight.
    pub(crate) fn may_be_read(self, stamp: i64, day: i64) -> bool {
        self == Self::Partitioned && (day..day + 2 * DAY).contains(&stamp)
    }
}

impl Source {
    /// Returns a new object key, below the output folder.
    pub(crate) fn object(&self, stamp: i64, rng: &mut Rng) -> String {
        let Self { account, region, .. } = self;
        let (bucket, folder) = (self.bucket.unwrap_or_default(), folder(stamp));
        let second = iso(stamp)[..19].replace(['T', ':'], "-");
        let (mut id, mut hex) = (String::new(), String::new());
        random(&mut id, rng, ALPHANUMERIC, 16);
        random(&mut hex, rng, HEX, 16);
        match self.layout {
            Layout::CloudTrail => {
                let name = format!("{account}_CloudTrail_{region}_{}_{id}.json.gz", minute(stamp));
                format!("{ORGANISATION}/{account}/CloudTrail/{region}/{folder}/{name}")
            }
            Layout::AlbAccess | Layout::AlbConnection | Layout::NlbAccess | Layout::ClbAccess => {
                let kind = if self.layout == Layout::AlbConnection { "conn_log_" } else { "" };
                let name =
                    format!("{kind}{account}_elasticloadbalancing_{region}_{bucket}_{}", minute(stamp));
                let end = match self.layout {
                    Layout::NlbAccess => format!("{}.log.gz", &hex[..8].to_lowercase()),
                    Layout::ClbAccess => format!("198.51.100.9_{}.log", &id[..8]),
                    _ => format!("198.51.100.9_{}.log.gz", &id[..8]),
                };
                format!("AWSLogs/{account}/elasticloadbalancing/{region}/{folder}/{name}_{end}")
            }
            Layout::AccessJson => {
                format!("AWSLogs/{account}/S3ServerAccessLogs/{region}/{bucket}/{id}.log.gz")
            }
            Layout::Waf => {
                let name = format!(
                    "{account}_waflogs_{region}_{bucket}_{}_{}.log.gz",
                    minute(stamp),
                    hex[..8].to_lowercase()
                );
                let time = &second[11..16].replace('-', "/");
                format!("AWSLogs/{account}/WAFLogs/{region}/{bucket}/{folder}/{time}/{name}")
            }
            Layout::WafStream => {
                let hour = &second[11..13];
                let hex = hex.to_lowercase();
                let unique = format!("{}-{}-4a1b-9c2d-{}e5f6", &hex[..8], &hex[8..12], &hex[4..12]);
                format!("firehose/{folder}/{hour}/aws-waf-logs-{bucket}-1-{second}-{unique}.gz")
            }
            Layout::Resolver => {
                let name = format!("{bucket}_vpcdnsquerylogs_{account}_{}", minute(stamp));
                let hash = hex[..8].to_lowercase();
                format!("AWSLogs/{account}/vpcdnsquerylogs/{bucket}/{folder}/{name}_{hash}.log.gz")
            }
            Layout::Simple => format!("s3-access/simple/web-{second}-{hex}"),
            Layout::Partitioned => {
                format!("s3-access/partitioned/{account}/{region}/{bucket}/{folder}/{second}-{hex}")
            }
        }
    }
}

//! Rows: their numbers, and the random values of each row.
//!
//! The values are chosen before the template is filled, so that all words of a template describe the same request.

use fastrand::Rng;

use crate::choices::{AGENTS, BASE64, BUCKETS, CIPHERS, KEYS, NETWORKS, UPPER, at, pick, random, zipf};
use crate::clock::HOUR;
use crate::sources::Source;

/// Size and spread of a table.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) rows: u64,
    pub(crate) objects: u64,
    /// The numbers of principals, addresses and stored objects.
    principals: u64,
    addresses: u64,
    keys: u64,
    /// One row in this many is a copy of another.
    pub(crate) copies: u64,
}

/// Loads of the presets: `CloudTrail`, then access lines.
pub(crate) const SAMPLE: [Load; 2] = [
    Load { rows: 1400, objects: 18, principals: 24, addresses: 60, keys: 400, copies: 50 },
    Load { rows: 600, objects: 18, principals: 24, addresses: 60, keys: 400, copies: 50 },
];
/// Loads of load balancers: access and connection lines of ALB, then access lines of NLB and of Classic Load Balancers.
pub(crate) const BALANCED: [Load; 4] = [
    Load { rows: 480, objects: 24, principals: 24, addresses: 60, keys: 400, copies: 50 },
    Load { rows: 240, objects: 24, principals: 24, addresses: 60, keys: 400, copies: 50 },
    Load { rows: 240, objects: 12, principals: 24, addresses: 60, keys: 400, copies: 50 },
    Load { rows: 200, objects: 12, principals: 24, addresses: 60, keys: 400, copies: 50 },
];
/// The loads of AWS WAF, of Route 53 Resolver, and of access logs in JSON.
pub(crate) const OF_ACLS: Load =
    Load { rows: 320, objects: 20, principals: 24, addresses: 40, keys: 400, copies: 50 };
pub(crate) const OF_VPCS: Load =
    Load { rows: 320, objects: 20, principals: 24, addresses: 40, keys: 60, copies: 20 };
pub(crate) const OF_JSON: Load =
    Load { rows: 120, objects: 8, principals: 24, addresses: 40, keys: 400, copies: 50 };
pub(crate) const BENCH: [Load; 2] = [
    Load { rows: 617_000, objects: 500, principals: 100, addresses: 1000, keys: 50_000, copies: 1000 },
    Load { rows: 1_870_000, objects: 2000, principals: 400, addresses: 20_000, keys: 500_000, copies: 1000 },
];

/// The values of a row, chosen before its template is filled.
pub(crate) struct Row<'a> {
    pub(crate) rng: &'a mut Rng,
    pub(crate) source: &'static Source,
    pub(crate) time: i64,
    pub(crate) bucket: &'static str,
    /// The numbers of the principal and the stored object.
    pub(crate) who: u64,
    pub(crate) object: u64,
    pub(crate) address: String,
    pub(crate) agent: &'static str,
    pub(crate) tls: (&'static str, &'static str),
    pub(crate) size: u64,
    pub(crate) request: String,
    pub(crate) host: String,
}

impl Row<'_> {
    /// Returns the key of the stored object.
    pub(crate) fn key(&self) -> String {
        let number = format!("{:08x}", self.object.wrapping_mul(2_654_435_761) & 0xffff_ffff);
        at(KEYS, self.object).replace('#', &number)
    }

    /// Returns the start of the session: a full hour within the last four hours.
    pub(crate) fn began(&self) -> i64 {
        let back = i64::try_from(self.who % 4).expect("below four") * HOUR;
        self.time - self.time.rem_euclid(HOUR) - back
    }
}

/// A finished row.
#[derive(Clone)]
pub(crate) struct GeneratedRow {
    pub(crate) text: String,
    pub(crate) time: i64,
    /// Whether the row was delivered before.
    pub(crate) copy: bool,
}

/// Chooses the values of a row.
pub(crate) fn roll<'a>(rng: &'a mut Rng, source: &'static Source, load: Load, time: i64) -> Row<'a> {
    let bucket = source.bucket.unwrap_or_else(|| pick(rng, BUCKETS));
    let who = zipf(rng, load.principals);
    let (mut request, mut host) = (String::new(), String::new());
    random(&mut request, rng, UPPER, 16);
    random(&mut host, rng, BASE64, 75);
    host.push('=');
    let scale = 1 << rng.u64(6..25);
    Row {
        source,
        time,
        bucket,
        who,
        object: zipf(rng, load.keys),
        address: address(zipf(rng, load.addresses)),
        agent: at(AGENTS, who),
        tls: pick(rng, CIPHERS),
        size: scale + rng.u64(0..scale),
        request,
        host,
        rng,
    }
}

/// Returns the n-th client address. One in sixteen is IPv6.
fn address(number: u64) -> String {
    if number % 16 == 9 {
        return format!("2001:db8:{:x}::{:x}", number % 7 + 1, number + 0x100);
    }
    format!("{}.{}", at(NETWORKS, number), number / 3 % 254 + 1)
}

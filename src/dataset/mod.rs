//! The log types: one folder for each, the contract that all implement, and the list.
//!
//! A log type knows the names of its raw objects, the meaning of a record and its columns. It knows no file, no store and
//! no catalog. `docs/adding-a-log-type.md` shows how to add one: implement [`Dataset`] and list it in this file, or pass
//! it to [`register`] from a program that embeds logmill.

mod alb_access;
mod alb_connection;
mod clb_access;
mod cloudfront;
pub mod cloudtrail;
mod elb_keys;
mod elb_log_type;
mod headed_fields;
mod headed_log_type;
mod json_fields;
mod key_origin;
pub mod lines;
mod log_type;
mod nlb_access;
pub mod object_key;
mod placed;
mod records;
mod resolver_query;
pub mod s3_access;
mod scan;
mod secrets;
mod service_folder;
mod service_name;
mod table_shape;
mod text_fields;
mod vpc_flow;
mod waf;

pub use key_origin::KeyOrigin;
pub use log_type::LogType;
pub use object_key::{FolderDates, KeyClaim, KeyTime, TimeInKey};
pub use service_folder::service_of;
pub use table_shape::TableShape;

use std::fmt;
use std::sync::OnceLock;

use crate::error::{Error, ErrorKind, Result};
use crate::nearest::did_you_mean;
use crate::table::{Identifier, Naming, Promotion, Rows, TableSchema};

/// The log types that are part of logmill.
static BUILT_IN: [&dyn Dataset; 10] = [
    &cloudtrail::CloudTrail,
    &s3_access::S3Access,
    &alb_access::ALB_ACCESS,
    &alb_connection::ALB_CONNECTION,
    &nlb_access::NLB_ACCESS,
    &clb_access::CLB_ACCESS,
    &cloudfront::CLOUDFRONT,
    &vpc_flow::VPC_FLOW,
    &waf::Waf,
    &resolver_query::ResolverQuery,
];

/// The log types of a program that embeds logmill: the only global state of the crate.
static REGISTERED: OnceLock<&'static [&'static dyn Dataset]> = OnceLock::new();

/// A log type.
///
/// ```
/// use logmill::dataset::{self, KeyClaim};
/// use logmill::table::Naming;
///
/// let access = dataset::require("s3-access")?;
/// assert!(matches!(access.claim("logs/2023-11-01-00-22-33-23B392B734E22958"), KeyClaim::Mine(_)));
/// assert_eq!(access.claim("logs/readme.txt"), KeyClaim::Unclear);
/// assert_eq!(access.schema(Naming::Snake, &[]).columns[1].name, "bucket");
/// # Ok::<(), logmill::error::Error>(())
/// ```
pub trait Dataset: fmt::Debug + Send + Sync {
    /// The name on the command line, in plans and in manifests.
    fn name(&self) -> &'static str;

    /// The name of its table, if the user gives none.
    fn default_table(&self) -> &'static str;

    /// The lateness of objects if the user sets none: how many hours after the end of a day they can still arrive.
    fn default_lateness_hours(&self) -> u32;

    /// The [rules](crate::rules::RedactRules) for values that are masked unless the user turns them off.
    fn default_redactions(&self) -> &'static [&'static str] {
        &[]
    }

    /// The fewest bytes, unpacked, of a row that is not rejected.
    fn min_row_bytes(&self) -> u64;

    /// Decides by its path alone whether an object belongs to this log type. The path includes the folders above the
    /// input, as far as they are known.
    fn claim(&self, path: &str) -> KeyClaim;

    /// Returns the place of the time in the name of an object, if names sort by it.
    fn time_in_key(&self, key: &str) -> Option<TimeInKey>;

    /// Whether AWS divides a folder by dates, `YYYY/MM/DD` or `year=YYYY/month=MM/day=DD`, judged by its path alone. The
    /// folder may hold more than the folders of the years, and those of the days may hold folders of hours.
    fn holds_days(&self, folder: &str) -> bool;

    /// Whether the folders of dates also hold objects that this log type does not read: logs of other types, or deliveries in
    /// another form. A folder of another date then does not prove that its logs occur.
    fn shares_folders(&self) -> bool {
        false
    }

    /// Whether each folder below such a folder whose name is a year holds that year, because only AWS chooses names there.
    /// Otherwise a listing looks into the folder for months.
    fn holds_years(&self, folder: &str) -> bool {
        self.holds_days(folder)
    }

    /// The services of AWS whose logs are of this type, by the names of their folders. A command names the other services
    /// that it finds.
    fn services(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether digests can name and hash all log files of this type.
    fn has_digests(&self) -> bool {
        false
    }

    /// Whether a path is that of a digest, or of a folder of digests, which names and hashes the log files of this type. The
    /// path of a folder ends with `/`.
    fn is_digest(&self, _path: &str) -> bool {
        false
    }

    /// Returns the account, region and bucket that the path of a log shows. `logmill discover` prints them.
    fn origin<'k>(&self, _path: &'k str) -> KeyOrigin<'k> {
        KeyOrigin::default()
    }

    /// Whether the first bytes of an object, decompressed, look like this log type. Asked if the key is
    /// [unclear](KeyClaim::Unclear).
    fn recognises(&self, head: &[u8]) -> bool;

    /// Returns the columns, including those for the JSON values that the user promotes.
    fn schema(&self, naming: Naming, promoted: &[Promotion]) -> TableSchema;

    /// Returns a decoder for a table of this log type.
    fn decoder(&self, schema: &TableSchema, limits: DecodeLimits) -> Box<dyn Decoder>;
}

/// Turns the bytes of objects into rows. It does no I/O.
///
/// The caller pushes bytes: [`decode`](Self::decode) takes the complete rows and returns how many bytes it used. The next
/// call repeats the unused bytes, with more behind them. One decoder serves many objects in turn.
///
/// ```
/// use logmill::dataset::{self, DecodeLimits};
/// use logmill::kst::DayRange;
/// use logmill::table::{Naming, Rows};
///
/// let access = dataset::require("s3-access")?;
/// let schema = access.schema(Naming::Snake, &[]);
/// let mut decoder = access.decoder(&schema, DecodeLimits::ATHENA);
/// let mut rows = Rows::new(schema.decoded(), [0; 4]);
///
/// decoder.begin("logs/2023-11-01-00-22-33-23B392B734E22958");
/// rows.begin_object(0, DayRange::EVER);
/// let bytes = b"not an access log line\nthe second line is";
/// let used = decoder.decode(bytes, &mut rows);
/// assert_eq!(used, 23, "the second line is not complete");
/// decoder.finish(&bytes[used..], &mut rows);
/// assert_eq!((rows.ledger().read, rows.ledger().quarantined), (2, 2));
/// # Ok::<(), logmill::error::Error>(())
/// ```
pub trait Decoder: Send {
    /// Begins a new object. Its key is relative to the input, so that only its name is certain to be there. A name can hold
    /// values that its rows lack, and it distinguishes equal rows of different objects.
    fn begin(&mut self, key: &str);

    /// Decodes the complete rows at the front of `bytes` and returns the number of bytes used. Once `rows` is
    /// [full of rejections](Rows::is_full_of_rejections), it stops after the next rejection, even if complete rows are
    /// left.
    fn decode(&mut self, bytes: &[u8], rows: &mut Rows) -> usize;

    /// Ends the object. `rest` is what [`decode`](Self::decode) did not use.
    fn finish(&mut self, rest: &[u8], rows: &mut Rows);

    /// Returns the number of the next record or line, from 1.
    fn next_record(&self) -> u32;
}

/// Limits on what a decoder accepts.
#[derive(Debug, Clone, Copy)]
pub struct DecodeLimits {
    /// Longer records and lines are rejected.
    pub max_record_bytes: usize,
}

impl DecodeLimits {
    /// The limits of Athena, which reads no row beyond 32 MiB.
    pub const ATHENA: Self = Self { max_record_bytes: 32 << 20 };
}

/// Adds log types to those that are part of logmill. Call it once, before any other function of the crate.
///
/// Fails if it was called before, or if a name or a default table is taken.
pub fn register(datasets: &'static [&'static dyn Dataset]) -> Result<()> {
    let known = || BUILT_IN.iter().chain(datasets);
    for dataset in datasets {
        let clashes = |other: &&&dyn Dataset| {
            other.name() == dataset.name() || other.default_table() == dataset.default_table()
        };
        if dataset.name() == ALL_LOG_TYPES || known().filter(clashes).count() > 1 {
            return Err(Error::bug("cannot register the log type: its name or table is taken")
                .with("dataset", dataset.name())
                .with("table", dataset.default_table()));
        }
    }
    REGISTERED.set(datasets).map_err(|_| Error::bug("log types were registered twice"))
}

/// The word on the command line for every log type.
pub const ALL_LOG_TYPES: &str = "all";

/// Returns every log type that this program knows.
pub fn all() -> impl Iterator<Item = &'static dyn Dataset> + Clone {
    BUILT_IN.iter().chain(REGISTERED.get().into_iter().copied().flatten()).copied()
}

/// Returns the names of all log types in one text: `cloudtrail, s3-access, ...`.
#[must_use]
pub fn names() -> String {
    all().map(Dataset::name).collect::<Vec<_>>().join(", ")
}

/// Returns the kinds of ids that the columns of all log types declare, without repetitions.
#[must_use]
pub fn identifiers() -> Vec<Identifier> {
    let mut known = Vec::new();
    for dataset in all() {
        for declared in dataset.schema(Naming::Snake, &[]).identifiers() {
            if !known.contains(&declared) {
                known.push(declared);
            }
        }
    }
    known
}

/// Finds a log type by its name in a plan, a manifest or a run record, which a newer version may have written.
pub fn require(name: &str) -> Result<&'static dyn Dataset> {
    named(name).ok_or_else(|| {
        unknown(ErrorKind::Unusable, name)
            .with("known", names())
            .hint("use the version of logmill that wrote it")
    })
}

/// Finds a log type by the name that the user typed.
pub fn chosen(name: &str) -> Result<&'static dyn Dataset> {
    spelled(name).ok_or_else(|| {
        let meant = meant(&plain(name));
        unknown(ErrorKind::Usage, name).hint(format!("expected one of {}{meant}", names()))
    })
}

/// Returns the question for a name of no log type, to append to a message: the log types of that service, or the nearest name.
pub(crate) fn meant(name: &str) -> String {
    let of_service = |dataset: &&dyn Dataset| dataset.name().split('-').next() == Some(name);
    let names: Vec<String> =
        all().filter(of_service).map(|dataset| format!("'{}'", dataset.name())).collect();
    match names.as_slice() {
        [] | [_] => did_you_mean(name, all().map(Dataset::name)),
        several => format!("; did you mean {}?", several.join(" or ")),
    }
}

/// Finds a log type by its name in any spelling: `s3-access`, `s3_access` or `S3-Access`.
#[must_use]
pub fn spelled(name: &str) -> Option<&'static dyn Dataset> {
    all().find(|dataset| plain(dataset.name()) == plain(name))
}

/// Returns a name in lower case, with `-` between its words.
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

fn unknown(kind: ErrorKind, name: &str) -> Error {
    Error::new(kind, format!("unknown log type '{name}'"))
}

/// Finds a log type by its name.
#[must_use]
pub fn named(name: &str) -> Option<&'static dyn Dataset> {
    all().find(|dataset| dataset.name() == name)
}

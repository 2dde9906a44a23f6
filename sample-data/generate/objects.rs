//! Plans of objects, and the extra objects of the sample day.
//!
//! The extra objects test how an import handles adjacent days and damage: objects to skip by name, objects that span the
//! start or the end of the day, late objects, and one object with each kind of damage.

use crate::clock::{DAY, MINUTE};
use crate::rows::GeneratedRow;
use crate::sources::Source;

/// The peculiarity of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No peculiarity.
    Plain,
    /// Delivered a second time under another name.
    Twice,
    /// Truncated gzip.
    Truncated,
    /// Two extra elements that are not usable records.
    Unusable,
    /// Two gzip members with one document each.
    Members,
    /// Another key before `Records`.
    Reordered,
    /// Lines end with CR LF.
    Crlf,
    /// The last line has no line break.
    Unended,
    /// Blank lines between the lines.
    Blank,
    /// One line cut inside its requester and joined with the next line.
    Torn,
    /// One line that is not an access line.
    Garbage,
}

/// The plan of an object.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) source: usize,
    /// The time in its name.
    pub(crate) stamp: i64,
    /// The earliest event time.
    pub(crate) from: i64,
    /// The end of the event times, exclusive.
    pub(crate) to: i64,
    pub(crate) rows: u64,
    pub(crate) kind: Kind,
}

/// An extra object of the sample day. Times are minutes from the start of the day.
pub(crate) struct Extra(usize, i64, i64, i64, u64, Kind);

/// Extra objects of `CloudTrail`: source, first and last event minute, delivery delay, rows, kind.
pub(crate) const EXTRA_RECORDS: &[Extra] = &[
    // Skipped by name: delivered before the day, or more than six hours after it.
    Extra(0, -75, -62, 12, 6, Kind::Plain),
    Extra(1, -20, -11, 6, 6, Kind::Plain),
    Extra(1, 1790, 1800, 8, 6, Kind::Plain),
    // Read, but all rows are of the day before or after.
    Extra(0, -9, -1, 5, 8, Kind::Plain),
    Extra(0, 1500, 1510, 8, 8, Kind::Plain),
    // Rows before and after the start or the end of the day.
    Extra(0, -6, 5, 6, 16, Kind::Plain),
    Extra(2, -3, 4, 9, 10, Kind::Plain),
    Extra(0, 1433, 1443, 5, 16, Kind::Plain),
    // Delivered more than 15 hours late.
    Extra(2, 720, 721, 939, 8, Kind::Plain),
    Extra(0, 300, 304, 7, 10, Kind::Twice),
    Extra(0, 420, 424, 6, 10, Kind::Truncated),
    Extra(1, 500, 505, 9, 8, Kind::Unusable),
    Extra(0, 610, 618, 6, 12, Kind::Members),
    Extra(3, 800, 805, 7, 8, Kind::Reordered),
];

/// Extra objects of access lines, in the same form. The delay is ignored if folders are event days.
pub(crate) const EXTRA_LINES: &[Extra] = &[
    // Skipped by name or folder: before the day, or more than 24 hours after it.
    Extra(0, -150, -100, 60, 2, Kind::Plain),
    Extra(0, 2820, 2860, 30, 2, Kind::Plain),
    Extra(1, -1620, -1500, 0, 2, Kind::Plain),
    Extra(3, 2040, 2100, 0, 2, Kind::Plain),
    // Read, but all rows are of the day before or after.
    Extra(0, -60, -5, 25, 6, Kind::Plain),
    Extra(2, 1640, 1700, 40, 4, Kind::Plain),
    Extra(1, -600, -60, 0, 6, Kind::Plain),
    Extra(1, 1700, 1900, 0, 6, Kind::Plain),
    // Rows before and after the start or the end of the day.
    Extra(0, -40, 30, 40, 12, Kind::Plain),
    Extra(0, 1410, 1455, 30, 12, Kind::Plain),
    Extra(1, -30, 30, 0, 10, Kind::Plain),
    Extra(3, 1410, 1470, 0, 10, Kind::Plain),
    // Delivered ten hours after the end of the day.
    Extra(0, 600, 700, 1340, 8, Kind::Plain),
    Extra(0, 200, 230, 35, 8, Kind::Crlf),
    Extra(0, 260, 280, 35, 6, Kind::Unended),
    Extra(2, 330, 350, 50, 6, Kind::Blank),
    Extra(0, 450, 470, 45, 8, Kind::Torn),
    Extra(3, 880, 900, 0, 6, Kind::Garbage),
];

/// Extra objects of load balancers. The delay is ignored: names are the ends of five minutes.
pub(crate) const EXTRA_OF_BALANCERS: &[Extra] = &[
    // Skipped by name: ten minutes before the day, and an hour after it.
    Extra(0, -30, -25, 0, 3, Kind::Plain),
    Extra(1, 1500, 1505, 0, 3, Kind::Plain),
    // Read, but all rows are of the day before or after.
    Extra(0, -5, 0, 0, 4, Kind::Plain),
    Extra(1, 1470, 1475, 0, 4, Kind::Plain),
    // Rows before and after the start or the end of the day.
    Extra(0, -3, 2, 0, 8, Kind::Plain),
    Extra(1, 1437, 1442, 0, 8, Kind::Plain),
    Extra(0, 200, 205, 0, 6, Kind::Crlf),
    Extra(0, 260, 265, 0, 5, Kind::Unended),
    Extra(1, 330, 335, 0, 5, Kind::Blank),
    Extra(0, 450, 455, 0, 6, Kind::Torn),
    Extra(1, 880, 885, 0, 5, Kind::Garbage),
    Extra(0, 900, 905, 0, 5, Kind::Twice),
];

/// Extra objects of AWS WAF. The delay is ignored: names are the starts of five minutes.
pub(crate) const EXTRA_OF_ACLS: &[Extra] = &[
    // Skipped by name: more than an hour before and after the day.
    Extra(0, -90, -86, 0, 3, Kind::Plain),
    Extra(2, 1501, 1505, 0, 3, Kind::Plain),
    // Read, but all rows are of the day before or after.
    Extra(0, -20, -16, 0, 4, Kind::Plain),
    Extra(1, 1470, 1474, 0, 4, Kind::Plain),
    // Rows before and after the start or the end of the day.
    Extra(0, -3, 2, 0, 8, Kind::Plain),
    Extra(2, 1437, 1442, 0, 8, Kind::Plain),
    Extra(0, 200, 205, 0, 6, Kind::Crlf),
    Extra(0, 260, 265, 0, 5, Kind::Unended),
    Extra(1, 330, 335, 0, 5, Kind::Blank),
    Extra(0, 450, 455, 0, 6, Kind::Torn),
    Extra(1, 880, 885, 0, 5, Kind::Garbage),
    Extra(2, 900, 905, 0, 5, Kind::Twice),
];

/// Extra objects of Route 53 Resolver. Names are the starts of five minutes, after the delay.
pub(crate) const EXTRA_OF_VPCS: &[Extra] = &[
    // Skipped by name: more than an hour before the day, and more than six hours after it.
    Extra(0, -90, -86, 0, 3, Kind::Plain),
    Extra(1, 1801, 1805, 0, 3, Kind::Plain),
    // Read, but all rows are of the day before or after.
    Extra(0, -20, -16, 0, 4, Kind::Plain),
    Extra(1, 1470, 1474, 0, 4, Kind::Plain),
    // Rows before and after the start or the end of the day, and delayed rows.
    Extra(0, -3, 2, 0, 8, Kind::Plain),
    Extra(2, 1437, 1442, 0, 8, Kind::Plain),
    Extra(0, 1425, 1428, 180, 4, Kind::Plain),
    Extra(0, 200, 205, 0, 6, Kind::Crlf),
    Extra(0, 260, 265, 0, 5, Kind::Unended),
    Extra(1, 330, 335, 0, 5, Kind::Blank),
    Extra(0, 450, 455, 0, 6, Kind::Torn),
    Extra(1, 880, 885, 0, 5, Kind::Garbage),
    Extra(2, 900, 905, 0, 5, Kind::Twice),
];

/// Extra objects of access logs in JSON. Names have no time, so all are read.
pub(crate) const EXTRA_OF_JSON: &[Extra] = &[
    Extra(0, -60, -5, 0, 4, Kind::Plain),
    Extra(1, 1430, 1455, 0, 8, Kind::Plain),
    Extra(0, 200, 230, 0, 6, Kind::Crlf),
    Extra(0, 260, 280, 0, 5, Kind::Unended),
    Extra(1, 330, 350, 0, 5, Kind::Blank),
    Extra(0, 450, 470, 0, 6, Kind::Torn),
    Extra(0, 600, 620, 0, 5, Kind::Twice),
];

/// Extra objects of Classic Load Balancers, whose names are the ends of hours.
pub(crate) const EXTRA_OF_CLASSICS: &[Extra] = &[
    // Skipped by name: an hour before the day, and four hours after it.
    Extra(0, -90, -70, 0, 3, Kind::Plain),
    Extra(1, 1625, 1660, 0, 3, Kind::Plain),
    // Read, but all rows are of the day before or after.
    Extra(0, -15, 0, 0, 4, Kind::Plain),
    Extra(1, 1470, 1490, 0, 4, Kind::Plain),
    // Rows before and after the start or the end of the day, and rows of the day two hours after its end.
    Extra(0, -9, 9, 0, 8, Kind::Plain),
    Extra(1, 1430, 1450, 0, 8, Kind::Plain),
    Extra(0, 1425, 1435, 110, 4, Kind::Plain),
    Extra(0, 200, 225, 0, 6, Kind::Crlf),
    Extra(0, 260, 285, 0, 5, Kind::Unended),
    Extra(1, 330, 345, 0, 5, Kind::Blank),
    Extra(0, 450, 475, 0, 6, Kind::Torn),
    Extra(1, 880, 895, 0, 5, Kind::Garbage),
    Extra(0, 900, 925, 0, 5, Kind::Twice),
];

impl Plan {
    /// Whether the object can hold a row: the row must be of the UTC day on which the events of the object start.
    pub(crate) fn may_hold(&self, row: &GeneratedRow) -> bool {
        row.time.div_euclid(DAY) == self.from.div_euclid(DAY)
    }
}

impl Extra {
    /// Returns the plan of the object for a day.
    pub(crate) fn plan(&self, day: i64, sources: &[Source]) -> Plan {
        let &Self(source, first, last, delay, rows, kind) = self;
        let (from, to) = (day + first * MINUTE, day + last * MINUTE);
        let stamp = sources[source].layout.stamp(from, to, delay * MINUTE);
        Plan { source, stamp, from, to, rows, kind }
    }
}

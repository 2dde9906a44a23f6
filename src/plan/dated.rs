//! Inputs that are themselves the folder of a UTC date. A KST day needs two such folders.

use std::collections::BTreeSet;

use crate::kst::{Civil, DAY_MS, DayRange, UtcInstant, UtcWindow};

/// An input that covers only part of the days.
#[derive(Debug, PartialEq, Eq)]
pub struct DatedInput<'a> {
    /// The input, as configured.
    pub input: &'a str,
    /// The period of its folder: `date`, `month` or `year`.
    pub unit: &'static str,
    /// Folders of other UTC dates that the days need but no input covers.
    pub missing: Vec<String>,
}

/// Returns the inputs that end in `YYYY/MM/DD`, `YYYY/MM` or `YYYY`, or in the same parts as `year=YYYY/month=MM/day=DD`, and
/// whose days also need other dates.
#[must_use]
pub fn lone_dates(inputs: &[String], days: DayRange) -> Vec<DatedInput<'_>> {
    let dated: Vec<(&str, Dated<'_>)> =
        inputs.iter().filter_map(|input| Some((input.as_str(), Dated::of(input)?))).collect();
    let lone = dated.iter().filter_map(|(input, own)| {
        let covers =
            |date| dated.iter().any(|(_, other)| other.above == own.above && other.span.contains(date));
        let missing = days.window().utc_midnights().filter(|date| !covers(*date));
        let missing: BTreeSet<String> = missing.map(|date| own.beside(date)).collect();
        let missing = missing.into_iter().collect::<Vec<_>>();
        (!missing.is_empty()).then_some(DatedInput { input, unit: own.unit.0, missing })
    });
    lone.collect()
}

/// A calendar unit: its name and the number of its folders.
type Unit = (&'static str, usize);

/// The units of the folders `2023/11/01`, `2023/11` and `2023`.
const UNITS: [Unit; 3] = [("date", 3), ("month", 2), ("year", 1)];

/// The fronts of the folders of a date: none, or the keys that Hive needs.
const FRONTS: [[&str; 3]; 2] = [["", "", ""], ["year=", "month=", "day="]];

/// The date at the end of an address.
struct Dated<'a> {
    /// The text before the date.
    above: &'a str,
    /// The dates that it covers.
    span: UtcWindow,
    /// The unit of the date.
    unit: Unit,
    /// The fronts of its folders.
    fronts: [&'static str; 3],
    /// The slash at the end of the address, if any.
    slash: &'static str,
}

impl<'a> Dated<'a> {
    fn of(input: &'a str) -> Option<Self> {
        let address = input.trim_end_matches('/');
        let slash = if address.len() < input.len() { "/" } else { "" };
        let forms = UNITS.into_iter().flat_map(|unit| FRONTS.map(|fronts| (unit, fronts)));
        forms.into_iter().find_map(|(unit, fronts)| {
            let above = address.rmatch_indices('/').nth(unit.1 - 1).map_or(0, |(slash, _)| slash + 1);
            let (above, date) = address.split_at(above);
            let parts = date.split('/').zip(fronts);
            let plain = parts.map(|(part, front)| part.strip_prefix(front)).collect::<Option<Vec<_>>>()?;
            let span = span_of(&plain).filter(|_| plain.len() == unit.1)?;
            Some(Self { above, span, unit, fronts, slash })
        })
    }

    /// Returns the folder of the same kind for another date.
    fn beside(&self, date: UtcInstant) -> String {
        let date = &date.to_string()[..DATE_LENGTH];
        let parts = date.split('-').zip(self.fronts).take(self.unit.1);
        let folders: Vec<String> = parts.map(|(part, front)| format!("{front}{part}")).collect();
        format!("{}{}{}", self.above, folders.join("/"), self.slash)
    }
}

/// The length of `2023-11-01`.
const DATE_LENGTH: usize = 10;

/// Returns the dates that a year, month or day covers; `None` if any part of it is not such a number.
fn span_of(date: &[&str]) -> Option<UtcWindow> {
    let parts = date.iter().zip([4, 2, 2]);
    let numbers = parts.map(|(text, digits)| number(text, digits)).collect::<Option<Vec<u32>>>()?;
    let (year, month, day) = match numbers[..] {
        [year] => (year, None, None),
        [year, month] => (year, Some(month), None),
        [year, month, day] => (year, Some(month), Some(day)),
        _ => return None,
    };
    if !(2006..2100).contains(&year) {
        return None;
    }
    let starts = |year, month, day| Civil { year, month, day, ..Civil::default() }.to_utc();
    let start = starts(year, month.unwrap_or(1), day.unwrap_or(1))?;
    let end = match (month, day) {
        (Some(_), Some(_)) => start.plus_ms(DAY_MS),
        (Some(12), None) | (None, _) => starts(year + 1, 1, 1)?,
        (Some(month), None) => starts(year, month + 1, 1)?,
    };
    Some(UtcWindow { start, end })
}

fn number(text: &str, digits: usize) -> Option<u32> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(inputs: &[&str], (first, last): (&str, &str), expected: &[(&str, &[&str])]) {
        let inputs: Vec<String> = inputs.iter().map(|input| (*input).to_owned()).collect();
        let days = DayRange { first: first.parse().unwrap(), last: last.parse().unwrap() };
        let found = lone_dates(&inputs, days);
        let found: Vec<(&str, Vec<&str>)> = found
            .iter()
            .map(|dated| (dated.input, dated.missing.iter().map(String::as_str).collect()))
            .collect();
        let expected: Vec<(&str, Vec<&str>)> =
            expected.iter().map(|(input, missing)| (*input, missing.to_vec())).collect();
        assert_eq!(found, expected, "{inputs:?} for {first} to {last}");
    }

    #[test]
    fn the_folder_of_one_date_lacks_the_other_date_of_the_day() {
        let day = ("2023-11-01", "2023-11-01");
        check(&["/logs/2023/11/01"], day, &[("/logs/2023/11/01", &["/logs/2023/10/31"])]);
        check(&["s3://b/x/2023/10/31/"], day, &[("s3://b/x/2023/10/31/", &["s3://b/x/2023/11/01/"])]);
        check(&["2023/11/01"], day, &[("2023/11/01", &["2023/10/31"])]);
        let hive = ["s3://b/x/year=2023/month=10/day=31/", "s3://b/x/year=2023/month=11/day=01/"];
        check(&hive[..1], day, &[(hive[0], &hive[1..])]);
        check(&hive, day, &[]);
        check(&["year=2023/month=11"], day, &[("year=2023/month=11", &["year=2023/month=10"])]);
        check(&["/a/2023/11/05"], day, &[("/a/2023/11/05", &["/a/2023/10/31", "/a/2023/11/01"])]);
        check(&["/logs/2023/11/01", "/logs/2023/10/31/"], day, &[]);
        check(
            &["/a/2023/11/01", "/b/2023/10/31"],
            day,
            &[("/a/2023/11/01", &["/a/2023/10/31"]), ("/b/2023/10/31", &["/b/2023/11/01"])],
        );
    }

    #[test]
    fn the_folder_of_a_month_or_year_lacks_the_other_date_only_at_its_edge() {
        check(&["/logs/2023/11"], ("2023-11-01", "2023-11-01"), &[("/logs/2023/11", &["/logs/2023/10"])]);
        check(&["/logs/2023/11"], ("2023-11-02", "2023-11-30"), &[]);
        check(&["/logs/2023"], ("2023-12-31", "2024-01-01"), &[("/logs/2023", &["/logs/2024"])]);
        check(&["/logs/2023"], ("2023-02-01", "2023-12-31"), &[]);
        check(&["/logs/2023/12", "/logs/2024/01/01"], ("2024-01-01", "2024-01-01"), &[]);
        for (input, unit) in [("2023/11/01", "date"), ("2023/11", "month"), ("2023", "year")] {
            let inputs = [input.to_owned()];
            let days = DayRange::only("2024-03-05".parse().unwrap());
            assert_eq!(lone_dates(&inputs, days)[0].unit, unit);
        }
    }

    #[test]
    fn other_names_are_not_dates() {
        for input in [
            "/logs",
            "/logs/",
            "/",
            "",
            "s3://b",
            "/logs/2023/1/1",
            "/logs/9999",
            "/x2023/11/01",
            "/2023/13/01",
            "/2023/00",
            "/2023/1x",
            "/2023/11/0x",
            "/2023/02/30",
            "/logs/2023/trail",
            "/logs/2023/in",
            "/logs/2023//1",
            "/logs/2023/11/1/",
            "2023/1/1/a",
            "2023/11/x/",
            "2023/1101",
            "/logs/year=2023/11",
            "/logs/2023/month=11",
            "/logs/year=9999",
        ] {
            check(&[input], ("2024-03-05", "2024-03-05"), &[]);
        }
    }
}

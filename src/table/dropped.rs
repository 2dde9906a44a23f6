//! Columns that users leave out of the published files.
//!
//! A dropped column is decoded, and filters see it, but it is not written. Columns that give a row its place, time or id
//! cannot be dropped.

use std::borrow::Cow;

use super::column::{Column, Origin, TableSchema};
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::did_you_mean;

impl TableSchema {
    /// Returns the columns without the named ones. Names are those in `snake_case`. A column that is needed is kept whatever
    /// the names say, because they can come from a file that was changed.
    #[must_use]
    pub fn without(&self, dropped: &[String]) -> Self {
        let is_kept = |place: usize| {
            let column = &self.columns[place];
            self.why_needed(place).is_some() || !dropped.iter().any(|name| *name == column.name)
        };
        let kept: Vec<usize> = (0..self.columns.len()).filter(|place| is_kept(*place)).collect();
        let place_of = |place: &usize| kept.binary_search(place).expect("a needed column is kept");
        Self {
            columns: kept.iter().map(|place| self.columns[*place].clone()).collect(),
            event_time: place_of(&self.event_time),
            cluster: self.cluster.iter().map(place_of).collect(),
            naming: self.naming,
        }
    }

    /// Returns the `snake_case` names of columns to drop, in the order of the table. Both namings of a column are accepted.
    /// Fails if the table has no such column, or if it needs the column.
    pub fn droppable(&self, names: &[String]) -> Result<Vec<String>> {
        let mut places = names.iter().map(|name| self.droppable_place(name)).collect::<Result<Vec<_>>>()?;
        places.sort_unstable();
        places.dedup();
        Ok(places.into_iter().map(|place| self.columns[place].name.to_string()).collect())
    }

    fn droppable_place(&self, name: &str) -> Result<usize> {
        let refused = |why: String| {
            Error::new(ErrorKind::Usage, format!("cannot drop column '{name}': {why}"))
                .hint("'logmill schema' lists the columns")
        };
        let Some(place) = self.named(name).and_then(|column| self.position(&column.name)) else {
            let names: Vec<Cow<'_, str>> =
                self.columns.iter().map(|column| column.named(self.naming)).collect();
            let meant = did_you_mean(name, names.iter().map(AsRef::as_ref));
            return Err(refused(format!("the table has no such column{meant}")));
        };
        match self.why_needed(place) {
            Some(why) => Err(refused(why.to_owned())),
            None => Ok(place),
        }
    }

    /// Returns why a table needs a column.
    fn why_needed(&self, place: usize) -> Option<&'static str> {
        let Column { origin, identifies, .. } = &self.columns[place];
        if place == self.event_time || *origin == Origin::EventTimeKst {
            return Some("it is the event time, which decides the day of a row");
        }
        if self.cluster.contains(&place) {
            return Some("rows are sorted by it");
        }
        if matches!(origin, Origin::SourceObject | Origin::SourceRecord) {
            return Some("it leads from a row to its raw log");
        }
        identifies.map(|_| "'logmill why' finds rows by it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset;
    use crate::table::Naming;

    fn access(naming: Naming) -> TableSchema {
        dataset::named("s3-access").unwrap().schema(naming, &[])
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_table_without_columns_keeps_its_order_and_its_event_time() {
        let whole = access(Naming::Compact);
        let dropped = whole.droppable(&names(&["hostid", "bucket_owner", "host_id"])).unwrap();
        assert_eq!(dropped, ["bucket_owner", "host_id"]);
        let kept = whole.without(&dropped);
        let name = |schema: &TableSchema, place: usize| schema.columns[place].name.to_string();
        assert_eq!(kept.columns.len() + 2, whole.columns.len());
        assert_eq!(name(&kept, kept.event_time), "request_time");
        let cluster = |of: &TableSchema| of.cluster.iter().map(|place| name(of, *place)).collect::<Vec<_>>();
        assert_eq!(cluster(&kept), cluster(&whole));
        assert_eq!(cluster(&kept)[0], "bucket");
        assert!(kept.named("host_id").is_none() && kept.named("hostid").is_none());
    }

    #[test]
    fn every_log_type_keeps_the_columns_that_it_needs() {
        for log_type in dataset::all() {
            let whole = log_type.schema(Naming::Snake, &[]);
            let all: Vec<String> = whole.columns.iter().map(|column| column.name.to_string()).collect();
            let kept = whole.without(&all);
            let refused = all.iter().filter(|name| whole.droppable(std::slice::from_ref(name)).is_err());
            let left: Vec<&str> = kept.columns.iter().map(|column| &*column.name).collect();
            assert_eq!(left, refused.collect::<Vec<_>>(), "{}", log_type.name());
            assert!(kept.columns.len() >= 4 && kept.columns.len() < whole.columns.len());
            assert_eq!(kept.identifiers().count(), whole.identifiers().count());
        }
    }

    #[test]
    fn a_needed_or_unknown_column_cannot_be_dropped() {
        for (name, expected) in [
            ("request_time", "it is the event time"),
            ("request_time_kst", "it is the event time"),
            ("bucket", "rows are sorted by it"),
            ("request_id", "'logmill why' finds rows by it"),
            ("source_object", "leads from a row to its raw log"),
            ("host_idd", "no such column; did you mean 'host_id'?"),
            ("proc_ymd", "no such column"),
            ("", "no such column"),
        ] {
            let error = access(Naming::Snake).droppable(&names(&[name])).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}

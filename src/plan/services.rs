//! The services of AWS whose logs lie in inputs, but are of no log type that a command reads.

use std::collections::BTreeMap;

use serde::Serialize;

use super::discovery::inputs_of;
use super::file_name;
use super::listing::AFTER_YEARS;
use super::place::Place;
use super::source::TableSource;
use crate::dataset::{self, KeyClaim, object_key};
use crate::error::Result;
use crate::store::{Connector, ListVisitor, ObjectMeta, SkipRange, Store};

/// The logs of a service that no table reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceLogs {
    /// The name of the service in folders, for example `GuardDuty`.
    pub service: &'static str,
    /// Number of folders of the service. Their objects are not counted.
    pub folders: u64,
    /// Number of objects elsewhere that are named like logs of the service.
    pub objects: u64,
    /// The first address; that of a folder ends with `/`.
    pub first: String,
}

/// Returns the services whose logs the inputs of some tables hold and that no table reads, by name. Only folders without a
/// date are listed, and of a series of logs only the beginning.
pub fn other_services(sources: &[TableSource], connector: &Connector) -> Result<Vec<ServiceLogs>> {
    let mut found = BTreeMap::new();
    for (input, access) in inputs_of(sources) {
        let store = connector.store(&input, &access)?;
        let (store, place) = (store.as_ref(), Place::of(store.as_ref())?);
        store.list(&mut Search { store, place, found: &mut found })?;
    }
    let is_read =
        |service: &str| sources.iter().any(|source| source.spec.dataset.services().contains(&service));
    found.retain(|service, _| !is_read(service));
    Ok(found.into_values().collect())
}

/// The search of one input.
struct Search<'a> {
    store: &'a dyn Store,
    place: Place,
    found: &'a mut BTreeMap<&'static str, ServiceLogs>,
}

impl Search<'_> {
    /// Counts a folder (which ends with `/`) or an object of a service. Returns whether it is one.
    fn count(&mut self, key: &str) -> bool {
        let Some(service) = dataset::service_of(&self.place.path(key)) else { return false };
        let first = self.store.address(key);
        let new = ServiceLogs { service, folders: 0, objects: 0, first: first.clone() };
        let known = self.found.entry(service).or_insert(new);
        let is_folder = key.ends_with('/');
        known.folders += u64::from(is_folder);
        known.objects += u64::from(!is_folder);
        if first < known.first {
            known.first = first;
        }
        true
    }
}

impl ListVisitor for Search<'_> {
    fn enter(&mut self, folder: &str) -> bool {
        file_name::own_folder(object_key::split(folder).1).is_none()
            && !self.count(&format!("{folder}/"))
            && self.place.dates(folder).is_none()
    }

    fn skip_range(&self, key: &str) -> Option<SkipRange> {
        let path = self.place.path(key);
        let dataset = dataset::all().find(|dataset| matches!(dataset.claim(&path), KeyClaim::Mine(_)))?;
        let written = dataset.time_in_key(key)?;
        let series = key[..written.start].to_owned();
        let until = format!("{series}{AFTER_YEARS}");
        Some(SkipRange { series, parts: written.parts_of_a_day(), until, except: Vec::new() })
    }

    fn object(&mut self, object: ObjectMeta) {
        self.count(&object.key);
    }

    fn passed(&mut self, _: &str, _: &'static str) {}

    fn skipped(&mut self, _: &str) {}

    fn is_done(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Cancel;
    use crate::store::ConnectionOptions;

    #[test]
    fn services_that_no_table_reads_are_counted_by_folders_and_objects() {
        let folder = tempfile::tempdir().unwrap();
        let account = "raw/AWSLogs/111122223333";
        for key in [
            "AWSLogs/111122223333/GuardDuty/us-east-1/2023/11/01/x.jsonl.gz",
            "AWSLogs/444455556666/GuardDuty/us-east-1/2023/11/01/x.jsonl.gz",
            "AWSLogs/111122223333/CloudTrail/us-east-1/2023/11/01/x.json.gz",
            "flat/111122223333_vpcflowlogs_us-east-1_fl-0a_20231031T1505Z_0a1b.log.gz",
            "flat/notes.txt",
        ] {
            let path = folder.path().join("raw").join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let input = folder.path().join("raw").to_str().unwrap().to_owned();
        let source = |name: &str| TableSource::new(dataset::named(name).unwrap(), vec![input.clone()]);
        let connector =
            Connector::new(Cancel::default(), folder.path().to_owned(), ConnectionOptions::default());
        let found = |sources: &[TableSource]| {
            let found = other_services(sources, &connector).unwrap();
            let counts = |logs: ServiceLogs| (logs.service, logs.folders, logs.objects, logs.first);
            found.into_iter().map(counts).collect::<Vec<_>>()
        };
        let at = |rest: &str| format!("{}/{rest}", folder.path().display());
        let guard_duty = ("GuardDuty", 2, 0, at(&format!("{account}/GuardDuty/")));
        let name = "111122223333_vpcflowlogs_us-east-1_fl-0a_20231031T1505Z_0a1b.log.gz";
        let flow_logs = ("vpcflowlogs", 0, 1, at(&format!("raw/flat/{name}")));
        let trail = ("CloudTrail", 1, 0, at(&format!("{account}/CloudTrail/")));
        assert_eq!(found(&[source("cloudtrail")]), [guard_duty.clone(), flow_logs.clone()]);
        assert_eq!(found(&[source("s3-access")]), [trail, guard_duty, flow_logs]);
    }
}

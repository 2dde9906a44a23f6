//! The folder of one day of one table, and the names of folders in a lake.

use std::fmt;

use crate::kst::KstDay;

/// One day of one table: the unit that is published whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Name of the table.
    pub table: String,
    /// The day.
    pub day: KstDay,
}

impl fmt::Display for Partition {
    /// `table/proc_ymd=20231101`, the path below the lake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.table, self.folder())
    }
}

/// The only partition column: a folder of a day is named after it and the day. It is text, because Athena can filter
/// partitions in the catalog only by text columns.
pub const PARTITION_KEY: &str = "proc_ymd";

/// Name of the manifest in a partition that an earlier version of logmill published.
pub const INSIDE_MANIFEST: &str = "_manifest.json";

/// Folder of a lake with lists of raw objects. Days that an earlier version of logmill published have one inside the
/// partition.
pub const INPUTS: &str = "_inputs";

/// Folder of a lake with the manifests of its days, outside the tables: many engines read every file of a table's folder.
pub const MANIFESTS: &str = "_manifests";

impl Partition {
    /// The name of its folder: `proc_ymd=20231101`.
    #[must_use]
    pub fn folder(&self) -> String {
        format!("{PARTITION_KEY}={}", self.day.proc_ymd())
    }

    /// The day of a folder, by its name; `None` if the folder is not that of a day.
    #[must_use]
    pub fn day_of_folder(name: &str) -> Option<KstDay> {
        name.strip_prefix(PARTITION_KEY)?.strip_prefix('=')?.parse().ok()
    }

    /// The manifest, below the lake: `_manifests/table/proc_ymd=20231101.json`.
    #[must_use]
    pub fn manifest(&self) -> String {
        format!("{MANIFESTS}/{self}.json")
    }

    /// The manifest of the version that is about to be the day, below a lake in a folder.
    #[must_use]
    pub fn next_manifest(&self) -> String {
        format!("{MANIFESTS}/{self}.next.json")
    }

    /// The manifest of a day that an earlier version of logmill published, below the lake: inside the partition.
    #[must_use]
    pub fn inside_manifest(&self) -> String {
        format!("{self}/{INSIDE_MANIFEST}")
    }

    /// The day of a file whose name begins with that of the folder of a day: `proc_ymd=20231101.json`.
    #[must_use]
    pub fn day_of_file(name: &str) -> Option<KstDay> {
        Self::day_of_folder(name.split('.').next()?)
    }

    /// The folder with the lists of the raw objects of its runs, below the lake: one file per run, named after the run.
    #[must_use]
    pub fn inputs(&self) -> String {
        format!("{INPUTS}/{self}")
    }

    /// The list of the raw objects of a run, below the lake.
    #[must_use]
    pub fn inputs_file(&self, run: &str) -> String {
        format!("{}/{run}.jsonl.gz", self.inputs())
    }

    /// The folder with the rejected rows of its runs, below the lake: one file per run, named after the run.
    #[must_use]
    pub fn quarantine(&self) -> String {
        format!("_quarantine/{self}")
    }

    /// The file with the rejected rows of a run, below the lake.
    #[must_use]
    pub fn quarantine_file(&self, run: &str) -> String {
        format!("{}/{run}.jsonl", self.quarantine())
    }

    /// The folder with the records of its runs, below the lake: files named after the run. It is not in the partition,
    /// because nothing is ever written into a live partition, and because a failed first run must not create one.
    #[must_use]
    pub fn history(&self) -> String {
        format!("_runs/{self}")
    }
}

/// Whether a folder of a lake may be a table: the names of all other folders begin with `_` or `.`.
#[must_use]
pub fn is_table_folder(name: &str) -> bool {
    !name.starts_with(['_', '.'])
}

/// Whether a folder has the name of a run: only such folders are ever removed from a partition.
#[must_use]
pub fn is_run_name(name: &str) -> bool {
    const PATTERN: &str = "ddddddddTddddddZ-xxxxxxxx";
    name.len() == PATTERN.len()
        && name.chars().zip(PATTERN.chars()).all(|(found, expected)| match expected {
            'd' => found.is_ascii_digit(),
            'x' => found.is_ascii_hexdigit(),
            literal => found == literal,
        })
}

/// The run that the last folder of a partition's location names.
#[must_use]
pub fn run_of(location: &str) -> Option<String> {
    let last = location.trim_end_matches('/').rsplit('/').next()?;
    is_run_name(last).then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_a_day_is_named_after_the_partition_column_and_the_day() {
        let partition = Partition { table: "cloudtrail".to_owned(), day: "2023-11-01".parse().unwrap() };
        assert_eq!(partition.folder(), "proc_ymd=20231101");
        assert_eq!(partition.to_string(), "cloudtrail/proc_ymd=20231101");
        for path in [partition.manifest(), partition.next_manifest()] {
            let name = path.strip_prefix("_manifests/cloudtrail/").unwrap();
            assert_eq!(Partition::day_of_file(name), Some(partition.day), "{name}");
        }
        for (name, expected) in [
            ("proc_ymd=20231101", Some(partition.day)),
            ("proc_ymd=20231101.json", None),
            ("proc_ymd=today", None),
            ("proc_ymd20231101", None),
            ("20231101", None),
        ] {
            assert_eq!(Partition::day_of_folder(name), expected, "{name}");
        }
    }

    #[test]
    fn folders_whose_names_begin_with_a_mark_are_not_tables() {
        for (name, expected) in
            [("cloudtrail", true), ("_runs", false), (".lake.logmill", false), ("s3_access", true)]
        {
            assert_eq!(is_table_folder(name), expected, "{name}");
        }
    }

    #[test]
    fn only_names_of_runs_are_recognized_as_runs() {
        for (name, expected) in [
            ("20261121T023837Z-668e6a1e", true),
            ("20261121T023837Z-668e6a1", false),
            ("20261121T023837Z-668e6a1e2", false),
            ("2026112xT023837Z-668e6a1e", false),
            ("_manifest.json", false),
            ("", false),
        ] {
            assert_eq!(is_run_name(name), expected, "{name}");
        }
    }
}

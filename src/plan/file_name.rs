//! Names of files and folders that cannot hold logs: hidden copies, unfinished files, files in Parquet, and the folders of a
//! lake.

use crate::dataset::object_key;
use crate::store::lake::PARTITION_KEY;

/// Suffixes that programs give to unfinished files.
const UNFINISHED: [&str; 11] = [
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".filepart",
    ".crdownload",
    ".download",
    ".aria2",
    ".inprogress",
    ".swp",
    "~",
];

/// Folders that a lake has next to its tables.
const OWN_FOLDERS: [&str; 4] = ["_staging", "_quarantine", "_runs", "_locks"];

/// Returns why a folder with this name belongs to a lake, if it does. Such a folder is not entered.
pub(super) fn own_folder(name: &str) -> Option<&'static str> {
    if name.strip_prefix(PARTITION_KEY).is_some_and(|rest| rest.starts_with('=')) {
        Some("a published day")
    } else {
        OWN_FOLDERS.contains(&name).then_some("a working folder of a lake")
    }
}

/// Returns why a file with this name is left out unread, if it is.
pub(super) fn reason_to_leave_out(name: &str) -> Option<&'static str> {
    let is_unfinished = || UNFINISHED.iter().any(|end| name.len() > end.len() && name.ends_with(end));
    if name.starts_with('.') {
        Some("hidden file")
    } else if is_unfinished() {
        Some("temporary file")
    } else if is_partial_download(name) {
        Some("partial download")
    } else {
        object_key::is_parquet(name).then_some(object_key::IN_PARQUET)
    }
}

/// Whether a name ends in `.gz.` and eight random hexadecimal digits. The AWS CLI names a download like this until it is
/// complete. Eight decimal digits are more likely a date.
fn is_partial_download(name: &str) -> bool {
    let Some((file, random)) = name.rsplit_once('.') else { return false };
    file.rsplit_once('.').is_some_and(|(_, end)| end == "gz")
        && random.len() == 8
        && random.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !random.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_temporary_and_partial_files_are_left_out_by_name() {
        let log = "1_CloudTrail_r_20240305T0310Z_AbCd.json.gz";
        for (name, expected) in [
            (log.to_owned(), None),
            (format!("._{log}"), Some("hidden file")),
            (format!(".{log}.Ab12Cd"), Some("hidden file")),
            ("_logs-2024-03-05-04-00-00-0123456789ABCDEF".to_owned(), None),
            (format!("{log}.tmp"), Some("temporary file")),
            (format!("{log}.part"), Some("temporary file")),
            (format!("{log}~"), Some("temporary file")),
            (format!("{log}.6eF3aBcD"), Some("partial download")),
            ("2024-03-05-04-00-00-0123456789ABCDEF".to_owned(), None),
            ("access.log.12345678".to_owned(), None),
            (format!("{log}.20240305"), None),
            (format!("{log}.original"), None),
            ("tmp".to_owned(), None),
            (
                "1_vpcflowlogs_r_fl-0a_20240305T0310Z_0a1b.log.parquet".to_owned(),
                Some(object_key::IN_PARQUET),
            ),
            ("E2ABCDEFGHIJKL.2024-03-05-03.0a1b.parquet.gz".to_owned(), Some(object_key::IN_PARQUET)),
            ("data.parquet.2024-03-05-04-00-00-0123456789ABCDEF".to_owned(), None),
            ("parquet".to_owned(), None),
        ] {
            assert_eq!(reason_to_leave_out(&name), expected, "{name}");
        }
    }
}

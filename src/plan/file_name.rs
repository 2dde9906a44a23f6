//! Names of files that hold no log, whatever they are called otherwise: hidden copies and files in the making.

/// Ends of names under which programs write before a file is whole.
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

/// Why a file of this name is left out without a look into it, if it is.
pub(super) fn reason_to_leave(name: &str) -> Option<&'static str> {
    let is_unfinished = || UNFINISHED.iter().any(|end| name.len() > end.len() && name.ends_with(end));
    if name.starts_with('.') {
        Some("hidden file")
    } else if is_unfinished() {
        Some("temporary file")
    } else if is_partial_download(name) {
        Some("partial download")
    } else {
        None
    }
}

/// Whether a name is that of a file of gzip with eight random hexadecimal digits behind it, as the AWS CLI names a download
/// until it is whole. Digits alone are rather a date.
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
    fn hidden_copies_and_files_in_the_making_are_left_by_their_names() {
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
        ] {
            assert_eq!(reason_to_leave(&name), expected, "{name}");
        }
    }
}

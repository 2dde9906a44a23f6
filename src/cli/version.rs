//! `logmill --version`, and with `--verbose` how the binary was built.

use std::ffi::OsStr;

/// The cargo features that change what the program can do, and whether this build has them.
const FEATURES: [(&str, bool); 2] = [("aws", cfg!(feature = "aws")), ("query", cfg!(feature = "query"))];

/// Returns whether the arguments of `logmill --version` ask for details: `--verbose`, or `v` among short options as in `-vV`.
pub(super) fn wants_details<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> bool {
    arguments.into_iter().any(|argument| {
        let argument = argument.as_ref().to_string_lossy();
        let short = argument.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        argument == "--verbose" || short.is_some_and(|letters| letters.contains('v'))
    })
}

/// Returns the lines that follow the version: commit, features, target and profile.
pub(super) fn details() -> String {
    let features: Vec<&str> =
        FEATURES.iter().filter(|(_, is_built)| *is_built).map(|(name, _)| *name).collect();
    let features = if features.is_empty() { "none".to_owned() } else { features.join(", ") };
    format!(
        "commit: {}\nfeatures: {features}\ntarget: {}\nprofile: {}\n",
        env!("BUILD_OF_LOGMILL_COMMIT"),
        env!("BUILD_OF_LOGMILL_TARGET"),
        env!("BUILD_OF_LOGMILL_PROFILE"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_printed_only_on_request() {
        let check =
            |arguments: &[&str], expected| assert_eq!(wants_details(arguments), expected, "{arguments:?}");
        check(&["--version", "--verbose"], true);
        check(&["-vV"], true);
        check(&["-V", "-v"], true);
        check(&["--version"], false);
        check(&["-V"], false);
        check(&["--version", "verbose"], false);
    }

    #[test]
    fn details_name_the_features_of_this_build() {
        let line = details().lines().find(|line| line.starts_with("features: ")).map(str::to_owned).unwrap();
        assert_eq!(line.contains("query"), cfg!(feature = "query"), "{line}");
        assert_eq!(line.contains("aws"), cfg!(feature = "aws"), "{line}");
    }
}

//! The example queries of `glue/sql`, embedded in the binary.

/// An example query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// Its name: that of its file.
    pub name: &'static str,
    /// The whole text of its file.
    text: &'static str,
}

/// Lists the queries of a folder by their names.
macro_rules! examples {
    ($($name:literal),* $(,)?) => {
        /// All examples, sorted by name.
        pub const EXAMPLES: &[Example] = &[$(Example {
            name: $name,
            text: include_str!(concat!("../../glue/sql/queries/", $name, ".sql")),
        }),*];
    };
}

examples![
    "access_ip_list",
    "access_log_preview",
    "anonymous_requests_between",
    "bucket_metrics_by_hour",
    "callers_of_a_bucket",
    "denied_ip_list",
    "denied_key_list",
    "most_requested_objects",
    "objects_got_between",
    "objects_put_between",
    "requests_by_status_code",
    "sigv2_events",
    "sigv2_last_24_hours",
    "sigv2_preview",
    "sigv2_requesters",
    "sigv2_requesters_of_a_region",
    "sigv2_user_agents_last_24_hours",
    "users_and_events_by_month",
    "users_by_service_and_day",
];

impl Example {
    /// Returns what it answers, in one sentence.
    #[must_use]
    pub fn title(&self) -> &'static str {
        let first = self.text.lines().next().unwrap_or_default();
        first.trim_start_matches(['-', ' '])
    }

    /// Returns the statement without the comments above it.
    #[must_use]
    pub fn statement(&self) -> &'static str {
        let mut rest = self.text;
        while let Some((_, after)) = rest.split_once('\n').filter(|_| rest.starts_with("--")) {
            rest = after;
        }
        rest.trim()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_in_the_folder_of_queries_is_an_example() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("glue/sql/queries");
        let names =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<String> =
            names.filter_map(|name| Some(name.strip_suffix(".sql")?.to_owned())).collect();
        files.sort();
        assert_eq!(EXAMPLES.iter().map(|example| example.name).collect::<Vec<_>>(), files);
    }

    #[test]
    fn an_example_has_a_title_and_one_statement() {
        for example in EXAMPLES {
            assert!(example.title().ends_with('.'), "{}: {}", example.name, example.title());
            let statement = example.statement();
            assert!(statement.starts_with("SELECT") && statement.ends_with(';'), "{}", example.name);
        }
    }
}

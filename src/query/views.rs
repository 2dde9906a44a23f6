//! The views of `glue/sql`, embedded in the binary with the same text that is deployed to Athena.

/// A view of `glue/sql`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: &'static str,
    /// The whole text of its file.
    text: &'static str,
}

/// All views, sorted by name.
pub const VIEWS: &[View] = &[
    View {
        name: "access_denied_by_principal",
        text: include_str!("../../glue/sql/views/access_denied_by_principal.sql"),
    },
    View { name: "access_ips", text: include_str!("../../glue/sql/views/access_ips.sql") },
    View { name: "alb_access_athena", text: include_str!("../../glue/sql/alb/views/alb_access_athena.sql") },
    View { name: "alb_clients", text: include_str!("../../glue/sql/alb/views/alb_clients.sql") },
    View {
        name: "alb_connection_athena",
        text: include_str!("../../glue/sql/alb/views/alb_connection_athena.sql"),
    },
    View { name: "alb_requests", text: include_str!("../../glue/sql/alb/views/alb_requests.sql") },
    View {
        name: "alb_requests_by_hour",
        text: include_str!("../../glue/sql/alb/views/alb_requests_by_hour.sql"),
    },
    View { name: "alb_status_codes", text: include_str!("../../glue/sql/alb/views/alb_status_codes.sql") },
    View { name: "alb_targets", text: include_str!("../../glue/sql/alb/views/alb_targets.sql") },
    View { name: "anonymous_requests", text: include_str!("../../glue/sql/views/anonymous_requests.sql") },
    View { name: "bytes_out", text: include_str!("../../glue/sql/across/views/bytes_out.sql") },
    View { name: "clb_access_athena", text: include_str!("../../glue/sql/clb/views/clb_access_athena.sql") },
    View { name: "client_requests", text: include_str!("../../glue/sql/across/views/client_requests.sql") },
    View {
        name: "cloudfront_athena",
        text: include_str!("../../glue/sql/cloudfront/views/cloudfront_athena.sql"),
    },
    View {
        name: "cloudfront_clients",
        text: include_str!("../../glue/sql/cloudfront/views/cloudfront_clients.sql"),
    },
    View {
        name: "cloudfront_requests",
        text: include_str!("../../glue/sql/cloudfront/views/cloudfront_requests.sql"),
    },
    View {
        name: "cloudfront_requests_by_hour",
        text: include_str!("../../glue/sql/cloudfront/views/cloudfront_requests_by_hour.sql"),
    },
    View {
        name: "cloudfront_results",
        text: include_str!("../../glue/sql/cloudfront/views/cloudfront_results.sql"),
    },
    View {
        name: "cloudfront_uris",
        text: include_str!("../../glue/sql/cloudfront/views/cloudfront_uris.sql"),
    },
    View {
        name: "cloudtrail_athena",
        text: include_str!("../../glue/sql/compatibility/cloudtrail_athena.sql"),
    },
    View { name: "cloudtrail_events", text: include_str!("../../glue/sql/views/cloudtrail_events.sql") },
    View {
        name: "cloudtrail_spark",
        text: include_str!("../../glue/sql/compatibility/cloudtrail_spark.sql"),
    },
    View { name: "console_logins", text: include_str!("../../glue/sql/views/console_logins.sql") },
    View {
        name: "daily_users_by_service",
        text: include_str!("../../glue/sql/views/daily_users_by_service.sql"),
    },
    View { name: "denied_ips", text: include_str!("../../glue/sql/views/denied_ips.sql") },
    View { name: "denied_keys", text: include_str!("../../glue/sql/views/denied_keys.sql") },
    View { name: "errors_by_hour", text: include_str!("../../glue/sql/across/views/errors_by_hour.sql") },
    View { name: "monthly_users", text: include_str!("../../glue/sql/views/monthly_users.sql") },
    View { name: "nlb_access_athena", text: include_str!("../../glue/sql/nlb/views/nlb_access_athena.sql") },
    View { name: "object_access", text: include_str!("../../glue/sql/views/object_access.sql") },
    View {
        name: "resolver_query_athena",
        text: include_str!("../../glue/sql/resolver/views/resolver_query_athena.sql"),
    },
    View { name: "root_usage", text: include_str!("../../glue/sql/views/root_usage.sql") },
    View {
        name: "s3_access_athena",
        text: include_str!("../../glue/sql/compatibility/s3_access_athena.sql"),
    },
    View { name: "s3_access_lines", text: include_str!("../../glue/sql/views/s3_access_lines.sql") },
    View { name: "s3_requests_by_hour", text: include_str!("../../glue/sql/views/s3_requests_by_hour.sql") },
    View { name: "sigv2_callers", text: include_str!("../../glue/sql/views/sigv2_callers.sql") },
    View { name: "sigv2_requests", text: include_str!("../../glue/sql/views/sigv2_requests.sql") },
    View { name: "status_codes", text: include_str!("../../glue/sql/views/status_codes.sql") },
    View { name: "top_objects", text: include_str!("../../glue/sql/views/top_objects.sql") },
    View { name: "vpc_flow_athena", text: include_str!("../../glue/sql/vpc-flow/views/vpc_flow_athena.sql") },
    View {
        name: "waf_actions_by_hour",
        text: include_str!("../../glue/sql/waf/views/waf_actions_by_hour.sql"),
    },
    View { name: "waf_athena", text: include_str!("../../glue/sql/waf/views/waf_athena.sql") },
    View { name: "waf_clients", text: include_str!("../../glue/sql/waf/views/waf_clients.sql") },
    View { name: "waf_requests", text: include_str!("../../glue/sql/waf/views/waf_requests.sql") },
    View { name: "waf_rules", text: include_str!("../../glue/sql/waf/views/waf_rules.sql") },
    View { name: "waf_uris", text: include_str!("../../glue/sql/waf/views/waf_uris.sql") },
];

/// The text before the name of the view in its file.
const BEGIN: &str = "CREATE OR REPLACE VIEW ";

impl View {
    /// Returns the query of the view.
    #[must_use]
    pub fn query(&self) -> &'static str {
        let statement = self.text.split_once(BEGIN).map_or(self.text, |(_comments, statement)| statement);
        let query = statement.split_once(" AS\n").map_or(statement, |(_name, query)| query);
        query.trim().trim_end_matches(';')
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_in_the_view_folders_is_a_view() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("glue/sql");
        let mut files: Vec<String> = Vec::new();
        for folder in [
            "views",
            "compatibility",
            "across/views",
            "alb/views",
            "nlb/views",
            "clb/views",
            "cloudfront/views",
            "vpc-flow/views",
            "waf/views",
            "resolver/views",
        ] {
            let entries = fs::read_dir(root.join(folder)).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            files.extend(names.filter_map(|name| Some(name.strip_suffix(".sql")?.to_owned())));
        }
        files.sort();
        assert_eq!(VIEWS.iter().map(|view| view.name).collect::<Vec<_>>(), files);
    }

    #[test]
    fn a_view_has_the_name_of_its_file() {
        for view in VIEWS {
            assert!(view.text.contains(&format!("\n{BEGIN}{} AS\n", view.name)), "{}", view.name);
            assert!(view.query().starts_with("SELECT\n"), "{}: {}", view.name, view.query());
        }
    }
}

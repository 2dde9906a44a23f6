//! Addresses in the forms of other tools, and how to write them here.
//!
//! None of them is accepted, because a typo would become the name of a folder.

/// Turns the text after the beginning of an address into `bucket/prefix`; empty if it has no such form.
type ToLocation = fn(&str) -> String;

/// The beginnings of addresses, each with the way to the S3 location that it means. The first row that fits applies.
const FORMS: &[(&str, ToLocation)] = &[
    ("s3a://", as_is),
    ("s3n://", as_is),
    ("s3://", as_is),
    ("s3:", as_is),
    ("arn:aws:s3:::", as_is),
    ("arn:aws-cn:s3:::", as_is),
    ("arn:aws-us-gov:s3:::", as_is),
    ("https://", of_url),
    ("http://", of_url),
];

/// Returns what to type for an address in another form: `s3://bucket/prefix`, or a path. `None` if it is unknown.
pub(super) fn translated(address: &str) -> Option<String> {
    if let Some(path) = behind(address, "file://") {
        return Some(path.to_owned()).filter(|path| path.starts_with('/'));
    }
    let (rest, to_location) =
        FORMS.iter().find_map(|(beginning, to_location)| Some((behind(address, beginning)?, to_location)))?;
    Some(to_location(rest)).filter(|location| !location.is_empty()).map(|location| format!("s3://{location}"))
}

/// An address as messages show it. A presigned URL has a signature in its query, and addresses of other tools can have a
/// secret key before the bucket.
pub(super) fn without_secrets(address: &str) -> String {
    let (place, query) = address.split_once('?').map_or((address, ""), |(place, _)| (place, "?..."));
    let (scheme, rest) =
        place.split_once("://").map_or(("", place), |(_, rest)| place.split_at(place.len() - rest.len()));
    let place = without_user(rest);
    let user = if place.len() < rest.len() { "...@" } else { "" };
    format!("{scheme}{user}{place}{query}")
}

/// Removes `user:password@` from the front of a location. A secret key can contain `/`, but a bucket never contains `:`.
fn without_user(location: &str) -> &str {
    let first = &location[..location.find('/').unwrap_or(location.len())];
    let end = first.rfind('@').or_else(|| location.find('@').filter(|_| first.contains(':')));
    end.map_or(location, |end| &location[end + 1..])
}

/// The text behind a beginning, in upper or lower case.
fn behind<'a>(address: &'a str, beginning: &str) -> Option<&'a str> {
    let (head, rest) = address.split_at_checked(beginning.len())?;
    head.eq_ignore_ascii_case(beginning).then_some(rest)
}

/// `bucket/prefix`, with a single slash between its parts.
fn as_is(rest: &str) -> String {
    let parts: Vec<&str> = without_user(rest).split('/').filter(|part| !part.is_empty()).collect();
    let slash = if rest.ends_with('/') && parts.len() > 1 { "/" } else { "" };
    parts.join("/") + slash
}

/// The location in a URL of S3, or of a page of its console.
fn of_url(rest: &str) -> String {
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let service = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"));
    let location = match service {
        Some(service) => of_service(service, path),
        None if host.ends_with("console.aws.amazon.com") => of_console(path, query),
        None => None,
    };
    location.unwrap_or_default()
}

/// The location in a URL whose host, without the domain of AWS, is `bucket.s3.region` or `s3.region`.
fn of_service(service: &str, path: &str) -> Option<String> {
    let is_s3 = |name: &str| name == "s3" || name.starts_with("s3.") || name.starts_with("s3-");
    if is_s3(service) {
        return Some(as_is(path));
    }
    let mut dots = service.match_indices('.');
    let (dot, _) = dots.find(|(dot, _)| is_s3(&service[dot + 1..]))?;
    Some(as_is(&format!("{}/{path}", &service[..dot])))
}

/// The location in the path and the query of a page of the console: `s3/buckets/NAME?prefix=PREFIX`.
fn of_console(path: &str, query: &str) -> Option<String> {
    let bucket = ["s3/buckets/", "s3/object/"].iter().find_map(|page| path.strip_prefix(page))?;
    let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix=")).unwrap_or_default();
    Some(as_is(&format!("{bucket}/{}", prefix.replace("%2F", "/").replace("%2f", "/"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_another_tool_is_translated() {
        for (address, expected) in [
            ("s3a://b/p", Some("s3://b/p")),
            ("s3n://b/p/", Some("s3://b/p/")),
            ("S3://b/p", Some("s3://b/p")),
            ("s3a://KEY:secret@b/p@q", Some("s3://b/p@q")),
            ("s3:/b/p", Some("s3://b/p")),
            ("s3:b/p", Some("s3://b/p")),
            ("s3:///b//p", Some("s3://b/p")),
            ("s3://", None),
            ("arn:aws:s3:::b/AWSLogs/", Some("s3://b/AWSLogs/")),
            ("arn:aws:s3:::b", Some("s3://b")),
            ("arn:aws-cn:s3:::b", Some("s3://b")),
            ("arn:aws:s3:ap-northeast-2:111122223333:accesspoint/logs", None),
            ("https://b.s3.amazonaws.com/p/q", Some("s3://b/p/q")),
            ("https://my.dotted.b.s3.ap-northeast-2.amazonaws.com/p", Some("s3://my.dotted.b/p")),
            ("https://b.s3-ap-northeast-2.amazonaws.com", Some("s3://b")),
            ("https://b.s3.dualstack.ap-northeast-2.amazonaws.com/p", Some("s3://b/p")),
            ("https://s3.ap-northeast-2.amazonaws.com/b/p", Some("s3://b/p")),
            ("https://s3.cn-north-1.amazonaws.com.cn/b/p", Some("s3://b/p")),
            (
                "https://s3.console.aws.amazon.com/s3/buckets/b?region=ap-northeast-2&prefix=AWSLogs/1/&showversions=false",
                Some("s3://b/AWSLogs/1/"),
            ),
            (
                "https://ap-northeast-2.console.aws.amazon.com/s3/buckets/b?prefix=a%2Fb%2F",
                Some("s3://b/a/b/"),
            ),
            (
                "https://ap-northeast-2.console.aws.amazon.com/s3/object/b?prefix=a/k.gz",
                Some("s3://b/a/k.gz"),
            ),
            ("https://ap-northeast-2.console.aws.amazon.com/athena/home", None),
            ("https://example.com/b", None),
            ("https://glue.ap-northeast-2.amazonaws.com/b", None),
            ("file:///logs/raw", Some("/logs/raw")),
            ("file://host/logs", None),
            ("gs://b/p", None),
            ("hdfs://b/p", None),
            ("한글", None),
        ] {
            assert_eq!(translated(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn a_shown_address_has_no_secrets() {
        for (address, expected) in [
            ("https://b.s3.amazonaws.com/k?X-Amz-Signature=secret", "https://b.s3.amazonaws.com/k?..."),
            ("s3a://KEY:secret@b/p@q", "s3a://...@b/p@q"),
            ("https://kim:se@cret@host", "https://...@host"),
            ("KEY:secret@b/p", "...@b/p"),
            ("s3a://KEY:sec/ret@b/p", "s3a://...@b/p"),
            ("s3a://b/p@q", "s3a://b/p@q"),
            ("s3://b//p", "s3://b//p"),
            ("arn:aws:s3:::b", "arn:aws:s3:::b"),
            ("?", "?..."),
        ] {
            assert_eq!(without_secrets(address), expected);
        }
    }
}

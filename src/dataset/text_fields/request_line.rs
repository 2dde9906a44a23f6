//! A request line as a load balancer logs it: `METHOD URL HTTP/VERSION`.
//!
//! The URL is kept as the client sent it, so it can hold spaces. Of a request that cannot be parsed, AWS logs `-` for method
//! and protocol, with the dash glued to the URL in some forms: `- http://host:80- -`, `- http://host:80- `.

/// The parts of a request line, as logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RequestLine<'a> {
    pub(super) method: Option<&'a str>,
    pub(super) url: Option<&'a str>,
    pub(super) protocol: Option<&'a str>,
}

impl<'a> RequestLine<'a> {
    /// Divides a request line: the first word, the last word if it is a protocol, and the text between them.
    pub(super) fn of(line: &'a str) -> Self {
        let line = line.trim_matches(' ');
        if line == "- - -" {
            return Self::default();
        }
        let (method, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (url, protocol) = match rest.rsplit_once(' ').unwrap_or(("", rest)) {
            (url, last) if is_protocol(last) || last == "-" => (url, last),
            _ => (rest, "-"),
        };
        let glued = url.strip_suffix('-').filter(|_| method == "-");
        let present = |text: &'a str| Some(text).filter(|text| !matches!(*text, "" | "-"));
        Self { method: present(method), url: present(glued.unwrap_or(url)), protocol: present(protocol) }
    }
}

/// Whether a word is `HTTP/1.1`, or the same with another version.
fn is_protocol(word: &str) -> bool {
    let is_digit = |text: &str| text.len() == 1 && text.as_bytes()[0].is_ascii_digit();
    word.strip_prefix("HTTP/").is_some_and(|version| match version.split_once('.') {
        Some((major, minor)) => is_digit(major) && is_digit(minor),
        None => is_digit(version),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_request_lines_keep_their_url() {
        for (line, method, url, protocol) in [
            ("GET http://a:80/ HTTP/1.1", Some("GET"), Some("http://a:80/"), Some("HTTP/1.1")),
            ("GET https://a:443/ HTTP/2", Some("GET"), Some("https://a:443/"), Some("HTTP/2")),
            (
                "GET https://a:443/a b?c= d HTTP/1.1",
                Some("GET"),
                Some("https://a:443/a b?c= d"),
                Some("HTTP/1.1"),
            ),
            ("- http://a:80- -", None, Some("http://a:80"), None),
            ("- http://a:8080- ", None, Some("http://a:8080"), None),
            ("- http://a:80-/ ", None, Some("http://a:80-/"), None),
            ("GET http://a:80/ ", Some("GET"), Some("http://a:80/"), None),
            ("GET http://a:80/ HTTP/1.12", Some("GET"), Some("http://a:80/ HTTP/1.12"), None),
            (
                "FOO  http://[::ffff:1.2.3.4]:80/ HTTP/1.0",
                Some("FOO"),
                Some(" http://[::ffff:1.2.3.4]:80/"),
                Some("HTTP/1.0"),
            ),
            ("GET", Some("GET"), None, None),
            ("GET HTTP/1.1", Some("GET"), None, Some("HTTP/1.1")),
            ("- - - ", None, None, None),
            ("-", None, None, None),
            (" ", None, None, None),
        ] {
            assert_eq!(RequestLine::of(line), RequestLine { method, url, protocol }, "{line}");
        }
    }
}

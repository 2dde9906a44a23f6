//! Decides which requests go through a proxy, based on the usual environment variables.
//!
//! `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are read as curl and the AWS CLI read them. A name in lower case
//! takes precedence over the same name in capitals, and an empty value means no proxy. Nothing here prints or sends anything,
//! and the printed form of a proxy never contains its password.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use crate::error::{Error, ErrorKind, Result};

/// Variables that name a proxy, by the scheme of its requests.
const OF_SCHEMES: [(&str, [&str; 2]); 2] =
    [("https", ["https_proxy", "HTTPS_PROXY"]), ("http", ["http_proxy", "HTTP_PROXY"])];
/// Variables that name a proxy for every scheme without a variable of its own.
const OF_ALL: [&str; 2] = ["all_proxy", "ALL_PROXY"];
/// Variables that list hosts to reach directly.
const OF_NONE: [&str; 2] = ["no_proxy", "NO_PROXY"];
/// The endpoint of a container agent that provides credentials: an address on this machine.
const OF_AGENT: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
/// Addresses of metadata and credentials on instances and containers of AWS: they have a meaning only on this machine.
const LINK_LOCAL: [&str; 2] = ["169.254.0.0/16", "fd00:ec2::/32"];

/// The environment's settings for proxies, not yet parsed. Addresses may contain passwords.
#[derive(Clone, Default)]
pub struct ProxyVariables(BTreeMap<&'static str, String>);

impl ProxyVariables {
    /// Looks up each relevant variable.
    pub fn read(look_up: impl Fn(&str) -> Option<String>) -> Self {
        let names = OF_SCHEMES.into_iter().flat_map(|(_, names)| names);
        let names = names.chain(OF_ALL).chain(OF_NONE).chain([OF_AGENT]);
        Self(names.filter_map(|name| Some((name, look_up(name)?))).collect())
    }

    /// The first of these variables that is set.
    fn first(&self, names: [&'static str; 2]) -> Option<(&'static str, &str)> {
        names.into_iter().find_map(|name| Some((name, self.0.get(name)?.trim())))
    }
}

impl fmt::Debug for ProxyVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A proxy that a variable names.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    variable: &'static str,
    address: Address,
    /// User and password as written in an address, escaped.
    credentials: Option<String>,
}

impl Proxy {
    /// Parses a proxy address; fails if the proxy cannot be used. The error does not repeat the value.
    fn parse(variable: &'static str, value: &str) -> Result<Self> {
        let refusal = |why: &str| {
            Error::new(ErrorKind::Usage, format!("cannot use the proxy: {why}"))
                .with("variable", variable)
                .hint("write http://host:port or http://user:password@host:port, with %XX for special characters")
        };
        let with_scheme = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        let (address, credentials) =
            Address::parse(&with_scheme).ok_or_else(|| refusal("its address is invalid"))?;
        if !matches!(address.scheme.as_str(), "http" | "https") {
            return Err(refusal("its address must begin with http:// or https://"));
        }
        Ok(Self { variable, address, credentials: credentials.map(escaped) })
    }

    /// The address with user and password, for the HTTP client only.
    #[must_use]
    pub fn secret_address(&self) -> String {
        let Address { scheme, .. } = &self.address;
        let credentials = self.credentials.iter().map(|credentials| format!("{credentials}@"));
        format!("{scheme}://{}{}", credentials.collect::<String>(), self.address.authority())
    }

    /// The variable that names it.
    #[must_use]
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

/// The address without user and password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.address.scheme, self.address.authority())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// The proxies of a process.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    https: Option<Proxy>,
    http: Option<Proxy>,
    exempt: Vec<Exemption>,
}

impl Proxies {
    /// Fails if a named proxy cannot be used: bypassing it silently could break a network policy.
    pub fn parse(variables: &ProxyVariables) -> Result<Self> {
        let of = |names: [&'static str; 2]| {
            let named = variables.first(names).or_else(|| variables.first(OF_ALL));
            named.filter(|(_, value)| !value.is_empty()).map(|(name, value)| Proxy::parse(name, value))
        };
        let exempt = exemptions(variables);
        if exempt.contains(&Exemption::Everything) {
            return Ok(Self::default());
        }
        let [https, http] = OF_SCHEMES.map(|(_, names)| of(names).transpose());
        Ok(Self { https: https?, http: http?, exempt })
    }

    /// The proxy for requests of a scheme.
    #[must_use]
    pub fn of_scheme(&self, scheme: &str) -> Option<&Proxy> {
        match scheme {
            "https" => self.https.as_ref(),
            "http" => self.http.as_ref(),
            _ => None,
        }
    }

    /// The proxy for requests to an address, if any.
    #[must_use]
    pub fn for_address(&self, address: &str) -> Option<&Proxy> {
        let (address, _) = Address::parse(address)?;
        let is_exempt = self.exempt.iter().any(|exemption| exemption.covers(&address));
        self.of_scheme(&address.scheme).filter(|_| !is_exempt)
    }
}

/// Addresses to reach without a proxy: those that the environment lists, and those that only this machine can reach.
fn exemptions(variables: &ProxyVariables) -> Vec<Exemption> {
    let listed = variables.first(OF_NONE).map_or("", |(_, value)| value);
    let listed = listed.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
    let agent = variables.0.get(OF_AGENT).and_then(|uri| Address::parse(uri));
    let agent = agent.map(|(agent, _)| Exemption::Host { name: agent.host, port: Some(agent.port) });
    LINK_LOCAL.into_iter().chain(listed).map(Exemption::parse).chain(agent).collect()
}

/// A rule for addresses to reach without a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Exemption {
    Everything,
    /// Addresses with the same first bits.
    Network {
        address: IpAddr,
        bits: u32,
    },
    /// A host and its subdomains, on one port or on all.
    Host {
        name: String,
        port: Option<u16>,
    },
}

impl Exemption {
    fn parse(entry: &str) -> Self {
        if entry == "*" {
            return Self::Everything;
        }
        if let Some((address, bits)) = entry.split_once('/')
            && let (Ok(address), Ok(bits)) = (address.parse(), bits.parse())
        {
            return Self::Network { address, bits };
        }
        let (host, port) = match split_port(entry) {
            Some((host, port)) if entry.parse::<IpAddr>().is_err() => (host, port),
            _ => (entry, None),
        };
        let name = host.trim_start_matches('*').trim_start_matches('.');
        Self::Host { name: plain_host(name), port }
    }

    fn covers(&self, address: &Address) -> bool {
        match self {
            Self::Everything => true,
            Self::Network { address: network, bits } => {
                address.host.parse().is_ok_and(|host: IpAddr| share_bits(*network, host, *bits))
            }
            Self::Host { name, port } => {
                let below = address.host.strip_suffix(name.as_str());
                let is_named = below.is_some_and(|below| below.is_empty() || below.ends_with('.'));
                !name.is_empty() && is_named && port.is_none_or(|port| port == address.port)
            }
        }
    }
}

/// Whether two addresses of the same family begin with the same bits.
fn share_bits(one: IpAddr, other: IpAddr, bits: u32) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            (one.to_bits() ^ other.to_bits()).checked_shr(32 - bits.min(32)).unwrap_or(0) == 0
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            (one.to_bits() ^ other.to_bits()).checked_shr(128 - bits.min(128)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// The target of an address: in lower case, without a final dot and without the brackets of IPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    scheme: String,
    host: String,
    port: u16,
}

impl Address {
    /// Parses an address with its scheme; also returns the user and password in it.
    fn parse(text: &str) -> Option<(Self, Option<&str>)> {
        let (scheme, rest) = text.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let (credentials, place) = match authority.rsplit_once('@') {
            Some((credentials, place)) => (Some(credentials), place),
            None => (None, authority),
        };
        let scheme = scheme.to_ascii_lowercase();
        let (host, port) = split_port(place)?;
        let host = plain_host(host);
        let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        if host.is_empty() || !host.chars().all(is_host) {
            return None;
        }
        let port = port.unwrap_or(if scheme == "https" { 443 } else { 80 });
        Some((Self { scheme, host, port }, credentials))
    }

    fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// Splits a host, with its brackets, from the port after it, if any; `None` if the port is not a number.
fn split_port(place: &str) -> Option<(&str, Option<u16>)> {
    let behind_brackets = place.rfind(']').map_or(0, |end| end + 1);
    match place[behind_brackets..].rfind(':') {
        Some(colon) => {
            let (host, port) = place.split_at(behind_brackets + colon);
            Some((host, Some(port[1..].parse().ok()?)))
        }
        None => Some((place, None)),
    }
}

fn plain_host(host: &str) -> String {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host).trim_end_matches('.').to_ascii_lowercase()
}

/// Escapes characters that must not occur before the `@` of an address; existing escapes are kept.
fn escaped(credentials: &str) -> String {
    use std::fmt::Write;
    let mut escaped = String::with_capacity(credentials.len());
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let parts = if credentials.contains(':') { vec![user, password] } else { vec![user] };
    for (place, part) in parts.into_iter().enumerate() {
        escaped.push_str(if place == 0 { "" } else { ":" });
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte) {
                escaped.push(byte.into());
            } else {
                write!(escaped, "%{byte:02X}").expect("writing to a string cannot fail");
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies> {
        let found = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Proxies::parse(&ProxyVariables::read(|name| found(name).map(|(_, value)| (*value).to_owned())))
    }

    /// The proxies of requests to two schemes; empty for direct requests.
    fn routes(variables: &[(&str, &str)]) -> [String; 2] {
        let proxies = proxies(variables).unwrap();
        ["https://s3.amazonaws.com/", "http://s3.amazonaws.com/"].map(|address| {
            let proxy = proxies.for_address(address);
            proxy.map_or(String::new(), |proxy| format!("{} {proxy}", proxy.variable()))
        })
    }

    #[test]
    fn each_scheme_has_its_variable_and_lower_case_wins() {
        let (a, b) = ("http://a:1", "http://b:2");
        for (variables, expected) in [
            (&[][..], ["", ""]),
            (&[("HTTPS_PROXY", a)], ["HTTPS_PROXY http://a:1", ""]),
            (&[("HTTP_PROXY", a)], ["", "HTTP_PROXY http://a:1"]),
            (&[("ALL_PROXY", a)], ["ALL_PROXY http://a:1", "ALL_PROXY http://a:1"]),
            (&[("all_proxy", a), ("http_proxy", b)], ["all_proxy http://a:1", "http_proxy http://b:2"]),
            (&[("https_proxy", a), ("HTTPS_PROXY", b)], ["https_proxy http://a:1", ""]),
            (&[("https_proxy", ""), ("HTTPS_PROXY", b), ("ALL_PROXY", b)], ["", "ALL_PROXY http://b:2"]),
        ] {
            assert_eq!(routes(variables), expected, "{variables:?}");
        }
    }

    #[test]
    fn an_address_is_accepted_as_users_write_it_and_shown_without_its_password() {
        for (written, shown, secret) in [
            ("proxy:3128", "http://proxy:3128", "http://proxy:3128"),
            ("http://proxy", "http://proxy:80", "http://proxy:80"),
            ("HTTPS://Proxy.example/", "https://proxy.example:443", "https://proxy.example:443"),
            ("http://[::1]:8080", "http://[::1]:8080", "http://[::1]:8080"),
            ("http://kim@proxy:1", "http://proxy:1", "http://kim@proxy:1"),
            ("kim:pw@proxy:1", "http://proxy:1", "http://kim:pw@proxy:1"),
            ("http://kim:p%40s:s@proxy:1/x", "http://proxy:1", "http://kim:p%40s%3As@proxy:1"),
            ("http://a\\kim:p@ss word@proxy:1", "http://proxy:1", "http://a%5Ckim:p%40ss%20word@proxy:1"),
        ] {
            let proxy = Proxy::parse("HTTP_PROXY", written).unwrap();
            assert_eq!((proxy.to_string(), proxy.secret_address()), (shown.to_owned(), secret.to_owned()));
            assert_eq!(format!("{proxy:?}"), format!("Proxy({shown})"));
        }
    }

    #[test]
    fn an_unusable_proxy_is_refused_without_repeating_its_address() {
        for written in [
            "socks5://kim:hush@proxy:1",
            "http://kim:hu/sh@proxy:1",
            "http://kim:hush@:1",
            "http://kim:hush@proxy:x",
        ] {
            let error = proxies(&[("HTTPS_PROXY", written)]).unwrap_err();
            let text = format!("{error} {error:?} {:?}", error.next_step());
            assert_eq!(error.kind(), ErrorKind::Usage, "{text}");
            assert!(text.contains("HTTPS_PROXY") && !text.contains("hu"), "{text}");
        }
        proxies(&[("ALL_PROXY", "socks5://kim:hush@proxy:1"), ("no_proxy", "*")]).unwrap();
        let read = |name: &str| (name == "ALL_PROXY").then(|| "http://kim:hush@proxy:1".to_owned());
        let variables = ProxyVariables::read(read);
        assert!(!format!("{variables:?} {:?}", Proxies::parse(&variables)).contains("hush"));
    }

    #[test]
    fn hosts_that_need_no_proxy_are_reached_directly() {
        for (listed, address, is_direct) in [
            ("*", "https://bucket.s3.amazonaws.com/", true),
            ("*", "http://127.0.0.1:9000/", true),
            ("", "http://127.0.0.1:9000/", false),
            ("example.com", "https://example.com/", true),
            ("example.com", "https://s3.example.com/", true),
            ("Example.COM.", "https://S3.example.com./", true),
            ("example.com", "https://notexample.com/", false),
            ("example.com", "https://example.com.org/", false),
            (".example.com", "https://s3.example.com/", true),
            ("*.example.com", "https://a.s3.example.com:9000/", true),
            ("a.org, example.com\tb.org", "https://b.org/", true),
            ("a.org example.com", "https://example.com/", true),
            ("example.com:443", "https://example.com/", true),
            ("example.com:443", "https://example.com:8443/", false),
            ("example.com:8443", "https://s3.example.com:8443/x", true),
            ("127.0.0.1", "http://127.0.0.1:9000/", true),
            ("127.0.0.1:9000", "http://127.0.0.1:9000/", true),
            ("127.0.0.1:9001", "http://127.0.0.1:9000/", false),
            ("7.0.0.1", "http://127.0.0.1:9000/", false),
            ("10.0.0.0/8", "http://10.200.1.2/", true),
            ("10.0.0.0/8", "http://11.0.0.1/", false),
            ("0.0.0.0/0", "http://11.0.0.1/", true),
            ("10.1.2.3/32", "http://10.1.2.4/", false),
            ("::1", "http://[::1]:9000/", true),
            ("[::1]:9000", "http://[::1]:9000/", true),
            ("[::1]:9001", "http://[::1]:9000/", false),
            ("fd00::/8", "http://[fd12::1]/", true),
            ("fd00::/8", "http://10.0.0.1/", false),
            (".", "https://example.com/", false),
        ] {
            let proxies = proxies(&[("ALL_PROXY", "http://proxy:1"), ("NO_PROXY", listed)]).unwrap();
            assert_eq!(proxies.for_address(address).is_none(), is_direct, "{listed} {address}");
        }
    }

    #[test]
    fn addresses_that_only_this_machine_can_reach_need_no_exemption() {
        let agent = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost:8181/credentials");
        let proxies = proxies(&[("ALL_PROXY", "http://proxy:1"), agent]).unwrap();
        for (address, is_direct) in [
            ("http://169.254.169.254/latest/api/token", true),
            ("http://169.254.170.2/v2/credentials", true),
            ("http://[fd00:ec2::254]/latest/meta-data/", true),
            ("http://[fd00:ec3::254]/latest/meta-data/", false),
            ("http://localhost:8181/credentials", true),
            ("http://localhost:8182/credentials", false),
            ("https://sts.ap-northeast-2.amazonaws.com/", false),
        ] {
            assert_eq!(proxies.for_address(address).is_none(), is_direct, "{address}");
        }
    }
}

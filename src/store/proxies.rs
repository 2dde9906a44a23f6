//! Which requests go through a proxy, as the usual variables of the environment say.
//!
//! `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are read as curl and the AWS CLI read them; a name in lower case
//! wins over the same name in capitals, and an empty value means no proxy. Nothing here prints or sends anything, and what is
//! printed of a proxy never holds its password.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use crate::error::{Error, ErrorKind, Result};

/// Variables that name a proxy, by the scheme of the requests that it takes.
const OF_SCHEMES: [(&str, [&str; 2]); 2] =
    [("https", ["https_proxy", "HTTPS_PROXY"]), ("http", ["http_proxy", "HTTP_PROXY"])];
/// Variables that name a proxy for every scheme without one of its own.
const OF_ALL: [&str; 2] = ["all_proxy", "ALL_PROXY"];
/// Variables that list hosts which are reached directly.
const OF_NONE: [&str; 2] = ["no_proxy", "NO_PROXY"];
/// The agent of a container that hands out credentials: an address of this machine.
const OF_AGENT: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
/// Where instances and containers of AWS find metadata and credentials: addresses that mean something to this machine alone.
const LINK_LOCAL: [&str; 2] = ["169.254.0.0/16", "fd00:ec2::/32"];

/// What the environment says about proxies, not yet looked at. Addresses may hold passwords.
#[derive(Clone, Default)]
pub struct ProxyVariables(BTreeMap<&'static str, String>);

impl ProxyVariables {
    /// Looks up each variable that matters.
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

/// A proxy as a variable names it.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    variable: &'static str,
    address: Address,
    /// User and password as they stand in an address, escaped.
    credentials: Option<String>,
}

impl Proxy {
    /// Fails when the value is not the address of a proxy that can be used; the error does not repeat it.
    fn parse(variable: &'static str, value: &str) -> Result<Self> {
        let refusal = |why: &str| {
            Error::new(ErrorKind::Usage, format!("cannot use the proxy: {why}"))
                .with("variable", variable)
                .hint("write http://host:port or http://user:password@host:port, with %XX for special characters")
        };
        let with_scheme = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        let (address, credentials) =
            Address::parse(&with_scheme).ok_or_else(|| refusal("its address is not one"))?;
        if !matches!(address.scheme.as_str(), "http" | "https") {
            return Err(refusal("its address begins with neither http:// nor https://"));
        }
        Ok(Self { variable, address, credentials: credentials.map(escaped) })
    }

    /// Its address with user and password: for the client alone.
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

/// Its address without user and password.
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
    /// Fails when a proxy is named that cannot be used: to go past it silently could break a rule of the network.
    pub fn parse(variables: &ProxyVariables) -> Result<Self> {
        let of = |names: [&'static str; 2]| {
            let named = variables.first(names).or_else(|| variables.first(OF_ALL));
            named.filter(|(_, value)| !value.is_empty()).map(|(name, value)| Proxy::parse(name, value))
        };
        let [https, http] = OF_SCHEMES.map(|(_, names)| of(names).transpose());
        let listed = variables.first(OF_NONE).map_or("", |(_, value)| value);
        let listed = listed.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
        let agent = variables.0.get(OF_AGENT).and_then(|uri| Address::parse(uri));
        let agent = agent.map(|(agent, _)| Exemption::Host { name: agent.host, port: Some(agent.port) });
        let exempt = LINK_LOCAL.into_iter().chain(listed).map(Exemption::parse).chain(agent).collect();
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

    /// The proxy that a request to an address goes through, if it does.
    #[must_use]
    pub fn for_address(&self, address: &str) -> Option<&Proxy> {
        let (address, _) = Address::parse(address)?;
        let is_exempt = self.exempt.iter().any(|exemption| exemption.covers(&address));
        self.of_scheme(&address.scheme).filter(|_| !is_exempt)
    }
}

/// What is reached without a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Exemption {
    Everything,
    /// Addresses with the same first bits.
    Network {
        address: IpAddr,
        bits: u32,
    },
    /// A host and all below it, on one port or on all.
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

/// Whether two addresses of one family begin with the same bits.
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

/// Where an address leads: in lower case, without a final dot and without the brackets of IPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    scheme: String,
    host: String,
    port: u16,
}

impl Address {
    /// An address with its scheme, and the user and password in it.
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

/// A host, with its brackets, and the port behind it, if there is one; `None` where the port is not a number.
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

/// Escapes what may not stand before the `@` of an address; what is escaped already stays.
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
                write!(escaped, "%{byte:02X}").expect("a string takes all that is written");
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

    /// Where requests to two schemes go; empty where they go directly.
    fn ways(variables: &[(&str, &str)]) -> [String; 2] {
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
            assert_eq!(ways(variables), expected, "{variables:?}");
        }
    }

    #[test]
    fn an_address_is_taken_as_people_write_it_and_shown_without_its_password() {
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
    fn a_proxy_that_cannot_be_used_is_refused_without_repeating_it() {
        for written in [
            "socks5://kim:hush@proxy:1",
            "http://kim:hu/sh@proxy:1",
            "http://kim:hush@:1",
            "http://kim:hush@proxy:x",
        ] {
            let error = proxies(&[("HTTPS_PROXY", written)]).unwrap_err();
            let said = format!("{error} {error:?} {:?}", error.next_step());
            assert_eq!(error.kind(), ErrorKind::Usage, "{said}");
            assert!(said.contains("HTTPS_PROXY") && !said.contains("hu"), "{said}");
        }
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
    fn what_only_this_machine_can_reach_needs_no_exemption() {
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

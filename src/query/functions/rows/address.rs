//! IP addresses as they are stored, and their texts.

use std::net::Ipv6Addr;

/// Reads a stored address. IPv4 addresses are IPv6 addresses that map them.
pub(super) fn stored(bytes: &[u8]) -> Ipv6Addr {
    let octets = bytes.get(..16).and_then(|octets| <[u8; 16]>::try_from(octets).ok());
    Ipv6Addr::from(octets.unwrap_or_default())
}

/// Returns the text of an address or a network; `None` for other bytes.
pub(super) fn text_of(bytes: &[u8]) -> Option<String> {
    let address = || match stored(bytes).to_ipv4_mapped() {
        Some(address) => address.to_string(),
        None => stored(bytes).to_string(),
    };
    match bytes.len() {
        16 => Some(address()),
        17 => Some(format!("{}/{}", address(), bytes[16])),
        _ => None,
    }
}

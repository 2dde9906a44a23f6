//! IP addresses and networks. IPv4 addresses are stored as IPv6 addresses that map them.

use std::net::{IpAddr, Ipv6Addr};

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};

use super::address::{stored, text_of};
use super::{RowFunction, Value, bytes, row, text, whole};
use crate::query::type_names::{IP_ADDRESS, IP_PREFIX};
use crate::query::types;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    row("contains(varchar, ipaddress) -> boolean", |of, _| {
        let network = Network::parse(text(of, 0))?;
        Ok(network.contains(stored(bytes(of, 1))).into())
    }),
    row("contains(ipprefix, ipaddress) -> boolean", |of, _| Ok(within(of).into())),
    row("ip_prefix(ipaddress, bigint) -> ipprefix", |of, _| prefix(stored(bytes(of, 0)), whole(of, 1))),
    row("ip_prefix(varchar, bigint) -> ipprefix", |of, _| prefix(address(text(of, 0))?, whole(of, 1))),
    row("ip_subnet_max(ipprefix) -> ipaddress", |of, _| Ok(Network::stored(bytes(of, 0)).last().into())),
    row("ip_subnet_min(ipprefix) -> ipaddress", |of, _| Ok(Network::stored(bytes(of, 0)).first.into())),
    row("ip_subnet_range(ipprefix) -> array(ipaddress)", |of, _| {
        let network = Network::stored(bytes(of, 0));
        Ok(Value::List(vec![network.first.into(), network.last().into()]))
    }),
    row("is_subnet_of(ipprefix, ipaddress) -> boolean", |of, _| Ok(within(of).into())),
    row("is_subnet_of(ipprefix, ipprefix) -> boolean", |of, _| {
        let (network, other) = (Network::stored(bytes(of, 0)), Network::stored(bytes(of, 1)));
        Ok((network.bits <= other.bits && network.contains(other.first)).into())
    }),
];

impl From<Ipv6Addr> for Value {
    fn from(address: Ipv6Addr) -> Self {
        Self::Bytes(address.octets().to_vec())
    }
}

fn within(of: &[Value]) -> bool {
    Network::stored(bytes(of, 0)).contains(stored(bytes(of, 1)))
}

fn address(written: &str) -> Result<Ipv6Addr> {
    match written.parse() {
        Ok(IpAddr::V4(address)) => Ok(address.to_ipv6_mapped()),
        Ok(IpAddr::V6(address)) => Ok(address),
        Err(_) => exec_err!("cannot cast '{written}' to ipaddress"),
    }
}

/// The first address of a network, and the number of bits that its addresses share.
#[derive(Clone, Copy)]
struct Network {
    first: Ipv6Addr,
    /// Out of 32 for IPv4.
    bits: u8,
}

fn width(of: Ipv6Addr) -> u8 {
    if of.to_ipv4_mapped().is_some() { 32 } else { 128 }
}

impl Network {
    fn of(address: Ipv6Addr, bits: i64) -> Result<Self> {
        let most = width(address);
        let Some(bits) = u8::try_from(bits).ok().filter(|bits| *bits <= most) else {
            return exec_err!("a prefix of this address has 0 to {most} bits, not {bits}");
        };
        let mask = u128::MAX.checked_shl(u32::from(most - bits)).unwrap_or(0);
        Ok(Self { first: Ipv6Addr::from(u128::from(address) & mask), bits })
    }

    fn parse(written: &str) -> Result<Self> {
        let (first, bits) = written.split_once('/').unwrap_or((written, ""));
        let (Ok(_), Ok(bits)) = (first.parse::<IpAddr>(), bits.parse::<i64>()) else {
            return exec_err!("'{written}' is not a network: write it as 10.0.0.0/8");
        };
        Self::of(address(first)?, bits)
    }

    fn stored(bytes: &[u8]) -> Self {
        Self { first: stored(bytes), bits: bytes.get(16).copied().unwrap_or(128) }
    }

    fn last(self) -> Ipv6Addr {
        let free = u32::from(width(self.first).saturating_sub(self.bits));
        let mask = u128::MAX.checked_shl(free).unwrap_or(0);
        Ipv6Addr::from(u128::from(self.first) | !mask)
    }

    fn contains(self, address: Ipv6Addr) -> bool {
        width(self.first) == width(address) && (self.first..=self.last()).contains(&address)
    }

    fn value(self) -> Value {
        Value::Bytes([self.first.octets().as_slice(), &[self.bits]].concat())
    }
}

fn prefix(address: Ipv6Addr, bits: i64) -> Result<Value> {
    Network::of(address, bits).map(Network::value)
}

/// Casts from and to addresses and networks.
pub(super) fn converted(value: &Value, from: &DataType, to: &DataType) -> Result<Value> {
    let refused = || exec_err!("cannot cast {} to {}", types::name(from), types::name(to));
    Ok(match (value, to) {
        (Value::Text(written), to) if *to == IP_ADDRESS => address(written)?.into(),
        (Value::Text(written), to) if *to == IP_PREFIX && !written.contains('/') => {
            let address = address(written)?;
            prefix(address, i64::from(width(address)))?
        }
        (Value::Text(written), to) if *to == IP_PREFIX => match Network::parse(written) {
            Ok(network) => network.value(),
            Err(_) => return exec_err!("cannot cast '{written}' to ipprefix"),
        },
        (Value::Bytes(bytes), DataType::Utf8) => Value::from_option(text_of(bytes)),
        (Value::Bytes(bytes), to) if *to == IP_ADDRESS => match bytes.len() {
            4 => address(&bytes.iter().map(u8::to_string).collect::<Vec<_>>().join("."))?.into(),
            16 | 17 => stored(bytes).into(),
            _ => return exec_err!("an IP address has 4 or 16 bytes"),
        },
        (Value::Bytes(bytes), to) if *to == IP_PREFIX => {
            let address = stored(bytes);
            prefix(address, i64::from(width(address)))?
        }
        (Value::Bytes(bytes), DataType::Binary) => Value::Bytes(bytes.clone()),
        _ => return refused(),
    })
}

//! Which addresses may be reached for somebody. Whoever names one chooses a name, and a name can point
//! anywhere: every address that it resolves to is judged, and the connection goes to exactly those.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// IPv4 that is nobody's on the public network, or special there, by first address and length
/// (RFC 6890 and its successors). The last one is a cloud's metadata service at a public address.
const SPECIAL_V4: [(Ipv4Addr, u8); 18] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
];
/// Of IPv6 only what is given to the public network may be reached, without these parts of it:
/// protocols (Teredo among them), documentation, 6to4, which carries an IPv4 address within.
const PUBLIC_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const SPECIAL_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn within_v4(address: Ipv4Addr, first: Ipv4Addr, length: u8) -> bool {
    let shift = 32 - u32::from(length);
    u64::from(address.to_bits()) >> shift == u64::from(first.to_bits()) >> shift
}

fn within_v6(address: Ipv6Addr, first: Ipv6Addr, length: u8) -> bool {
    length == 0 || (address.to_bits() ^ first.to_bits()) >> (128 - u32::from(length)) == 0
}

#[derive(Debug, thiserror::Error)]
#[error("{address} may not be reached from here: it is not on the public network")]
pub struct Forbidden {
    pub address: IpAddr,
}

/// The rule, with what the configuration allows besides.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allowed: Vec<IpNet>,
}

impl Guard {
    pub(crate) fn new(allowed: &[IpNet]) -> Self {
        Self { allowed: allowed.to_vec() }
    }

    /// # Errors
    /// Where nothing may be sent to it.
    pub fn admit(&self, address: IpAddr) -> Result<(), Forbidden> {
        // What is written as IPv6 and means IPv4 is that.
        let address = address.to_canonical();
        let allowed = self.allowed.iter().any(|network| network.contains(&address));
        if allowed || is_public(address) { Ok(()) } else { Err(Forbidden { address }) }
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !SPECIAL_V4.iter().any(|(first, length)| within_v4(address, *first, *length))
        }
        IpAddr::V6(address) => {
            within_v6(address, PUBLIC_V6.0, PUBLIC_V6.1)
                && !SPECIAL_V6.iter().any(|(first, length)| within_v6(address, *first, *length))
        }
    }
}

/// Resolves, and gives no address away that is not admitted. One bad address spoils its name:
/// nobody's honest name points at both.
#[derive(Debug)]
pub(crate) struct GuardedResolver {
    guard: Guard,
    inner: DefaultResolver,
}

impl GuardedResolver {
    pub(crate) fn new(guard: Guard) -> Self {
        Self { guard, inner: DefaultResolver::default() }
    }
}

impl Resolver for GuardedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        for address in found.iter() {
            self.guard
                .admit(address.ip())
                .map_err(|forbidden| ureq::Error::Other(Box::new(forbidden)))?;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_admitted_in_whatever_form_they_come() {
        let guard = Guard::default();
        for (address, admitted) in [
            ("93.184.216.34", true),
            ("2606:2800:220:1::1", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("100.100.100.200", false),
            ("127.0.0.1", false),
            ("127.255.255.254", false),
            ("168.63.129.16", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("172.32.0.1", true),
            ("192.0.0.192", false),
            ("192.168.1.1", false),
            ("198.19.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::127.0.0.1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:169.254.169.254", false),
            ("::ffff:93.184.216.34", true),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b:1::1", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::", false),
            ("3fff::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            let parsed: IpAddr = address.parse().unwrap();
            assert_eq!(guard.admit(parsed).is_ok(), admitted, "{address}");
        }
    }

    #[test]
    fn the_configuration_opens_a_network_and_no_more() {
        let guard = Guard::new(&["127.0.0.1/32", "fd00:1::/32"].map(|text| text.parse().unwrap()));
        for (address, admitted) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("127.0.0.2", false),
            ("fd00:1:2::3", true),
            ("fd00:2::3", false),
            ("::1", false),
        ] {
            let parsed: IpAddr = address.parse().unwrap();
            assert_eq!(guard.admit(parsed).is_ok(), admitted, "{address}");
        }
    }
}

//! Which addresses are public, and which are this machine's own or its link's. What is neither is
//! a site's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A cloud's own services beside its guests.
const BESIDE_GUESTS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Is it this very machine, its link, or what a cloud puts there?
pub(super) fn is_near(address: IpAddr) -> bool {
    let near_v4 = |address: Ipv4Addr| {
        let first = address.octets()[0];
        first == 0 || first >= 224 || address.is_loopback() || address.is_link_local()
    };
    BESIDE_GUESTS.contains(&address)
        || match address {
            IpAddr::V4(address) => near_v4(address),
            IpAddr::V6(address) => match embedded(address) {
                Some(inside) => near_v4(inside),
                None => {
                    let first = address.segments()[0];
                    address.is_unspecified()
                        || address.is_loopback()
                        || first & 0xffc0 == 0xfe80
                        || address.is_multicast()
                }
            },
        }
}

/// An address of IPv4 in one of IPv6 is judged as itself (RFC 4291, 6052, 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(a, b, c, d))
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || BESIDE_GUESTS.contains(&IpAddr::V4(address))
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a >= 224
        // Shared by providers (RFC 6598), protocols' own (RFC 6890), benchmarks (RFC 2544).
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inside) = embedded(address) {
        return is_public_v4(inside);
    }
    match address.segments() {
        // Teredo and documentation.
        [0x2001, 0 | 0xdb8, ..] => false,
        // Only this part of all addresses is given out (RFC 4291, section 2.4).
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_net_are_public() {
        for text in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::1.1.1.1"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "192.0.0.1",
            "198.18.0.1",
            "168.63.129.16",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::127.0.0.1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_machine_its_link_and_its_clouds_services_are_near() {
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "168.63.129.16",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "64:ff9b::169.254.169.254",
            "2002:7f00:1::",
        ] {
            assert!(is_near(text.parse().unwrap()), "{text}");
        }
        for text in ["1.1.1.1", "10.0.0.1", "192.168.1.1", "fd00::1", "2606:4700::1111"] {
            assert!(!is_near(text.parse().unwrap()), "{text}");
        }
    }
}

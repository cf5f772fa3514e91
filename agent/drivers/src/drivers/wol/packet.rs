//! The magic packet: six bytes of ones, the card's address sixteen times, and the SecureOn
//! password where the card asks for one.

const REPEATS: usize = 16;
const SYNC: [u8; 6] = [0xff; 6];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mac([u8; 6]);

impl Mac {
    /// Six bytes in hexadecimal, parted by colons or hyphens. A group's address is no card's.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mac = hexadecimal(text)?;
        let group = mac[0] & 1 == 1;
        (!group && mac != [0; 6]).then_some(Self(mac))
    }
}

/// What a card may want to hear before it wakes. Sent in the clear, so it is no secret that
/// guards anything else.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Password(Vec<u8>);

impl Password {
    /// Six bytes in hexadecimal, or four in decimal like an IPv4 address.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let six = || hexadecimal(text).map(|bytes| Self(bytes.to_vec()));
        let four =
            || text.parse().ok().map(|four: std::net::Ipv4Addr| Self(four.octets().to_vec()));
        six().or_else(four)
    }
}

pub(super) fn packet(mac: Mac, password: Option<Password>) -> Vec<u8> {
    let mut packet = SYNC.to_vec();
    packet.extend(mac.0.repeat(REPEATS));
    packet.extend(password.into_iter().flat_map(|password| password.0));
    packet
}

fn hexadecimal(text: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let mut parts = text.split([':', '-']);
    for byte in &mut bytes {
        let digits =
            |part: &&str| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
        let part = parts.next().filter(digits)?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: [u8; 6] = [0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f];

    #[test]
    fn a_packet_is_six_ones_sixteen_times_the_card_and_the_password() {
        let card = Mac::parse("0a:1B-2c:3d:4e:5F").unwrap();
        let bare = packet(card, None);
        assert_eq!(bare.len(), 102);
        assert_eq!((&bare[..6], &bare[6..12], &bare[96..]), (&[0xff; 6][..], &CARD[..], &CARD[..]));
        let long = packet(card, Password::parse("01:02:03:04:05:06"));
        assert_eq!((&long[..102], &long[102..]), (&bare[..], &[1, 2, 3, 4, 5, 6][..]));
        let short = packet(card, Password::parse(" 10.1.2.3\n"));
        assert_eq!(&short[102..], [10, 1, 2, 3]);
    }

    #[test]
    fn what_is_no_cards_address_is_none() {
        for text in [
            "",
            "0a:1b:2c:3d:4e",
            "0a:1b:2c:3d:4e:5f:60",
            "0a1b2c3d4e5f",
            "0g:1b:2c:3d:4e:5f",
            "+a:1b:2c:3d:4e:5f",
            "ff:ff:ff:ff:ff:ff",
            "01:00:5e:00:00:01",
            "00:00:00:00:00:00",
        ] {
            assert_eq!(Mac::parse(text), None, "{text}");
        }
        assert!(Password::parse("letmein").is_none());
    }
}

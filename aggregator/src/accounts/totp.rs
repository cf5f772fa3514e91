//! Time-based one-time passwords: RFC 6238 with HMAC-SHA-1, six digits and steps of thirty
//! seconds, which is what every authenticator app speaks.

use ring::hmac;

pub(super) const SECRET_BYTES: usize = 20;
const STEP_MS: u64 = 30_000;
/// Clocks differ: the step before and the one after count too.
const SKEW: u64 = 1;

/// The step at which `code` is right, where it is right at all around `now_ms`.
pub(super) fn matching_step(secret: &[u8], code: &str, now_ms: u64) -> Option<u64> {
    let now = now_ms / STEP_MS;
    (now.saturating_sub(SKEW)..=now + SKEW).rev().find(|step| {
        let own = code_at(secret, *step);
        bool::from(subtle::ConstantTimeEq::ct_eq(own.as_bytes(), code.as_bytes()))
    })
}

/// RFC 4226, section 5.3, over the step.
fn code_at(secret: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or_default() & 0x0f);
    let part = bytes.iter().skip(offset).take(4);
    let number = part.fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// The secret as apps take it by hand.
pub(super) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(held << (5 - bits) & 31) as usize]));
    }
    text
}

/// The address that an app reads from a picture.
pub(super) fn uri(email: &str, secret: &[u8]) -> String {
    let label: String = form_urlencoded::byte_serialize(email.as_bytes()).collect();
    let secret = base32(secret);
    format!(
        "otpauth://totp/Flyball:{label}?secret={secret}&issuer=Flyball&algorithm=SHA1&digits=6&period=30"
    )
}

#[cfg(test)]
pub(crate) fn from_base32(text: &str) -> Vec<u8> {
    let digits = text.bytes().map(|byte| match byte {
        b'A'..=b'Z' => byte - b'A',
        digit => digit - b'2' + 26,
    });
    let bits: Vec<u8> =
        digits.flat_map(|digit| (0..5).rev().map(move |at| digit >> at & 1)).collect();
    bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

/// The code of the present step, for tests that play the app.
#[cfg(test)]
pub(crate) fn code_now(secret: &[u8], now_ms: u64) -> String {
    code_at(secret, now_ms / STEP_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // Appendix B, the last six of eight digits.
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            let now_ms = second * 1_000;
            assert_eq!(code_now(b"12345678901234567890", now_ms), code, "{second}");
            let step = matching_step(b"12345678901234567890", code, now_ms);
            assert_eq!(step, Some(second / 30));
        }
        assert_eq!(matching_step(b"12345678901234567890", "287082", 150_000), None);
        assert_eq!(matching_step(b"12345678901234567890", "", 59_000), None);
    }

    #[test]
    fn a_secret_is_told_in_base32() {
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(base32(b"12345678901234567890"), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(uri("a@example.org", b"foobar").starts_with("otpauth://totp/Flyball:a%40example"));
    }
}

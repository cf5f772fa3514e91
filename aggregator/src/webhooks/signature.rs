//! Signatures as Standard Webhooks has them: `v1,` and the HMAC-SHA256 over id, time and body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
const BYTES: usize = 32;

/// A secret as its receiver is given it.
pub(super) fn new_secret() -> Result<Zeroizing<String>, getrandom::Error> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    getrandom::fill(bytes.as_mut_slice())?;
    Ok(Zeroizing::new(format!("{PREFIX}{}", STANDARD.encode(bytes.as_slice()))))
}

/// One signature by each secret, separated by spaces; a receiver needs one that it knows.
pub(super) fn sign(secrets: &[Zeroizing<String>], id: &str, at_s: u64, body: &str) -> String {
    let signatures = secrets.iter().filter_map(|secret| {
        let bytes = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok().map(Zeroizing::new)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let tag = hmac::sign(&key, format!("{id}.{at_s}.{body}").as_bytes());
        Some(format!("v1,{}", STANDARD.encode(tag)))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_example_is_signed_as_it_says() {
        let secret = Zeroizing::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let signed = sign(
            &[secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_differ_and_each_signs_while_two_are_live() {
        let secrets = [new_secret().unwrap(), new_secret().unwrap()];
        assert_ne!(*secrets[0], *secrets[1]);
        assert_eq!(sign(&secrets, "m", 1, "{}").split(' ').count(), 2);
    }
}

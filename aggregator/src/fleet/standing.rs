//! Whether a machine may speak here, judged anew at every connection.

/// What is known of a machine's certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Of the certificate that was given last, hexadecimal.
    pub(crate) serial: String,
    /// Of the one before, until the last is shown.
    pub(crate) previous: Option<String>,
    pub(crate) revoked: bool,
    /// It was seen in two places at once.
    pub(crate) quarantined: bool,
}

/// What a certificate that was shown is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Current,
    /// Good until the current one is shown.
    Previous,
    /// Another was given since, and shown.
    Outdated,
}

impl Standing {
    pub(crate) fn of(&self, serial: &str) -> Shown {
        if same(serial, &self.serial) {
            Shown::Current
        } else if self.previous.as_deref().is_some_and(|previous| same(serial, previous)) {
            Shown::Previous
        } else {
            Shown::Outdated
        }
    }
}

/// A number's leading zeros are not carried by its certificate.
fn same(a: &str, b: &str) -> bool {
    a.trim_start_matches('0') == b.trim_start_matches('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_certificate_counts_and_the_one_before_until_it_is_shown() {
        let previous = Some("0b".into());
        let serial = "000c".into();
        let mut standing = Standing { serial, previous, revoked: false, quarantined: false };
        assert_eq!(standing.of("0c"), Shown::Current);
        assert_eq!(standing.of("0b"), Shown::Previous);
        assert_eq!(standing.of("0a"), Shown::Outdated);
        standing.previous = None;
        assert_eq!(standing.of("0b"), Shown::Outdated);
    }
}

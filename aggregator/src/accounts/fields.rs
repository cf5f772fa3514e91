//! What the fields of an account may hold.

use super::AccountsError;

const MAX_NAME: usize = 200;
const MAX_URL: usize = 2_048;
const MAX_EMAIL: usize = 254;
const MAX_LOCAL: usize = 64;
const MAX_ZONE: usize = 64;
pub const DEFAULT_LOCALE: &str = "en-US";
pub const DEFAULT_TIMEZONE: &str = "UTC";

/// One field that holds what it may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    pub field: &'static str,
    pub message: &'static str,
}

/// The address in lower case.
///
/// # Errors
/// Where it is none.
pub fn email(text: &str) -> Result<String, AccountsError> {
    let is_local = |part: &str| {
        (1..=MAX_LOCAL).contains(&part.len())
            && part
                .chars()
                .all(|c| !c.is_control() && !c.is_whitespace() && !"()<>[],;:\\\"@".contains(c))
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_domain = |domain: &str| domain.contains('.') && domain.split('.').all(is_label);
    match text.rsplit_once('@') {
        Some((local, domain))
            if text.len() <= MAX_EMAIL && is_local(local) && is_domain(domain) =>
        {
            Ok(text.to_lowercase())
        }
        _ => Err(AccountsError::InvalidEmail),
    }
}

/// What a profile is set to; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileChange {
    pub display_name: Option<String>,
    /// `Some(None)`: no picture any more.
    pub avatar_url: Option<Option<String>>,
    pub locale: Option<String>,
    pub timezone: Option<String>,
}

impl ProfileChange {
    /// Everything that is wrong with it.
    #[must_use]
    pub fn faults(&self) -> Vec<FieldFault> {
        let mut faults = Vec::new();
        let mut hold = |field, text: Option<&String>, test: fn(&str) -> bool, message| {
            if text.is_some_and(|text| !test(text)) {
                faults.push(FieldFault { field, message });
            }
        };
        let name = "has 1 to 200 characters, none of them a control character";
        hold("display_name", self.display_name.as_ref(), is_name, name);
        let url = "is an https address of at most 2048 characters";
        let avatar = self.avatar_url.as_ref().and_then(Option::as_ref);
        hold("avatar_url", avatar, is_https, url);
        hold("locale", self.locale.as_ref(), is_locale, "is a language tag like en-US");
        let zone = "is a time zone like Europe/Berlin";
        hold("timezone", self.timezone.as_ref(), is_timezone, zone);
        faults
    }

    /// # Errors
    /// Where a field is faulty; all of them are named.
    pub fn checked(self) -> Result<Self, AccountsError> {
        let faults = self.faults();
        if faults.is_empty() { Ok(self) } else { Err(AccountsError::Fields(faults)) }
    }
}

/// A name that people read: one line.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let length = text.chars().count();
    (1..=MAX_NAME).contains(&length)
        && !text.trim().is_empty()
        && !text.chars().any(char::is_control)
}

fn is_https(text: &str) -> bool {
    let uri: Option<ureq::http::Uri> = text.parse().ok();
    text.len() <= MAX_URL
        && uri.is_some_and(|uri| {
            uri.scheme_str() == Some("https")
                && uri.host().is_some_and(|host| !host.is_empty())
                && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        })
}

/// RFC 5646 in its form; which languages there are is not judged.
fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    text.len() <= 35
        && (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

/// The form of the IANA database's names; a machine without the database still takes them.
fn is_timezone(text: &str) -> bool {
    (1..=MAX_ZONE).contains(&text.len())
        && text.split('/').all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_name_and_a_domain_and_nothing_hidden() {
        assert_eq!(email("User.Name+tag@Example.ORG").unwrap(), "user.name+tag@example.org");
        for text in [
            "",
            "user",
            "@example.org",
            "user@",
            "user@localhost",
            "user@-example.org",
            "user@example..org",
            "user name@example.org",
            "user@example.org\r\nBcc: x@example.org",
            "user\0@example.org",
            "a@b@example.org",
            "<user@example.org>",
            "user@exa\u{0}mple.org",
        ] {
            assert!(email(text).is_err(), "{text:?}");
        }
        assert!(email(&format!("{}@example.org", "x".repeat(300))).is_err());
    }

    #[test]
    fn every_fault_of_a_profile_is_named() {
        let change = ProfileChange {
            display_name: Some("a\r\nb".into()),
            avatar_url: Some(Some("http://example.org/a.png".into())),
            locale: Some("english please".into()),
            timezone: Some("../etc/passwd".into()),
        };
        let fields: Vec<_> = change.faults().into_iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["display_name", "avatar_url", "locale", "timezone"]);
        let change = ProfileChange {
            display_name: Some("Zoë".into()),
            avatar_url: Some(None),
            locale: Some("zh-Hant-TW".into()),
            timezone: Some("America/Argentina/Buenos_Aires".into()),
        };
        assert_eq!(change.faults(), []);
        for url in ["javascript:alert(1)", "https://user:pw@example.org/", "https://", "//x"] {
            let change = ProfileChange { avatar_url: Some(Some(url.into())), ..Default::default() };
            assert_eq!(change.faults().len(), 1, "{url}");
        }
    }
}

//! The mail server, and what its answers mean.

use super::Queued;
use crate::config::Smtp as Settings;
use lettre::address::Address;
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};
use zeroize::Zeroizing;

/// One connection with all that is said over it.
const PATIENCE: Duration = Duration::from_secs(30);
const MAX_WHY: usize = 500;

#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    #[error(
        "smtp.url is smtps://host[:port], or smtp://host[:port] with ?tls=none or ?tls=required"
    )]
    Url(#[source] Option<lettre::transport::smtp::Error>),
    #[error("smtp.from is an address such as Flyball <flyball@example.org>")]
    From,
    #[error("smtp.password_file {path} cannot be read")]
    Password {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("smtp.password_file needs smtp.user")]
    User,
}

#[derive(Debug)]
pub(super) enum Sent {
    Taken,
    /// Never: the server says so itself.
    Refused(String),
    Failed(String),
}

pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    host: String,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Smtp {
    /// `None` where none is configured.
    pub(super) fn open(settings: &Settings) -> Result<Option<Self>, SmtpError> {
        let Some(url) = &settings.url else { return Ok(None) };
        let uri: ureq::http::Uri = url.parse().map_err(|_| SmtpError::Url(None))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(SmtpError::Url(None))?;
        // Who signs in stands in keys of their own, so that no password is in what is logged.
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(SmtpError::Url(None));
        }
        let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let bare = url.split('?').next().unwrap_or_default().trim_end_matches('/');
        // A password or a link that opens an account goes over no open line by mistake.
        let url = match (uri.scheme_str(), uri.query()) {
            (Some("smtps"), None) | (Some("smtp"), Some("tls=none")) => bare.to_owned(),
            (Some("smtp"), None) if local => bare.to_owned(),
            (Some("smtp"), None | Some("tls=required")) => format!("{bare}?tls=required"),
            _ => return Err(SmtpError::Url(None)),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url)
            .map_err(|error| SmtpError::Url(Some(error)))?
            .timeout(Some(PATIENCE));
        match (&settings.user, &settings.password_file) {
            (Some(user), Some(path)) => {
                let text = std::fs::read_to_string(path)
                    .map(Zeroizing::new)
                    .map_err(|source| SmtpError::Password { path: path.clone(), source })?;
                let password = text.lines().next().unwrap_or_default().to_owned();
                builder = builder.credentials(Credentials::new(user.clone(), password));
            }
            (None, Some(_)) => return Err(SmtpError::User),
            (_, None) => {}
        }
        let from = settings.from.as_deref().unwrap_or("Flyball <flyball@localhost>");
        let from = from.parse().map_err(|_| SmtpError::From)?;
        let host = match uri.port_u16() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(Some(Self { transport: builder.build(), from, host }))
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) async fn send(&self, mail: &Queued, text: String, now_ms: u64) -> Sent {
        let message = match self.message(mail, text, now_ms) {
            Ok(message) => message,
            Err(why) => return Sent::Refused(why),
        };
        let sending = tokio::time::timeout(PATIENCE, self.transport.send(message));
        match sending.await {
            Ok(Ok(_)) => Sent::Taken,
            Ok(Err(error)) if error.is_permanent() => Sent::Refused(why(&error)),
            Ok(Err(error)) => Sent::Failed(why(&error)),
            Err(_) => Sent::Failed(format!("it took longer than {} s", PATIENCE.as_secs())),
        }
    }

    /// The builder encodes what stands in headers; lines of the text are none of them.
    fn message(&self, mail: &Queued, text: String, now_ms: u64) -> Result<Message, String> {
        let address: Address = mail.to.parse().map_err(|_| "it goes to no address".to_owned())?;
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(&mail.subject)
            .date(UNIX_EPOCH + Duration::from_millis(now_ms))
            // The same at every attempt, so that a server that took it twice can tell.
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .singlepart(SinglePart::plain(text))
            .map_err(|error| error.to_string())
    }
}

/// Why nothing can be sent to `text`, where that is so.
pub(super) fn address_fault(text: &str) -> Option<String> {
    let address = text.parse::<Address>();
    (address.is_err() || text.chars().any(char::is_control))
        .then(|| "it goes to no address".to_owned())
}

fn why(error: &lettre::transport::smtp::Error) -> String {
    let text = crate::resilience::chain(error);
    text.chars().filter(|c| !c.is_control()).take(MAX_WHY).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_line_is_asked_for_by_name_and_no_password_stands_in_the_address() {
        for (url, host) in [
            ("smtps://mail.example.org", Some("mail.example.org")),
            ("smtp://mail.example.org:587", Some("mail.example.org:587")),
            ("smtp://mail.example.org/?tls=none", Some("mail.example.org")),
            ("smtp://mail.example.org?tls=required", Some("mail.example.org")),
            ("smtp://127.0.0.1:2525", Some("127.0.0.1:2525")),
            ("smtp://mail.example.org?tls=perhaps", None),
            ("smtp://user:secret@mail.example.org", None),
            ("https://mail.example.org", None),
            ("mail.example.org", None),
            ("", None),
        ] {
            let settings = Settings { url: Some(url.into()), ..Settings::default() };
            let opened = Smtp::open(&settings).ok().flatten();
            assert_eq!(opened.as_ref().map(Smtp::host), host, "{url}");
        }
        let from = Some("nobody".to_owned());
        let settings =
            Settings { url: Some("smtps://a.example.org".into()), from, ..Settings::default() };
        assert!(matches!(Smtp::open(&settings), Err(SmtpError::From)));
        assert!(Smtp::open(&Settings::default()).unwrap().is_none());
    }
}

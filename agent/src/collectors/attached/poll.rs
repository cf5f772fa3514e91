//! Sensors that are asked: `GET` of their URL, whose answer is what [`super::payload`] describes.
//!
//! One request at a time and a connection each, with a deadline for the whole of it and a bound
//! on what is read; nothing is redirected. One that fails again and again is asked more rarely
//! until it answers.

mod answer;

use super::cause::Cause;
use super::door::{Door, Origin};
use crate::clock::Clock;
use crate::config::Poll;
use crate::logging::chain;
use rustls_pki_types::{InvalidDnsNameError, ServerName};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// For a whole request, names and TLS included; never longer than until the next one.
const PATIENCE: Duration = Duration::from_secs(5);
/// Failures in a row after which the breaker opens.
const BREAKER_FAILURES: u32 = 5;
const LONGEST_WAIT: Duration = Duration::from_secs(300);

#[derive(Debug, thiserror::Error)]
pub(super) enum PollError {
    #[error("its name can't be resolved")]
    Resolve(#[source] io::Error),
    #[error("it can't be reached")]
    Connect(#[source] io::Error),
    #[error("its name is none that a certificate can carry")]
    Name(#[source] InvalidDnsNameError),
    #[error("it can't be trusted, or does not trust this machine")]
    Tls(#[source] io::Error),
    #[error("the connection to it broke")]
    Broken(#[source] io::Error),
    #[error("it did not answer within {} ms", .0.as_millis())]
    Deadline(Duration),
    #[error("it answered {0}")]
    Status(u16),
    #[error("its answer has more than {0} bytes")]
    TooLarge(usize),
    #[error("its answer is no HTTP")]
    NotHttp(#[source] httparse::Error),
    #[error("its answer is cut off or wrongly framed")]
    Framing,
}

impl PollError {
    const fn cause(&self) -> Cause {
        match self {
            Self::Resolve(_) | Self::Connect(_) | Self::Name(_) | Self::Broken(_) => {
                Cause::Unreachable
            }
            Self::Tls(_) => Cause::Untrusted,
            Self::Deadline(_) => Cause::TimedOut,
            Self::Status(_) => Cause::BadStatus,
            Self::TooLarge(_) => Cause::Oversized,
            Self::NotHttp(_) | Self::Framing => Cause::BadAnswer,
        }
    }
}

/// How often a sensor is asked, and how that goes.
#[derive(Debug)]
struct Breaker {
    every: Duration,
    failures: u32,
}

impl Breaker {
    const fn new(every: Duration) -> Self {
        Self { every, failures: 0 }
    }

    /// Until the next request. Open, it is twice as long each time, five minutes at most.
    fn wait(&self) -> Duration {
        let doublings = self.failures.saturating_sub(BREAKER_FAILURES - 1).min(16);
        let longest = LONGEST_WAIT.max(self.every);
        self.every.saturating_mul(1 << doublings).min(longest)
    }
}

/// Asks for ever.
pub(super) async fn ask(key: String, poll: Poll, door: Arc<Door>, clock: Clock) {
    let mut breaker = Breaker::new(poll.every);
    // Many sensors are not asked in the same instant.
    let every_ms = u64::try_from(poll.every.as_millis()).unwrap_or(u64::MAX);
    let mut wait = Duration::from_millis(crate::random::number() % every_ms.max(1));
    loop {
        tokio::time::sleep(wait).await;
        let began = clock.now();
        match fetch(&poll).await {
            Ok(body) => {
                if breaker.failures > 0 {
                    tracing::info!(sensor = key, url = %poll.url, "an attached sensor answers again");
                }
                breaker.failures = 0;
                // What was wrong with it is counted and said.
                let _refused = door.take(Origin::Poll(&key), &body, clock.now());
            }
            Err(error) => {
                let error_text = chain(&error);
                if breaker.failures == 0 {
                    tracing::warn!(
                        sensor = key, url = %poll.url, error = error_text,
                        "an attached sensor can't be asked; trying again"
                    );
                }
                breaker.failures = breaker.failures.saturating_add(1);
                door.fail(&key, error.cause(), error_text);
            }
        }
        wait = breaker.wait().saturating_sub(clock.now().saturating_duration_since(began));
    }
}

/// The body of the sensor's answer.
async fn fetch(poll: &Poll) -> Result<Vec<u8>, PollError> {
    let patience = PATIENCE.min(poll.every);
    tokio::time::timeout(patience, exchange(poll))
        .await
        .map_err(|_| PollError::Deadline(patience))?
}

async fn exchange(poll: &Poll) -> Result<Vec<u8>, PollError> {
    let addresses = poll.url.address.resolve().await.map_err(PollError::Resolve)?;
    let stream = TcpStream::connect(&addresses[..]).await.map_err(PollError::Connect)?;
    match &poll.tls {
        None => converse(stream, poll).await,
        Some(tls) => {
            let (host, _) = poll.url.address.parts();
            let name = ServerName::try_from(host.to_owned()).map_err(PollError::Name)?;
            let connector = TlsConnector::from(tls.client());
            converse(connector.connect(name, stream).await.map_err(PollError::Tls)?, poll).await
        }
    }
}

async fn converse<S>(mut stream: S, poll: &Poll) -> Result<Vec<u8>, PollError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let authorization = poll
        .token
        .as_ref()
        .map_or_else(String::new, |token| format!("authorization: Bearer {}\r\n", token.reveal()));
    let request = format!(
        "GET {} HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\n{authorization}\
         user-agent: flyball-agent/{}\r\nconnection: close\r\n\r\n",
        poll.url.path,
        poll.url.authority,
        env!("CARGO_PKG_VERSION"),
    );
    stream.write_all(request.as_bytes()).await.map_err(PollError::Broken)?;
    let mut bytes = Vec::with_capacity(1024);
    loop {
        let room = answer::MAX_BYTES + 1 - bytes.len();
        match (&mut stream).take(room as u64).read_buf(&mut bytes).await {
            Ok(0) => return answer::body(&bytes, true)?.ok_or(PollError::Framing),
            Ok(_) => {}
            // Many small servers just go, which a server that speaks TLS must not.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return answer::body(&bytes, false)?.ok_or(PollError::Broken(error));
            }
            Err(error) => return Err(PollError::Broken(error)),
        }
        if let Some(body) = answer::body(&bytes, false)? {
            return Ok(body);
        }
        if bytes.len() > answer::MAX_BYTES {
            return Err(PollError::TooLarge(answer::MAX_BYTES));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensor_that_keeps_failing_is_asked_ever_more_rarely_up_to_a_bound() {
        let mut breaker = Breaker::new(Duration::from_secs(10));
        let waits: Vec<u64> = (0..12)
            .map(|failures| {
                breaker.failures = failures;
                breaker.wait().as_secs()
            })
            .collect();
        assert_eq!(waits, [10, 10, 10, 10, 10, 20, 40, 80, 160, 300, 300, 300]);
        let rare = Breaker { every: Duration::from_secs(3600), failures: 99 };
        assert_eq!(rare.wait(), rare.every);
    }
}

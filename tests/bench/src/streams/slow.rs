//! A client that takes a byte a second from its socket, and the rest at the end.

use super::client::{Said, subscription};
use crate::clock;
use anyhow::{Result, bail};
use futures_util::{SinkExt, StreamExt};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Interval, interval, timeout};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// What the kernel holds for it.
const RECEIVE_BUFFER: u32 = 16 * 1024;

/// What a slow reader was told in the end.
#[derive(Debug, Default)]
pub(crate) struct SlowlyTold {
    pub(crate) blocks: u64,
    pub(crate) dropped: u64,
}

pub(crate) struct SlowReader {
    hurries: Arc<AtomicBool>,
    reading: JoinHandle<Result<SlowlyTold>>,
    finished: tokio::sync::watch::Sender<Option<Duration>>,
}

impl SlowReader {
    pub(crate) async fn start(server: &str, token: &str, topics: &[String]) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        let hurries = Arc::new(AtomicBool::new(true));
        let stream = Trickle {
            stream: socket.connect(server.parse()?).await?,
            beat: interval(Duration::from_secs(1)),
            hurries: Arc::clone(&hurries),
        };
        let mut request = format!("ws://{server}/api/v1/stream").into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
        let (mut socket, _) = client_async(request, stream).await?;
        socket.send(Message::Text(subscription(topics, None).into())).await?;
        hurries.store(false, Ordering::Relaxed);
        let (finished, mut finish) = tokio::sync::watch::channel(None);
        let reading = tokio::spawn(async move {
            let mut told = SlowlyTold::default();
            let mut news = clock::now();
            loop {
                // Once it hurries, no news are the end; bookmarks come for ever.
                let silence: Option<Duration> = *finish.borrow();
                let next = async {
                    match silence {
                        Some(silence) => {
                            let rest = silence.saturating_sub(news.elapsed());
                            timeout(rest, socket.next()).await.ok().flatten()
                        }
                        None => socket.next().await,
                    }
                };
                let message = tokio::select! {
                    message = next => message,
                    Ok(()) = finish.changed() => {
                        news = clock::now();
                        continue;
                    }
                };
                match message {
                    Some(Ok(Message::Text(text))) if told.take(&text)? => news = clock::now(),
                    Some(Ok(Message::Close(frame))) => bail!("a slow reader was closed: {frame:?}"),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error.into()),
                    None if silence.is_some() => return Ok(told),
                    None => bail!("a slow reader was cut off"),
                }
            }
        });
        Ok(Self { hurries, reading, finished })
    }

    /// Reads all that waits, until nothing has come for `silence`.
    pub(crate) async fn finish(self, silence: Duration) -> Result<SlowlyTold> {
        self.hurries.store(true, Ordering::Relaxed);
        self.finished.send(Some(silence))?;
        self.reading.await?
    }
}

impl SlowlyTold {
    /// Were they news?
    fn take(&mut self, text: &str) -> Result<bool> {
        let said: Said<'_> = serde_json::from_str(text)?;
        // A stream hears of the platform too, which is not counted here.
        if !said.topic.is_some_and(|topic| topic.starts_with("readings:")) {
            return Ok(false);
        }
        match said.kind {
            "delta" => self.blocks += 1,
            "gap" => self.dropped += said.dropped.unwrap_or(0),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// A stream that gives a byte a second, until it hurries.
struct Trickle {
    stream: TcpStream,
    beat: Interval,
    hurries: Arc<AtomicBool>,
}

impl AsyncRead for Trickle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.hurries.load(Ordering::Relaxed) {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        ready!(self.beat.poll_tick(context));
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut one))?;
        buffer.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Trickle {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

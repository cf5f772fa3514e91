//! Whole messages of a stream.

use anyhow::{Context, Result};
use flyball_protocol::frame::Decoder;
use quinn::RecvStream;
use serde::de::DeserializeOwned;

pub(crate) struct Frames {
    stream: RecvStream,
    decoder: Decoder,
}

impl Frames {
    pub(crate) fn new(stream: RecvStream) -> Self {
        Self { stream, decoder: Decoder::new() }
    }

    pub(crate) async fn next<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(message);
            }
            let length = self.stream.read(&mut buffer).await?.context("the stream ended")?;
            self.decoder.push(&buffer[..length]);
        }
    }
}

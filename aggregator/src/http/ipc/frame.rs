//! One message a line, each within its bound.

use super::MAX_FRAME_BYTES;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Line(Vec<u8>),
    TooLong,
    End,
}

/// Gathers lines. What was read of one stays when its future is dropped.
#[derive(Debug, Default)]
pub(super) struct Frames {
    line: Vec<u8>,
}

impl Frames {
    pub(super) async fn next<R: AsyncBufRead + Unpin>(
        &mut self,
        reader: &mut R,
    ) -> std::io::Result<Frame> {
        loop {
            let read = reader.fill_buf().await?;
            if read.is_empty() {
                let rest = std::mem::take(&mut self.line);
                return Ok(if rest.trim_ascii().is_empty() {
                    Frame::End
                } else {
                    Frame::Line(rest)
                });
            }
            let end = read.iter().position(|byte| *byte == b'\n');
            let part = &read[..end.unwrap_or(read.len())];
            if self.line.len() + part.len() > MAX_FRAME_BYTES {
                return Ok(Frame::TooLong);
            }
            self.line.extend_from_slice(part);
            let taken = part.len() + usize::from(end.is_some());
            reader.consume(taken);
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                if !line.trim_ascii().is_empty() {
                    return Ok(Frame::Line(line));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::BufReader;

    async fn frames(bytes: &[u8]) -> Vec<Frame> {
        let mut reader = BufReader::with_capacity(16, bytes);
        let (mut frames, mut found) = (Frames::default(), Vec::new());
        loop {
            let frame = frames.next(&mut reader).await.unwrap();
            let is_last = !matches!(frame, Frame::Line(_));
            found.push(frame);
            if is_last {
                return found;
            }
        }
    }

    #[tokio::test]
    async fn a_line_is_a_frame_and_an_empty_one_is_none() {
        let line = |text: &str| Frame::Line(text.into());
        let long = "x".repeat(40);
        let found = frames(format!("{{}}\r\n\n  \n{long}\nlast").as_bytes()).await;
        assert_eq!(found, [line("{}\r"), line(&long), line("last"), Frame::End]);
    }

    #[tokio::test]
    async fn a_line_beyond_the_bound_is_not_gathered() {
        let mut bytes = vec![b'x'; MAX_FRAME_BYTES];
        assert!(matches!(frames(&bytes).await.as_slice(), [Frame::Line(_), Frame::End]));
        bytes.push(b'x');
        assert_eq!(frames(&bytes).await, [Frame::TooLong]);
    }
}

//! A sensor's answer taken apart: RFC 9112 as far as small servers use it.

use super::super::payload::MAX_MESSAGE_BYTES;
use super::PollError;

const MAX_HEAD_BYTES: usize = 4096;
const MAX_HEADERS: usize = 48;
/// Head, body, and what chunks may add to it.
pub(super) const MAX_BYTES: usize = MAX_HEAD_BYTES + 2 * MAX_MESSAGE_BYTES;

enum Length {
    Exactly(usize),
    Chunks,
    UntilTheEnd,
}

/// The body, once it is whole. `ended` says that nothing comes any more, in good order.
pub(super) fn body(bytes: &[u8], ended: bool) -> Result<Option<Vec<u8>>, PollError> {
    let Some((head_bytes, length)) = head(bytes)? else {
        return Ok(None);
    };
    let rest = &bytes[head_bytes..];
    let body = match length {
        Length::Exactly(length) if length > MAX_MESSAGE_BYTES => {
            return Err(PollError::TooLarge(MAX_MESSAGE_BYTES));
        }
        Length::Exactly(length) => rest.get(..length).map(<[u8]>::to_vec),
        Length::Chunks => whole_of_chunks(rest)?,
        Length::UntilTheEnd => ended.then(|| rest.to_vec()),
    };
    match body {
        Some(body) if body.len() > MAX_MESSAGE_BYTES => Err(PollError::TooLarge(MAX_MESSAGE_BYTES)),
        body => Ok(body),
    }
}

fn head(bytes: &[u8]) -> Result<Option<(usize, Length)>, PollError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let head_bytes = match response.parse(bytes).map_err(PollError::NotHttp)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    match response.code {
        Some(200) => {}
        Some(code) => return Err(PollError::Status(code)),
        None => return Err(PollError::Framing),
    }
    let values = |name: &'static str| {
        response.headers.iter().filter(move |h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value)
    };
    let mut lengths = values("content-length");
    let length = match (values("transfer-encoding").next(), lengths.next()) {
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Length::Chunks,
        (Some(_), _) => return Err(PollError::Framing),
        (None, Some(text)) => {
            let text = std::str::from_utf8(text).map_err(|_| PollError::Framing)?;
            Length::Exactly(text.trim().parse().map_err(|_| PollError::Framing)?)
        }
        (None, None) => Length::UntilTheEnd,
    };
    if lengths.next().is_some() {
        return Err(PollError::Framing);
    }
    Ok(Some((head_bytes, length)))
}

fn whole_of_chunks(mut rest: &[u8]) -> Result<Option<Vec<u8>>, PollError> {
    let mut whole = Vec::new();
    loop {
        let (line, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(size)) => size,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(PollError::Framing),
        };
        // Trailers say nothing that is needed.
        if size == 0 {
            return Ok(Some(whole));
        }
        let size = usize::try_from(size).map_err(|_| PollError::Framing)?;
        if size > MAX_MESSAGE_BYTES {
            return Err(PollError::TooLarge(MAX_MESSAGE_BYTES));
        }
        let Some(chunk) = rest.get(line..line + size + 2) else {
            return Ok(None);
        };
        let Some(chunk) = chunk.strip_suffix(b"\r\n") else {
            return Err(PollError::Framing);
        };
        whole.extend_from_slice(chunk);
        rest = &rest[line + size + 2..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of an answer that arrives whole, and byte for byte.
    fn taken(answer: &str) -> Result<Option<Vec<u8>>, PollError> {
        for cut in 0..answer.len() {
            match body(&answer.as_bytes()[..cut], false) {
                Ok(None) => {}
                early => return early,
            }
        }
        body(answer.as_bytes(), true)
    }

    #[test]
    fn bodies_come_by_length_in_chunks_and_until_the_end() {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nhello",
        ] {
            assert_eq!(taken(answer).unwrap().unwrap(), b"hello", "{answer}");
        }
    }

    #[test]
    fn what_is_cut_off_is_no_body() {
        for answer in [
            "",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "HTTP/1.1 200 OK\r\n",
        ] {
            assert!(matches!(taken(answer), Ok(None)), "{answer}");
        }
    }

    #[test]
    fn answers_that_are_none_are_named() {
        let large = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(MAX_MESSAGE_BYTES + 1));
        assert!(matches!(taken(&large), Err(PollError::TooLarge(_))));
        for (answer, named) in [
            ("HTTP/1.1 404 Not Found\r\n\r\n", "it answered 404"),
            ("HTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\n", "it answered 301"),
            ("SSH-2.0-x\r\n\r\n", "no HTTP"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", "more than"),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "wrongly framed"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy", "framed"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", "framed"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "framed"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n", "framed"),
        ] {
            let error = taken(answer).unwrap_err().to_string();
            assert!(error.contains(named), "{answer}: {error}");
        }
    }
}

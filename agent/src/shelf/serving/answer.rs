//! One answer: JSON, a file or a part of it, or what is wrong.

use super::super::folder::ShelfError;
use super::Body;
use crate::logging::chain;
use http_body_util::{Either, Full};
use http_range_header::parse_range_header;
use hyper::body::{Bytes, Frame};
use hyper::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH, IF_RANGE, RANGE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

const PART_BYTES: usize = 128 * 1024;
/// Parts that are read ahead of a reader.
const MAX_PARTS: usize = 2;

/// Which bytes a request wants: RFC 9110, sections 13 and 14.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    range: Option<String>,
    if_range: Option<String>,
    known: Option<String>,
}

impl Wanted {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let word = |name: HeaderName| {
            headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        Self { range: word(RANGE), if_range: word(IF_RANGE), known: word(IF_NONE_MATCH) }
    }

    fn is_known(&self, tag: &str) -> bool {
        let known = self.known.as_deref().unwrap_or_default().split(',').map(str::trim);
        known.map(|own| own.trim_start_matches("W/")).any(|own| own == tag || own == "*")
    }

    /// The first and the last byte, where one part is wanted; nothing where none of it is there.
    fn part(&self, size: u64, tag: &str) -> Result<Option<(u64, u64)>, Problem> {
        let Some(range) = &self.range else { return Ok(None) };
        if self.if_range.as_ref().is_some_and(|own| own.trim() != tag) {
            return Ok(None);
        }
        let Ok(parsed) = parse_range_header(range) else { return Ok(None) };
        match parsed.validate(size).as_deref() {
            Ok([one]) => Ok(Some((*one.start(), *one.end()))),
            // Several parts at once are answered with the whole, as the RFC allows.
            Ok(_) => Ok(None),
            Err(_) => Err(Problem::Outside(size)),
        }
    }
}

#[derive(Debug)]
pub(super) enum Problem {
    NotFound,
    Method,
    Unauthorized,
    /// No byte of the range is there, of so many.
    Outside(u64),
    Broken,
}

impl Problem {
    pub(super) fn of(error: ShelfError) -> Self {
        tracing::warn!(error = %chain(&error), "content can't be read");
        Self::Broken
    }
}

#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    length: u64,
    body: Source,
}

#[derive(Debug)]
enum Source {
    Bytes(Vec<u8>),
    /// Behind its first byte that is wanted.
    File(File),
}

impl Answer {
    pub(super) fn json(value: &Value, tag: Option<String>) -> Self {
        let bytes = value.to_string().into_bytes();
        let mut headers = vec![(CONTENT_TYPE, "application/json".to_owned())];
        headers.extend(tag.map(|tag| (ETAG, tag)));
        let (status, length) = (StatusCode::OK, bytes.len() as u64);
        Self { status, headers, length, body: Source::Bytes(bytes) }
    }

    pub(super) fn file(
        path: PathBuf,
        size: u64,
        media_type: &str,
        tag: &str,
        wanted: &Wanted,
    ) -> Result<Self, Problem> {
        let mut headers = vec![(ETAG, tag.to_owned()), (ACCEPT_RANGES, "bytes".to_owned())];
        if wanted.is_known(tag) {
            let status = StatusCode::NOT_MODIFIED;
            return Ok(Self { status, headers, length: 0, body: Source::Bytes(Vec::new()) });
        }
        headers.push((CONTENT_TYPE, media_type.to_owned()));
        let (status, first, length) = match wanted.part(size, tag)? {
            None => (StatusCode::OK, 0, size),
            Some((first, last)) => {
                headers.push((CONTENT_RANGE, format!("bytes {first}-{last}/{size}")));
                (StatusCode::PARTIAL_CONTENT, first, last - first + 1)
            }
        };
        let opened = File::open(&path).and_then(|mut file| {
            file.seek(SeekFrom::Start(first))?;
            Ok(file)
        });
        match opened {
            Ok(file) => Ok(Self { status, headers, length, body: Source::File(file) }),
            // Another version has just taken this one's place.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Problem::NotFound),
            Err(error) => Err(Problem::of(error.into())),
        }
    }

    pub(super) fn of_problem(problem: Problem) -> Self {
        let (status, word, message) = match problem {
            Problem::NotFound => {
                (StatusCode::NOT_FOUND, "not_found", "This machine does not keep that.")
            }
            Problem::Method => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Content is read here only.")
            }
            Problem::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "unauthorized", "Show the token of this machine.")
            }
            Problem::Outside(_) => (
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range_not_satisfiable",
                "The file ends before that range.",
            ),
            Problem::Broken => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal_error",
                "The content can't be read now.",
            ),
        };
        let body = json!({ "success": false, "type": word, "message": message });
        let mut answer = Self { status, ..Self::json(&body, None) };
        match problem {
            Problem::Outside(size) => {
                answer.headers.push((CONTENT_RANGE, format!("bytes */{size}")));
            }
            Problem::Method => answer.headers.push((ALLOW, "GET, HEAD".into())),
            Problem::Unauthorized => answer.headers.push((WWW_AUTHENTICATE, "Bearer".into())),
            Problem::NotFound | Problem::Broken => {}
        }
        answer
    }

    pub(super) fn into_response(self, head_only: bool, open: bool) -> Response<Body> {
        let body = match self.body {
            _ if head_only => Either::Left(Full::default()),
            Source::Bytes(bytes) => Either::Left(Full::new(bytes.into())),
            Source::File(file) => Either::Right(FileBody::read(file, self.length)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        if self.status != StatusCode::NOT_MODIFIED {
            headers.insert(CONTENT_LENGTH, self.length.into());
        }
        // Documents and drawings are other people's: they act nowhere.
        let still = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(still));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if open {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        response
    }
}

/// A file's bytes as they are read, a few parts ahead of who takes them.
#[derive(Debug)]
pub(super) struct FileBody {
    parts: mpsc::Receiver<io::Result<Bytes>>,
}

impl FileBody {
    fn read(file: File, length: u64) -> Self {
        let (sender, parts) = mpsc::channel(MAX_PARTS);
        tokio::task::spawn_blocking(move || {
            let mut left = file.take(length);
            loop {
                let mut part = Vec::with_capacity(PART_BYTES);
                let read = left.by_ref().take(PART_BYTES as u64).read_to_end(&mut part);
                let part = match read {
                    Ok(0) => return,
                    Ok(_) => Ok(Bytes::from(part)),
                    Err(error) => Err(error),
                };
                let ended = part.is_err();
                // A reader that has gone wants no more.
                if sender.blocking_send(part).is_err() || ended {
                    return;
                }
            }
        });
        Self { parts }
    }
}

impl hyper::body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.parts.poll_recv(context).map(|part| part.map(|part| part.map(Frame::data)))
    }
}

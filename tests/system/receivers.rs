//! What the aggregator speaks to outside: an HTTP receiver and a mail server, a thread each, that
//! keep what they are told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What came, in its order.
#[derive(Clone, Debug)]
pub(crate) struct Kept<T>(Arc<Mutex<Vec<T>>>);

impl<T: Clone> Kept<T> {
    pub(crate) fn all(&self) -> Vec<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, one: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(one);
    }
}

/// A request with lower-case names of its headers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Posted {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Posted {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

/// Serves every connection with `serve` until the process ends.
fn listen<T: Clone + Send + 'static>(
    serve: impl Fn(TcpStream, &Kept<T>) -> std::io::Result<()> + Clone + Send + 'static,
) -> (SocketAddr, Kept<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let kept = Kept(Arc::default());
    let keeps = kept.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (serve, keeps) = (serve.clone(), keeps.clone());
            // A connection that breaks is the next attempt's.
            thread::spawn(move || serve(stream, &keeps).ok());
        }
    });
    (address, kept)
}

fn headers(reader: &mut impl BufRead) -> std::io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    for line in reader.lines() {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    Ok(headers)
}

/// Takes every POST with 204.
pub(crate) fn http() -> (SocketAddr, Kept<Posted>) {
    listen(|stream, kept| {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut posted = Posted { headers: headers(&mut reader)?, body: String::new() };
        let length = posted.header("content-length").parse().unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        posted.body = String::from_utf8_lossy(&body).into_owned();
        kept.add(posted);
        (&stream).write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
    })
}

/// Answers every GET with a page by its path, and keeps the requests.
pub(crate) fn pages(
    page: impl Fn(&str) -> Option<String> + Clone + Send + 'static,
) -> (SocketAddr, Kept<Posted>) {
    listen(move |stream, kept| {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        kept.add(Posted { headers: headers(&mut reader)?, body: String::new() });
        let found = page(first.split(' ').nth(1).unwrap_or_default());
        let status = if found.is_some() { "200 OK" } else { "404 Not Found" };
        let body = found.unwrap_or_default();
        let length = body.len();
        write!(
            &stream,
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
    })
}

/// Takes every letter; keeps its text as it came.
pub(crate) fn mail() -> (SocketAddr, Kept<String>) {
    listen(|stream, kept| {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let say = |text: &str| (&stream).write_all(format!("{text}\r\n").as_bytes());
        say("220 sink")?;
        while let Some(Ok(line)) = lines.next() {
            match line.get(..4).unwrap_or_default().to_uppercase().as_str() {
                "DATA" => {
                    say("354 go on")?;
                    let mut text = String::new();
                    for line in lines.by_ref() {
                        let line = line?;
                        if line == "." {
                            break;
                        }
                        text.push_str(&line);
                        text.push('\n');
                    }
                    kept.add(text);
                    say("250 taken")?;
                }
                "QUIT" => return say("221 bye"),
                _ => say("250 yes")?,
            }
        }
        Ok(())
    })
}

//! One address, polled again and again.

use crate::document::{expected, read};
use crate::settings::Endpoint;
use readings::{Failure, News, Reading, Request, Response, Watched};

#[derive(Debug)]
pub(crate) struct Session {
    endpoint: Endpoint,
    watched: Watched,
}

impl Session {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        let mut watched = Watched::new(endpoint.address.shown());
        watched.know(expected(&endpoint));
        Self { endpoint, watched }
    }

    pub(crate) fn poll(
        &mut self,
        fetch: impl FnOnce(Request) -> Result<Response, Failure>,
    ) -> (Vec<Reading>, Option<News>) {
        let mut headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        headers.extend(self.endpoint.headers.iter().cloned());
        let url = self.endpoint.address.as_str().to_owned();
        let answer = fetch(Request { url, headers });
        let polled = answer.and_then(Response::document).and_then(|it| read(&self.endpoint, &it));
        match polled {
            Ok((readings, refused)) if refused.is_empty() => self.watched.settle(Ok(readings), &[]),
            Ok((readings, refused)) => {
                self.watched.settle(Ok(readings), &[format!("left out: {refused}")])
            }
            Err(failure) => self.watched.settle(Err(failure), &[]),
        }
    }
}

//! One endpoint, polled again and again.

use crate::scrape::scrape;
use crate::settings::Endpoint;
use readings::{Absence, Failure, News, Reading, Request, Response, Watched};

const ACCEPT: &str =
    "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

#[derive(Debug)]
pub(crate) struct Session {
    endpoint: Endpoint,
    watched: Watched,
    /// Notes that were told; they are no fault, and once is enough.
    noted: bool,
}

/// What one poll came to.
#[derive(Debug)]
pub(crate) struct Polled {
    pub(crate) readings: Vec<Reading>,
    pub(crate) news: Option<News>,
    pub(crate) notes: Vec<String>,
}

impl Session {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        let watched = Watched::new(endpoint.address.shown());
        Self { endpoint, watched, noted: false }
    }

    pub(crate) fn poll(
        &mut self,
        fetch: impl FnOnce(Request) -> Result<Response, Failure>,
    ) -> Polled {
        let mut headers = vec![("Accept".to_owned(), ACCEPT.to_owned())];
        headers.extend(self.endpoint.headers.iter().cloned());
        let url = self.endpoint.address.as_str().to_owned();
        let answer = fetch(Request { url, headers });
        let scraped = answer.and_then(|answer| {
            let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
            let text = String::from_utf8(answer.document()?)
                .map_err(|_| Failure::new(Absence::Malformed, "its answer is no UTF-8"))?;
            if kind.starts_with("text/html") {
                let why = "it answers with a page of HTML; is the address the metrics' own?";
                return Err(Failure::new(Absence::Malformed, why));
            }
            let open_metrics = kind.starts_with("application/openmetrics-text");
            Ok(scrape(&self.endpoint, &text, open_metrics))
        });
        let (polled, warnings, notes) = match scraped {
            Ok(scrape) => (Ok(scrape.readings), scrape.warnings, scrape.notes),
            Err(failure) => (Err(failure), Vec::new(), Vec::new()),
        };
        let (readings, news) = self.watched.settle(polled, &warnings);
        let notes = if notes.is_empty() || std::mem::replace(&mut self.noted, true) {
            Vec::new()
        } else {
            notes
        };
        Polled { readings, news, notes }
    }
}

//! Which media type an answer comes in: what the client prefers of what there is.

use super::error::{ErrorCode, Problem};
use super::reply::Schemas;
use super::table::{Input, Operation};
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

/// The `Accept` header, the most wanted range first; everything where it is absent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Accept(Vec<(String, f32)>);

/// Ranges of one header that are looked at.
const MAX_RANGES: usize = 32;

impl Accept {
    fn parse(text: &str) -> Self {
        let mut ranges: Vec<(String, f32)> = text
            .split(',')
            .take(MAX_RANGES)
            .filter_map(|part| {
                let mut parts = part.split(';').map(str::trim);
                let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
                let weight = parts.find_map(|parameter| parameter.strip_prefix("q="));
                Some((name, weight.and_then(|weight| weight.parse().ok()).unwrap_or(1.0)))
            })
            .collect();
        if ranges.is_empty() {
            ranges.push(("*/*".to_owned(), 1.0));
        }
        Self(ranges)
    }

    /// The most specific range that covers the type decides how much it is wanted.
    fn weight(&self, media_type: &str) -> f32 {
        let group = media_type.split('/').next().unwrap_or_default();
        let rank = |range: &str| match range {
            range if range == media_type => Some(2),
            "*/*" => Some(0),
            range if range.strip_suffix("/*") == Some(group) => Some(1),
            _ => None,
        };
        let covering = self.0.iter().filter_map(|(range, weight)| Some((rank(range)?, *weight)));
        covering.max_by_key(|(rank, _)| *rank).map_or(0.0, |(_, weight)| weight)
    }

    /// Its place in `offers`, which begin with what those get who don't mind.
    ///
    /// # Errors
    /// 406 with what there is.
    pub(crate) fn choose(&self, offers: &[&'static str]) -> Result<usize, Problem> {
        let weights = offers.iter().map(|offer| self.weight(offer)).enumerate();
        let best = weights.fold(None, |best: Option<(usize, f32)>, (at, weight)| match best {
            Some((_, most)) if most >= weight => best,
            _ => Some((at, weight)),
        });
        match best {
            Some((at, weight)) if weight > 0.0 => Ok(at),
            _ => {
                let message = format!("this comes as {}", offers.join(", "));
                Err(Problem::new(ErrorCode::NotAcceptable, message)
                    .detail("available", offers.to_vec()))
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Accept {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let values = parts.headers.get_all(header::ACCEPT).iter();
        let texts: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        Ok(Self::parse(&texts.join(",")))
    }
}

impl Input for Accept {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.fails(&[ErrorCode::NotAcceptable]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_most_is_chosen_and_the_first_where_nobody_minds() {
        let offers = ["application/json", "text/csv"];
        for (header, chosen) in [
            ("", Some(0)),
            ("*/*", Some(0)),
            ("text/csv", Some(1)),
            ("text/*;q=0.5, application/json;q=0.1", Some(1)),
            ("text/html, */*;q=0.1", Some(0)),
            ("application/json;q=0, */*", Some(1)),
            ("TEXT/CSV; charset=utf-8", Some(1)),
            ("application/xml", None),
        ] {
            assert_eq!(Accept::parse(header).choose(&offers).ok(), chosen, "{header}");
        }
    }
}

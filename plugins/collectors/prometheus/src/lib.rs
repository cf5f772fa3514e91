//! Prometheus text endpoints.
mod exposition;
mod relabel;
mod scrape;
mod session;
mod settings;
mod unit;

#[cfg(test)]
mod tests;

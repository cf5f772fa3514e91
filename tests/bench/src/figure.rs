//! One measured figure, and how figures are printed.

use anyhow::{Result, bail};
use serde::Serialize;

/// A figure with what it is compared to, where there is a peer or a limit.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) peer: Option<&'static str>,
    pub(crate) peer_value: Option<f64>,
    /// `value / peer_value`.
    pub(crate) ratio: Option<f64>,
    pub(crate) how: String,
}

/// A measurement and the figures that it gives.
pub(crate) struct Bench {
    pub(crate) names: &'static [&'static str],
    pub(crate) measure: fn() -> Result<Vec<Figure>>,
}

impl Figure {
    pub(crate) const fn new(
        name: &'static str,
        value: f64,
        unit: &'static str,
        how: String,
    ) -> Self {
        Self { name, value, unit, peer: None, peer_value: None, ratio: None, how }
    }

    /// The same, beside a peer or a limit.
    pub(crate) fn against(mut self, peer: &'static str, peer_value: f64) -> Self {
        self.peer = Some(peer);
        self.peer_value = Some(peer_value);
        self.ratio = Some(self.value / peer_value);
        self
    }
}

/// Refuses names that no bench has, naming those that there are.
pub(crate) fn known(benches: &[Bench], names: &[String]) -> Result<()> {
    let all: Vec<&str> = benches.iter().flat_map(|bench| bench.names).copied().collect();
    match names.iter().find(|name| !all.iter().any(|known| known.starts_with(name.as_str()))) {
        Some(stranger) => bail!("no figure is named {stranger}; there are: {}", all.join(", ")),
        None => Ok(()),
    }
}

pub(crate) fn print_json(figures: &[Figure]) -> Result<()> {
    for figure in figures {
        println!("{}", serde_json::to_string(figure)?);
    }
    Ok(())
}

pub(crate) fn print_table(figures: &[Figure]) -> Result<()> {
    println!("| figure | value | unit | against | ratio | how |\n|---|---|---|---|---|---|");
    for figure in figures {
        let peer = match (figure.peer, figure.peer_value) {
            (Some(peer), Some(value)) => format!("{peer}: {}", short(value)),
            _ => "–".to_owned(),
        };
        let ratio = figure.ratio.map_or_else(|| "–".to_owned(), short);
        println!(
            "| {} | {} | {} | {peer} | {ratio} | {} |",
            figure.name,
            short(figure.value),
            figure.unit,
            figure.how
        );
    }
    Ok(())
}

/// Three digits that count.
fn short(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    }
}

/// The value at `share` (0 to 1) of the sorted values.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a short list"
    )]
    let index = ((values.len().saturating_sub(1)) as f64 * share).round() as usize;
    values.get(index).copied().unwrap_or(f64::NAN)
}

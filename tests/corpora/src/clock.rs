//! How long a call took, for the figures of the page.

use std::time::Instant;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch(Instant);

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads this clock")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn ms(self) -> f64 {
        self.0.elapsed().as_secs_f64() * 1000.0
    }
}

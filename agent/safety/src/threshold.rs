//! Thresholds in three layers, of which each may only tighten what stands below it.

/// Whose value is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// What the hardware itself declares.
    Factory,
    /// The root-owned file on the host.
    Local,
    /// Signed policy from the aggregator.
    Fleet,
}

impl Layer {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Factory => "factory",
            Self::Local => "local",
            Self::Fleet => "fleet",
        }
    }
}

/// On which side of its thresholds a limit's danger is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sense {
    /// Hot, much, fast: a reading at or above a threshold is over it; warning ≤ limit ≤ trip.
    Above,
    /// Slow, low, empty: a reading at or below a threshold is over it; warning ≥ limit ≥ trip.
    Below,
}

impl Sense {
    /// `value` turned so that more is worse.
    pub(crate) const fn danger(self, value: f64) -> f64 {
        match self {
            Self::Above => value,
            Self::Below => -value,
        }
    }

    pub(crate) fn over(self, value: f64, threshold: f64) -> bool {
        self.danger(value) >= self.danger(threshold)
    }

    pub(crate) fn worse(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Above => a.max(b),
            Self::Below => a.min(b),
        }
    }

    pub(crate) fn milder(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Above => a.min(b),
            Self::Below => a.max(b),
        }
    }

    /// `threshold` moved to the safe side by `margin`.
    pub(crate) fn safe_of(self, threshold: f64, margin: f64) -> f64 {
        match self {
            Self::Above => threshold - margin,
            Self::Below => threshold + margin,
        }
    }
}

/// One layer's thresholds in the unit of the limit's sensors; a reading at one of them, or
/// beyond it in the limit's [`Sense`], is over it. `None` is *says nothing*, never *no limit*.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    pub warning: Option<f64>,
    pub limit: Option<f64>,
    pub trip: Option<f64>,
}

impl Thresholds {
    /// A layer that says nothing.
    pub const SILENT: Self = Self { warning: None, limit: None, trip: None };

    /// The values of this layer that a sensor could ever reach: what is not above zero or
    /// lies outside `band` is an unprogrammed register, not a limit.
    pub(crate) fn within(self, lowest: f64, highest: f64) -> Self {
        let keep = |value: Option<f64>| {
            value.filter(|value| *value > 0.0 && *value >= lowest && *value <= highest)
        };
        Self { warning: keep(self.warning), limit: keep(self.limit), trip: keep(self.trip) }
    }
}

impl Thresholds {
    /// Whether a layer that somebody wrote makes sense: unlike a register's, its values must
    /// be reachable and in order.
    pub(crate) fn sound_within(self, sense: Sense, lowest: f64, highest: f64) -> bool {
        let mut last = f64::NEG_INFINITY;
        let values = [self.warning, self.limit, self.trip].into_iter().flatten();
        let ordered = values.map(|value| sense.danger(value)).all(|value| {
            let rises = value >= last;
            last = value;
            rises
        });
        ordered && self.within(lowest, highest) == self
    }
}

/// A threshold in force and the layer that set it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    pub value: f64,
    pub layer: Layer,
}

/// The thresholds in force: of each the tightest layer's, ordered from warning to trip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effective {
    pub warning: Option<Bound>,
    pub limit: Option<Bound>,
    pub trip: Option<Bound>,
}

impl Effective {
    pub(crate) fn of(
        sense: Sense,
        factory: Thresholds,
        local: Thresholds,
        fleet: Thresholds,
    ) -> Self {
        let tighter = |held: Option<Bound>, next: Bound| tighter(sense, held, next);
        let tightest = |pick: fn(Thresholds) -> Option<f64>| {
            [(factory, Layer::Factory), (local, Layer::Local), (fleet, Layer::Fleet)]
                .into_iter()
                .filter_map(|(layer, name)| Some(Bound { value: pick(layer)?, layer: name }))
                .fold(None, tighter)
        };
        let trip = tightest(|layer| layer.trip);
        let limit = tightest(|layer| layer.limit).and_then(|bound| tighter(trip, bound));
        let ceiling = limit.or(trip);
        let warning = tightest(|layer| layer.warning).and_then(|bound| tighter(ceiling, bound));
        Self { warning, limit, trip }
    }

    /// The layer of the first threshold that acts: what an operator has to talk to.
    #[must_use]
    pub fn layer(&self) -> Option<Layer> {
        self.limit.or(self.trip).or(self.warning).map(|bound| bound.layer)
    }
}

/// The bound that is met first; of equal ones the earlier layer, which is harder to change.
fn tighter(sense: Sense, held: Option<Bound>, next: Bound) -> Option<Bound> {
    match held {
        Some(held) if sense.over(next.value, held.value) => Some(held),
        Some(_) | None => Some(next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thresholds(warning: f64, limit: f64, trip: f64) -> Thresholds {
        Thresholds { warning: Some(warning), limit: Some(limit), trip: Some(trip) }
    }

    #[test]
    fn a_higher_layer_tightens_and_never_loosens() {
        let factory = thresholds(80.0, 90.0, 100.0);
        let fleet = thresholds(70.0, 95.0, 110.0);
        let effective = Effective::of(Sense::Above, factory, Thresholds::SILENT, fleet);
        assert_eq!(effective.warning, Some(Bound { value: 70.0, layer: Layer::Fleet }));
        assert_eq!(effective.limit, Some(Bound { value: 90.0, layer: Layer::Factory }));
        assert_eq!(effective.trip, Some(Bound { value: 100.0, layer: Layer::Factory }));
    }

    #[test]
    fn a_tight_trip_pulls_limit_and_warning_down_with_it() {
        let local = Thresholds { trip: Some(60.0), ..Thresholds::SILENT };
        let effective =
            Effective::of(Sense::Above, thresholds(80.0, 90.0, 100.0), local, Thresholds::SILENT);
        let bound = Some(Bound { value: 60.0, layer: Layer::Local });
        assert_eq!(effective, Effective { warning: bound, limit: bound, trip: bound });
    }

    #[test]
    fn below_a_higher_bound_is_the_tighter_one_and_pulls_the_others_up() {
        let factory = thresholds(1000.0, 600.0, 300.0);
        let fleet = Thresholds { trip: Some(800.0), ..thresholds(900.0, 900.0, 800.0) };
        let effective = Effective::of(Sense::Below, factory, Thresholds::SILENT, fleet);
        assert_eq!(effective.warning, Some(Bound { value: 1000.0, layer: Layer::Factory }));
        assert_eq!(effective.limit, Some(Bound { value: 900.0, layer: Layer::Fleet }));
        assert_eq!(effective.trip, Some(Bound { value: 800.0, layer: Layer::Fleet }));
        let trip = Thresholds { trip: Some(1500.0), ..Thresholds::SILENT };
        let effective = Effective::of(Sense::Below, factory, trip, Thresholds::SILENT);
        let bound = Some(Bound { value: 1500.0, layer: Layer::Local });
        assert_eq!(effective, Effective { warning: bound, limit: bound, trip: bound });
        assert!(factory.sound_within(Sense::Below, 0.0, 5000.0));
        assert!(!factory.sound_within(Sense::Above, 0.0, 5000.0));
    }

    #[test]
    fn an_unprogrammed_register_is_no_threshold() {
        let declared = Thresholds { warning: Some(0.0), limit: Some(-64.0), trip: Some(65_261.85) };
        assert_eq!(declared.within(-20.0, 125.0), Thresholds::SILENT);
    }

    #[test]
    fn of_equal_bounds_the_layer_nearest_the_hardware_is_named() {
        let same = thresholds(80.0, 90.0, 100.0);
        let effective = Effective::of(Sense::Above, same, same, same);
        assert_eq!(effective.layer(), Some(Layer::Factory));
    }
}

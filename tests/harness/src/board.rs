//! What one simulated board is made of. Seeds make different boards; of each it holds that
//! the smallest cap keeps it under critical without any fan.

use crate::noise::Noise;

/// The make of a board, in base units.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    pub number: u64,
    pub vendor: String,
    pub product: String,
    pub serial: String,
    /// One to three.
    pub fans: usize,
    pub fan_max_rpm: f64,
    pub ambient_celsius: f64,
    /// Heat capacity of die and sink, J/K.
    pub heat_capacity: f64,
    /// Conductance to ambient without any fan, W/K.
    pub still_conductance: f64,
    /// What one fan at full speed adds, W/K.
    pub fan_conductance: f64,
    pub idle_watts: f64,
    /// What it draws when it is busy and nothing holds it back.
    pub busy_watts: f64,
    /// Fans, board and losses besides the package.
    pub base_watts: f64,
    pub min_cap_watts: f64,
    pub max_cap_watts: f64,
    pub max_celsius: f64,
    pub critical_celsius: f64,
    /// Where the package's energy counter begins, µJ.
    pub energy_uj: u64,
    pub min_khz: u64,
    pub max_khz: u64,
}

/// `max_energy_range_uj` of a common package.
pub(crate) const ENERGY_RANGE_UJ: u64 = 262_143_328_850;

impl Board {
    /// The board of `seed`.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut noise = Noise::new(seed ^ 0x0f1b_a11d);
        let fans = [1, 2, 2, 3][pick(&mut noise, 4)];
        let max_cap_watts = [95.0, 125.0, 150.0, 180.0][pick(&mut noise, 4)];
        let critical_celsius = [95.0, 100.0, 105.0][pick(&mut noise, 3)];
        let ambient_celsius = whole(noise.between(19.0, 27.0));
        let min_cap_watts = whole(max_cap_watts * 0.25);
        // Room for ten degrees of a hotter day at the smallest cap in still air.
        let room = critical_celsius - 15.0 - ambient_celsius - 10.0;
        let still_conductance = min_cap_watts / room * noise.between(1.05, 1.25);
        // All fans at full keep the greatest cap some 35 to 45 degrees above ambient.
        let full_conductance = max_cap_watts / noise.between(35.0, 45.0);
        let fan_conductance = (full_conductance - still_conductance) / count(fans);
        Self {
            number: seed,
            vendor: "Flyball".into(),
            product: format!("Flyball simulated board {seed}"),
            serial: format!("SIM{seed:06}"),
            fans,
            fan_max_rpm: whole(noise.between(24.0, 60.0)) * 100.0,
            ambient_celsius,
            heat_capacity: noise.between(0.9, 1.4) * max_cap_watts,
            still_conductance,
            fan_conductance,
            idle_watts: whole(max_cap_watts * noise.between(0.1, 0.16)),
            busy_watts: whole(max_cap_watts * noise.between(0.55, 0.75)),
            base_watts: whole(noise.between(6.0, 14.0)),
            min_cap_watts,
            max_cap_watts,
            max_celsius: critical_celsius - 15.0,
            critical_celsius,
            energy_uj: ENERGY_RANGE_UJ / 100 * [1, 40, 92, 99][pick(&mut noise, 4)],
            min_khz: 800_000,
            max_khz: [3_200_000, 3_600_000, 4_200_000][pick(&mut noise, 3)],
        }
    }
}

fn pick(noise: &mut Noise, choices: u8) -> usize {
    let scaled = noise.part() * f64::from(choices);
    (0..choices).rev().find(|choice| scaled >= f64::from(*choice)).map_or(0, usize::from)
}

fn whole(value: f64) -> f64 {
    value.round()
}

pub(crate) fn count(fans: usize) -> f64 {
    u8::try_from(fans).map_or(1.0, f64::from).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_can_be_saved_by_its_smallest_cap_without_a_fan() {
        for seed in 0..200 {
            let board = Board::of(seed);
            let settles =
                board.ambient_celsius + 10.0 + board.min_cap_watts / board.still_conductance;
            assert!(settles < board.critical_celsius - 10.0, "seed {seed}: {settles}");
            assert!(board.fan_conductance > 0.0, "seed {seed}");
            assert!(board.idle_watts < board.min_cap_watts, "seed {seed}");
        }
    }

    #[test]
    fn seeds_make_different_boards_and_one_seed_always_the_same() {
        assert_eq!(Board::of(3), Board::of(3));
        let mut distinct: Vec<String> =
            (0..20).map(|seed| format!("{:?}", Board { number: 0, ..Board::of(seed) })).collect();
        distinct.dedup();
        assert_eq!(distinct.len(), 20);
    }
}

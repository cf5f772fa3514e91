//! Release times that differ from machine to machine and from limit to limit, and that the same
//! seed draws again.

use core::time::Duration;

/// A part of `most`, drawn for `place`.
pub(super) fn part(seed: u64, place: [u64; 2], most: Duration) -> Duration {
    let drawn = place.into_iter().fold(mixed(seed), |drawn, it| mixed(drawn.wrapping_add(it)));
    let most_ms = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(drawn.checked_rem(most_ms).unwrap_or(0))
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
const fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_within_their_bound_and_differ_by_seed_and_place() {
        let most = Duration::from_secs(60);
        let draws = [(1, [0, 0]), (1, [1, 0]), (1, [0, 1]), (2, [0, 0]), (2, [0, 1])];
        let parts = draws.map(|(seed, place)| part(seed, place, most));
        assert!(parts.iter().all(|part| *part < most), "{parts:?}");
        let mut sorted = parts;
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[0] != pair[1]), "{parts:?}");
        assert_eq!(part(7, [7, 7], Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn a_seed_draws_the_same_in_every_build_so_that_a_record_can_be_played_again() {
        let most = Duration::from_secs(1_000_000_000);
        let drawn = [[0, 0], [3, 0], [3, 1]].map(|place| part(7, place, most).as_millis());
        assert_eq!(drawn, [834_629_033_336, 910_693_770_704, 618_335_850_599]);
        assert_eq!(mixed(0), 0xe220_a839_7b1d_cdaf, "the first of the published generator");
    }

    #[test]
    fn two_hundred_machines_are_released_all_over_the_time() {
        let most = Duration::from_secs(100);
        let mut tenths = [0_u32; 10];
        for seed in 0..200 {
            tenths[usize::try_from(part(seed, [3, 0], most).as_secs() / 10).unwrap_or(0)] += 1;
        }
        assert!(tenths.iter().all(|count| (8..=36).contains(count)), "{tenths:?}");
    }
}

//! A set of sequence numbers that stays small because they mostly come in order.

use super::Seq;
use serde::{Deserialize, Serialize};

/// Ranges that a set from another program may have, and that one which is to be sent or stored
/// may grow to. A new one begins with every hole; an agent's holes are what its quota dropped.
pub const MAX_PIECES: usize = 4096;

/// A set of sequence numbers as sorted, disjoint, inclusive ranges that never touch.
///
/// Bounded where it is taken from elsewhere, see [`MAX_PIECES`]; a set that a peer's numbers grow
/// is kept within it by [`Ranges::may_insert`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(u64, u64)>")]
pub struct Ranges(Vec<(u64, u64)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangesError {
    #[error("range {0} is not behind the one before it, or ends before it begins")]
    Order(usize),
    #[error("a set of {0} ranges, at most {MAX_PIECES} are taken")]
    TooMany(usize),
}

impl TryFrom<Vec<(u64, u64)>> for Ranges {
    type Error = RangesError;

    /// Takes ranges as another program wrote them.
    fn try_from(ranges: Vec<(u64, u64)>) -> Result<Self, RangesError> {
        if ranges.len() > MAX_PIECES {
            return Err(RangesError::TooMany(ranges.len()));
        }
        let mut end = None;
        for (index, &(from, to)) in ranges.iter().enumerate() {
            let apart = end.is_none_or(|end: u64| from > end && from - end > 1);
            if from > to || !apart {
                return Err(RangesError::Order(index));
            }
            end = Some(to);
        }
        Ok(Self(ranges))
    }
}

impl FromIterator<Seq> for Ranges {
    fn from_iter<I: IntoIterator<Item = Seq>>(numbers: I) -> Self {
        let mut ranges = Self::new();
        for seq in numbers {
            ranges.insert(seq);
        }
        ranges
    }
}

impl Ranges {
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Can it take `seq` and, in any order, `others` more, and still be sent and stored? Always
    /// where `seq` lies in a range or touches one.
    #[must_use]
    pub fn may_insert(&self, Seq(seq): Seq, others: usize) -> bool {
        let index = self.0.partition_point(|&(_, end)| end < seq.saturating_sub(1));
        let touches = self.0.get(index).is_some_and(|&(start, _)| start <= seq.saturating_add(1));
        touches || self.0.len() + others < MAX_PIECES
    }

    /// Adds one number. False where it was there already.
    pub fn insert(&mut self, seq: Seq) -> bool {
        if self.contains(seq) {
            return false;
        }
        self.insert_range(seq, seq);
        true
    }

    /// Adds `from..=to`; nothing where `to` lies before `from`.
    pub fn insert_range(&mut self, Seq(from): Seq, Seq(to): Seq) {
        if from > to {
            return;
        }
        // Everything that overlaps or touches the new range becomes one with it.
        let first = self.0.partition_point(|&(_, end)| end < from && from - end > 1);
        let behind = self.0.partition_point(|&(start, _)| start <= to || start - to == 1);
        let merged = self.0[first..behind]
            .iter()
            .fold((from, to), |(low, high), &(start, end)| (low.min(start), high.max(end)));
        self.0.splice(first..behind, [merged]);
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (from, to) in other.iter() {
            self.insert_range(from, to);
        }
    }

    #[must_use]
    pub fn contains(&self, Seq(seq): Seq) -> bool {
        let index = self.0.partition_point(|&(_, end)| end < seq);
        self.0.get(index).is_some_and(|&(start, _)| start <= seq)
    }

    /// The ranges, inclusive on both sides, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Seq, Seq)> + '_ {
        self.0.iter().map(|&(from, to)| (Seq(from), Seq(to)))
    }

    /// Every number, in order. Only for sets that are known to be small.
    pub fn numbers(&self) -> impl Iterator<Item = Seq> + '_ {
        self.0.iter().flat_map(|&(from, to)| (from..=to).map(Seq))
    }

    /// The numbers of `other` that are not in here.
    #[must_use]
    pub fn missing_from(&self, other: &Self) -> Self {
        let mut missing = Self::new();
        for &(from, to) in &other.0 {
            let mut next = Some(from);
            let first = self.0.partition_point(|&(_, end)| end < from);
            for &(start, end) in self.0[first..].iter().take_while(|&&(start, _)| start <= to) {
                if let Some(next) = next.filter(|&next| next < start) {
                    missing.insert_range(Seq(next), Seq(start - 1));
                }
                next = end.checked_add(1);
            }
            if let Some(next) = next {
                missing.insert_range(Seq(next), Seq(to));
            }
        }
        missing
    }

    /// The first number at or behind `seq` that is not in here.
    #[must_use]
    pub fn first_missing(&self, Seq(seq): Seq) -> Seq {
        let index = self.0.partition_point(|&(_, end)| end < seq);
        match self.0.get(index) {
            Some(&(start, end)) if start <= seq => Seq(end).next(),
            _ => Seq(seq),
        }
    }

    /// Forgets every number below `seq`.
    pub fn trim_below(&mut self, Seq(seq): Seq) {
        self.0.retain(|&(_, end)| end >= seq);
        if let Some(first) = self.0.first_mut() {
            first.0 = first.0.max(seq);
        }
    }

    /// The greatest number.
    #[must_use]
    pub fn last(&self) -> Option<Seq> {
        self.0.last().map(|&(_, end)| Seq(end))
    }

    /// How many ranges, which is what it costs to keep and to send.
    #[must_use]
    pub fn pieces(&self) -> usize {
        self.0.len()
    }

    /// How many numbers.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().map(|&(from, to)| (to - from).saturating_add(1)).fold(0, u64::saturating_add)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(ranges: &Ranges) -> BTreeSet<u64> {
        ranges.numbers().map(|seq| seq.0).collect()
    }

    proptest! {
        #[test]
        fn ranges_hold_what_a_plain_set_holds(
            inserted in prop::collection::vec((0_u64..60, 0_u64..6), 0..20),
            other in prop::collection::vec((0_u64..60, 0_u64..6), 0..10),
            below in 0_u64..70,
        ) {
            let build = |pairs: &[(u64, u64)]| {
                let (mut ranges, mut plain) = (Ranges::new(), BTreeSet::new());
                for &(from, more) in pairs {
                    ranges.insert_range(Seq(from), Seq(from + more));
                    plain.extend(from..=from + more);
                }
                (ranges, plain)
            };
            let (mut ranges, mut plain) = build(&inserted);
            let (other, other_plain) = build(&other);
            prop_assert_eq!(&set(&ranges), &plain);
            prop_assert_eq!(ranges.count(), plain.len() as u64);
            for seq in 0..70 {
                prop_assert_eq!(ranges.contains(Seq(seq)), plain.contains(&seq));
                let hole = (seq..).find(|n| !plain.contains(n)).map(Seq);
                prop_assert_eq!(Some(ranges.first_missing(Seq(seq))), hole);
            }
            let missing: BTreeSet<u64> = other_plain.difference(&plain).copied().collect();
            prop_assert_eq!(set(&ranges.missing_from(&other)), missing);
            ranges.merge(&other);
            plain.extend(other_plain);
            prop_assert_eq!(&set(&ranges), &plain);
            // What was built is what the wire accepts.
            prop_assert_eq!(&Ranges::try_from(ranges.0.clone()).unwrap(), &ranges);
            ranges.trim_below(Seq(below));
            plain.retain(|&seq| seq >= below);
            prop_assert_eq!(set(&ranges), plain);
        }
    }

    #[test]
    fn ranges_out_of_order_are_refused_from_the_wire() {
        for bad in
            [vec![(5_u64, 4_u64)], vec![(1, 2), (3, 4)], vec![(5, 6), (1, 2)], vec![(1, 5), (2, 9)]]
        {
            let bytes = postcard::to_stdvec(&bad).unwrap();
            assert!(postcard::from_bytes::<Ranges>(&bytes).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_set_of_too_many_pieces_is_refused_and_never_grown() {
        let odd = |count: u64| (0..count).map(|n| (2 * n + 1, 2 * n + 1)).collect::<Vec<_>>();
        let whole = odd(MAX_PIECES as u64);
        let bytes = postcard::to_stdvec(&whole).unwrap();
        let full = postcard::from_bytes::<Ranges>(&bytes).unwrap();
        let bytes = postcard::to_stdvec(&odd(MAX_PIECES as u64 + 1)).unwrap();
        assert!(postcard::from_bytes::<Ranges>(&bytes).is_err());
        let too_many = Ranges::try_from(odd(5000)).unwrap_err();
        assert_eq!(too_many, RangesError::TooMany(5000));
        assert!(!full.may_insert(Seq(100_000), 0));
        assert!(full.may_insert(Seq(8192), 0) && full.may_insert(Seq(0), 0));
        assert!(full.may_insert(Seq(6), 0) && full.may_insert(Seq(7), 0));
        let room = Ranges::try_from(odd(4000)).unwrap();
        assert!(room.may_insert(Seq(100_000), 95) && !room.may_insert(Seq(100_000), 96));
    }

    #[test]
    fn the_greatest_number_neither_overflows_nor_wraps() {
        let mut ranges = Ranges::new();
        ranges.insert(Seq(u64::MAX));
        ranges.insert_range(Seq(0), Seq(u64::MAX - 1));
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(Seq(0), Seq(u64::MAX))]);
        assert_eq!(ranges.first_missing(Seq(3)), Seq(u64::MAX));
    }
}

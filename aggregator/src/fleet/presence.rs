//! When a machine was there: its comings and goings as periods. Pure; the rows are the store's.

/// A machine came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub at_ms: u64,
    pub online: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub from_ms: u64,
    pub to_ms: u64,
    pub online: bool,
}

/// The periods from `from_ms` to `to_ms`, by time. `changes` are by time too, and begin with the
/// last one before the range where there is one; before the first nothing is known.
#[must_use]
pub fn periods(changes: &[Change], from_ms: u64, to_ms: u64) -> Vec<Period> {
    let mut periods: Vec<Period> = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        let end_ms = changes.get(index + 1).map_or(to_ms, |next| next.at_ms);
        let (begin, end) = (change.at_ms.max(from_ms), end_ms.min(to_ms));
        match periods.last_mut() {
            _ if begin >= end => {}
            Some(last) if last.online == change.online => last.to_ms = end,
            _ => periods.push(Period { from_ms: begin, to_ms: end, online: change.online }),
        }
    }
    periods
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comings_and_goings_become_periods_within_the_range() {
        let changes = [(10, true), (20, false), (30, true), (40, true), (90, false)]
            .map(|(at_ms, online)| Change { at_ms, online });
        let told = |from, to| -> Vec<(u64, u64, bool)> {
            let periods = periods(&changes, from, to);
            periods.into_iter().map(|it| (it.from_ms, it.to_ms, it.online)).collect()
        };
        assert_eq!(told(0, 15), [(10, 15, true)]);
        assert_eq!(
            told(15, 95),
            [(15, 20, true), (20, 30, false), (30, 90, true), (90, 95, false)]
        );
        assert_eq!(told(0, 5), []);
    }
}

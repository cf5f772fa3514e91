//! `[return]` of the policy: what comes back without a person.

use super::table::Table;
use super::{LimitRule, Quantity};
use std::time::Duration;

/// Which trips the policy itself clears, and how what they took down starts again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReturnRule {
    /// Limits by their names.
    pub(crate) limits: Vec<String>,
    /// Limits that have to be normal meanwhile: a battery that is spared says soon that it is no
    /// longer low, and the mains are not back for that.
    pub(crate) needs: Vec<String>,
    /// So long their condition has to be over.
    pub(crate) after: Duration,
    /// From one start to the next.
    pub(crate) stagger: Duration,
    /// So often within that time, then it is a person's again.
    pub(crate) at_most: u8,
    pub(crate) within: Duration,
}

pub(super) fn read(table: &mut Table<'_, '_>) -> ReturnRule {
    let limits = table.texts("limits");
    if limits.is_empty() {
        table.fault("`limits` needs at least one limit by its name");
    }
    let needs = table.texts("needs");
    if needs.is_empty() {
        table.fault(
            "`needs` names at least one limit that is normal once the power is back, such as one \
             on `on-battery` or on the charge",
        );
    }
    let mut seconds = |key, range, default: f64| {
        Duration::from_secs_f64(table.number(key, range).unwrap_or(default))
    };
    let after = seconds("after_s", 1.0..=86_400.0, 300.0);
    let stagger = seconds("stagger_s", 0.0..=3600.0, 30.0);
    let within = seconds("within_s", 60.0..=604_800.0, 3600.0);
    let at_most = table.whole("at_most", 1..=8).unwrap_or(2);
    ReturnRule { limits, needs, after, stagger, at_most, within }
}

impl ReturnRule {
    /// What is wrong with it beside the other rules: the limit, and why.
    pub(super) fn faults<'a>(
        &'a self,
        limits: &'a [LimitRule],
    ) -> impl Iterator<Item = (&'a str, String)> {
        let unknown = |name: &str| format!("there is no [[limit]] with the name `{name}`");
        let needs = self.needs.iter().filter_map(move |name| {
            let known = limits.iter().any(|limit| limit.name == *name);
            (!known).then(|| (name.as_str(), unknown(name)))
        });
        let cleared = self.limits.iter().filter_map(move |name| {
            let known = limits.iter().find(|limit| limit.name == *name);
            let why = match known.map(|limit| limit.quantity) {
                None => unknown(name),
                Some(Quantity::State | Quantity::Part | Quantity::TimeLeft) => return None,
                Some(_) => format!(
                    "`{name}` cannot come back by itself: only what a UPS has left can (a state, \
                     a part, time left), and heat is for a person to look into"
                ),
            };
            Some((name.as_str(), why))
        });
        needs.chain(cleared)
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::Policy;

    #[test]
    fn only_what_a_ups_has_left_comes_back_by_itself_and_only_with_the_power() {
        let text = "[[limit]]\nname = \"hot\"\nsensors = [\"a\"]\ntrip_celsius = 90\n\
                    [[limit]]\nname = \"exhausted\"\nsensors = [\"b\"]\ntrip_state = 1\n\
                    [[limit]]\nname = \"on-battery\"\nsensors = [\"c\"]\nwarning_state = 1\n\
                    [return]\n";
        let sound = "limits = [\"exhausted\"]\nneeds = [\"on-battery\"]\n";
        let policy = Policy::parse(&format!("{text}{sound}")).unwrap();
        let rule = policy.returning.unwrap();
        assert_eq!((rule.after.as_secs(), rule.stagger.as_secs(), rule.at_most), (300, 30, 2));
        let words = |more: &str| {
            let faults = Policy::parse(&format!("{text}{more}")).unwrap_err();
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        let heat = words("limits = [\"hot\"]\nneeds = [\"on-battery\"]\n");
        assert!(heat.contains("heat is for a person"), "{heat}");
        let bare = words("limits = [\"exhausted\"]\n");
        assert!(bare.contains("`needs` names at least one"), "{bare}");
        let unknown = words("limits = [\"x\"]\nneeds = [\"y\"]\n");
        assert!(unknown.contains("name `x`") && unknown.contains("name `y`"), "{unknown}");
    }
}

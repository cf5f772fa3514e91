//! The fleet layer of a machine's limits: what the fleet asks, and what of it has an effect. A
//! layer can only tighten, so a value that is looser than the machine's own changes nothing; it
//! is taken, kept, and said to be without effect.

use crate::fleet::DeviceId;
use crate::operations::{Action, Operation, Operations, Submission, SubmitError, Verdict};
use crate::store::StoreError;
use flyball_protocol::command::FleetLimit;
use flyball_protocol::guard::{Inventory as Board, LayerThresholds, LimitSnapshot};
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};

/// Who asks for what the aggregator sends by itself.
const SYSTEM: &str = "system";

/// What was asked for last.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetPolicy {
    pub limits: Vec<FleetLimit>,
    /// Counts the changes.
    pub version: u64,
    pub updated_by: String,
    pub updated_at_ms: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum FleetLimitsError {
    #[error("version {version} stands there by now")]
    Changed { version: u64 },
    #[error(transparent)]
    Submit(#[from] SubmitError),
    #[error("reading the fleet's limits")]
    Store(#[from] StoreError),
}

/// Whose turn it is to replace a machine's policy: between reading its version and writing the
/// next one the machine is asked. A few machines share a turn.
#[derive(Clone, Debug, Default)]
pub(super) struct Policies(Arc<[Mutex<()>; 16]>);

impl Policies {
    async fn turn(&self, device: DeviceId) -> MutexGuard<'_, ()> {
        let place = usize::from(device.0.as_bytes()[15]) % self.0.len();
        self.0[place].lock().await
    }
}

/// One value of a policy against the machine's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// `warning`, `limit` or `trip`.
    pub threshold: &'static str,
    pub asked: f64,
    pub effective: bool,
    /// The tightest of what the machine says by itself.
    pub own: Option<f64>,
    /// Whose value that is: `factory` or `local`.
    pub layer: Option<&'static str>,
    /// Why it changes nothing.
    pub reason: Option<String>,
}

/// What of `asked` has an effect on a machine that reports `limits`.
#[must_use]
pub fn effects(asked: &FleetLimit, limits: &[LimitSnapshot]) -> Vec<Effect> {
    let Some(limit) = limits.iter().find(|limit| limit.name == asked.limit) else {
        return values(asked)
            .map(|(threshold, asked, _)| Effect {
                threshold,
                asked,
                effective: false,
                own: None,
                layer: None,
                reason: Some("the machine reports no limit of this name".into()),
            })
            .collect();
    };
    values(asked)
        .map(|(threshold, asked, of)| {
            let own = tightest(limit, of);
            let looser =
                own.filter(|(own, _)| if limit.below { asked < *own } else { asked > *own });
            Effect {
                threshold,
                asked,
                effective: looser.is_none(),
                own: own.map(|(value, _)| value),
                layer: own.map(|(_, layer)| layer),
                reason: looser.map(|(own, layer)| {
                    format!("the {layer} layer holds it at {own}, and a layer can only tighten")
                }),
            }
        })
        .collect()
}

/// Does the machine hold the policy already? Values without effect need not be there.
#[must_use]
pub fn is_held(policy: &[FleetLimit], limits: &[LimitSnapshot]) -> bool {
    let asked_of = |limit: &LimitSnapshot| policy.iter().find(|asked| asked.limit == limit.name);
    limits.iter().all(|limit| match asked_of(limit) {
        None => limit.fleet == LayerThresholds::default(),
        Some(asked) => {
            let effects = effects(asked, std::slice::from_ref(limit));
            values(asked).zip(effects).all(|((_, asked, of), effect)| {
                let held = of(&limit.fleet);
                !effect.effective || held.is_some_and(|held| is_same(held, asked))
            })
        }
    })
}

/// The machine may keep a threshold in its sensor's own steps.
fn is_same(held: f64, asked: f64) -> bool {
    (held - asked).abs() <= asked.abs().max(1.0) * 1e-3
}

type Of = fn(&LayerThresholds) -> Option<f64>;

fn values(asked: &FleetLimit) -> impl Iterator<Item = (&'static str, f64, Of)> {
    let of: [(&'static str, Option<f64>, Of); 3] = [
        ("warning", asked.warning, |layer| layer.warning),
        ("limit", asked.limit_at, |layer| layer.limit),
        ("trip", asked.trip, |layer| layer.trip),
    ];
    of.into_iter().filter_map(|(name, value, of)| Some((name, value?, of)))
}

fn tightest(limit: &LimitSnapshot, of: Of) -> Option<(f64, &'static str)> {
    let layers = [("factory", &limit.factory), ("local", &limit.local)];
    let said = layers.into_iter().filter_map(|(name, layer)| Some((of(layer)?, name)));
    if limit.below {
        said.max_by(|a, b| a.0.total_cmp(&b.0))
    } else {
        said.min_by(|a, b| a.0.total_cmp(&b.0))
    }
}

impl Operations {
    /// # Errors
    /// Where the store fails.
    pub async fn fleet_limits(&self, device: DeviceId) -> Result<Option<FleetPolicy>, StoreError> {
        self.store.fleet_limits(device).await
    }

    /// Keeps the policy and sends it: it is sent anew whenever the machine comes without it.
    /// `expected` is the version that the caller has seen.
    ///
    /// # Errors
    /// Where another version stands there by now; else as for [`Operations::submit`].
    pub async fn set_fleet_limits(
        &self,
        submission: Submission,
        expected: Option<u64>,
    ) -> Result<Operation, FleetLimitsError> {
        let _turn = self.policies.turn(submission.device).await;
        let stands = self.store.fleet_limits(submission.device).await?;
        let version = stands.map_or(0, |policy| policy.version);
        if expected.is_some_and(|expected| expected != version) {
            return Err(FleetLimitsError::Changed { version });
        }
        Ok(self.replace_fleet_limits(submission).await?)
    }

    async fn replace_fleet_limits(&self, submission: Submission) -> Result<Operation, SubmitError> {
        let device = submission.device;
        let Action::SetFleetLimits { limits } = &submission.action else {
            return self.submit(submission).await;
        };
        let (limits, issuer) = (limits.clone(), submission.issuer.clone());
        let operation = self.submit(submission).await?;
        // What the machine refuses would be refused again whenever it comes back.
        if !matches!(operation.verdict, Some(Verdict::Refused(_))) {
            let now_ms = self.clock.now_ms();
            self.store.set_fleet_limits(device, &limits, &issuer, now_ms).await?;
        }
        Ok(operation)
    }

    /// A machine has come and told what holds it: where that is not what the fleet has asked for,
    /// it is asked again.
    pub(crate) async fn handle_return(
        &self,
        device: DeviceId,
        board: &Board,
    ) -> Result<(), SubmitError> {
        let Some(FleetPolicy { limits, .. }) = self.store.fleet_limits(device).await? else {
            return Ok(());
        };
        if board.limits.is_empty() || is_held(&limits, &board.limits) {
            return Ok(());
        }
        self.send_policy(device, limits).await
    }

    async fn send_policy(
        &self,
        device: DeviceId,
        limits: Vec<FleetLimit>,
    ) -> Result<(), SubmitError> {
        let action = Action::SetFleetLimits { limits };
        let submission = Submission::new(device, action, SYSTEM, super::Origin::Automation);
        self.store_and_wake(submission).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::limit;

    fn asked(warning: Option<f64>, limit_at: Option<f64>, trip: Option<f64>) -> FleetLimit {
        FleetLimit { limit: "cpu".into(), warning, limit_at, trip }
    }

    #[test]
    fn what_tightens_has_an_effect_and_what_loosens_has_none() {
        // Factory 80, 85, 95; local 75 for the warning.
        let limits = [limit("cpu", &["a"])];
        let found = effects(&asked(Some(78.0), Some(82.0), Some(99.0)), &limits);
        let told: Vec<_> = found.iter().map(|e| (e.threshold, e.effective, e.layer)).collect();
        assert_eq!(
            told,
            [
                ("warning", false, Some("local")),
                ("limit", true, Some("factory")),
                ("trip", false, Some("factory")),
            ]
        );
        assert!(found[2].reason.as_ref().unwrap().contains("only tighten"));
        let mut below = limits[0].clone();
        below.below = true;
        let found = effects(&asked(None, Some(90.0), Some(90.0)), &[below]);
        assert_eq!(found.iter().map(|e| e.effective).collect::<Vec<_>>(), [true, false]);
        let nobody = effects(&asked(Some(1.0), None, None), &[]);
        assert!(!nobody[0].effective);
    }

    #[test]
    fn a_machine_holds_a_policy_when_every_value_with_an_effect_is_there() {
        let mut cpu = limit("cpu", &["a"]);
        let policy = [asked(None, Some(82.0), Some(99.0))];
        assert!(!is_held(&policy, &[cpu.clone()]));
        cpu.fleet.limit = Some(82.0);
        assert!(is_held(&policy, &[cpu.clone()]));
        // What the fleet asks for no longer has to go.
        assert!(!is_held(&[], &[cpu]));
    }
}

//! Self-tests: what the machine found at its last one, and asking for another.

use super::{Aim, Request};
use crate::access::Right;
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::Problem;
use crate::http::extract::Path;
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::http::resources::devices::find;
use crate::http::time::{rfc3339, rfc3339_option};
use crate::operations::Action;
use axum::extract::State;
use flyball_protocol::guard::{SelfTest as Reported, SelfTestResult, TrialSnapshot};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SelfTestRequest {
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

impl Request for SelfTestRequest {
    fn action(self, _: &Aim) -> Result<Action, Problem> {
        Ok(Action::SelfTest)
    }

    fn ttl_seconds(&self) -> Option<u64> {
        self.ttl_seconds
    }
}

/// What a machine knows of its self-tests; of equipment, its gateway's.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SelfTest {
    /// `never`, `running`, `passed`, `failed` or `overdue`.
    state: &'static str,
    /// When the last one came to its own end.
    last_tested_at: Option<String>,
    last: Option<Tested>,
    /// The last one that was broken off, where that was after `last`.
    aborted: Option<Tested>,
    running_until: Option<String>,
    /// Null where the machine's policy asks for none.
    due_at: Option<String>,
    overdue: bool,
    /// The guard drives nothing: it can test nothing, and protects nothing.
    dry_run: bool,
    /// When the machine said so.
    reported_at: Option<String>,
    online: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct Tested {
    began_at: String,
    ended_at: String,
    /// `passed`, `failed` or `aborted`.
    result: &'static str,
    message: String,
    actuators: Vec<Trial>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Trial {
    actuator: String,
    unit: &'static str,
    asked: Option<f64>,
    observed: Option<f64>,
    /// From asking to the read-back that agreed; null where none did.
    took_ms: Option<u64>,
    /// From letting go to the read-back that agreed with what was wanted then.
    back_ms: Option<u64>,
}

impl Resource for SelfTest {
    const FLAT: Flat = Flat::named("self_test", "self_tests");
}

impl From<SelfTestResult> for Tested {
    fn from(result: SelfTestResult) -> Self {
        Self {
            began_at: rfc3339(result.began_ms),
            ended_at: rfc3339(result.ended_ms),
            result: result.end.name(),
            message: result.message,
            actuators: result.trials.into_iter().map(Trial::from).collect(),
        }
    }
}

impl From<TrialSnapshot> for Trial {
    fn from(trial: TrialSnapshot) -> Self {
        let TrialSnapshot { actuator, unit, asked, observed, took_ms, back_ms } = trial;
        Self { actuator, unit: unit.ucum(), asked, observed, took_ms, back_ms }
    }
}

/// The one word for a list.
pub(crate) fn state(test: &Reported) -> &'static str {
    match &test.last {
        _ if test.running_until_ms.is_some() => "running",
        _ if test.overdue => "overdue",
        Some(last) => last.end.name(),
        None => "never",
    }
}

pub(crate) async fn status(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
) -> Answer<One<SelfTest>> {
    let subject = find(&api, &caller, Right::Read, id).await?;
    let inventory = api.app.fleet.inventory(subject.machine().id);
    let (test, dry_run) = (inventory.board.self_test, inventory.board.dry_run);
    Ok(One(SelfTest {
        state: state(&test),
        last_tested_at: rfc3339_option(test.last.as_ref().map(|last| last.ended_ms)),
        last: test.last.map(Tested::from),
        aborted: test.aborted.map(Tested::from),
        running_until: rfc3339_option(test.running_until_ms),
        due_at: rfc3339_option(test.due_ms),
        overdue: test.overdue,
        dry_run,
        reported_at: rfc3339_option(inventory.at_ms),
        online: subject.is_online(),
    }))
}

//! The device that a command is for, and what its parts are called by the guard that drives them.

use crate::access::{Caller, Right};
use crate::fleet::equipment::belongs_to;
use crate::fleet::{DeviceId, Subject};
use crate::http::Api;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::resources::commands::check_text;
use crate::http::resources::devices::find;
use flyball_protocol::guard::{ActuatorKind, Inventory as Board};
use uuid::Uuid;

/// Names that one message lists.
const MAX_LISTED: usize = 16;

pub(crate) struct Aim {
    pub(crate) subject: Subject,
    /// What of the guard's inventory is this device's.
    pub(crate) board: Board,
    pub(crate) caller: Caller,
    pub(crate) now_ms: u64,
}

impl Aim {
    pub(crate) async fn at(api: &Api, id: Uuid, caller: &Caller) -> Result<Self, Problem> {
        let subject = find(api, caller, Right::Act, id).await?;
        if let Subject::Equipment { equipment, .. } = &subject
            && equipment.removed_at_ms.is_some()
        {
            let message =
                "its gateway names this equipment no longer, so nothing can be sent to it";
            return Err(Problem::new(ErrorCode::StateConflict, message));
        }
        let board = subject.share_of(api.app.fleet.inventory(subject.machine().id).board);
        let now_ms = api.app.clock.now_ms();
        Ok(Self { subject, board, caller: caller.clone(), now_ms })
    }

    /// The equipment that is meant, where it is not the machine itself.
    pub(crate) fn equipment(&self) -> Option<DeviceId> {
        self.subject.key().map(|_| self.subject.id())
    }

    /// The guard's name of something: equipment's parts carry its key.
    fn full(&self, name: String) -> String {
        match self.subject.key() {
            Some(key) if !belongs_to(&name, key) => format!("{key}/{name}"),
            Some(_) | None => name,
        }
    }

    /// The one actuator of `kind` that is meant; where none is named, the only one there is.
    pub(super) fn one(
        &self,
        kind: ActuatorKind,
        field: &str,
        named: Option<String>,
    ) -> Result<String, Problem> {
        if let Some(name) = named {
            check_text(field, &name)?;
            return Ok(self.full(name));
        }
        let of_kind = self.board.actuators.iter().filter(|actuator| actuator.kind == kind);
        let ids: Vec<&str> = of_kind.map(|actuator| actuator.id.as_str()).collect();
        let main = if kind == ActuatorKind::Switch { Some("host/power") } else { None };
        match (ids.as_slice(), main) {
            ([only], _) => Ok((*only).to_owned()),
            (several, Some(main)) if several.contains(&main) => Ok(main.to_owned()),
            ([], Some(main)) if self.equipment().is_none() => Ok(main.to_owned()),
            ([], _) => Err(unclear(field, "is needed: nothing of this kind is reported".into())),
            (several, _) => {
                let listed: Vec<&str> = several.iter().copied().take(MAX_LISTED).collect();
                Err(unclear(field, format!("is needed, one of {}", listed.join(", "))))
            }
        }
    }

    /// The actuator that is meant; `None` means all of a machine's, and the only one of a piece
    /// of equipment.
    pub(super) fn any(
        &self,
        kind: ActuatorKind,
        named: Option<String>,
    ) -> Result<Option<String>, Problem> {
        if named.is_none() && self.equipment().is_none() {
            return Ok(None);
        }
        self.one(kind, "actuator", named).map(Some)
    }

    /// The limit's name: limits are named over the whole machine, equipment's often by its key.
    pub(super) fn limit(&self, name: String) -> String {
        let known = |name: &str| {
            self.board.limits.iter().any(|limit| limit.name == name)
                || self.board.trips.iter().any(|trip| trip.limit == name)
        };
        let full = self.full(name.clone());
        if !known(&name) && known(&full) { full } else { name }
    }
}

fn unclear(field: &str, message: String) -> Problem {
    Problem::invalid(vec![FieldError::body(field, "missing_field", message)])
}

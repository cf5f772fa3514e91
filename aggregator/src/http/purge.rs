//! `?purge=true`: what is deleted is gone for good. A superuser's alone, since nobody restores it.

use super::error::{ErrorCode, Problem};
use crate::access::{Caller, Right};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Purge {
    /// Erases it for good, with all that hangs on it; one that was deleted already, too. A
    /// superuser's alone.
    #[serde(default)]
    purge: bool,
}

impl Purge {
    /// Is it asked for, by somebody who may?
    pub(crate) fn admit(self, caller: &Caller) -> Result<bool, Problem> {
        if self.purge && !caller.grants.everywhere(Right::Administer) {
            let message = "only a superuser erases for good; delete it without `purge`";
            return Err(Problem::new(ErrorCode::Forbidden, message));
        }
        Ok(self.purge)
    }
}

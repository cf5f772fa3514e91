//! Records that belong to an organization, or to the server as a whole.

use crate::access::{Caller, OrganizationId, Right, Scope};
use crate::http::error::{ErrorCode, FieldError, Problem};

/// May the caller manage what belongs to `organization`? What belongs to none is the
/// administrators'.
pub(super) fn may_manage(caller: &Caller, organization: Option<OrganizationId>) -> bool {
    may(caller, Right::Manage, organization)
}

/// The same of another right over one organization.
pub(super) fn may(caller: &Caller, right: Right, organization: Option<OrganizationId>) -> bool {
    match organization {
        None => caller.grants.everywhere(Right::Administer),
        Some(organization) => {
            caller.grants.everywhere(right)
                || caller.grants.scopes(right).any(|s| s == Scope::Organization(organization))
        }
    }
}

/// The organizations whose things the caller sees; `None` where these are everybody's.
pub(super) fn seen(caller: &Caller) -> Option<Vec<OrganizationId>> {
    if caller.grants.everywhere(Right::Manage) {
        return None;
    }
    let organizations = caller.grants.scopes(Right::Manage).filter_map(|scope| match scope {
        Scope::Organization(organization) => Some(organization),
        _ => None,
    });
    Some(organizations.collect())
}

/// # Errors
/// Where the caller may make nothing for it.
pub(super) fn demand(caller: &Caller, organization: Option<OrganizationId>) -> Result<(), Problem> {
    if may_manage(caller, organization) {
        return Ok(());
    }
    let message = match organization {
        None => "only an administrator sets up what belongs to no organization; name yours",
        Some(_) => "you manage no such organization",
    };
    Err(Problem::new(ErrorCode::Forbidden, message).detail("right", Right::Manage.name()))
}

/// A name that people read: something, and not much.
pub(super) fn name(faults: &mut Vec<FieldError>, text: &str) -> String {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        let message = "has 1 to 200 characters, none of them a control character";
        faults.push(FieldError::body("name", "out_of_range", message));
    }
    name.to_owned()
}

//! Whose account a user of the host has.

use crate::accounts::LOCAL;
use crate::config::IpcPeer;

const ROOT: u32 = 0;

/// The account of the user `uid`, where `own` is the aggregator's own one; nobody else is let in
/// than who is listed. What is listed of root and itself counts before the account of the host.
pub(super) fn account(uid: u32, own: u32, allow: &[IpcPeer]) -> Option<&str> {
    let listed = allow.iter().find(|peer| peer.uid == uid).map(|peer| peer.user.as_str());
    listed.or_else(|| (uid == ROOT || uid == own).then_some(LOCAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_the_aggregators_own_user_are_local_and_a_foreign_one_is_nobody() {
        let allow = [IpcPeer { uid: 1001, user: "operator@example.org".into() }];
        assert_eq!(account(0, 900, &allow), Some(LOCAL));
        assert_eq!(account(900, 900, &allow), Some(LOCAL));
        assert_eq!(account(1001, 900, &allow), Some("operator@example.org"));
        assert_eq!(account(1002, 900, &allow), None);
        assert_eq!(account(u32::MAX, 900, &[]), None);
    }

    #[test]
    fn a_list_can_give_the_aggregators_own_user_less() {
        let allow = [IpcPeer { uid: 900, user: "viewer@example.org".into() }];
        assert_eq!(account(900, 900, &allow), Some("viewer@example.org"));
    }
}

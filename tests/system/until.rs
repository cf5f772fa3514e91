//! Waiting for real processes: a condition, a limit, and the last thing seen where it runs out.

use crate::clock;
use std::fmt::Debug;
use std::thread::sleep;
use std::time::Duration;

/// Asks again until `probe` gives `Ok`; panics with the last `Err` after `limit_s`.
pub(crate) fn until<T, E: Debug>(
    what: &str,
    limit_s: u64,
    mut probe: impl FnMut() -> Result<T, E>,
) -> T {
    let deadline = clock::now() + Duration::from_secs(limit_s);
    loop {
        match probe() {
            Ok(found) => return found,
            Err(seen) if clock::now() > deadline => {
                panic!("{what}: not within {limit_s} s; seen last: {seen:?}")
            }
            Err(_) => sleep(Duration::from_millis(200)),
        }
    }
}

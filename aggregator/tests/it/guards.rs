//! What the fleet knows of a machine's guard while its agent stays connected.

use super::rig::Rig;
use flyball_aggregator::fleet::DeviceKind;
use flyball_protocol::message::ControlUp;
use std::time::Duration;

#[tokio::test]
async fn a_guard_that_comes_or_goes_within_a_session_is_known_and_tells_the_machines_kind() {
    let rig = Rig::start().await;
    let identity = rig.enrol().await;
    let mut agent = rig.agent(&identity, 1).await;
    let real = DeviceKind::Real;
    for (attached, simulated, kind) in [
        (true, true, DeviceKind::Simulated),
        (false, false, DeviceKind::Simulated),
        (true, false, real),
        (false, true, real),
    ] {
        agent.say(&ControlUp::Guard { attached, simulated }).await;
        let known = async {
            loop {
                let device = rig.app.fleet.device(identity.device).await.unwrap().unwrap();
                if (device.guard_attached, device.kind) == (attached, kind) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), known).await.unwrap();
    }
}

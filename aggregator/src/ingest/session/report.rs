//! What a machine says of itself besides its entries: kept for the API, and told to whoever
//! watches where it is not what it was.

use crate::app::App;
use crate::fleet::equipment::equipment_id;
use crate::fleet::{DeviceId, EquipmentState, subject};
use crate::live::Live;
use crate::live::board::{Changed, Part, difference};
use crate::operations::SubmitError;
use crate::store::StoreError;
use flyball_protocol::guard::Inventory as Board;

/// Takes an inventory. `first` is the connection's first one: what the fleet asks of the machine
/// is held against it.
pub(super) async fn inventory(
    app: &App,
    device: DeviceId,
    board: Board,
    first: bool,
) -> Result<(), StoreError> {
    let now_ms = app.clock.now_ms();
    let before = app.sessions.inventory(device).board;
    app.sessions.update(device, |inventory| {
        inventory.board = board.clone();
        inventory.at_ms = Some(now_ms);
    });
    if first || before.equipment != board.equipment {
        // Without its guard a machine tells of what its agent reads alone, which is no word on
        // the rest.
        let known = app.store.device(device).await?;
        let whole = known.is_some_and(|known| known.guard_attached);
        app.store.equipment_reported(device, &board.equipment, whole, now_ms).await?;
    }
    publish(app, device, &before, &board, now_ms);
    if first {
        match app.operations.handle_return(device, &board).await {
            Err(SubmitError::Store(error)) => return Err(error),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(%device, error, "the fleet's limits were not sent anew");
            }
            Ok(()) => {}
        }
    }
    Ok(())
}

/// The guard has come or gone.
pub(super) async fn guard(
    app: &App,
    device: DeviceId,
    attached: bool,
    simulated: bool,
) -> Result<(), StoreError> {
    app.store.guard_changed(device, attached, simulated).await?;
    app.live.publish(Live::Changed(Changed {
        device,
        online: true,
        guard_attached: attached,
        parts: vec![Part::Guard],
        at_ms: app.clock.now_ms(),
    }));
    Ok(())
}

/// The machine's connection has come or gone, and with it the way to its equipment.
pub(super) fn presence(app: &App, device: DeviceId, online: bool, at_ms: u64) {
    app.live.publish(Live::Device { device, online, at_ms });
    for one in app.sessions.inventory(device).board.equipment {
        app.live.publish(Live::Changed(Changed {
            device: equipment_id(device, &one.key),
            online: online && one.state == EquipmentState::Connected,
            guard_attached: online,
            parts: vec![Part::Equipment],
            at_ms,
        }));
    }
}

fn publish(app: &App, device: DeviceId, before: &Board, now: &Board, at_ms: u64) {
    let parts = difference(before, now);
    if parts.is_empty() {
        return;
    }
    for one in &now.equipment {
        let share = |board: &Board| subject::share_of(board.clone(), Some(&one.key));
        let parts = difference(&share(before), &share(now));
        if !parts.is_empty() {
            app.live.publish(Live::Changed(Changed {
                device: equipment_id(device, &one.key),
                online: one.state == EquipmentState::Connected,
                guard_attached: true,
                parts,
                at_ms,
            }));
        }
    }
    let changed = Changed { device, online: true, guard_attached: true, parts, at_ms };
    app.live.publish(Live::Changed(changed));
}

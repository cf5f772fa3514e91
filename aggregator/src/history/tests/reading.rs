//! Segments that are not what was published.

use super::*;

#[tokio::test]
async fn a_damaged_segment_is_an_error_that_names_its_object() {
    let mut rig = Rig::start().await;
    rig.measure(DAY_MS, DAY_MS + 60_000).await;
    rig.at(DAY_MS + 3 * HOUR_MS);
    rig.pass().await;
    let row = rig.rows().await.remove(0);
    let path = rig.fresh.path().join("history").join(&row.object);
    let mut bytes = std::fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[length - 20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let wanted = Wanted {
        device: rig.device,
        from_ms: 0,
        to_ms: u64::MAX / 4,
        series: &[],
        tier: Tier::Hours,
    };
    let error =
        rig.history.for_each_segment::<HistoryError>(&wanted, |_| Ok(())).await.unwrap_err();
    assert!(error.to_string().contains(&row.object), "{error}");
}

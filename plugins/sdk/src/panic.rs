//! What a panic leaves behind: a line in the operator's log, then the trap.

#[cfg(any(feature = "collector", feature = "importer", feature = "renderer"))]
pub(crate) fn install() {
    use crate::Level;
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            crate::log(Level::Error, &format!("panic: {panic}"));
        }));
    });
}

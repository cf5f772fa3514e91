//! What stood in an actuator before it was taken, and whether it is taken now.

use crate::actuator::Saved;

/// Kept by every mechanism, whatever its files are.
#[derive(Debug, Default)]
pub(crate) struct Holding {
    saved: Option<Saved>,
    taken: bool,
}

impl Holding {
    pub(crate) const fn is_taken(&self) -> bool {
        self.taken
    }

    /// What was found, once it has been looked for.
    pub(crate) const fn saved(&self) -> Option<Saved> {
        self.saved
    }

    /// Keeps what was found before the first drive.
    pub(crate) const fn save(&mut self, found: Saved) {
        self.saved = Some(found);
    }

    /// From now on it follows this process.
    pub(crate) const fn take(&mut self) {
        self.taken = true;
    }

    /// What a predecessor in the same boot had found.
    pub(crate) const fn inherit(&mut self, saved: Saved) {
        self.saved = Some(saved);
        self.taken = true;
    }

    /// What is to be put back; `None` where it was never taken.
    pub(crate) fn to_put_back(&self) -> Option<Saved> {
        self.saved.filter(|_| self.taken)
    }

    /// It no longer follows this process.
    pub(crate) const fn let_go(&mut self) {
        self.taken = false;
    }
}

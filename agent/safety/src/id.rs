//! Ids are positions in the lists of the [`Plan`](crate::Plan); the caller keeps the names.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u16);

        impl $name {
            #[must_use]
            pub const fn new(position: u16) -> Self {
                Self(position)
            }

            /// The position in the plan's list.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// What is cooled and fed together: a position in `Plan::zones`.
    ZoneId
);
id!(
    /// A position in `Plan::sensors`.
    SensorId
);
id!(
    /// A position in `Plan::limits`.
    LimitId
);
id!(
    /// A position in `Plan::actuators`.
    ActuatorId
);

id!(
    /// A position in `Plan::interlocks`.
    InterlockId
);
id!(
    /// A position in `Plan::groups`.
    GroupId
);

/// A lock, by a small number that the caller gives and under which it keeps owner and reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockId(pub u32);

/// What was armed, by a number that the caller gives: it is confirmed by the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

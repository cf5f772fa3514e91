//! Sentences of no great depth, the same for the same seed.

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of them; the list is never empty.
    pub fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.roll() % (from.len() as u64)).unwrap_or(0);
        from[index]
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    /// The hash in a file's name.
    pub fn hex32(&mut self) -> String {
        format!("{:016x}{:016x}", self.roll(), self.roll())
    }
}

const SUBJECTS: [&str; 14] = [
    "The governor",
    "A flywheel",
    "The coefficient of friction",
    "An efficient boiler",
    "The flow of steam",
    "The field of force",
    "A spindle",
    "The first valve",
    "The offset",
    "A stiff spring",
    "The afflux of water",
    "The piston",
    "A fly-ball",
    "The throttle",
];
const VERBS: [&str; 10] = [
    "affects",
    "defines",
    "follows from",
    "limits",
    "raises",
    "reflects",
    "stabilizes",
    "suffices for",
    "turns",
    "differs from",
];
const OBJECTS: [&str; 12] = [
    "the speed of the shaft",
    "a fixed point",
    "the difference of two forces",
    "an inflow of heat",
    "the office of control",
    "a well-known result",
    "the final state",
    "the effect of the load",
    "a finite amount of work",
    "the fluid in the pipe",
    "the profile of the cam",
    "a sufficient condition",
];
const TAILS: [&str; 6] =
    ["", " at first", ", which is briefly shown", " in half of the cases", ", as before", " again"];

pub const TOPICS: [&str; 12] = [
    "Governors and Feedback",
    "Heat and Work",
    "Springs vs. Weights",
    "Introduction to Valves",
    "Proof of Stability",
    "Applications of Flywheels",
    "How Engines Start",
    "Friction",
    "The Second Law",
    "Oscillation",
    "Examples of Linkages",
    "Flow in Pipes",
];

pub fn sentence(dice: &mut Dice) -> String {
    let (subject, verb, object, tail) =
        (dice.pick(&SUBJECTS), dice.pick(&VERBS), dice.pick(&OBJECTS), dice.pick(&TAILS));
    format!("{subject} {verb} {object}{tail}.")
}

pub fn paragraph(dice: &mut Dice, sentences: usize) -> String {
    let sentences: Vec<String> = (0..sentences).map(|_| sentence(dice)).collect();
    sentences.join(" ")
}

/// The topic of a lecture, its number with it from the second round on.
#[must_use]
pub fn topic(index: usize) -> String {
    let topic = TOPICS[index % TOPICS.len()];
    match index / TOPICS.len() {
        0 => topic.to_owned(),
        round => format!("{topic} {}", round + 1),
    }
}

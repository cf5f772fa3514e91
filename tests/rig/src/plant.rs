//! The physics behind the guest's drivers: one heat capacity, a load, a fan and a cap.
//!
//! It runs on a thread of its own against the shared page: it shows the guest a temperature and
//! a power, and takes whatever the guest has written to fan and cap. Its time stands still while
//! the guest's kernel does: a machine that shares its processor with too many others is not hot.

use crate::clock;
use crate::page::Page;
use crate::trace::{Sample, Trace};
use anyhow::{Result, bail};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const STEP: Duration = Duration::from_millis(50);
/// A trace has a sample for each so many steps.
const STEPS_PER_SAMPLE: u32 = 5;

/// The kernel looks at the thermal zone every second by itself, the guard four times as often. A
/// guest that has not for so long is not running.
const STANDSTILL_S: f64 = 1.25;
/// This thread was not running either where a step took longer.
const LONGEST_STEP_S: f64 = 0.2;

const FOR_GOOD: Duration = Duration::from_secs(600);

/// What a board is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Board {
    pub ambient_celsius: f64,
    /// Joules per kelvin.
    pub capacity: f64,
    /// Watts per kelvin that leave it by themselves, and besides at full fan.
    pub still: f64,
    pub fan: f64,
}

impl Board {
    /// Idles cool, and at full load needs both its fan and its cap.
    pub const SERVER: Self = Self { ambient_celsius: 25.0, capacity: 100.0, still: 2.0, fan: 2.2 };
}

/// What a test does to the plant.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Hands {
    load_watts: f64,
    /// The sensor shows what it showed.
    frozen: bool,
    /// The fan stands whatever is written.
    seized: bool,
    /// The cap is taken and has no effect.
    deaf: bool,
}

#[derive(Debug)]
struct Shared {
    hands: Mutex<Hands>,
    trace: Mutex<Trace>,
    stop: AtomicBool,
    cool: AtomicBool,
}

#[derive(Debug)]
pub struct Plant {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Plant {
    /// Plays `board` against `page` from now on, at `load_watts`.
    ///
    /// # Errors
    /// Where the page can't be written.
    pub fn start(page: Page, board: Board, load_watts: f64) -> Result<Self> {
        let hands = Hands { load_watts, frozen: false, seized: false, deaf: false };
        let shared = Arc::new(Shared {
            hands: Mutex::new(hands),
            trace: Mutex::new(Trace::default()),
            stop: AtomicBool::new(false),
            cool: AtomicBool::new(false),
        });
        let celsius = at_rest(board, load_watts);
        page.set_cap_watts(400)?;
        page.set_celsius(celsius)?;
        page.set_watts(load_watts)?;
        let own = Arc::clone(&shared);
        let thread = thread::Builder::new().name("plant".into()).spawn(move || {
            if let Err(error) = play(&page, board, celsius, &own) {
                eprintln!("the plant stops: {error:#}");
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub fn set_load(&self, watts: f64) {
        self.hands().load_watts = watts;
    }

    pub fn freeze_sensor(&self) {
        self.hands().frozen = true;
    }

    pub fn seize_fan(&self) {
        self.hands().seized = true;
    }

    pub fn deafen_cap(&self) {
        self.hands().deaf = true;
    }

    /// Everything works again.
    pub fn heal(&self) {
        let mut hands = self.hands();
        let load_watts = hands.load_watts;
        *hands = Hands { load_watts, frozen: false, seized: false, deaf: false };
    }

    /// Brings the die to where it would rest at the present load.
    pub fn cool_down(&self) {
        self.shared.cool.store(true, Ordering::Relaxed);
    }

    /// Forgets what was traced so far.
    pub fn begin(&self) {
        lock(&self.shared.trace).begin();
    }

    /// Puts a word at the present moment of the trace.
    pub fn mark(&self, text: &str) {
        lock(&self.shared.trace).mark(text);
    }

    /// The plant's seconds since the trace was begun.
    #[must_use]
    pub fn elapsed_s(&self) -> f64 {
        lock(&self.shared.trace).elapsed_s()
    }

    /// Waits until so many of the plant's seconds have passed.
    ///
    /// # Errors
    /// Where its time stands still for good.
    pub fn pass(&self, seconds: f64) -> Result<()> {
        let until_s = self.elapsed_s() + seconds;
        let end = clock::now() + FOR_GOOD;
        while self.elapsed_s() < until_s {
            if clock::now() > end {
                bail!("the guest stands still: {:.0} s into the run", self.elapsed_s());
            }
            thread::sleep(STEP);
        }
        Ok(())
    }

    /// What has happened so far.
    #[must_use]
    pub fn trace(&self) -> Trace {
        lock(&self.shared.trace).clone()
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        lock(&self.shared.hands)
    }
}

impl Drop for Plant {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has said what was wrong.
            let _ = thread.join();
        }
    }
}

/// Where a board rests at `watts` with its fan at half.
fn at_rest(board: Board, watts: f64) -> f64 {
    board.ambient_celsius + watts / (board.still + board.fan / 2.0)
}

fn play(page: &Page, board: Board, mut celsius: f64, shared: &Shared) -> Result<()> {
    let mut last = clock::now();
    let (mut elapsed_s, mut unseen_s) = (0.0, 0.0);
    let mut looks = page.looks()?;
    let mut shown = celsius;
    let mut steps = 0_u32;
    while !shared.stop.load(Ordering::Relaxed) {
        thread::sleep(STEP);
        let now = clock::now();
        let mut span_s = (now - last).as_secs_f64().min(LONGEST_STEP_S);
        last = now;
        let seen = page.looks()?;
        unseen_s = if seen == looks { unseen_s + span_s } else { 0.0 };
        looks = seen;
        if unseen_s > STANDSTILL_S {
            span_s = 0.0;
        }
        elapsed_s += span_s;
        let hands = *lock(&shared.hands);
        if shared.cool.swap(false, Ordering::Relaxed) {
            celsius = at_rest(board, hands.load_watts);
        }
        let (fan_percent, cap_watts) = (page.fan_percent()?, page.cap_watts()?);
        let turning = if hands.seized { 0.0 } else { fan_percent / 100.0 };
        let watts = if hands.deaf { hands.load_watts } else { hands.load_watts.min(cap_watts) };
        let carried = (board.still + board.fan * turning) * (celsius - board.ambient_celsius);
        celsius += (watts - carried) / board.capacity * span_s;
        if !hands.frozen {
            shown = celsius;
        }
        page.set_celsius(shown)?;
        page.set_watts(watts)?;
        #[expect(clippy::cast_sign_loss, reason = "a fan turns forward")]
        #[expect(clippy::cast_possible_truncation, reason = "10,000 at most")]
        page.set_rpm((turning * 10_000.0).round() as u32)?;
        if span_s > 0.0 && steps.is_multiple_of(STEPS_PER_SAMPLE) {
            let sample = Sample { at_s: elapsed_s, celsius, shown, watts, fan_percent, cap_watts };
            lock(&shared.trace).push(sample);
        }
        steps = steps.wrapping_add(1);
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

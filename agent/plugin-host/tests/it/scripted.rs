//! Plugins with somebody outside who answers what they ask for.

use crate::guests::Guest;
use flyball_plugin_host::{Outside, Plugin};
use flyball_plugin_messages::{
    Answer, Ask, Context, Event, Failure, FailureKind, Reading, Request,
};
use std::cell::RefCell;
use std::rc::Rc;

/// What becomes of an ask.
type Script = Box<dyn Fn(&Ask) -> Answer>;

/// What is outside answers by a script, and keeps what it heard.
pub(crate) struct Scripted {
    pub(crate) events: RefCell<Vec<Event>>,
    pub(crate) asks: RefCell<Vec<Ask>>,
    answer: RefCell<Script>,
}

impl Scripted {
    pub(crate) fn new(answer: impl Fn(&Ask) -> Answer + 'static) -> Rc<Self> {
        let answer = RefCell::new(Box::new(answer) as Script);
        Rc::new(Self { events: RefCell::default(), asks: RefCell::default(), answer })
    }
}

impl Outside for Scripted {
    fn event(&self, event: Event) {
        self.events.borrow_mut().push(event);
    }

    fn ask(&self, ask: Ask) -> Answer {
        let answer = (self.answer.borrow())(&ask);
        self.asks.borrow_mut().push(ask);
        answer
    }
}

/// A collector with its settings, from one poll to the next.
pub(crate) struct Collector {
    plugin: Plugin,
    context: Context,
    pub(crate) scripted: Rc<Scripted>,
}

impl Collector {
    pub(crate) fn new(guest: &Guest, settings: &[(&str, &str)]) -> Self {
        Self::seeded(guest, settings, None)
    }

    pub(crate) fn seeded(guest: &Guest, settings: &[(&str, &str)], seed: Option<u64>) -> Self {
        let pair = |&(key, json): &(&str, &str)| (key.to_owned(), json.to_owned());
        let settings = settings.iter().map(pair).collect();
        let scripted = Scripted::new(refused);
        Self { plugin: guest.plugin(), context: Context { settings, seed }, scripted }
    }

    pub(crate) fn poll(
        &mut self,
        answer: impl Fn(&Ask) -> Answer + 'static,
    ) -> Result<Vec<Reading>, Failure> {
        *self.scripted.answer.borrow_mut() = Box::new(answer);
        let outside: Rc<dyn Outside> = Rc::clone(&self.scripted) as Rc<dyn Outside>;
        self.plugin.call(Request::Poll, self.context.clone(), 5_000, &outside);
        let mut readings = Vec::new();
        for event in self.scripted.events.take() {
            match event {
                Event::Readings(read) => readings = read,
                Event::Failed(failure) => return Err(failure),
                _ => {}
            }
        }
        Ok(readings)
    }
}

/// What nobody granted.
pub(crate) fn refused(_: &Ask) -> Answer {
    Answer::Refused(Failure::new(FailureKind::Denied, "not granted"))
}

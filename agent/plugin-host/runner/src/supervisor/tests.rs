use super::worker::{GRACE_MS, QUARANTINE_FAULTS, QUARANTINE_MS, QUEUE, START_MS};
use super::*;
use flyball_plugin_messages::Ask;

/// A supervisor with one plugin, its time, and what it did.
struct Rig {
    supervisor: Supervisor,
    now: Ms,
}

fn plugin() -> PluginId {
    PluginId("p".into())
}

fn request() -> Request {
    Request::Validate { format: "f".into(), source: "s".into() }
}

impl Rig {
    fn loaded() -> Self {
        let mut rig = Self { supervisor: Supervisor::default(), now: Ms(1_000) };
        rig.supervisor.handle_load(plugin(), World::Renderer, rig.now);
        assert_eq!(
            rig.actions(),
            [Action::Start(plugin()), Action::Tell(plugin(), ToPlugin::World(World::Renderer))]
        );
        rig.hear(FromPlugin::Ready);
        assert_eq!(rig.actions(), [Action::Send(FromRunner::Loaded { plugin: plugin() })]);
        rig
    }

    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.supervisor.poll_action()).collect()
    }

    fn call(&mut self, id: u64, deadline_ms: u32) {
        self.supervisor.handle_call(
            &plugin(),
            CallId(id),
            deadline_ms,
            (Context::default(), request()),
            self.now,
        );
    }

    fn hear(&mut self, message: FromPlugin) {
        self.supervisor.handle_message(&plugin(), message, self.now);
    }

    fn end(&mut self) {
        self.supervisor.handle_end(&plugin(), "signal 11", self.now);
    }

    fn trap(&mut self) {
        let failure = Failure::new(FailureKind::Trapped, "panic");
        self.hear(FromPlugin::Event(Event::Failed(failure)));
    }

    fn pass(&mut self, ms: u64) {
        self.now = self.now.after(ms);
        self.supervisor.handle_timeout(self.now);
    }

    /// The failures that were sent since, by call.
    fn failures(&mut self) -> Vec<(u64, FailureKind)> {
        let failure = |action| match action {
            Action::Send(FromRunner::Event { call, event: Event::Failed(failure) }) => {
                Some((call.0, failure.kind))
            }
            _ => None,
        };
        self.actions().into_iter().filter_map(failure).collect()
    }
}

fn told(actions: &[Action]) -> Option<u32> {
    actions.iter().find_map(|action| match action {
        Action::Tell(_, ToPlugin::Call { deadline_ms, .. }) => Some(*deadline_ms),
        _ => None,
    })
}

#[test]
fn calls_run_one_after_another_with_what_is_left_of_their_deadline() {
    let mut rig = Rig::loaded();
    rig.call(1, 500);
    rig.call(2, 500);
    assert_eq!(told(&rig.actions()), Some(500));
    rig.pass(200);
    rig.hear(FromPlugin::Event(Event::Done));
    let actions = rig.actions();
    assert_eq!(actions[0], Action::Send(FromRunner::Event { call: CallId(1), event: Event::Done }));
    assert_eq!(told(&actions), Some(300));
}

#[test]
fn a_call_whose_deadline_passes_in_the_queue_is_told_so() {
    let mut rig = Rig::loaded();
    rig.call(1, 5_000);
    rig.call(2, 100);
    rig.actions();
    rig.pass(100);
    assert_eq!(rig.failures(), [(2, FailureKind::Limit)]);
}

#[test]
fn a_process_that_overstays_is_killed_and_started_again() {
    let mut rig = Rig::loaded();
    rig.call(1, 100);
    rig.actions();
    assert_eq!(rig.supervisor.poll_timeout(), Some(rig.now.after(100 + GRACE_MS)));
    rig.pass(100 + GRACE_MS);
    let actions = rig.actions();
    assert_eq!(actions[0], Action::Kill(plugin()));
    rig.pass(1_000);
    assert_eq!(rig.actions()[0], Action::Start(plugin()));
}

#[test]
fn a_cancelled_call_is_killed_without_a_fault_and_a_waiting_one_forgotten() {
    let mut rig = Rig::loaded();
    for _ in 0..2 * QUARANTINE_FAULTS {
        rig.call(1, 100);
        rig.call(2, 100);
        rig.actions();
        rig.supervisor.handle_cancel(CallId(2), rig.now);
        rig.supervisor.handle_cancel(CallId(1), rig.now);
        let actions = rig.actions();
        assert_eq!(actions[..2], [Action::Kill(plugin()), Action::Start(plugin())]);
        rig.hear(FromPlugin::Ready);
        assert_eq!(rig.actions(), []);
    }
}

#[test]
fn the_death_of_a_process_fails_its_call_and_it_comes_back() {
    let mut rig = Rig::loaded();
    rig.call(1, 1_000);
    rig.call(2, 1_000);
    rig.actions();
    rig.end();
    assert_eq!(rig.failures(), [(1, FailureKind::Trapped)]);
    rig.pass(100);
    assert_eq!(rig.actions()[0], Action::Start(plugin()));
    rig.hear(FromPlugin::Ready);
    assert_eq!(told(&rig.actions()), Some(900));
}

#[test]
fn faults_in_a_row_lead_to_quarantine_and_each_is_longer_than_the_last() {
    let mut rig = Rig::loaded();
    let mut length = QUARANTINE_MS;
    for round in 0..3 {
        for _ in 0..if round == 0 { QUARANTINE_FAULTS } else { 1 } {
            rig.call(1, 1_000);
            rig.actions();
            rig.trap();
        }
        let actions = rig.actions();
        assert!(
            matches!(
                &actions[..],
                [Action::Send(_), Action::Kill(_), Action::Send(FromRunner::Quarantined { .. })]
            ),
            "{actions:?}"
        );
        rig.call(2, 1_000);
        assert_eq!(rig.failures(), [(2, FailureKind::Unavailable)]);
        rig.pass(length - 1);
        assert_eq!(rig.actions(), []);
        rig.pass(1);
        assert_eq!(rig.actions()[0], Action::Start(plugin()));
        rig.hear(FromPlugin::Ready);
        assert_eq!(rig.actions(), [Action::Send(FromRunner::Loaded { plugin: plugin() })]);
        length *= 2;
    }
}

#[test]
fn one_sound_call_clears_the_faults_and_limits_are_no_faults() {
    let mut rig = Rig::loaded();
    for _ in 0..4 * QUARANTINE_FAULTS {
        for _ in 1..QUARANTINE_FAULTS {
            rig.call(1, 1_000);
            rig.trap();
        }
        rig.call(1, 1_000);
        rig.hear(FromPlugin::Event(Event::Done));
        rig.call(1, 1_000);
        rig.hear(FromPlugin::Event(Event::Failed(Failure::new(FailureKind::Limit, "time"))));
    }
    assert!(rig.actions().iter().all(|a| !matches!(a, Action::Kill(_))));
}

#[test]
fn a_full_queue_refuses() {
    let mut rig = Rig::loaded();
    for id in 0..=QUEUE as u64 {
        rig.call(id, 1_000);
    }
    rig.actions();
    rig.call(99, 1_000);
    assert_eq!(rig.failures(), [(99, FailureKind::Unavailable)]);
}

#[test]
fn a_process_that_never_gets_ready_ends_in_quarantine() {
    let mut rig = Rig { supervisor: Supervisor::default(), now: Ms(0) };
    rig.supervisor.handle_load(plugin(), World::Importer, rig.now);
    for _ in 0..QUARANTINE_FAULTS {
        rig.pass(START_MS);
        rig.pass(10_000);
    }
    assert!(
        rig.actions().iter().any(|a| matches!(a, Action::Send(FromRunner::Quarantined { .. })))
    );
}

#[test]
fn code_that_does_not_load_is_reported_and_new_code_takes_its_place() {
    let mut rig = Rig::loaded();
    rig.supervisor.handle_load(plugin(), World::Renderer, rig.now);
    assert_eq!(rig.actions()[..2], [Action::Kill(plugin()), Action::Start(plugin())]);
    rig.call(1, 1_000);
    rig.hear(FromPlugin::NotLoaded { reason: "another engine".into() });
    let actions = rig.actions();
    assert!(matches!(&actions[2], Action::Send(FromRunner::NotLoaded { .. })), "{actions:?}");
    rig.call(2, 1_000);
    assert_eq!(rig.failures(), [(2, FailureKind::Unavailable)]);
    rig.supervisor.handle_load(plugin(), World::Renderer, rig.now);
    assert_eq!(rig.actions()[0], Action::Start(plugin()));
}

#[test]
fn a_process_that_speaks_out_of_turn_is_killed() {
    let mut rig = Rig::loaded();
    rig.hear(FromPlugin::Event(Event::Done));
    assert_eq!(rig.actions(), [Action::Kill(plugin())]);
}

#[test]
fn a_call_of_an_unknown_plugin_is_refused() {
    let mut rig = Rig::loaded();
    rig.supervisor.handle_call(
        &PluginId("q".into()),
        CallId(7),
        10,
        (Context::default(), request()),
        rig.now,
    );
    assert_eq!(rig.failures(), [(7, FailureKind::Unavailable)]);
}

#[test]
fn what_is_unloaded_ends_its_process_and_is_known_no_more() {
    let mut rig = Rig::loaded();
    rig.supervisor.handle_unload(&plugin());
    assert_eq!(rig.actions(), [Action::Kill(plugin())]);
    rig.call(1, 1_000);
    assert_eq!(rig.failures(), [(1, FailureKind::Unavailable)]);
    rig.supervisor.handle_load(plugin(), World::Renderer, rig.now);
    assert_eq!(rig.actions()[0], Action::Start(plugin()));
}

fn ask() -> Ask {
    Ask::Take { most: 5 }
}

#[test]
fn what_a_call_asks_goes_to_the_agent_and_its_answer_back_once() {
    let mut rig = Rig::loaded();
    rig.call(1, 500);
    rig.actions();
    rig.hear(FromPlugin::Ask(ask()));
    let sent = Action::Send(FromRunner::Ask { call: CallId(1), ask: ask() });
    assert_eq!(rig.actions(), [sent]);
    rig.supervisor.handle_answer(CallId(2), Answer::Subscribed);
    assert_eq!(rig.actions(), []);
    rig.supervisor.handle_answer(CallId(1), Answer::Subscribed);
    let told = Action::Tell(plugin(), ToPlugin::Answer(Answer::Subscribed));
    assert_eq!(rig.actions(), [told]);
    rig.supervisor.handle_answer(CallId(1), Answer::Subscribed);
    assert_eq!(rig.actions(), []);
    rig.hear(FromPlugin::Event(Event::Done));
    assert_eq!(rig.failures(), []);
}

#[test]
fn a_process_that_speaks_while_it_waits_for_an_answer_is_killed() {
    for message in [FromPlugin::Ask(ask()), FromPlugin::Event(Event::Done), FromPlugin::Ready] {
        let mut rig = Rig::loaded();
        rig.call(1, 500);
        rig.actions();
        rig.hear(FromPlugin::Ask(ask()));
        rig.actions();
        rig.hear(message);
        let actions = rig.actions();
        assert_eq!(actions[0], Action::Kill(plugin()));
    }
}

#[test]
fn a_call_that_waits_for_an_answer_is_killed_after_its_deadline_like_any_other() {
    let mut rig = Rig::loaded();
    rig.call(1, 100);
    rig.actions();
    rig.hear(FromPlugin::Ask(ask()));
    rig.actions();
    rig.pass(100 + GRACE_MS);
    assert_eq!(rig.actions()[0], Action::Kill(plugin()));
    rig.supervisor.handle_answer(CallId(1), Answer::Subscribed);
    assert_eq!(rig.actions(), []);
}

#[test]
fn what_a_call_cost_is_told_before_its_end_and_never_outside_a_call() {
    let mut rig = Rig::loaded();
    rig.call(1, 500);
    rig.actions();
    rig.hear(FromPlugin::Cost { memory_bytes: 65_536 });
    let told = FromRunner::Cost { call: CallId(1), memory_bytes: 65_536 };
    assert_eq!(rig.actions(), [Action::Send(told)]);
    rig.hear(FromPlugin::Event(Event::Done));
    rig.actions();
    rig.hear(FromPlugin::Cost { memory_bytes: 65_536 });
    assert_eq!(rig.actions()[0], Action::Kill(plugin()));
}

#[test]
fn nothing_can_be_asked_outside_a_call() {
    let mut rig = Rig::loaded();
    rig.hear(FromPlugin::Ask(ask()));
    assert_eq!(rig.actions()[0], Action::Kill(plugin()));
}

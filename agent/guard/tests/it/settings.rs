//! Frequencies, words and lights of the machine's own, through signed commands.

use super::agent::Agent;
use super::guarded::{Guarded, wait_for};
use super::machine::{lay, lay_machine};
use flyball_command::{Action, RefusalKind, Verdict};
use flyball_units::Hertz;

const POLICIES: &str = "devices/system/cpu/cpufreq";
const PROFILE: &str = "firmware/acpi/platform_profile";
const LIGHT: &str = "class/enclosure/0:0:8:0/Slot 01/locate";

fn machine() -> Guarded {
    let mut guarded = Guarded::laid_out("[timing]\nrelease_after_s = 1\n", |folder| {
        lay_machine(folder);
        for policy in ["policy0", "policy4"] {
            for (file, text) in [
                ("cpuinfo_min_freq", "800000"),
                ("cpuinfo_max_freq", "3000000"),
                ("scaling_max_freq", "3000000"),
                ("scaling_cur_freq", "1200000"),
                ("scaling_governor", "schedutil"),
                ("scaling_available_governors", "performance powersave schedutil"),
            ] {
                lay(folder, &[(&format!("{POLICIES}/{policy}/{file}"), text)]);
            }
        }
        lay(
            folder,
            &[
                (PROFILE, "balanced"),
                (&format!("{PROFILE}_choices"), "low-power balanced performance"),
                (LIGHT, "0"),
                ("class/enclosure/0:0:8:0/Slot 01/status", "OK"),
            ],
        );
    });
    guarded.run();
    guarded.settle();
    guarded
}

fn of_policies(guarded: &Guarded, file: &str) -> [String; 2] {
    ["policy0", "policy4"].map(|policy| guarded.file(&format!("{POLICIES}/{policy}/{file}")))
}

fn obeys(guarded: &mut Guarded, agent: &mut Agent, action: Action) -> Option<f64> {
    let (operation, verdict) = guarded.propose(agent, action);
    assert_eq!(verdict, Verdict::Accepted);
    let outcome = agent.outcome_of(operation);
    assert!(outcome.verified, "{outcome:?}");
    outcome.observed
}

fn refuses(guarded: &mut Guarded, agent: &mut Agent, action: Action) {
    let (_, verdict) = guarded.propose(agent, action);
    let Verdict::Refused(refusal) = verdict else { panic!("{verdict:?}") };
    assert_eq!(refusal.kind, RefusalKind::Invalid, "{refusal:?}");
}

#[test]
fn a_ceiling_of_the_frequency_holds_on_every_policy_and_is_given_back() {
    let mut guarded = machine();
    let mut agent = guarded.agent();
    let ceiling = |hertz| Action::SetFrequencyCap { actuator: None, hertz: Hertz(hertz) };
    for beyond in [7e8, 3.1e9, 0.0, f64::NAN] {
        let (_, verdict) = guarded.propose(&mut agent, ceiling(beyond));
        assert!(matches!(verdict, Verdict::Refused(_)), "{beyond}: {verdict:?}");
    }
    assert_eq!(of_policies(&guarded, "scaling_max_freq"), ["3000000", "3000000"]);
    assert_eq!(obeys(&mut guarded, &mut agent, ceiling(2e9)), Some(2e9));
    assert_eq!(of_policies(&guarded, "scaling_max_freq"), ["2000000", "2000000"]);
    // A processor that comes back from suspend comes back at its maximum.
    guarded.show(&format!("{POLICIES}/policy4/scaling_max_freq"), "3000000");
    wait_for("the ceiling again", || {
        of_policies(&guarded, "scaling_max_freq") == ["2000000", "2000000"]
    });
    let clear = Action::ClearFrequencyCap { actuator: None };
    obeys(&mut guarded, &mut agent, clear);
    assert_eq!(of_policies(&guarded, "scaling_max_freq"), ["3000000", "3000000"]);
}

#[test]
fn a_governor_a_platform_profile_and_a_light_are_set_and_seen() {
    let mut guarded = machine();
    let mut agent = guarded.agent();
    let word = |actuator: &str, profile: &str| Action::SetProfile {
        actuator: actuator.into(),
        profile: profile.into(),
    };
    obeys(&mut guarded, &mut agent, word("cpufreq/governor", "powersave"));
    assert_eq!(of_policies(&guarded, "scaling_governor"), ["powersave", "powersave"]);
    refuses(&mut guarded, &mut agent, word("cpufreq/governor", "turbo"));
    refuses(&mut guarded, &mut agent, word("platform_profile", "turbo"));
    obeys(&mut guarded, &mut agent, word("platform_profile", "low-power"));
    assert_eq!(guarded.file(PROFILE), "low-power");
    let light =
        |lit| Action::SetIndicator { switch: "enclosure/0_0_8_0/slot_01/locate".into(), lit };
    obeys(&mut guarded, &mut agent, light(true));
    assert_eq!(guarded.file(LIGHT), "1");
    let shown = guarded.ask(&["status", "--socket", guarded.socket().to_str().unwrap()]).1;
    assert!(shown.contains("locate  is lit"), "{shown}");
    obeys(&mut guarded, &mut agent, light(false));
    assert_eq!(guarded.file(LIGHT), "0");
    refuses(&mut guarded, &mut agent, Action::SetIndicator { switch: "no-such".into(), lit: true });
}

//! What the caller wants left out, and what it wants made.

use flyball_plugin::Attribute;

/// Parts of a package: in, unless switched off. Work on them: not done, unless switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    IncludeTranscripts,
    IncludeLectureNotes,
    IncludeAssignments,
    IncludeAssessments,
    IncludeMedia,
    IncludeGlossary,
    GenerateObjectives,
    CreateCheckpoints,
    GenerateSpokenText,
    GenerateGlossary,
}

impl Switch {
    pub const ALL: [Self; 10] = [
        Self::IncludeTranscripts,
        Self::IncludeLectureNotes,
        Self::IncludeAssignments,
        Self::IncludeAssessments,
        Self::IncludeMedia,
        Self::IncludeGlossary,
        Self::GenerateObjectives,
        Self::CreateCheckpoints,
        Self::GenerateSpokenText,
        Self::GenerateGlossary,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IncludeTranscripts => "includeTranscripts",
            Self::IncludeLectureNotes => "includeLectureNotes",
            Self::IncludeAssignments => "includeAssignments",
            Self::IncludeAssessments => "includeAssessments",
            Self::IncludeMedia => "includeMedia",
            Self::IncludeGlossary => "includeGlossary",
            Self::GenerateObjectives => "generateObjectives",
            Self::CreateCheckpoints => "createCheckpoints",
            Self::GenerateSpokenText => "generateSpokenText",
            Self::GenerateGlossary => "generateGlossary",
        }
    }

    const fn default(self) -> bool {
        match self {
            Self::IncludeTranscripts
            | Self::IncludeLectureNotes
            | Self::IncludeAssignments
            | Self::IncludeAssessments
            | Self::IncludeMedia
            | Self::IncludeGlossary => true,
            Self::GenerateObjectives
            | Self::CreateCheckpoints
            | Self::GenerateSpokenText
            | Self::GenerateGlossary => false,
        }
    }
}

/// All switch names, parted by blanks, as a manifest tells them.
#[must_use]
pub fn known() -> String {
    Switch::ALL.map(Switch::name).join(" ")
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    set: Vec<(Switch, bool)>,
    ignored: Vec<String>,
}

impl Switches {
    #[must_use]
    pub fn parse(attributes: &[Attribute]) -> Self {
        let mut switches = Self::default();
        for Attribute { key, value } in attributes {
            let off = matches!(value.to_lowercase().as_str(), "false" | "0" | "no" | "off");
            match Switch::ALL.into_iter().find(|known| known.name() == key) {
                Some(switch) => switches.set.push((switch, !off)),
                // One that is off asks for nothing that is missing.
                None if off => {}
                None => switches.ignored.push(key.clone()),
            }
        }
        switches
    }

    #[must_use]
    pub fn has(&self, switch: Switch) -> bool {
        let set = self.set.iter().rev().find(|(own, _)| *own == switch);
        set.map_or(switch.default(), |(_, on)| *on)
    }

    /// Asked for, and not known here.
    #[must_use]
    pub fn ignored(&self) -> Option<String> {
        (!self.ignored.is_empty()).then(|| self.ignored.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_in_and_work_is_not_done_until_a_switch_says_otherwise() {
        let none = Switches::default();
        assert!(none.has(Switch::IncludeTranscripts) && !none.has(Switch::CreateCheckpoints));
        let set = Switches::parse(&[
            Attribute::new("includeTranscripts", "False"),
            Attribute::new("createCheckpoints", "true"),
            Attribute::new("generateFilms", "true"),
            Attribute::new("generateSongs", "false"),
        ]);
        assert!(!set.has(Switch::IncludeTranscripts) && set.has(Switch::CreateCheckpoints));
        assert_eq!(set.ignored().as_deref(), Some("generateFilms"));
    }
}

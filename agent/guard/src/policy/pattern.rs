//! Patterns, by which rules name sensors and actuators.

/// True where `id` is `pattern`, in which each `*` stands for any text.
pub(crate) fn matches(pattern: &str, id: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == id;
    };
    let Some(rest) = id.strip_prefix(head) else {
        return false;
    };
    let mut starts = rest.char_indices().map(|(index, _)| index).chain([rest.len()]);
    starts.any(|index| matches(tail, &rest[index..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_a_person_expects() {
        let id = "coretemp@platform/coretemp.0/temp1:package_id_0";
        for pattern in ["*", "coretemp@*", "*/temp1:*", "coretemp@*/temp1:package_id_*", id] {
            assert!(matches(pattern, id), "{pattern}");
        }
        for pattern in ["", "coretemp", "*/temp2:*", "k10temp@*"] {
            assert!(!matches(pattern, id), "{pattern}");
        }
    }
}

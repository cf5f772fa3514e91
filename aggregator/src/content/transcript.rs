//! What is said in a topic: its segments, or its text cut into pieces that can be spoken.

use serde_json::{Map, Value, json};

/// A piece of plain text that is spoken at once, in characters.
const MIN_CHUNK: usize = 50;
const MAX_CHUNK: usize = 300;
const DEFAULT_DURATION: &str = "PT30M";

#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// As the document has them.
    pub segments: Vec<Value>,
    /// ISO 8601.
    pub total_duration: String,
    pub pronunciation_guide: Map<String, Value>,
}

impl Transcript {
    /// Of a topic's node; `None` where nothing is said in it.
    #[must_use]
    pub fn of(node: &Value) -> Option<Self> {
        let own = &node["transcript"];
        let segments = match own["segments"].as_array().filter(|all| !all.is_empty()) {
            Some(segments) => segments.clone(),
            None => {
                let text = node["content"]["text"].as_str().or_else(|| node["content"].as_str());
                spoken(text.unwrap_or_default())
            }
        };
        if segments.is_empty() {
            return None;
        }
        let estimates = &node["timeEstimates"];
        let total_duration = [&own["totalDuration"], &estimates["intermediate"]]
            .into_iter()
            .chain([&estimates["introductory"]])
            .find_map(Value::as_str);
        Some(Self {
            segments,
            total_duration: total_duration.unwrap_or(DEFAULT_DURATION).into(),
            pronunciation_guide: own["pronunciationGuide"].as_object().cloned().unwrap_or_default(),
        })
    }
}

/// Plain text as segments: the first is the lecture, the others explain.
fn spoken(text: &str) -> Vec<Value> {
    let pieces = chunks(text).into_iter().enumerate();
    let segment = |(index, content): (usize, String)| {
        let kind = if index == 0 { "lecture" } else { "explanation" };
        json!({ "id": format!("chunk-{index}"), "type": kind, "content": content })
    };
    pieces.map(segment).collect()
}

/// Whole sentences, as many as fit; a sentence that is too long is cut between words.
fn chunks(text: &str) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    let mut current = String::new();
    for sentence in sentences(text).iter().flat_map(|sentence| bounded(sentence)) {
        let length = current.chars().count();
        let fits = length + 1 + sentence.chars().count() <= MAX_CHUNK;
        if !current.is_empty() && (!fits || length >= MIN_CHUNK) {
            chunks.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(&sentence);
    }
    if current.is_empty() {
        return chunks;
    }
    // What is left over and short goes with what stands before it.
    match chunks.last_mut() {
        Some(last)
            if current.chars().count() < MIN_CHUNK
                && last.chars().count() + 1 + current.chars().count() <= MAX_CHUNK =>
        {
            last.push(' ');
            last.push_str(&current);
        }
        _ => chunks.push(current),
    }
    chunks
}

fn sentences(text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut current = String::new();
    for word in text.split_whitespace() {
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
        let end = word.trim_end_matches(['"', '\'', ')', '”', '’']);
        if end.ends_with(['.', '!', '?', '…', '。', '！', '？']) {
            sentences.push(std::mem::take(&mut current));
        }
    }
    sentences.extend(Some(current).filter(|rest| !rest.is_empty()));
    sentences
}

/// The sentence in pieces of at most [`MAX_CHUNK`] characters.
fn bounded(sentence: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let (mut current, mut length) = (String::new(), 0);
    for word in sentence.split(' ') {
        for part in parts(word) {
            let own = part.chars().count();
            if length > 0 && length + 1 + own > MAX_CHUNK {
                pieces.push(std::mem::take(&mut current));
                length = 0;
            }
            if length > 0 {
                current.push(' ');
                length += 1;
            }
            current.push_str(&part);
            length += own;
        }
    }
    pieces.extend(Some(current).filter(|rest| !rest.is_empty()));
    pieces
}

fn parts(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    letters.chunks(MAX_CHUNK).map(|part| part.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_of_a_document_are_given_back_as_they_are() {
        let node = json!({
            "transcript": {
                "segments": [{ "id": "s", "type": "summary", "content": "x", "x-own": 1 }],
                "totalDuration": "PT5M",
                "pronunciationGuide": { "a": { "ipa": "/a/" } },
            },
        });
        let transcript = Transcript::of(&node).unwrap();
        assert_eq!(transcript.segments[0]["x-own"], 1);
        assert_eq!(transcript.total_duration, "PT5M");
        assert_eq!(transcript.pronunciation_guide["a"]["ipa"], "/a/");
    }

    #[test]
    fn plain_text_is_cut_at_the_ends_of_sentences_and_nothing_of_it_is_lost() {
        let sentence = "The quick brown fox jumps over the lazy dog near the river bank.";
        let text = [sentence; 12].join(" ");
        let transcript = Transcript::of(&json!({ "content": { "text": text } })).unwrap();
        let contents: Vec<&str> =
            transcript.segments.iter().map(|s| s["content"].as_str().unwrap()).collect();
        for content in &contents {
            let length = content.chars().count();
            assert!((MIN_CHUNK..=MAX_CHUNK).contains(&length), "{length}: {content}");
            assert!(content.ends_with('.'));
        }
        assert_eq!(contents.join(" "), text);
        assert_eq!(transcript.segments[0]["type"], "lecture");
        assert_eq!(transcript.segments[1]["type"], "explanation");
        assert_eq!(transcript.segments[1]["id"], "chunk-1");
        assert_eq!(transcript.total_duration, DEFAULT_DURATION);
    }

    #[test]
    fn text_without_an_end_is_cut_between_words_and_a_word_without_an_end_within() {
        let text = format!("{} {}", "word ".repeat(200), "x".repeat(1000));
        let chunks = chunks(&text);
        assert!(chunks.iter().all(|chunk| chunk.chars().count() <= MAX_CHUNK));
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        assert_eq!(chunks.iter().map(|chunk| letters(chunk)).sum::<usize>(), letters(&text));
    }

    #[test]
    fn a_topic_in_which_nothing_is_said_has_no_transcript() {
        for node in
            [json!({}), json!({ "content": "  " }), json!({ "transcript": { "segments": [] } })]
        {
            assert_eq!(Transcript::of(&node), None, "{node}");
        }
    }
}

//! Captions of films (WebVTT and SubRip) as the text that is spoken.

/// The spoken text, one line for each that is shown; what is shown twice in a row is told once.
#[must_use]
pub fn spoken(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for cue in text.replace("\r\n", "\n").replace('\r', "\n").split("\n\n") {
        let mut shown = cue.lines().skip_while(|line| !line.contains("-->"));
        // What has no times is a header, a style or a note.
        if shown.next().is_none() {
            continue;
        }
        for line in shown {
            let line = crate::text::squeezed(&unmarked(line));
            if !line.is_empty() && lines.last() != Some(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

/// When the last caption ends, in seconds: as long as the film is, or nearly.
#[must_use]
pub fn duration_s(text: &str) -> Option<u32> {
    let last = text.lines().rev().find_map(|line| line.split_once("-->"))?.1;
    let stamp = last.split_whitespace().next()?;
    stamp.split(':').try_fold(0_u32, |seconds, part| {
        let whole = part.split(['.', ',']).next()?.parse::<u32>().ok()?;
        seconds.checked_mul(60)?.checked_add(whole)
    })
}

/// Without `<i>`, `{\an8}` and the escapes of HTML.
fn unmarked(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut closing = None;
    for c in line.chars() {
        match (closing, c) {
            (Some(end), _) if c == end => closing = None,
            (Some(_), _) => {}
            (None, '<') => closing = Some('>'),
            (None, '{') => closing = Some('}'),
            (None, _) => plain.push(c),
        }
    }
    let escapes = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
    escapes.into_iter().fold(plain, |text, (escape, meant)| text.replace(escape, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_of_both_kinds_become_the_spoken_text() {
        let vtt = "WEBVTT\n\nNOTE no\n\n1\n00:00:01.000 --> 00:00:02.000 align:start\n<v Watt>Hello &amp;\nwelcome.\n\n00:00:02.000 --> 01:00:03.500\nwelcome.\n";
        let srt = "1\r\n00:00:01,000 --> 00:00:02,000\r\n{\\an8}Hello &amp;\r\n\r\n2\r\n00:00:02,000 --> 01:00:03,500\r\nwelcome.\r\n";
        assert_eq!(spoken(vtt), ["Hello &", "welcome."]);
        assert_eq!(spoken(srt), ["Hello &", "welcome."]);
        assert_eq!(duration_s(vtt), Some(3_603));
        assert_eq!(duration_s(srt), Some(3_603));
    }
}

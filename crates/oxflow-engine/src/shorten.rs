//! Texts about faults, no longer than people read: an exception may quote its message, and a message may be long.

use std::borrow::Cow;

/// Most bytes of what an error says, and of a line of a traceback.
const TEXT_BYTES: usize = 2000;
/// Most bytes of the beginning and of the end of a traceback.
const HALF_BYTES: usize = 16 << 10;

/// The beginning of what an error says.
pub fn text(text: &str) -> Cow<'_, str> {
    if text.len() <= TEXT_BYTES {
        return Cow::Borrowed(text);
    }
    let (kept, left) = text.split_at(boundary(text, TEXT_BYTES));
    Cow::Owned(format!("{kept}... and {} bytes more", left.len()))
}

/// The beginning and the end of a traceback: where it started, and what happened at last.
pub(crate) fn traceback(traceback: &str) -> String {
    let lines: String = traceback.split_inclusive('\n').flat_map(line).collect();
    if lines.len() <= 2 * HALF_BYTES {
        return lines;
    }
    let (begin, rest) = lines.split_at(boundary(&lines, HALF_BYTES));
    let (left, end) = rest.split_at(boundary(rest, rest.len() - HALF_BYTES));
    format!("{begin}\n... {} bytes are left out ...\n{end}", left.len())
}

fn line(line: &str) -> [Cow<'_, str>; 2] {
    let content = line.trim_end_matches('\n');
    [text(content), Cow::Borrowed(line.get(content.len()..).unwrap_or_default())]
}

/// The last place up to `most` that is between two letters.
fn boundary(text: &str, most: usize) -> usize {
    (0..=most).rev().find(|place| text.is_char_boundary(*place)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_read_stays_as_it_is() {
        assert_eq!("short", text("short"));
        assert_eq!("one\n  two\n", traceback("one\n  two\n"));
    }

    #[test]
    fn no_letter_is_cut_in_two() {
        let long = format!("x{}", "\u{20ac}".repeat(1000));
        assert_eq!(format!("x{}... and 1002 bytes more", "\u{20ac}".repeat(666)), text(&long));
    }

    #[test]
    fn of_a_traceback_the_beginning_and_the_end_are_kept() {
        let frames = (0..10_000).map(|frame| format!("  in frame_{frame}"));
        let lines = std::iter::once("Traceback:".to_owned()).chain(frames).collect::<Vec<_>>().join("\n");
        let told = traceback(&format!("{lines}\nKeyError: {}\n", "k".repeat(1 << 20)));
        assert!(told.starts_with("Traceback:\n  in frame_0\n"));
        assert!(told.contains(" bytes are left out ..."));
        assert!(told.contains("  in frame_9999\nKeyError: kkk"));
        assert!(told.ends_with(" bytes more\n"));
        assert!(told.len() < 3 * HALF_BYTES);
    }
}

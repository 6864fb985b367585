//! Finds the word that was probably meant.

/// The candidate nearest to `word`, if it is near enough to be a slip of the keyboard: one edit in three characters.
///
/// Case is ignored, and `_` and `-` count as the same.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    let limit = folded.len().div_ceil(3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&folded, &fold(candidate)), candidate))
        .filter(|(edits, candidate)| *edits <= limit && *edits < candidate.chars().count())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

fn fold(word: &str) -> Vec<char> {
    word.chars().flat_map(char::to_lowercase).map(|letter| if letter == '-' { '_' } else { letter }).collect()
}

/// Damerau-Levenshtein distance in its restricted form: insert, delete, replace, swap two neighbours.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    let mut previous_left = None;
    for (row, &letter) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        let mut previous_right = None;
        for (column, &other) in right.iter().enumerate() {
            let at = |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(usize::MAX - 1);
            let mut cost = (at(&above, column) + usize::from(letter != other))
                .min(at(&above, column + 1) + 1)
                .min(at(&current, column) + 1);
            if previous_left == Some(other) && previous_right == Some(letter) {
                cost = cost.min(at(&before, column.wrapping_sub(1)) + 1);
            }
            current.push(cost);
            previous_right = Some(other);
        }
        before = std::mem::replace(&mut above, current);
        previous_left = Some(letter);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, expected: Option<&str>) {
        assert_eq!(expected, did_you_mean(word, ["lanes", "batch", "delivery", "wait_ms"]), "{word}");
    }

    #[test]
    fn one_slip_is_understood() {
        check("lane", Some("lanes"));
        check("lnaes", Some("lanes"));
        check("bacth", Some("batch"));
        check("delivry", Some("delivery"));
    }

    #[test]
    fn case_and_dashes_do_not_count() {
        check("Wait-MS", Some("wait_ms"));
    }

    #[test]
    fn another_word_is_not_a_slip() {
        check("retries", None);
        check("x", None);
        check("", None);
    }

    #[test]
    fn distances_are_those_of_the_textbook() {
        let distance_of = |left: &str, right: &str| distance(&fold(left), &fold(right));
        assert_eq!(3, distance_of("kitten", "sitting"));
        assert_eq!(1, distance_of("ab", "ba"));
        assert_eq!(3, distance_of("", "abc"));
    }
}

//! Scores of a user's own for `oxflow.scheduler`: which offer is the best for a task.
//!
//! A matcher asks about one task and all offers that it fits on in one call, as bytes, so that nothing is converted on the way:
//!
//! ```
//! use oxflow::{Bytes, Message, score};
//!
//! /// Takes the offer that has nearest to twice what the task needs of the first resource.
//! #[oxflow::function]
//! fn nearest_double(msg: Message<Bytes>) -> Bytes {
//!     score::each(msg.payload(), |task, free| (free[0] - 2.0 * task[0]).abs())
//! }
//!
//! let asked = score::ask(&[2.0], [[2.0], [4.0], [8.0]].iter().map(|free| &free[..]));
//! assert_eq!(score::told(&nearest_double(Message::new(asked.into()))), [2.0, 0.0, 4.0]);
//! ```
//!
//! In Python it stands where a function of Python would: `Policy.custom(my_steps.nearest_double)`.

use crate::Bytes;

/// Bytes of a number: a float of 64 bits in the machine's order. Both sides are in one process.
const NUMBER: usize = 8;

/// Scores every offer that was asked about: the lower, the better, and infinity forbids it. The function is given what the task needs
/// and what an offer has free, both in the order of the matcher's resources.
pub fn each(asked: &[u8], mut score: impl FnMut(&[f64], &[f64]) -> f64) -> Bytes {
    let numbers = told(asked);
    let Some((count, numbers)) = numbers.split_first() else { return Bytes::default() };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was written from a length")]
    let count = *count as usize;
    if count == 0 || numbers.len() < count {
        return Bytes::default();
    }
    let (task, offers) = numbers.split_at(count);
    let scores = offers.chunks_exact(count).flat_map(|free| score(task, free).to_ne_bytes());
    scores.collect::<Vec<u8>>().into()
}

/// What a score is asked: how many resources there are, what the task needs, and what each offer has free.
pub fn ask<'a>(task: &'a [f64], offers: impl IntoIterator<Item = &'a [f64]>) -> Vec<u8> {
    #[allow(clippy::cast_precision_loss, reason = "there are few resources")]
    let mut asked = (task.len() as f64).to_ne_bytes().to_vec();
    let numbers = task.iter().chain(offers.into_iter().flatten());
    asked.extend(numbers.flat_map(|number| number.to_ne_bytes()));
    asked
}

/// The numbers in what a score was asked or told.
pub fn told(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks::<NUMBER>().0.iter().map(|number| f64::from_ne_bytes(*number)).collect()
}

#[cfg(test)]
mod tests {
    use super::{ask, each, told};

    #[test]
    fn what_is_no_question_has_no_scores() {
        for bytes in [&b""[..], b"12345678", &ask(&[], []), &3f64.to_ne_bytes()] {
            assert!(each(bytes, |_, _| 1.0).is_empty());
        }
    }

    #[test]
    fn every_offer_is_scored_in_order() {
        let offers = [[5.0, 6.0], [7.0, 8.0]];
        let asked = ask(&[1.0, 2.0], offers.iter().map(|free| &free[..]));
        assert_eq!(vec![4.0, 6.0], told(&each(&asked, |task, free| free[0] - task[0])));
    }
}

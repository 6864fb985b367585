//! Scores of a user's own. They need not be monotone, so every offer that a task fits on is asked about.

/// A score of a user's own: the lower, the better.
pub trait Score {
    /// Appends the score of a task on each of these offers, given what they have free.
    ///
    /// An error is the place of the offer that it failed on; why is kept by whoever made the score.
    fn score(&mut self, task: &[f64], offers: &[&[f64]], scores: &mut Vec<f64>) -> Result<(), usize>;
}

/// A function of a task's needs and of what one offer has free.
impl<F: FnMut(&[f64], &[f64]) -> f64> Score for F {
    fn score(&mut self, task: &[f64], offers: &[&[f64]], scores: &mut Vec<f64>) -> Result<(), usize> {
        scores.extend(offers.iter().map(|offer| self(task, offer)));
        Ok(())
    }
}

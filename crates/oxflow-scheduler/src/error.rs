//! What can be wrong with tasks, offers and settings. Each error names the task or offer that it is about.

use std::fmt;

/// The task or offer that an error is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A task, by name.
    Task(String),
    /// An offer, by name.
    Offer(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(name) => write!(formatter, "task `{name}`"),
            Self::Offer(name) => write!(formatter, "offer `{name}`"),
        }
    }
}

/// Why something can't be matched.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SchedulerError {
    /// An amount of a resource is negative, infinite or not a number.
    #[error("{subject} has {amount} of `{resource}`")]
    Amount {
        /// Whose it is.
        subject: Subject,
        /// Of what.
        resource: String,
        /// What was given.
        amount: f64,
    },
    /// A text that should be an amount is none.
    #[error("{subject} has `{text}` of `{resource}`, which is no amount")]
    Quantity {
        /// Whose it is.
        subject: Subject,
        /// Of what.
        resource: String,
        /// What was given.
        text: String,
    },
    /// A field is not there, or holds what it can't.
    #[error("{subject} {problem}")]
    Field {
        /// Whose it is.
        subject: Subject,
        /// What is wrong with it.
        problem: String,
    },
    /// A resource that the matcher doesn't have.
    #[error("{subject} has `{resource}`, which is no resource of this matcher: {known}")]
    UnknownResource {
        /// Whose it is, or would be.
        subject: Subject,
        /// What was given.
        resource: String,
        /// What the matcher has.
        known: String,
    },
    /// Two tasks, or two offers, have one name.
    #[error("two have the name of {0}")]
    Duplicate(Subject),
    /// A constraint can't be looked at.
    #[error("{subject} has a constraint on `{attribute}` that can't be read: {reason}")]
    Constraint {
        /// Whose it is.
        subject: Subject,
        /// On what.
        attribute: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting of the matcher is impossible.
    #[error("{0}")]
    Setting(String),
    /// An offer that should be changed is not there.
    #[error("there is no offer `{0}`")]
    UnknownOffer(String),
    /// A task that should be explained was not left over in the round.
    #[error("no task `{0}` was left over")]
    NotLeftOver(String),
    /// A user's score gave what can't be compared.
    #[error("the score of task `{task}` on offer `{offer}` is not a number")]
    Score {
        /// Which task.
        task: String,
        /// On which offer.
        offer: String,
    },
    /// A user's score failed; what it failed with is kept by who called it.
    #[error("the score of task `{task}` on offer `{offer}` failed")]
    ScoreFailed {
        /// Which task.
        task: String,
        /// On which offer.
        offer: String,
    },
    /// A document of tasks can't be read.
    #[error("{0}")]
    Document(String),
}

//! How well a task sits on an offer: the lower the score, the better.
//!
//! Each formula is a sum over the resources, from 0.0 and in their order, of terms that are monotone IEEE operations in the
//! offer's values. So the same formula on the corner of a box of offers is an exact lower bound of the scores in the box, and a
//! search that leaves out boxes by their bounds gives the very answers of a loop over all offers.

use crate::error::SchedulerError;

/// What is summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formula {
    /// `weight * (free - task)`: the least is left over.
    BestFit,
    /// `-(weight * (free - task))`: the most is left over.
    WorstFit,
    /// `0`: the first offer that it fits on.
    FirstFit,
    /// `weight * (1 - task / free)`: the least part of what is free is left over; 0 where nothing is free.
    Ratio,
    /// `weight * ((free - task) / capacity)`: the fullest offer, relative to its capacity; 0 where there is no capacity.
    MostAllocated,
    /// `weight * (1 - (free - task) / capacity)`: the emptiest offer; 0 where there is no capacity.
    LeastAllocated,
}

impl Formula {
    /// The formula of a name, as Python has it.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "best_fit" => Self::BestFit,
            "worst_fit" => Self::WorstFit,
            "first_fit" => Self::FirstFit,
            "ratio" => Self::Ratio,
            "most_allocated" => Self::MostAllocated,
            "least_allocated" => Self::LeastAllocated,
            _ => return None,
        })
    }

    /// Whether what an offer has at most counts, beside what it has free.
    pub(crate) fn needs_capacity(self) -> bool {
        matches!(self, Self::MostAllocated | Self::LeastAllocated)
    }
}

/// A weighted sum of what an offer has or a task needs, for a bound that is not as loose as the sum of the least of each resource.
pub(crate) fn weighted(weights: &[f64], row: &[f64]) -> f64 {
    weights.iter().zip(row).fold(0.0, |sum, (weight, amount)| sum + weight * amount)
}

/// A formula and the weight of each resource in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub(crate) formula: Formula,
    pub(crate) weights: Vec<f64>,
}

impl Policy {
    /// A policy with a weight for each resource, in the order of the matcher's resources.
    pub fn new(formula: Formula, weights: Vec<f64>) -> Result<Self, SchedulerError> {
        match weights.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0)) {
            Some(weight) => Err(SchedulerError::Setting(format!("the weight {weight} is not a number from 0 on"))),
            None => Ok(Self { formula, weights }),
        }
    }
}

impl Policy {
    /// The weighted sum of an offer, if the formula is linear. One that is too large to be a number says nothing.
    pub(crate) fn linear(&self, free: &[f64]) -> Option<f64> {
        let nothing = match self.formula {
            Formula::BestFit => 0.0,
            Formula::WorstFit => f64::MAX,
            _ => return None,
        };
        let sum = weighted(&self.weights, free);
        Some(if sum.is_finite() { sum } else { nothing })
    }
}

/// One term of a formula, for a task that fits.
pub(crate) trait Term {
    /// Whether the term grows with what is free; else it falls.
    const RISES: bool;
    /// Whether it takes the capacity.
    const CAPACITY: bool = false;
    /// Whether the score is the weighted sum of what is free less that of what the task needs, or the negative of it.
    const LINEAR: bool = false;

    fn term(weight: f64, task: f64, free: f64, capacity: f64) -> f64;
}

pub(crate) struct BestFit;
pub(crate) struct WorstFit;
pub(crate) struct FirstFit;
pub(crate) struct Ratio;
pub(crate) struct MostAllocated;
pub(crate) struct LeastAllocated;

impl Term for BestFit {
    const RISES: bool = true;
    const LINEAR: bool = true;

    #[inline]
    fn term(weight: f64, task: f64, free: f64, _capacity: f64) -> f64 {
        weight * (free - task)
    }
}

impl Term for WorstFit {
    const RISES: bool = false;
    const LINEAR: bool = true;

    #[inline]
    fn term(weight: f64, task: f64, free: f64, _capacity: f64) -> f64 {
        -(weight * (free - task))
    }
}

impl Term for FirstFit {
    const RISES: bool = true;

    #[inline]
    fn term(_weight: f64, _task: f64, _free: f64, _capacity: f64) -> f64 {
        0.0
    }
}

impl Term for Ratio {
    const RISES: bool = true;

    #[inline]
    fn term(weight: f64, task: f64, free: f64, _capacity: f64) -> f64 {
        if free > 0.0 { weight * (1.0 - task / free) } else { 0.0 }
    }
}

impl Term for MostAllocated {
    const RISES: bool = true;
    const CAPACITY: bool = true;

    #[inline]
    fn term(weight: f64, task: f64, free: f64, capacity: f64) -> f64 {
        if capacity > 0.0 { weight * ((free - task) / capacity) } else { 0.0 }
    }
}

impl Term for LeastAllocated {
    const RISES: bool = false;
    const CAPACITY: bool = true;

    #[inline]
    fn term(weight: f64, task: f64, free: f64, capacity: f64) -> f64 {
        if capacity > 0.0 { weight * (1.0 - (free - task) / capacity) } else { 0.0 }
    }
}

/// Calls a function that is generic over the term with that of a formula.
macro_rules! with_term {
    ($formula:expr, $function:ident $(:: $method:ident)?, $($argument:expr),* $(,)?) => {
        match $formula {
            $crate::policy::Formula::BestFit => $function$(::$method)?::<$crate::policy::BestFit>($($argument),*),
            $crate::policy::Formula::WorstFit => $function$(::$method)?::<$crate::policy::WorstFit>($($argument),*),
            $crate::policy::Formula::FirstFit => $function$(::$method)?::<$crate::policy::FirstFit>($($argument),*),
            $crate::policy::Formula::Ratio => $function$(::$method)?::<$crate::policy::Ratio>($($argument),*),
            $crate::policy::Formula::MostAllocated => $function$(::$method)?::<$crate::policy::MostAllocated>($($argument),*),
            $crate::policy::Formula::LeastAllocated => $function$(::$method)?::<$crate::policy::LeastAllocated>($($argument),*),
        }
    };
}
pub(crate) use with_term;

/// The score of a task on one offer that it fits on.
pub(crate) fn score(policy: &Policy, task: &[f64], free: &[f64], capacity: &[f64]) -> f64 {
    with_term!(policy.formula, sum, policy, task, free, capacity)
}

fn sum<T: Term>(policy: &Policy, task: &[f64], free: &[f64], capacity: &[f64]) -> f64 {
    let mut total = 0.0;
    for (((weight, task), free), capacity) in policy.weights.iter().zip(task).zip(free).zip(capacity) {
        total += T::term(*weight, *task, *free, *capacity);
    }
    total
}

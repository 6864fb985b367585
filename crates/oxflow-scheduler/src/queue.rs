//! The order in which tasks are placed: by priority, and among equals as they came; or fair between users.
//!
//! Fairness is that of dominant resources (Ghodsi et al. 2011, NSDI): next is the user whose largest share of any resource is the
//! least. What users had before the round doesn't count.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

use crate::tasks::Tasks;

/// Tasks in line.
#[derive(Debug)]
pub(crate) enum Queue {
    Line(VecDeque<usize>),
    Fair(Fair),
}

/// Users and what they have.
#[derive(Debug)]
pub(crate) struct Fair {
    /// The tasks of each user, in the order of their priorities.
    tasks: Vec<VecDeque<usize>>,
    used: Vec<Vec<f64>>,
    total: Vec<f64>,
    heap: BinaryHeap<Reverse<(Share, u32)>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Share(f64);

impl Eq for Share {}

impl PartialOrd for Share {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Share {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Queue {
    /// The tasks in the order of their priorities; `total` is what there is of each resource if users shall have fair shares of it.
    pub(crate) fn of(tasks: &Tasks, total: Option<Vec<f64>>) -> Self {
        let line = by_priority(tasks);
        match total {
            Some(total) => Self::Fair(Fair::of(tasks, line, total)),
            None => Self::Line(line.into()),
        }
    }

    /// The task that comes next.
    pub(crate) fn next(&mut self) -> Option<usize> {
        match self {
            Self::Line(line) => line.pop_front(),
            Self::Fair(fair) => fair.next(),
        }
    }

    /// Takes note of what a user got.
    pub(crate) fn placed(&mut self, user: u32, row: &[f64]) {
        if let Self::Fair(fair) = self {
            let got = fair.used.get_mut(user as usize).into_iter().flatten();
            got.zip(row).for_each(|(got, amount)| *got += amount);
        }
    }
}

/// All tasks, those of the highest priority first, and among equals as they came.
pub(crate) fn by_priority(tasks: &Tasks) -> Vec<usize> {
    let mut line: Vec<usize> = (0..tasks.len()).collect();
    if tasks.has_priorities() {
        line.sort_by(|one, other| tasks.priority(*other).partial_cmp(&tasks.priority(*one)).unwrap_or(Ordering::Equal));
    }
    line
}

impl Fair {
    /// Among equals those come first whose first task does; tasks without a user before all.
    fn of(tasks: &Tasks, line: Vec<usize>, total: Vec<f64>) -> Self {
        let users = tasks.users() + 1;
        let mut queues = vec![VecDeque::new(); users];
        for index in line {
            if let Some(queue) = queues.get_mut(tasks.user(index) as usize) {
                queue.push_back(index);
            }
        }
        let heap = (0..).take(users).map(|user| Reverse((Share(0.0), user))).collect();
        Self { tasks: queues, used: vec![vec![0.0; total.len()]; users], total, heap }
    }

    /// A user stands in the heap once, with the share of some time: who got more since goes back.
    fn next(&mut self) -> Option<usize> {
        while let Some(Reverse((known, user))) = self.heap.pop() {
            let share = self.share(user);
            if share > known {
                self.heap.push(Reverse((share, user)));
            } else if let Some(task) = self.tasks.get_mut(user as usize).and_then(VecDeque::pop_front) {
                self.heap.push(Reverse((share, user)));
                return Some(task);
            }
        }
        None
    }

    fn share(&self, user: u32) -> Share {
        let got = self.used.get(user as usize).into_iter().flatten();
        let shares = got.zip(&self.total).filter(|(_, total)| **total > 0.0).map(|(got, total)| got / total);
        Share(shares.fold(0.0, f64::max))
    }
}

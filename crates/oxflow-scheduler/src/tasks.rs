//! Tasks as they come in: names, needs in rows, and what few of them have: constraints, priority, user, group, gang, dependencies.

use std::collections::HashMap;
use std::fmt;

use crate::constraint::Constraint;
use crate::error::{SchedulerError, Subject};
use crate::names::{Names, Numbered};
use crate::offers::{check_names, check_rows};

/// How many tasks of a group may be on offers that are alike in an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spread {
    /// The attribute; `None` is the offer itself.
    pub attribute: Option<String>,
    /// How many at most.
    pub most: u32,
}

/// As a person would write it: `at most 2 by rack`.
impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at most {} by {}", self.most, self.attribute.as_deref().unwrap_or("offer"))
    }
}

/// What a task may have beside its needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extras {
    /// What it demands of an offer's attributes.
    pub constraints: Vec<Constraint>,
    /// The higher, the earlier it is placed.
    pub priority: f64,
    /// Whose it is, for fairness.
    pub user: Option<String>,
    /// Which tasks it is spread out with.
    pub group: Option<String>,
    /// How its group is spread out.
    pub spread: Vec<Spread>,
    /// With which tasks it is placed, or none of them.
    pub gang: Option<String>,
    /// The names of tasks that must be done before.
    pub depends_on: Vec<String>,
}

/// What is to be placed.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    /// The name of each.
    pub names: Names,
    /// What each needs of each resource, one task after the other.
    pub rows: Vec<f64>,
    /// Columns that no task has anything in stay empty.
    sets: Vec<u32>,
    constraints: Vec<Vec<Constraint>>,
    set_numbers: HashMap<Vec<Constraint>, u32>,
    priorities: Vec<f64>,
    users: Texts,
    groups: Texts,
    gangs: Texts,
    spreads: Vec<u32>,
    spread_list: Vec<Vec<Spread>>,
    depends_on: HashMap<usize, Vec<String>>,
}

/// A text for some of the tasks.
#[derive(Clone, Debug, Default)]
struct Texts {
    numbered: Numbered,
    of: Vec<u32>,
}

impl Texts {
    fn put(&mut self, index: usize, text: &str) {
        let number = self.numbered.number(text);
        put(&mut self.of, index, number, 0);
    }

    fn number(&self, index: usize) -> Option<u32> {
        self.of.get(index).copied().filter(|number| *number > 0)
    }
}

fn put<T: Copy>(column: &mut Vec<T>, index: usize, value: T, nothing: T) {
    if column.len() <= index {
        column.resize(index + 1, nothing);
    }
    if let Some(entry) = column.get_mut(index) {
        *entry = value;
    }
}

impl Tasks {
    /// Tasks that have nothing beside their needs.
    pub fn new(names: Names, rows: Vec<f64>) -> Self {
        Self { names, rows, ..Self::default() }
    }

    /// The number of a set of constraints, for [`Tasks::constrain`].
    #[expect(clippy::cast_possible_truncation, reason = "four billion different sets don't fit into memory")]
    pub fn constraints(&mut self, constraints: Vec<Constraint>) -> u32 {
        if constraints.is_empty() {
            return 0;
        }
        if let Some(number) = self.set_numbers.get(&constraints) {
            return *number;
        }
        self.constraints.push(constraints.clone());
        let number = self.constraints.len() as u32;
        self.set_numbers.insert(constraints, number);
        number
    }

    /// Gives the task in a place a set of constraints.
    pub fn constrain(&mut self, index: usize, set: u32) {
        if set > 0 {
            put(&mut self.sets, index, set, 0);
        }
    }

    /// Gives the task in a place what it has beside its needs.
    #[expect(clippy::cast_possible_truncation, reason = "four billion spreads don't fit into memory")]
    pub fn extend(&mut self, index: usize, extras: Extras) {
        let set = self.constraints(extras.constraints);
        self.constrain(index, set);
        self.set_priority(index, extras.priority);
        for (texts, text) in
            [(&mut self.users, extras.user), (&mut self.groups, extras.group), (&mut self.gangs, extras.gang)]
        {
            if let Some(text) = text {
                texts.put(index, &text);
            }
        }
        if !extras.spread.is_empty() {
            self.spread_list.push(extras.spread);
            put(&mut self.spreads, index, self.spread_list.len() as u32, 0);
        }
        if !extras.depends_on.is_empty() {
            self.depends_on.insert(index, extras.depends_on);
        }
    }

    /// Gives the task in a place its priority.
    pub fn set_priority(&mut self, index: usize, priority: f64) {
        if priority != 0.0 {
            put(&mut self.priorities, index, priority, 0.0);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The place of the task of a name. It is looked for one by one.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// Whether each need is an amount, no name stands twice, and priorities can be compared.
    pub(crate) fn check(&self, resources: &[String]) -> Result<(), SchedulerError> {
        let subject = |index| Subject::Task(self.names.at(index).to_owned());
        check_rows(&self.rows, resources, subject)?;
        if let Some(index) = self.priorities.iter().position(|priority| priority.is_nan()) {
            let resource = "priority".to_owned();
            return Err(SchedulerError::Amount { subject: subject(index), resource, amount: f64::NAN });
        }
        check_names(&self.names).map_err(|name| SchedulerError::Duplicate(Subject::Task(name)))
    }

    pub(crate) fn row(&self, index: usize, resources: usize) -> &[f64] {
        self.rows.get(index * resources..(index + 1) * resources).unwrap_or_default()
    }

    /// All different sets of constraints.
    pub(crate) fn sets(&self) -> &[Vec<Constraint>] {
        &self.constraints
    }

    /// The first task that has the set of a number from 0.
    pub(crate) fn first_with(&self, set: usize) -> usize {
        self.sets.iter().position(|of| *of as usize == set + 1).unwrap_or(0)
    }

    /// The number of a task's set, from 0 in the order of `sets`.
    pub(crate) fn set(&self, index: usize) -> Option<usize> {
        (self.sets.get(index).copied().unwrap_or(0) as usize).checked_sub(1)
    }

    pub(crate) fn priority(&self, index: usize) -> f64 {
        self.priorities.get(index).copied().unwrap_or(0.0)
    }

    pub(crate) fn has_priorities(&self) -> bool {
        !self.priorities.is_empty()
    }

    pub(crate) fn user(&self, index: usize) -> u32 {
        self.users.number(index).unwrap_or(0)
    }

    pub(crate) fn users(&self) -> usize {
        self.users.numbered.len()
    }

    pub(crate) fn group(&self, index: usize) -> u32 {
        self.groups.number(index).unwrap_or(0)
    }

    pub(crate) fn gang(&self, index: usize) -> Option<u32> {
        self.gangs.number(index)
    }

    pub(crate) fn has_gangs(&self) -> bool {
        !self.gangs.of.is_empty()
    }

    pub(crate) fn spread(&self, index: usize) -> &[Spread] {
        let number = self.spreads.get(index).copied().unwrap_or(0) as usize;
        number.checked_sub(1).and_then(|place| self.spread_list.get(place)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn has_spreads(&self) -> bool {
        !self.spread_list.is_empty()
    }

    pub(crate) fn depends_on(&self, index: usize) -> &[String] {
        self.depends_on.get(&index).map_or(&[], Vec::as_slice)
    }
}

//! Offers that come, change and leave, and rounds in which tasks are placed on them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::error::{SchedulerError, Subject};
use crate::matching::Matching;
use crate::offers::Offers;
use crate::planted::Planted;
use crate::policy::Policy;
use crate::round::Round;
use crate::rules::Rules;
use crate::scores::Score;
use crate::table::Table;
use crate::tasks::Tasks;

/// What happens to an offer that a task is placed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It leaves, and the last in line takes its place.
    Exclusive,
    /// It stays, with less free.
    Shared,
}

/// How a matcher places tasks.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The names of the resources, in the order in which scores are summed up.
    pub resources: Vec<String>,
    /// What makes an offer good.
    pub policy: Policy,
    /// A score must be below this; may be infinite.
    pub threshold: f64,
    /// The first in line whose score is not above this is taken, before any better one.
    pub good_enough: Option<f64>,
    /// Whether an offer takes one task or several.
    pub mode: Mode,
    /// Whether users get equal dominant shares, not what the order of tasks gives them.
    pub fair: bool,
}

impl Settings {
    fn check(&self) -> Result<(), SchedulerError> {
        let wrong = |text: String| Err(SchedulerError::Setting(text));
        if self.resources.is_empty() {
            return wrong("a matcher without resources has nothing to match by".to_owned());
        }
        let mut seen = HashSet::new();
        if let Some(twice) = self.resources.iter().find(|name| !seen.insert(name.as_str())) {
            return wrong(format!("the resource `{twice}` is named twice"));
        }
        if self.policy.weights.len() != self.resources.len() {
            return wrong(format!("{} weights for {} resources", self.policy.weights.len(), self.resources.len()));
        }
        if self.threshold.is_nan() {
            return wrong("the threshold is not a number".to_owned());
        }
        if self.good_enough.is_some_and(|score| !(score.is_finite() && score < self.threshold)) {
            return wrong("`good_enough` is not a finite number below the threshold".to_owned());
        }
        Ok(())
    }
}

/// Offers in line, in the order in which ties are decided.
#[derive(Clone, Debug)]
pub struct Matcher {
    pub(crate) settings: Settings,
    pub(crate) table: Arc<Table>,
    /// The offer of each place in line.
    pub(crate) line: Vec<u32>,
    /// The place of each offer that is in line.
    pub(crate) place_of: Vec<u32>,
    numbers: HashMap<Arc<str>, u32>,
    /// Numbers that no offer has any more.
    unused: Vec<u32>,
    pub(crate) planted: Option<Planted>,
    pub(crate) rules: Rules,
}

/// As many offers as can be numbered, with room for the slots that stay empty.
const MOST_OFFERS: usize = 1 << 31;

impl Matcher {
    /// A matcher without offers.
    pub fn new(settings: Settings) -> Result<Self, SchedulerError> {
        settings.check()?;
        let table = Arc::new(Table::new(settings.resources.len()));
        Ok(Self {
            settings,
            table,
            line: Vec::new(),
            place_of: Vec::new(),
            numbers: HashMap::new(),
            unused: Vec::new(),
            planted: None,
            rules: Rules::default(),
        })
    }

    /// The names of the resources.
    pub fn resources(&self) -> &[String] {
        &self.settings.resources
    }

    /// How many offers are in line.
    pub fn len(&self) -> usize {
        self.line.len()
    }

    /// Whether no offer is in line.
    pub fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Whether an offer of this name is in line.
    pub fn contains(&self, offer: &str) -> bool {
        self.numbers.contains_key(offer)
    }

    /// The offers in line, each with what it has free.
    pub fn offers(&self) -> impl Iterator<Item = (Arc<str>, &[f64])> {
        self.line.iter().map(|offer| (self.table.name(*offer), self.table.free(*offer)))
    }

    /// Puts offers at the end of the line. If one of them is wrong, none is added.
    pub fn add_offers(&mut self, offers: &Offers) -> Result<(), SchedulerError> {
        offers.check(&self.settings.resources)?;
        if let Some(twice) = offers.names.iter().find(|name| self.contains(name)) {
            return Err(SchedulerError::Duplicate(Subject::Offer(twice.to_owned())));
        }
        if self.line.len() + offers.names.len() > MOST_OFFERS {
            return Err(SchedulerError::Setting(format!("more than {MOST_OFFERS} offers")));
        }
        // A tree that is about to be more than full is planted anew, once, in the next round.
        if offers.names.len() > self.line.len() / 4 + 8 {
            self.uproot();
        }
        for (index, name) in offers.names.iter().enumerate() {
            self.add(offers, index, name);
        }
        Ok(())
    }

    fn add(&mut self, offers: &Offers, index: usize, name: &str) {
        let resources = self.settings.resources.len();
        let with_capacity = self.settings.policy.formula.needs_capacity();
        let table = Arc::make_mut(&mut self.table);
        let offer = self.unused.pop().unwrap_or_else(|| narrow(table.names.len()));
        let name: Arc<str> = name.into();
        let row = offers.rows.get(index * resources..(index + 1) * resources).unwrap_or_default();
        table.put(offer, Arc::clone(&name), row, with_capacity);
        table.attributes.set(offer, offers.attributes.of(index));
        self.numbers.insert(name, offer);
        let place = narrow(self.line.len());
        self.line.push(offer);
        if self.place_of.len() <= offer as usize {
            self.place_of.resize(offer as usize + 1, 0);
        }
        self.set_place(offer, place);
        match self.planted.as_mut().map(|planted| planted.plant(&self.table, offer, place)) {
            Some(Some(slot)) => self.rules.changed(slot, offer, &self.table.attributes),
            Some(None) => self.uproot(),
            None => {}
        }
    }

    /// Gives offers in line other amounts, and other attributes if `with_attributes`. If one of them is wrong, none is changed.
    pub fn update_offers(&mut self, offers: &Offers, with_attributes: bool) -> Result<(), SchedulerError> {
        offers.check(&self.settings.resources)?;
        let numbers: Vec<u32> = offers.names.iter().map(|name| self.number(name)).collect::<Result<_, _>>()?;
        let resources = self.settings.resources.len();
        for (index, offer) in numbers.into_iter().enumerate() {
            let row = offers.rows.get(index * resources..(index + 1) * resources).unwrap_or_default();
            let attributes = with_attributes.then(|| offers.attributes.of(index));
            let table = Arc::make_mut(&mut self.table);
            table.set_free(offer, row);
            let changed = attributes.is_some();
            if let Some(attributes) = attributes {
                table.attributes.set(offer, attributes);
            }
            self.written(offer, changed);
        }
        Ok(())
    }

    /// Gives an offer in line other amounts of some resources.
    pub fn update_offer(&mut self, name: &str, amounts: &[(String, f64)]) -> Result<(), SchedulerError> {
        let subject = || Subject::Offer(name.to_owned());
        let offer = self.number(name)?;
        let mut free = self.table.free(offer).to_vec();
        for (resource, amount) in amounts {
            let known = self.settings.resources.iter().position(|known| known == resource);
            let Some(entry) = known.and_then(|index| free.get_mut(index)) else {
                let known = self.settings.resources.join(", ");
                return Err(SchedulerError::UnknownResource { subject: subject(), resource: resource.clone(), known });
            };
            if !(amount.is_finite() && *amount >= 0.0) {
                return Err(SchedulerError::Amount { subject: subject(), resource: resource.clone(), amount: *amount });
            }
            *entry = *amount;
        }
        Arc::make_mut(&mut self.table).set_free(offer, &free);
        self.written(offer, false);
        Ok(())
    }

    /// What is left of the line when an offer is taken out: the last one stands in its place.
    pub fn remove_offer(&mut self, name: &str) -> Result<(), SchedulerError> {
        let offer = self.number(name)?;
        self.take_out(offer);
        self.forget(offer);
        Ok(())
    }

    /// Places tasks. An error leaves all as it was.
    ///
    /// `done` are the names of tasks that others may depend on. `score` stands in for the policy's formula.
    pub fn run(
        &mut self,
        tasks: Tasks,
        done: &HashSet<String>,
        score: Option<&mut dyn Score>,
    ) -> Result<Matching, SchedulerError> {
        tasks.check(&self.settings.resources)?;
        Round::new(self, tasks)?.run(done, score)
    }

    fn number(&self, name: &str) -> Result<u32, SchedulerError> {
        self.numbers.get(name).copied().ok_or_else(|| SchedulerError::UnknownOffer(name.to_owned()))
    }

    fn written(&mut self, offer: u32, attributes: bool) {
        let place = self.place(offer);
        if let Some(planted) = &mut self.planted {
            planted.rewrite(&self.table, offer, place);
            if attributes {
                self.rules.changed(planted.slot(offer), offer, &self.table.attributes);
            }
        }
    }

    /// Plants a tree if there is none, or a worn one.
    pub(crate) fn plant(&mut self) {
        if self.planted.as_ref().is_none_or(|planted| planted.is_worn(self.line.len())) {
            self.planted = Some(Planted::new(&self.table, &self.line, &self.settings.policy));
            self.rules.rearranged();
        }
    }

    fn uproot(&mut self) {
        self.planted = None;
    }

    pub(crate) fn place(&self, offer: u32) -> u32 {
        self.place_of.get(offer as usize).copied().unwrap_or(0)
    }

    fn set_place(&mut self, offer: u32, place: u32) {
        if let Some(entry) = self.place_of.get_mut(offer as usize) {
            *entry = place;
        }
    }

    /// Takes an offer out of the line, as `swap_remove` does.
    pub(crate) fn take_out(&mut self, offer: u32) {
        let place = self.place(offer);
        self.line.swap_remove(place as usize);
        let moved = self.line.get(place as usize).copied();
        if let Some(moved) = moved {
            self.set_place(moved, place);
        }
        if let Some(planted) = &mut self.planted {
            planted.tree.clear(planted.slot(offer));
            if let Some(moved) = moved {
                planted.tree.move_to(planted.slot(moved), place);
            }
        }
    }

    /// Puts an offer back that was the last to be taken out.
    pub(crate) fn put_back(&mut self, offer: u32) {
        let place = self.place(offer);
        let end = narrow(self.line.len());
        match self.line.get(place as usize).copied() {
            Some(moved) => {
                self.set_place(moved, end);
                self.line.push(moved);
                if let Some(entry) = self.line.get_mut(place as usize) {
                    *entry = offer;
                }
                if let Some(planted) = &mut self.planted {
                    planted.tree.move_to(planted.slot(moved), end);
                }
            }
            None => self.line.push(offer),
        }
        if let Some(planted) = &mut self.planted {
            planted.write(&self.table, offer, place);
        }
    }

    /// Sets what an offer has free, as a part of a round.
    pub(crate) fn set_free(&mut self, offer: u32, free: &[f64]) {
        Arc::make_mut(&mut self.table).set_free(offer, free);
        let place = self.place(offer);
        if let Some(planted) = &mut self.planted {
            planted.write(&self.table, offer, place);
        }
    }

    /// Forgets an offer that was taken out for good.
    pub(crate) fn forget(&mut self, offer: u32) {
        self.numbers.remove(&self.table.name(offer));
        self.unused.push(offer);
        if let Some(planted) = &mut self.planted {
            planted.leave(offer);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a matcher refuses more offers than a u32 counts")]
fn narrow(index: usize) -> u32 {
    index as u32
}

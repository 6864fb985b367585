//! The attributes of offers: for each name a column of values, each different value once.

use std::collections::HashMap;

use crate::constraint::Value;
use crate::names::Numbered;

/// Different values, from 1; 0 stands for none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    numbers: HashMap<Value, u32>,
    values: Vec<Value>,
}

impl Values {
    #[expect(clippy::cast_possible_truncation, reason = "four billion different values don't fit into memory")]
    fn number(&mut self, value: &Value) -> u32 {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        self.values.push(value.clone());
        let number = self.values.len() as u32;
        self.numbers.insert(value.clone(), number);
        number
    }

    pub(crate) fn value(&self, number: u32) -> Option<&Value> {
        self.values.get((number as usize).checked_sub(1)?)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}

/// Attributes that offers come with.
#[derive(Clone, Debug, Default)]
pub struct Attributes {
    names: Numbered,
    values: Values,
    /// Name and value of each attribute, offer after offer.
    pairs: Vec<(u32, u32)>,
    ends: Vec<usize>,
}

impl Attributes {
    /// Adds an attribute to the offer that comes next.
    pub fn push(&mut self, name: &str, value: &Value) {
        self.pairs.push((self.names.number(name), self.values.number(value)));
    }

    /// Ends the attributes of an offer.
    pub fn close(&mut self) {
        self.ends.push(self.pairs.len());
    }

    pub(crate) fn of(&self, index: usize) -> impl Iterator<Item = (&str, &Value)> {
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(index).copied().unwrap_or(start);
        let pairs = self.pairs.get(start..end).unwrap_or_default();
        pairs.iter().filter_map(|(name, value)| Some((self.names.text(*name), self.values.value(*value)?)))
    }
}

/// One attribute of all offers of a matcher.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    pub(crate) values: Values,
    /// The number of the value of each offer.
    of: Vec<u32>,
}

impl Column {
    pub(crate) fn number(&self, offer: u32) -> u32 {
        self.of.get(offer as usize).copied().unwrap_or(0)
    }
}

/// The attributes of all offers of a matcher.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    names: Numbered,
    columns: Vec<Column>,
}

impl Columns {
    /// The column of an attribute, if any offer ever had it.
    pub(crate) fn get(&self, name: &str) -> Option<&Column> {
        self.columns.get(self.names.known(name)? as usize - 1)
    }

    /// Gives an offer the attributes that it has from now on, and no other.
    pub(crate) fn set<'a>(&mut self, offer: u32, attributes: impl Iterator<Item = (&'a str, &'a Value)>) {
        for column in &mut self.columns {
            if let Some(number) = column.of.get_mut(offer as usize) {
                *number = 0;
            }
        }
        for (name, value) in attributes {
            let number = self.names.number(name) as usize;
            if number > self.columns.len() {
                self.columns.push(Column::default());
            }
            let Some(column) = self.columns.get_mut(number - 1) else { continue };
            if column.of.len() <= offer as usize {
                column.of.resize(offer as usize + 1, 0);
            }
            let value = column.values.number(value);
            if let Some(number) = column.of.get_mut(offer as usize) {
                *number = value;
            }
        }
    }
}

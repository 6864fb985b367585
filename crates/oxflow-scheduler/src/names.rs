//! Many short names in one piece of memory.

/// A list of names.
#[derive(Clone, Debug, Default)]
pub struct Names {
    text: String,
    ends: Vec<usize>,
}

impl Names {
    /// Adds a name.
    pub fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends.push(self.text.len());
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The name in a place; empty if there is no such place.
    pub fn at(&self, index: usize) -> &str {
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(index).and_then(|end| self.text.get(start..*end)).unwrap_or_default()
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.at(index))
    }
}

impl<'a> FromIterator<&'a str> for Names {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let mut all = Self::default();
        names.into_iter().for_each(|name| all.push(name));
        all
    }
}

/// Texts by number, each once; 0 stands for none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbered {
    numbers: std::collections::HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
}

impl Numbered {
    /// The number of a text, from 1.
    #[expect(clippy::cast_possible_truncation, reason = "four billion different texts don't fit into memory")]
    pub(crate) fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.texts.push(text.into());
        let number = self.texts.len() as u32;
        self.numbers.insert(text.into(), number);
        number
    }

    /// The text of a number.
    pub(crate) fn text(&self, number: u32) -> &str {
        let index = (number as usize).checked_sub(1);
        index.and_then(|index| self.texts.get(index)).map(AsRef::as_ref).unwrap_or_default()
    }

    /// The number of a text that may not be there.
    pub(crate) fn known(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_keep_their_places_also_the_empty_ones() {
        let names: Names = ["a", "", "ccc"].into_iter().collect();
        assert_eq!(vec!["a", "", "ccc"], names.iter().collect::<Vec<_>>());
        assert_eq!("", names.at(9));
    }
}

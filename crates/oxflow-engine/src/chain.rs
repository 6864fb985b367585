//! A list that grows for as long as the process lives, without a lock, which a fork might leave closed.

use std::iter;
use std::sync::OnceLock;

/// The list; it begins empty, in a static.
#[derive(Debug)]
pub(crate) struct Chain<T>(OnceLock<(T, Box<Chain<T>>)>);

impl<T: Copy> Chain<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// What is in the list, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = T> {
        let mut link = self;
        iter::from_fn(move || {
            let (item, next) = link.0.get()?;
            link = next;
            Some(*item)
        })
    }

    /// Puts an item at the end unless there is one already that `is_it`; gives the one that is in the list.
    pub(crate) fn find_or_push(&self, item: T, is_it: impl Fn(&T) -> bool) -> T {
        let (mut link, mut pushed) = (self, false);
        loop {
            let (here, next) = link.0.get_or_init(|| {
                pushed = true;
                (item, Box::new(Self::new()))
            });
            if pushed || is_it(here) {
                return *here;
            }
            link = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_pushed_once() {
        let chain = Chain::new();
        for (item, inside) in [((1, 'a'), (1, 'a')), ((2, 'b'), (2, 'b')), ((1, 'c'), (1, 'a'))] {
            assert_eq!(inside, chain.find_or_push(item, |other| other.0 == item.0));
        }
        assert_eq!(vec![(1, 'a'), (2, 'b')], chain.iter().collect::<Vec<_>>());
    }
}

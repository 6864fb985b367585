//! What messages carry, in one of the engine's forms.

use std::any::Any;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use super::{ByteColumn, row_number};
use crate::fault::Cause;

/// The payloads of a batch.
#[derive(Debug)]
pub enum Payloads {
    /// Bytes: as a source read them, or a value in its codec.
    Bytes(ByteColumn),
    /// Objects of another language's runtime.
    Objects(Box<dyn Objects>),
    /// What waits for the very next run, which alone knows what it is.
    Gathered(Gathered),
    /// Lists of payloads, one after the other in `items`, cut at `ends`.
    Lists {
        /// The members of all lists.
        items: Box<Payloads>,
        /// For each list the end of its members.
        ends: Vec<u32>,
    },
}

/// A column of objects that live in another language's runtime.
pub trait Objects: Any + Debug + Send {
    /// The number of objects.
    fn len(&self) -> usize;
    /// True if there is no object.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The objects at `indices`: the same objects, not copies.
    fn select(&self, indices: &[u32]) -> Box<dyn Objects>;
    /// Copies that share nothing with these objects, for a branch that may change them; an object that can't be copied
    /// stands among them itself.
    fn copies(&self) -> (Box<dyn Objects>, Vec<Uncopied>);
    /// These objects followed by others of the same runtime.
    fn concat(&self, others: &[Box<dyn Objects>]) -> Box<dyn Objects>;
}

/// Payloads that wait for one run, and can be neither copied nor put together: the plan lets nothing stand between.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// The payloads: the run takes the first `len` of them out of it.
    pub payloads: Arc<dyn Any + Send + Sync>,
    /// How many of them there are.
    pub len: usize,
}

/// A payload that could not be copied.
#[derive(Debug)]
pub struct Uncopied {
    /// Its index.
    pub index: u32,
    /// Name of the error's class.
    pub class: String,
    /// What the error says.
    pub text: String,
    /// The error itself.
    pub cause: Option<Cause>,
}

const ONE_RUN: &str = "what waits for one run goes to that run";

impl Payloads {
    /// The number of payloads.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(column) => column.len(),
            Self::Objects(objects) => objects.len(),
            Self::Gathered(gathered) => gathered.len,
            Self::Lists { ends, .. } => ends.len(),
        }
    }

    /// True if there is no payload.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Size in bytes of payload `index`; 0 for objects, whose size is their runtime's business.
    pub fn size(&self, index: usize) -> usize {
        match self {
            Self::Bytes(column) => column.get(index).map_or(0, <[u8]>::len),
            Self::Objects(_) | Self::Gathered(_) | Self::Lists { .. } => 0,
        }
    }

    /// The payloads at `indices`.
    #[must_use]
    pub fn select(&self, indices: &[u32]) -> Self {
        match self {
            Self::Bytes(column) => Self::Bytes(column.select(indices)),
            Self::Objects(objects) => Self::Objects(objects.select(indices)),
            Self::Gathered(gathered) if (0..).zip(indices).all(|(place, index)| place == *index) => {
                Self::Gathered(Gathered { len: indices.len().min(gathered.len), ..gathered.clone() })
            }
            Self::Gathered(_) => unreachable!("only a head of what waits for one run is asked for"),
            Self::Lists { items, ends } => {
                let mut members = Vec::new();
                let mut cut = Vec::with_capacity(indices.len());
                for index in indices {
                    members.extend(Self::list_range(ends, *index as usize));
                    cut.push(row_number(members.len()));
                }
                Self::Lists { items: Box::new(items.select(&members)), ends: cut }
            }
        }
    }

    /// The same payloads, without the bytes of others that they share an arena with, if those are the greater part.
    #[must_use]
    pub fn compact(self) -> Self {
        match self {
            Self::Bytes(column) => Self::Bytes(column.compact()),
            Self::Objects(objects) => Self::Objects(objects),
            Self::Gathered(gathered) => Self::Gathered(gathered),
            Self::Lists { items, ends } => Self::Lists { items: Box::new(items.compact()), ends },
        }
    }

    /// Payloads for another branch, which may change what it gets without this one seeing it, and what could not be
    /// copied: there the payload itself stands among the copies.
    pub fn copies(&self) -> (Self, Vec<Uncopied>) {
        match self {
            Self::Bytes(column) => (Self::Bytes(column.clone()), Vec::new()),
            Self::Objects(objects) => {
                let (copies, uncopied) = objects.copies();
                (Self::Objects(copies), uncopied)
            }
            Self::Gathered(_) => unreachable!("{ONE_RUN}"),
            Self::Lists { items, ends } => {
                let (copies, uncopied) = items.copies();
                let list = |member: u32| row_number(ends.partition_point(|end| *end <= member));
                let uncopied = uncopied.into_iter().map(|one| Uncopied { index: list(one.index), ..one });
                (Self::Lists { items: Box::new(copies), ends: ends.clone() }, uncopied.collect())
            }
        }
    }

    /// All payloads, of one form: the plan gives every edge one.
    #[must_use]
    pub fn concat(parts: Vec<Self>) -> Self {
        match parts.first() {
            None => Self::Bytes(ByteColumn::default()),
            Some(Self::Bytes(_)) => {
                Self::Bytes(ByteColumn::concat(&parts.into_iter().filter_map(bytes).collect::<Vec<_>>()))
            }
            Some(Self::Objects(_)) => {
                let mut columns = parts.into_iter().filter_map(objects);
                match columns.next() {
                    Some(first) => Self::Objects(first.concat(&columns.collect::<Vec<_>>())),
                    None => Self::Bytes(ByteColumn::default()),
                }
            }
            Some(Self::Gathered(_)) => unreachable!("{ONE_RUN}"),
            Some(Self::Lists { .. }) => lists(parts),
        }
    }

    /// Lists of JSON values as JSON arrays; other payloads as they are.
    #[must_use]
    pub fn lists_to_json(self) -> Self {
        if !matches!(self, Self::Lists { .. }) {
            return self;
        }
        self.json_column().map_or(self, Self::Bytes)
    }

    /// The payloads as JSON texts, if they are that or lists of that; none for objects.
    pub fn json_column(&self) -> Option<ByteColumn> {
        match self {
            Self::Bytes(column) => Some(column.clone()),
            Self::Objects(_) | Self::Gathered(_) => None,
            Self::Lists { items, ends } => Some(json_arrays(&items.json_column()?, ends)),
        }
    }

    /// The indices of the members of list `index`, of lists cut at `ends`.
    pub fn list_range(ends: &[u32], index: usize) -> Range<u32> {
        let start = index.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
        start..ends.get(index).copied().unwrap_or(start)
    }
}

fn bytes(payloads: Payloads) -> Option<ByteColumn> {
    if let Payloads::Bytes(column) = payloads { Some(column) } else { None }
}

fn objects(payloads: Payloads) -> Option<Box<dyn Objects>> {
    if let Payloads::Objects(objects) = payloads { Some(objects) } else { None }
}

fn lists(parts: Vec<Payloads>) -> Payloads {
    let mut all = Vec::with_capacity(parts.len());
    let mut cuts = Vec::new();
    let mut members = 0;
    for part in parts {
        if let Payloads::Lists { items, ends } = part {
            cuts.extend(ends.iter().map(|end| end + members));
            members += row_number(items.len());
            all.push(*items);
        }
    }
    Payloads::Lists { items: Box::new(Payloads::concat(all)), ends: cuts }
}

fn json_arrays(column: &ByteColumn, ends: &[u32]) -> ByteColumn {
    let mut data = Vec::new();
    let mut cuts = Vec::with_capacity(ends.len());
    for index in 0..ends.len() {
        data.push(b'[');
        for (position, member) in Payloads::list_range(ends, index).enumerate() {
            if position > 0 {
                data.push(b',');
            }
            data.extend_from_slice(column.get(member as usize).unwrap_or_default());
        }
        data.push(b']');
        cuts.push(data.len());
    }
    ByteColumn::from_ends(data, cuts)
}

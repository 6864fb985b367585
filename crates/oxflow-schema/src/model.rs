//! Rust types, before they are text.

use std::collections::BTreeSet;

/// A named type's place in the list of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ItemId(pub(crate) usize);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    Unit,
    Bool,
    Integer,
    /// An integer that isn't negative.
    Natural,
    Number,
    Text,
    /// Any JSON.
    Any,
    List(Box<Type>),
    Map(Box<Type>),
    Tuple(Vec<Type>),
    /// A tuple that more items may follow.
    Open(Box<Type>),
    /// It, or null.
    Option(Box<Type>),
    Item(ItemId),
}

/// A named type.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) name: String,
    /// The document whose module it is in.
    pub(crate) document: usize,
    pub(crate) doc: String,
    pub(crate) body: Body,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Struct(Struct),
    /// An enum of names, each written as a text.
    Words(Vec<Word>),
    /// One of these, whichever takes the value first.
    Union(Vec<Variant>),
    /// A list of exactly these.
    Tuple(Vec<Type>),
    /// A type that has a name because a message or a recursion needs one.
    Wrapper(Type),
    /// Another name for a type.
    Alias(Type),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Struct {
    pub(crate) fields: Vec<Field>,
    pub(crate) rest: Rest,
}

/// What becomes of fields that a struct doesn't name.
#[derive(Clone, Debug, Default)]
pub(crate) enum Rest {
    /// They are refused.
    #[default]
    Refused,
    /// They are kept in a field of this name.
    Kept(String, Type),
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// Its key in JSON.
    pub(crate) key: String,
    pub(crate) doc: String,
    pub(crate) content: Type,
    pub(crate) required: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) doc: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) content: Type,
}

impl Type {
    pub(crate) fn list(item: Self) -> Self {
        Self::List(Box::new(item))
    }

    pub(crate) fn map(value: Self) -> Self {
        Self::Map(Box::new(value))
    }

    /// It or null, unless null is one of its values already.
    pub(crate) fn or_null(self) -> Self {
        match self {
            Self::Option(_) | Self::Any | Self::Unit => self,
            other => Self::Option(Box::new(other)),
        }
    }

    /// The type without null, and whether it had it.
    pub(crate) fn split_null(self) -> (Self, bool) {
        match self {
            Self::Option(inner) => (*inner, true),
            other => (other, false),
        }
    }

    /// Whether null is a value of it.
    pub(crate) fn takes_null(&self, items: &[Item]) -> bool {
        match self {
            Self::Option(_) | Self::Any | Self::Unit => true,
            Self::Item(ItemId(index)) => match items.get(*index).map(|item| &item.body) {
                Some(Body::Wrapper(inner) | Body::Alias(inner)) => inner.takes_null(items),
                _ => false,
            },
            _ => false,
        }
    }

    /// The named types in it, at any depth.
    fn named(&self, found: &mut Vec<ItemId>) {
        match self {
            Self::Item(id) => found.push(*id),
            Self::Option(inner) | Self::Open(inner) | Self::List(inner) | Self::Map(inner) => inner.named(found),
            Self::Tuple(parts) => parts.iter().for_each(|part| part.named(found)),
            _ => {}
        }
    }

    /// The named types that a value of it holds in itself, not behind a list or a map.
    pub(crate) fn held(&self) -> Vec<ItemId> {
        match self {
            Self::Item(id) => vec![*id],
            Self::Option(inner) | Self::Open(inner) => inner.held(),
            Self::Tuple(parts) => parts.iter().flat_map(Self::held).collect(),
            _ => Vec::new(),
        }
    }
}

impl Body {
    /// The types in it.
    pub(crate) fn types(&self) -> Vec<&Type> {
        match self {
            Self::Struct(body) => {
                let rest = match &body.rest {
                    Rest::Kept(_, values) => Some(values),
                    Rest::Refused => None,
                };
                body.fields.iter().map(|field| &field.content).chain(rest).collect()
            }
            Self::Words(_) => Vec::new(),
            Self::Tuple(parts) => parts.iter().collect(),
            Self::Union(variants) => variants.iter().map(|variant| &variant.content).collect(),
            Self::Wrapper(inner) | Self::Alias(inner) => vec![inner],
        }
    }

    /// The named types in it, at any depth of lists and maps.
    fn named(&self, found: &mut Vec<ItemId>) {
        self.types().into_iter().for_each(|content| content.named(found));
    }

    /// The named types that a value of it holds in itself.
    pub(crate) fn held(&self) -> Vec<ItemId> {
        match self {
            Self::Struct(body) => body.fields.iter().flat_map(|field| field.content.held()).collect(),
            other => other.types().into_iter().flat_map(Type::held).collect(),
        }
    }
}

/// The named types in the order in which they are read: each before those that it consists of.
pub(crate) fn ordered(items: &[Item], first: &[Option<ItemId>]) -> Vec<ItemId> {
    let mut order = Vec::with_capacity(items.len());
    let mut seen = vec![false; items.len()];
    let all = first.iter().copied().flatten().chain((0..items.len()).map(ItemId));
    for id in all {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if let (Some(flag @ false), Some(item)) = (seen.get_mut(id.0), items.get(id.0)) {
                *flag = true;
                order.push(id);
                let mut named = Vec::new();
                item.body.named(&mut named);
                open.extend(named.into_iter().rev());
            }
        }
    }
    order
}

/// The named types that a variant of a union consists of. A variant must refuse what isn't its own.
pub(crate) fn within_unions(items: &[Item]) -> BTreeSet<ItemId> {
    let mut within = BTreeSet::new();
    let mut open: Vec<ItemId> = Vec::new();
    for item in items.iter().filter(|item| matches!(item.body, Body::Union(_))) {
        item.body.named(&mut open);
    }
    while let Some(id) = open.pop() {
        if let (true, Some(item)) = (within.insert(id), items.get(id.0)) {
            item.body.named(&mut open);
        }
    }
    within
}

/// Whether a value of the type `to` holds, in itself, one of the type `from`: what holds that in turn needs a box.
pub(crate) fn endless(items: &[Item], from: ItemId, to: ItemId) -> bool {
    let mut seen = vec![false; items.len()];
    let mut open = vec![to];
    while let Some(ItemId(index)) = open.pop() {
        if ItemId(index) == from {
            return true;
        }
        if let (Some(flag @ false), Some(item)) = (seen.get_mut(index), items.get(index)) {
            *flag = true;
            open.extend(item.body.held());
        }
    }
    false
}

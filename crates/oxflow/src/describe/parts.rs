//! Puts the fields of a record together, those of flattened fields among them.

use super::{Form, Scope, Shape, flat_union};
use crate::shape::{Field, Record, RecordKind, Type};

/// One field of a struct or variant, as it is described.
#[derive(Debug)]
pub struct Part(Content);

#[derive(Debug)]
enum Content {
    Named(Field),
    Flat(Type),
    /// An object that takes what no other field names.
    Rest,
}

impl Part {
    /// A field of type `T`: read as absent if `T` may be, always written.
    pub fn of<T: Shape + ?Sized>(scope: &mut Scope, name: &str) -> Self {
        Self::named(name, T::describe(scope), !T::OPTIONAL)
    }

    /// The tag of an enum.
    pub fn tag(name: &str, variant: &str) -> Self {
        Self::named(name, Type::Literal(vec![variant.to_owned()]), true)
    }

    /// The tag of a variant that takes every name that the others haven't.
    pub fn any_tag(name: &str) -> Self {
        Self::named(name, Type::Str, true)
    }

    /// What a variant holds, under its name.
    pub fn content(name: &str, content: Type) -> Self {
        Self::named(name, content, true)
    }

    /// The fields of `T`, among those of the record.
    ///
    /// ```compile_fail,E0080
    /// use oxflow::describe::{Part, Scope};
    ///
    /// Part::flat::<Vec<u8>>(&mut Scope::default());
    /// ```
    pub fn flat<T: Shape + ?Sized>(scope: &mut Scope) -> Self {
        const {
            assert!(
                matches!(T::FORM, Form::Fields),
                "only a struct, or an enum whose variants are all objects, can be flattened; \
                 on a map write `#[serde(flatten)] #[payload(rest)]`"
            );
        }
        Self(Content::Flat(T::describe(scope)))
    }

    /// The fields of `T`, beside the tag of the variant that holds it.
    ///
    /// ```compile_fail,E0080
    /// use oxflow::describe::{Part, Scope};
    ///
    /// Part::beside_tag::<String>(&mut Scope::default());
    /// ```
    pub fn beside_tag<T: Shape + ?Sized>(scope: &mut Scope) -> Self {
        const {
            assert!(
                matches!(T::FORM, Form::Fields | Form::Map),
                "only what is written as an object has a place beside a tag; name the fields of the variant, \
                 or use `#[serde(tag = \"..\", content = \"..\")]`"
            );
        }
        Self(Content::Flat(T::describe(scope)))
    }

    /// The map `T` of all fields that no other one names.
    ///
    /// ```compile_fail,E0080
    /// oxflow::describe::Part::rest::<std::time::Duration>();
    /// ```
    pub fn rest<T: Shape + ?Sized>() -> Self {
        const { assert!(matches!(T::FORM, Form::Map), "`#[payload(rest)]` goes on a map, as `serde_json::Map`") }
        Self(Content::Rest)
    }

    fn named(name: &str, shape: Type, required: bool) -> Self {
        Self(Content::Named(Field { name: name.to_owned(), shape, required, always: !required }))
    }

    /// A field that may be absent from what is read.
    #[must_use]
    pub fn defaulted(self) -> Self {
        self.change(|field| (field.required, field.always) = (false, true))
    }

    /// A field that must be there: serde's rule that an `Option` may be absent doesn't hold.
    #[must_use]
    pub fn exactly(self) -> Self {
        self.change(|field| (field.required, field.always) = (true, false))
    }

    /// A field that isn't always written.
    #[must_use]
    pub fn unwritten(self) -> Self {
        self.change(|field| (field.required, field.always) = (false, false))
    }

    fn change(mut self, change: impl FnOnce(&mut Field)) -> Self {
        if let Content::Named(field) = &mut self.0 {
            change(field);
        }
        self
    }
}

/// The name of a type with parameters: `Page_Word`.
pub fn generic_name(name: &str, parameters: &[Type]) -> String {
    parameters.iter().fold(name.to_owned(), |name, parameter| format!("{name}_{}", spell(parameter)))
}

fn spell(shape: &Type) -> String {
    match shape {
        Type::Any => "Any".to_owned(),
        Type::None => "None".to_owned(),
        Type::Bool => "Bool".to_owned(),
        Type::Int => "Int".to_owned(),
        Type::Float => "Float".to_owned(),
        Type::Str => "Str".to_owned(),
        Type::Bytes => "Bytes".to_owned(),
        Type::List(item) => format!("List_{}", spell(item)),
        Type::Dict(_, value) => format!("Dict_{}", spell(value)),
        Type::Tuple(items) => generic_name("Tuple", items),
        Type::Union(members) => generic_name("Union", members),
        Type::Literal(words) => {
            let word = |word: &String| word.replace(|letter: char| !letter.is_alphanumeric(), "_");
            words.iter().map(word).collect::<Vec<_>>().join("_")
        }
        Type::Record(record) => record.name.clone(),
        Type::Enclosing(name) => name.clone(),
    }
}

/// A way that a record may look: what the flattened unions in it chose, and the fields so far.
struct Draft {
    name: String,
    fields: Vec<Field>,
}

/// The record of these parts. With a flattened enum it is a union of records, one for each choice.
pub(super) fn compose(name: &str, parts: Vec<Part>) -> Type {
    let mut drafts = vec![Draft { name: name.to_owned(), fields: Vec::new() }];
    for Part(content) in parts {
        match content {
            Content::Named(field) => drafts.iter_mut().for_each(|draft| draft.fields.push(field.clone())),
            Content::Flat(shape) => drafts = drafts.iter().flat_map(|draft| draft.with(&shape)).collect(),
            Content::Rest => {}
        }
    }
    match <[Draft; 1]>::try_from(drafts) {
        Ok([only]) => only.record(),
        // Nothing is left that has the name, so what refers to it knows no more.
        Err(drafts) => {
            flat_union(drafts.into_iter().map(|draft| replaced(&draft.record(), name, &|| Type::Any)).collect())
        }
    }
}

impl Draft {
    fn record(self) -> Type {
        let Self { name, fields } = self;
        Type::Record(Box::new(Record { name, module: String::new(), kind: RecordKind::Rust, fields }))
    }

    /// The drafts with what is flattened, one for each choice.
    fn with(&self, flat: &Type) -> Vec<Self> {
        match flat {
            Type::Union(members) => match optional(members) {
                Some(record) => vec![self.joined(record, "", true)],
                None => members.iter().flat_map(|member| self.member(member)).collect(),
            },
            Type::Record(record) => vec![self.joined(record, "", false)],
            // A struct that is flattened into itself has no end, and what isn't an object has no fields.
            _ => vec![self.joined_with_nothing()],
        }
    }

    fn member(&self, member: &Type) -> Vec<Self> {
        match member {
            Type::Record(record) => vec![self.joined(record, &format!("_{}", record.name), false)],
            other => self.with(other),
        }
    }

    fn joined_with_nothing(&self) -> Self {
        Self { name: self.name.clone(), fields: self.fields.clone() }
    }

    fn joined(&self, record: &Record, suffix: &str, optional: bool) -> Self {
        let whole = || Type::Record(Box::new(record.clone()));
        // The record is no longer around its fields, so those that refer to it hold it.
        let field = |field: &Field| Field {
            shape: replaced(&field.shape, &record.name, &whole),
            required: field.required && !optional,
            always: field.always && !optional,
            name: field.name.clone(),
        };
        let mut joined = self.joined_with_nothing();
        joined.name.push_str(suffix);
        joined.fields.extend(record.fields.iter().map(field));
        joined
    }
}

/// The record of `Option<record>`.
fn optional(members: &[Type]) -> Option<&Record> {
    match members {
        [Type::Record(record), Type::None] => Some(record),
        _ => None,
    }
}

/// The shape with something else where it refers to the enclosing record `name`.
fn replaced(shape: &Type, name: &str, by: &dyn Fn() -> Type) -> Type {
    let inner = |shape: &Type| replaced(shape, name, by);
    let all = |shapes: &[Type]| shapes.iter().map(inner).collect();
    match shape {
        Type::Enclosing(other) if other == name => by(),
        Type::List(item) => Type::List(Box::new(inner(item))),
        Type::Dict(key, value) => Type::Dict(Box::new(inner(key)), Box::new(inner(value))),
        Type::Tuple(items) => Type::Tuple(all(items)),
        Type::Union(members) => flat_union(all(members)),
        Type::Record(record) if record.name != name => {
            let field = |field: &Field| Field { shape: inner(&field.shape), ..field.clone() };
            let fields = record.fields.iter().map(field).collect();
            Type::Record(Box::new(Record { fields, ..(**record).clone() }))
        }
        other => other.clone(),
    }
}

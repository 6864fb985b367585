//! A number for a field list: the same in every build of every module that has the same fields.
//!
//! What JSON doesn't show doesn't count: the names of records, the order of fields, the order of a union's members.

use crate::shape::{Record, Type};
use std::fmt::Write;

/// FNV-1a of the shape's canonical form. 0 for a type without fields, so never 0 for a record.
pub(crate) fn fingerprint(shape: &Type) -> u64 {
    if !has_fields(shape) {
        return 0;
    }
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    canonical(shape, &mut Vec::new()).bytes().fold(0xcbf2_9ce4_8422_2325, step).max(1)
}

fn has_fields(shape: &Type) -> bool {
    match shape {
        Type::Record(_) => true,
        Type::Union(members) => members.iter().any(has_fields),
        _ => false,
    }
}

/// `around` holds the records around this place, outermost first: one that is referred to counts by its distance.
fn canonical<'s>(shape: &'s Type, around: &mut Vec<&'s str>) -> String {
    let mut all = |shapes: &'s [Type]| shapes.iter().map(|shape| canonical(shape, around)).collect::<Vec<_>>();
    match shape {
        Type::Any => "any".to_owned(),
        Type::None => "none".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Int => "int".to_owned(),
        Type::Float => "float".to_owned(),
        Type::Str => "str".to_owned(),
        Type::Bytes => "bytes".to_owned(),
        Type::List(item) => format!("list[{}]", canonical(item, around)),
        Type::Dict(key, value) => format!("dict[{},{}]", canonical(key, around), canonical(value, around)),
        Type::Tuple(items) => format!("tuple[{}]", all(items).join(",")),
        Type::Union(members) => format!("union[{}]", sorted(all(members)).join(",")),
        Type::Literal(words) => format!("literal{:?}", sorted(words.clone())),
        Type::Record(record) => fields(record, around),
        Type::Enclosing(name) => {
            let distance = around.iter().rev().position(|record| record == name);
            format!("enclosing[{}]", distance.unwrap_or(around.len()))
        }
    }
}

fn fields<'s>(record: &'s Record, around: &mut Vec<&'s str>) -> String {
    around.push(&record.name);
    let mut fields = Vec::with_capacity(record.fields.len());
    for field in &record.fields {
        let mut text = format!("{:?}:{}", field.name, canonical(&field.shape, around));
        if !field.required {
            // Writing to a string can't fail.
            let _ = write!(text, "?{}", u8::from(field.always));
        }
        fields.push(text);
    }
    around.pop();
    format!("{{{}}}", sorted(fields).join(","))
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort_unstable();
    texts
}

#[cfg(test)]
mod tests {
    use super::fingerprint;
    use crate::Shape;
    use crate::shape::Type;
    use std::time::{Duration, SystemTime};

    /// The number is in the tables of modules that others built: a change of it is a change of the ABI.
    #[test]
    fn the_hash_of_a_field_list_never_changes() {
        assert_eq!(DURATION, fingerprint(&Duration::shape()));
    }

    #[test]
    fn only_what_has_fields_has_a_hash() {
        assert_eq!([0, 0], [Type::Str, Vec::<Duration>::shape()].each_ref().map(fingerprint));
        assert_ne!(fingerprint(&SystemTime::shape()), fingerprint(&Duration::shape()));
        assert_ne!(0, fingerprint(&Result::<u8, String>::shape()));
    }

    /// Made with another implementation, of `{"nanos":int,"secs":int}`.
    const DURATION: u64 = 7_317_325_620_893_029_200;
}

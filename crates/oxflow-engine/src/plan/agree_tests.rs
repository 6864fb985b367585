//! Which types agree, and what is said where they don't.

use oxflow::shape::RecordKind;
use proptest::prelude::*;

use super::*;

fn record(name: &str, fields: &[(&str, Type, bool)]) -> Type {
    let fields = fields
        .iter()
        .map(|(name, shape, required)| Field {
            name: (*name).into(),
            shape: shape.clone(),
            required: *required,
            always: false,
        })
        .collect();
    Type::Record(Box::new(Record { name: name.into(), module: "app".into(), kind: RecordKind::TypedDict, fields }))
}

fn list(item: Type) -> Type {
    Type::List(Box::new(item))
}

fn dict(value: Type) -> Type {
    Type::Dict(Box::new(Type::Str), Box::new(value))
}

fn literal(words: &[&str]) -> Type {
    Type::Literal(words.iter().map(|word| (*word).into()).collect())
}

#[track_caller]
fn check(given: &Type, taken: &Type, expected: &str) {
    let answer = agree(given, taken).map_or_else(|reason| reason.to_string(), |()| "agrees".into());
    assert_eq!(expected, answer);
}

#[test]
fn what_is_not_known_agrees_with_everything() {
    check(&Type::Any, &Type::Int, "agrees");
    check(&list(Type::Str), &Type::Any, "agrees");
    check(&list(Type::Any), &list(Type::Int), "agrees");
}

#[test]
fn an_int_is_a_float_but_not_the_other_way_round() {
    check(&Type::Int, &Type::Float, "agrees");
    check(&Type::Float, &Type::Int, "`float` is not `int`");
    check(&Type::Bool, &Type::Int, "`bool` is not `int`");
}

#[test]
fn a_literal_is_a_string_of_few_values() {
    check(&literal(&["c"]), &Type::Str, "agrees");
    check(&literal(&["c"]), &literal(&["c", "d"]), "agrees");
    check(&literal(&["c", "e"]), &literal(&["c", "d"]), r#"`Literal["c", "e"]` is not `Literal["c", "d"]`"#);
    check(&Type::Str, &literal(&["c"]), r#"`str` is not `Literal["c"]`"#);
}

#[test]
fn each_member_of_a_union_has_to_agree() {
    let number = Type::Union(vec![Type::Int, Type::Float]);
    check(&Type::Int, &number, "agrees");
    check(&number, &Type::Float, "agrees");
    check(&number, &Type::Int, "`float` is not `int`");
    check(&Type::Str, &number, "`str` is not `int | float`");
}

#[test]
fn against_an_optional_the_reason_is_that_of_its_value() {
    let taken = Type::Union(vec![list(Type::Int), Type::None]);
    check(&list(Type::Str), &taken, "item `[]`: `str` is not `int`");
}

#[test]
fn tuples_and_lists_are_the_same_in_json() {
    let pair = Type::Tuple(vec![Type::Int, Type::Str]);
    check(&pair, &list(Type::Union(vec![Type::Int, Type::Str])), "agrees");
    check(&pair, &list(Type::Int), "item `[]`: `str` is not `int`");
    check(&list(Type::Int), &Type::Tuple(vec![Type::Int, Type::Float]), "agrees");
    check(&pair, &Type::Tuple(vec![Type::Int]), "`tuple[int, str]` is not `tuple[int]`");
    check(&pair, &Type::Tuple(vec![Type::Int, Type::Int]), "item `[1]`: `str` is not `int`");
}

#[test]
fn records_agree_by_their_fields() {
    let taken = record("Metric", &[("name", Type::Str, true), ("unit", Type::Str, false)]);
    check(&record("Wide", &[("name", Type::Str, true), ("more", Type::Int, true)]), &taken, "agrees");
    check(&record("Other", &[("unit", Type::Str, true)]), &taken, "field `name` is missing");
    check(&record("Other", &[("name", Type::Str, false)]), &taken, "field `name` may be absent");
    check(
        &record("Other", &[("name", Type::Str, true), ("unit", Type::Int, true)]),
        &taken,
        "field `unit`: `int` is not `str`",
    );
}

#[test]
fn the_reason_names_the_way_to_the_field() {
    let metric = |env: Type| record("Metric", &[("tags", list(record("Tag", &[("env", env, true)])), true)]);
    check(&metric(Type::Str), &metric(Type::Int), "field `tags[].env`: `str` is not `int`");
}

#[test]
fn a_record_is_a_dict_of_what_its_fields_hold() {
    let point = record("Point", &[("x", Type::Int, true), ("y", Type::Int, true)]);
    check(&point, &dict(Type::Any), "agrees");
    check(&point, &dict(Type::Float), "agrees");
    check(&point, &dict(Type::Str), "field `x`: `int` is not `str`");
    check(&point, &Type::Dict(Type::Int.into(), Type::Any.into()), "`Point` is not `dict[int, Any]`");
}

#[test]
fn only_an_unchecked_dict_may_be_a_record() {
    let point = record("Point", &[("x", Type::Int, true)]);
    check(&dict(Type::Any), &point, "agrees");
    check(&dict(Type::Int), &point, "`dict[str, int]` is not `Point`");
}

#[test]
fn deep_optionals_are_compared_in_one_pass() {
    let deep = |leaf: Type| (0..40).fold(leaf, |inner, _| Type::Union(vec![list(inner), Type::None]));
    assert!(agree(&deep(Type::Int), &deep(Type::Float)).is_ok());
    assert!(agree(&deep(Type::Str), &deep(Type::Float)).is_err());
}

fn tree(leaf: Type) -> Type {
    record("Tree", &[("value", leaf, true), ("children", list(Type::Enclosing("Tree".into())), true)])
}

#[test]
fn recursive_types_are_compared_once_round() {
    check(&tree(Type::Int), &tree(Type::Float), "agrees");
    check(&tree(Type::Str), &tree(Type::Float), "field `value`: `str` is not `float`");
}

#[test]
fn a_recursive_type_agrees_with_itself_written_out_one_level() {
    let once = record("Tree", &[("value", Type::Int, true), ("children", list(tree(Type::Int)), true)]);
    check(&once, &tree(Type::Int), "agrees");
    check(&tree(Type::Int), &once, "agrees");
}

#[test]
fn an_enclosing_name_without_its_record_agrees_with_nothing_but_any() {
    check(&Type::Enclosing("Lost".into()), &Type::Int, "`Lost` is not `int`");
    check(&Type::Enclosing("Lost".into()), &Type::Any, "agrees");
}

fn any_type() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        Just(Type::Any),
        Just(Type::None),
        Just(Type::Bool),
        Just(Type::Int),
        Just(Type::Float),
        Just(Type::Str),
        Just(Type::Bytes),
        prop::collection::vec("[a-c]", 1..3).prop_map(Type::Literal),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(list),
            (inner.clone(), inner.clone()).prop_map(|(key, value)| Type::Dict(key.into(), value.into())),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Type::Tuple),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Type::Union),
            prop::collection::btree_map("[a-d]", (inner, any::<bool>()), 0..4).prop_map(|fields| {
                let mut fields: Vec<_> =
                    fields.iter().map(|(name, (shape, must))| (name.as_str(), shape.clone(), *must)).collect();
                fields.push(("parent", Type::Union(vec![Type::Enclosing("R".into()), Type::None]), false));
                record("R", &fields)
            }),
        ]
    })
}

proptest! {
    #[test]
    fn every_type_agrees_with_itself(shape in any_type()) {
        prop_assert_eq!(Ok(()), agree(&shape, &shape));
    }

    #[test]
    fn every_type_agrees_with_any_both_ways(shape in any_type()) {
        prop_assert_eq!(Ok(()), agree(&shape, &Type::Any));
        prop_assert_eq!(Ok(()), agree(&Type::Any, &shape));
    }

    #[test]
    fn the_question_ends_for_any_two_types(given in any_type(), taken in any_type()) {
        let _ = agree(&given, &taken);
    }
}

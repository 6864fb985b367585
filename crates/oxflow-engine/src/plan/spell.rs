//! Writes a type as a Python programmer does.

use oxflow::shape::Type;

/// The type in Python's words: `dict[str, Any]`, `Metric`, `Literal["c", "d"]`.
pub fn python_name(shape: &Type) -> String {
    match shape {
        Type::Any => "Any".into(),
        Type::None => "None".into(),
        Type::Bool => "bool".into(),
        Type::Int => "int".into(),
        Type::Float => "float".into(),
        Type::Str => "str".into(),
        Type::Bytes => "bytes".into(),
        Type::List(item) => format!("list[{}]", python_name(item)),
        Type::Dict(key, value) => format!("dict[{}, {}]", python_name(key), python_name(value)),
        Type::Tuple(items) if items.is_empty() => "tuple[()]".into(),
        Type::Tuple(items) => format!("tuple[{}]", join(items, ", ")),
        Type::Union(members) => join(members, " | "),
        Type::Literal(words) => {
            format!("Literal[{}]", words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(", "))
        }
        Type::Record(record) => record.name.clone(),
        Type::Enclosing(name) => name.clone(),
    }
}

/// A string as Python and JSON both read it.
pub(super) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn join(types: &[Type], separator: &str) -> String {
    types.iter().map(python_name).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shape: &Type, expected: &str) {
        assert_eq!(expected, python_name(shape));
    }

    #[test]
    fn types_read_as_in_python() {
        check(&Type::Dict(Type::Str.into(), Type::Any.into()), "dict[str, Any]");
        check(&Type::List(Type::Union(vec![Type::Int, Type::None]).into()), "list[int | None]");
        check(&Type::Tuple(vec![Type::Int, Type::Str]), "tuple[int, str]");
        check(&Type::Tuple(vec![]), "tuple[()]");
        check(&Type::Literal(vec!["c".into(), "d\"".into()]), r#"Literal["c", "d\""]"#);
        check(&Type::Enclosing("Tree".into()), "Tree");
    }
}

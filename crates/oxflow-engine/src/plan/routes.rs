//! Routing tables: keys that can be told apart, and a function that gives them.

use oxflow::shape::Type;
use serde_json::Value;

use super::{Operation, Plan, Route, Step, agree, python_name};
use crate::diagnostic::{Code, Diagnostic};

pub(super) fn check(plan: &Plan) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    check_row(&plan.steps, &mut found);
    found
}

fn check_row(steps: &[Step], found: &mut Vec<Diagnostic>) {
    for step in steps {
        if let Operation::Route(route) = &step.operation {
            match check_table(step, route) {
                Ok(keys) => found.extend(check_function(step, route, &keys)),
                Err(diagnostic) => found.push(diagnostic),
            }
        }
        for branch in step.branches() {
            check_row(&branch.steps, found);
        }
    }
}

/// The keys of a table, all of one type.
struct Keys<'p> {
    shape: Type,
    values: Vec<&'p Value>,
}

impl Keys<'_> {
    fn spell(&self) -> String {
        self.values.iter().map(|key| format!("`{}`", python_literal(key))).collect::<Vec<_>>().join(", ")
    }
}

fn check_table<'p>(step: &Step, route: &'p Route) -> Result<Keys<'p>, Diagnostic> {
    let table =
        |message: String, fix: &str| Err(Diagnostic::new(Code::BadRoutes, message).at(step.place.clone()).fix(fix));
    let name = &step.name;
    let mut keys: Option<Keys<'p>> = None;
    for branch in &route.branches {
        let Some((key, shape)) = branch.key.as_ref().and_then(|key| Some((key, key_type(key)?))) else {
            let text =
                branch.key.as_ref().map_or_else(|| "no key".into(), |key| format!("the key `{}`", python_literal(key)));
            return table(
                format!("branch `{}` of route `{name}` has {text}", branch.name),
                "use strings, whole numbers or booleans as keys",
            );
        };
        let Some(known) = &mut keys else {
            keys = Some(Keys { shape, values: vec![key] });
            continue;
        };
        let literal = python_literal(key);
        if known.shape != shape {
            return table(
                format!(
                    "the keys of route `{name}` are of several types: `{literal}` is not `{}`",
                    python_name(&known.shape)
                ),
                "use keys of one type",
            );
        }
        if known.values.contains(&key) {
            return table(
                format!("route `{name}` has two branches for the key `{literal}`"),
                "give each branch its own key",
            );
        }
        known.values.push(key);
    }
    keys.map_or_else(
        || {
            table(
                format!("route `{name}` has no branch"),
                "give it branches: `routing_table={\"key\": branch(\"a\")...}`",
            )
        },
        Ok,
    )
}

fn key_type(key: &Value) -> Option<Type> {
    match key {
        Value::String(_) => Some(Type::Str),
        Value::Bool(_) => Some(Type::Bool),
        Value::Number(number) if !number.is_f64() => Some(Type::Int),
        _ => None,
    }
}

fn check_function(step: &Step, route: &Route, keys: &Keys<'_>) -> Option<Diagnostic> {
    let given = python_name(&route.function.output);
    let diagnostic = |message: String| Diagnostic::new(Code::RouteKeyMismatch, message).at(step.place.clone());
    if agree(&route.function.output, &keys.shape).is_err() {
        let message = format!(
            "routing function of `{}` gives `{given}`, but its keys are `{}`",
            step.name,
            python_name(&keys.shape)
        );
        return Some(
            diagnostic(message)
                .because(format!("the keys are {}", keys.spell()))
                .fix("let the function give one of the keys"),
        );
    }
    let missing: Vec<String> = possible_keys(&route.function.output)
        .into_iter()
        .filter(|key| !keys.values.contains(&key))
        .map(|key| format!("`{}`", python_literal(&key)))
        .collect();
    let plural = if missing.len() == 1 { "a branch" } else { "branches" };
    let missing = (!missing.is_empty()).then(|| missing.join(", "))?;
    Some(
        diagnostic(format!("route `{}` has no branch for {missing}", step.name))
            .because(format!("its function gives `{given}`"))
            .fix(format!("add {plural} for {missing} to the routing table, or narrow what the function gives")),
    )
}

/// The values of a type that has few of them; none for a type whose values can't be listed.
fn possible_keys(shape: &Type) -> Vec<Value> {
    match shape {
        Type::Literal(words) => words.iter().map(|word| Value::from(word.as_str())).collect(),
        Type::Bool => vec![Value::from(true), Value::from(false)],
        Type::Union(members) => members.iter().flat_map(possible_keys).collect(),
        _ => Vec::new(),
    }
}

/// A key as Python writes it.
pub(crate) fn python_literal(key: &Value) -> String {
    match key {
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Null => "None".into(),
        other => other.to_string(),
    }
}

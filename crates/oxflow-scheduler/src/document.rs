//! Documents of tasks in which dependencies stand as whole tasks inside of those that need them, read as a flat list.
//!
//! A task that many depend on stands in the document many times, each time with all that it depends on. While it is read, each
//! task is kept once, so the memory is that of the list, not of the document.

use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::error::SchedulerError;

/// How deep dependencies may lie in each other at most: half of what `serde_json` allows, since each level is a list and an object.
pub const MOST_DEPTH: usize = 60;

const DEPENDS_ON: &str = "depends_on";

/// The tasks of a document, dependencies before those that need them, each once, with names in `depends_on`.
///
/// The document is a task or a list of tasks; an item of `depends_on` is a task or the name of one.
///
/// ```
/// let document = br#"[{"name": "b", "depends_on": [{"name": "a"}]}, {"name": "c", "depends_on": ["a"]}]"#;
/// let flat = oxflow_scheduler::flatten(document, 9)?;
/// let names: Vec<&str> = flat.iter().filter_map(|task| task["name"].as_str()).collect();
/// assert_eq!(vec!["a", "b", "c"], names);
/// # Ok::<(), oxflow_scheduler::SchedulerError>(())
/// ```
pub fn flatten(document: &[u8], depth: usize) -> Result<Vec<Map<String, Value>>, SchedulerError> {
    let mut flat = Flat { most: depth.min(MOST_DEPTH), ..Flat::default() };
    let mut deserializer = serde_json::Deserializer::from_slice(document);
    let read = Tasks { flat: &mut flat, depth: 0 }.deserialize(&mut deserializer).and_then(|_| deserializer.end());
    match read {
        Ok(()) => Ok(flat.tasks),
        Err(error) => Err(SchedulerError::Document(format!("the document of tasks can't be read: {error}"))),
    }
}

#[derive(Default)]
struct Flat {
    most: usize,
    tasks: Vec<Map<String, Value>>,
    places: HashMap<String, usize>,
}

impl Flat {
    /// Keeps a task, unless it is there; gives its name.
    fn add(&mut self, mut task: Map<String, Value>, depends_on: Vec<Value>) -> Result<String, String> {
        let Some(Value::String(name)) = task.get("name") else { return Err("a task has no text as `name`".to_owned()) };
        let name = name.clone();
        task.insert(DEPENDS_ON.to_owned(), Value::Array(depends_on));
        match self.places.get(&name).and_then(|place| self.tasks.get(*place)) {
            Some(known) if *known != task => Err(format!("two tasks of the name `{name}` differ")),
            Some(_) => Ok(name),
            None => {
                self.places.insert(name.clone(), self.tasks.len());
                self.tasks.push(task);
                Ok(name)
            }
        }
    }
}

/// A list of tasks and names, or one of them; gives their names.
struct Tasks<'a> {
    flat: &'a mut Flat,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Tasks<'_> {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tasks<'_> {
    type Value = Vec<Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a task, its name, or a list of them")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        match self.depth {
            0 => Err(E::custom("a name stands where a task should")),
            _ => Ok(vec![Value::from(name)]),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut names = Vec::new();
        while let Some(found) = items.next_element_seed(Tasks { flat: &mut *self.flat, depth: self.depth })? {
            names.extend(found);
        }
        Ok(names)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        if self.depth > self.flat.most {
            return Err(A::Error::custom(format!("dependencies lie more than {} deep in each other", self.flat.most)));
        }
        let mut task = Map::new();
        let mut depends_on = Vec::new();
        while let Some(key) = fields.next_key::<String>()? {
            if key == DEPENDS_ON {
                depends_on = fields.next_value_seed(Tasks { flat: &mut *self.flat, depth: self.depth + 1 })?;
            } else {
                task.insert(key, fields.next_value()?);
            }
        }
        self.flat.add(task, depends_on).map(|name| vec![Value::String(name)]).map_err(A::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_DEPTH, flatten};
    use serde_json::Value;

    #[track_caller]
    fn check(document: &str, expected: &str) {
        let flat: Vec<Value> = flatten(document.as_bytes(), 3).unwrap().into_iter().map(Value::Object).collect();
        assert_eq!(expected, serde_json::to_string(&flat).unwrap());
    }

    #[track_caller]
    fn refuse(document: &str, why: &str) {
        let error = flatten(document.as_bytes(), 3).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn a_shared_dependency_stands_in_the_list_once_and_before_those_that_need_it() {
        check(
            r#"[{"name":"c","cpu":1,"depends_on":[{"name":"b","depends_on":[{"name":"a"}]},{"name":"a"}]},
                {"name":"d","depends_on":["a",{"name":"b","depends_on":["a"]}]}]"#,
            concat!(
                r#"[{"depends_on":[],"name":"a"},{"depends_on":["a"],"name":"b"},"#,
                r#"{"cpu":1,"depends_on":["b","a"],"name":"c"},{"depends_on":["a","b"],"name":"d"}]"#
            ),
        );
        check(r#"{"name":"a","depends_on":null}"#, r#"[{"depends_on":[],"name":"a"}]"#);
        check("[]", "[]");
    }

    #[test]
    fn what_is_no_document_of_tasks_is_refused() {
        refuse("[{}]", "no text as `name`");
        refuse(r#"[{"name":1}]"#, "no text as `name`");
        refuse(r#"["a"]"#, "a name stands where a task should");
        refuse(r#"{"name":"a","depends_on":[1]}"#, "expected a task, its name, or a list of them");
        refuse(r#"[{"name":"a"},{"name":"a","cpu":1}]"#, "two tasks of the name `a` differ");
        refuse(r#"[{"name":"a"}"#, "EOF");
        refuse("[] x", "trailing");
    }

    #[test]
    fn dependencies_lie_no_deeper_than_allowed() {
        let nested = |depth: usize| {
            let outer: Vec<String> = (0..depth).map(|level| format!(r#"{{"name":"{level}","depends_on":["#)).collect();
            let inner = format!(r#"{}{{"name":"innermost"}}{}"#, outer.concat(), "]}".repeat(depth));
            flatten(inner.as_bytes(), usize::MAX)
        };
        assert_eq!(MOST_DEPTH + 1, nested(MOST_DEPTH).unwrap().len());
        assert!(nested(MOST_DEPTH + 1).unwrap_err().to_string().contains("more than 60 deep"));
        nested(100_000).unwrap_err();
    }
}

//! Values from the command line and the environment, laid over the file.

use std::collections::BTreeMap;
use std::mem;

use super::node::{Entry, Node, Origin, Secret, Value};
use super::yaml;

const PREFIX: &str = "OXFLOW__";

/// Lays `OXFLOW__A__B=value` over the file.
///
/// The names of variables are upper case and have no `-`, so a key of the file is meant if it is the same but for these;
/// otherwise the name in lower case is the key.
pub(super) fn environment(root: &mut Node, variables: &BTreeMap<String, String>) {
    for (name, value) in variables {
        let Some(path) = name.strip_prefix(PREFIX) else { continue };
        let mut node = Node::new(yaml::scalar(value), Origin::Variable(name.clone()));
        node.secret = Some(Secret::Variable(name.clone()));
        let parts: Vec<_> = path.split("__").collect();
        put(root, &parts, node, &|entries: &[Entry], part: &str| {
            let known = entries.iter().find(|entry| same_name(&entry.key, part));
            known.map_or_else(|| part.to_lowercase(), |entry| entry.key.clone())
        });
    }
}

/// Lays `--set a.b=value` over all else; later ones win.
pub(super) fn sets(root: &mut Node, sets: &[(String, String)]) {
    for (path, value) in sets {
        let node = Node::new(yaml::scalar(value), Origin::Set(path.clone()));
        let parts: Vec<_> = path.split('.').collect();
        put(root, &parts, node, &|_: &[Entry], part: &str| part.to_owned());
    }
}

/// The same but for case and `_` against `-`?
pub(super) fn same_name(left: &str, right: &str) -> bool {
    let fold = |name: &str| name.to_lowercase().replace('-', "_");
    left == right || fold(left) == fold(right)
}

/// Puts `leaf` at a path. What stands in the way and is no map is replaced.
fn put(node: &mut Node, path: &[&str], leaf: Node, name: &impl Fn(&[Entry], &str) -> String) {
    let Some((part, rest)) = path.split_first() else {
        *node = leaf;
        return;
    };
    node.secret = None;
    let mut entries = match mem::replace(&mut node.value, Value::Null) {
        Value::Map(entries) => entries,
        _ => Vec::new(),
    };
    let key = name(&entries, part);
    if let Some(entry) = entries.iter_mut().find(|entry| entry.key == key) {
        put(&mut entry.node, rest, leaf, name);
    } else {
        let origin = leaf.origin.clone();
        let mut child = Node::new(Value::Null, origin.clone());
        put(&mut child, rest, leaf, name);
        entries.push(Entry { key, origin, node: child });
    }
    node.value = Value::Map(entries);
}

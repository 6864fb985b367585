//! The messages of each package as a module, in modules for the parts of its name.

use crate::ProtobufError;
use heck::ToUpperCamelCase;
use prost_build::{Config, Module};
use protox::prost_reflect::prost_types::FileDescriptorSet;
use std::collections::BTreeMap;

/// What each message is besides a message of prost: absent fields have their defaults, as in protobuf.
const MESSAGE: &str = "#[derive(serde::Serialize, serde::Deserialize, oxflow::Payload)]\n#[serde(default)]\n\
                       #[payload(codec = \"protobuf\")]";
/// What is in a message: the one of several fields, and enumerations, which messages hold as numbers.
const PART: &str = "#[derive(serde::Serialize, serde::Deserialize, oxflow::Payload)]";

/// The types of all files.
pub(crate) fn text(set: FileDescriptorSet) -> Result<String, ProtobufError> {
    let mut config = Config::new();
    config.message_attribute(".", MESSAGE);
    config.enum_attribute(".", PART);
    // In an order that is the same each time, and types of their own for what others take from a library.
    config.btree_map(["."]);
    config.compile_well_known_types();
    let of_package = |package: &str| Module::from_protobuf_package_name(package);
    let requests = set.file.into_iter().map(|file| (of_package(file.package()), file)).collect();
    let error = |text: String| ProtobufError { file: None, line: 0, text };
    let made = config.generate(requests).map_err(|failure| error(failure.to_string()))?;
    let mut root = Package::default();
    for (module, code) in made {
        root.at(module.parts()).code = code;
    }
    let mut text = String::new();
    root.write(&mut text);
    let parsed = syn::parse_file(&text).map_err(|failure| error(failure.to_string()))?;
    Ok(prettyplease::unparse(&parsed))
}

/// The module of a package, as it stands before a type.
pub(crate) fn path(package: &str) -> String {
    Module::from_protobuf_package_name(package).parts().flat_map(|part| [part, "::"]).collect()
}

/// The name that prost gives a type: in pascal case, with words in capitals as they are written in Rust.
pub(crate) fn type_name(name: &str) -> String {
    name.to_upper_camel_case()
}

#[derive(Default)]
struct Package {
    code: String,
    inner: BTreeMap<String, Package>,
}

impl Package {
    fn at<'a>(&mut self, parts: impl Iterator<Item = &'a str>) -> &mut Self {
        parts.fold(self, |package, part| package.inner.entry(part.to_owned()).or_default())
    }

    fn write(&self, text: &mut String) {
        text.push_str(&self.code);
        for (name, package) in &self.inner {
            text.push_str("pub mod ");
            text.push_str(name);
            text.push_str(" {\n");
            package.write(text);
            text.push_str("}\n");
        }
    }
}

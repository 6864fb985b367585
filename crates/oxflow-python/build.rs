//! Lists the sources of the SDK and the engine, so that the extension carries them.
//!
//! A project that `oxflow new` makes gets them from there: the SDK that a user compiles is the one that this runtime was built
//! with, whether it came as a wheel, from a checkout or from the source distribution.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Files, and folders with all that is in them, from the root of the repository.
const CARRIED: [&str; 14] = [
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "crates/oxflow/Cargo.toml",
    "crates/oxflow/src",
    "crates/oxflow-engine/Cargo.toml",
    "crates/oxflow-engine/errors",
    "crates/oxflow-engine/src",
    "crates/oxflow-macros/Cargo.toml",
    "crates/oxflow-macros/src",
    "crates/oxflow-schema/Cargo.toml",
    "crates/oxflow-schema/src",
    "crates/oxflow-telemetry/Cargo.toml",
    "crates/oxflow-telemetry/src",
];

/// Modules behind `#[cfg(test)]` that have a file or a folder of their own.
const OF_TESTS: [&str; 3] = ["tests", "simulator", "mocked"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    let mut files = Vec::new();
    for carried in CARRIED {
        println!("cargo::rerun-if-changed={}", root.join(carried).display());
        collect(&root.join(carried), &mut files)?;
    }
    files.sort();
    let mut list = Vec::with_capacity(files.len());
    for file in &files {
        let name = file.strip_prefix(&root)?.to_str().ok_or("a path is not UTF-8")?.replace('\\', "/");
        list.push((name, fs::read_to_string(file)?));
    }
    // Compressed, since they are read by few commands and lie in every installation.
    let carried = fs::File::create(PathBuf::from(env::var("OUT_DIR")?).join("sdk_sources.json.gz"))?;
    let mut carried = GzEncoder::new(carried, Compression::best());
    serde_json::to_writer(&mut carried, &list)?;
    carried.finish()?;
    Ok(())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        if !is_of_tests(&path) {
            collect(&path, files)?;
        }
    }
    Ok(())
}

/// Whether a module is compiled for the tests of its crate alone: users don't run those.
fn is_of_tests(path: &Path) -> bool {
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    OF_TESTS.contains(&name) || name.ends_with("_tests")
}

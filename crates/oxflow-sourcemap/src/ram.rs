//! RAM bundles of Metro, the bundler of React Native: startup code and modules that are loaded one by one, out of one file
//! (iOS), or out of a folder of files (Android).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::buffer::{Buffer, Slice};
use crate::error::{Error, Limits, Result};
use crate::index::u32_at;

const MAGIC: u32 = 0xFB0B_D1E5;
const HEADER_BYTES: usize = 12;
const ENTRY_BYTES: usize = 8;
const FOLDER: &str = "js-modules";
const MARK: &str = "UNBUNDLE";
/// Files of a folder that is read.
const MOST_FILES: usize = 1 << 20;

/// A RAM bundle. It never changes, so threads may share it.
pub struct RamBundle {
    startup: Slice,
    modules: Modules,
}

enum Modules {
    /// All code, with a place for each module in the table before it.
    Indexed { all: Slice, count: u32, code: usize },
    /// Files, by their numbers.
    Files(BTreeMap<u32, Slice>),
}

/// One module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Module<'a> {
    /// Its number, by which code asks for it.
    pub id: u32,
    /// Its code.
    pub code: &'a [u8],
}

fn wrong<T>(reason: impl Into<String>) -> Result<T> {
    Err(Error::Bundle { reason: reason.into() })
}

/// Whether bytes begin as a RAM bundle in one file does.
fn is_indexed(bytes: &[u8]) -> bool {
    u32_at(bytes, 0) == Some(MAGIC)
}

impl RamBundle {
    /// Reads a bundle in one file. All its modules are checked to lie in it.
    pub fn read(buffer: &Buffer, limits: &Limits) -> Result<Self> {
        let bytes: &[u8] = (**buffer).as_ref();
        if bytes.len() as u64 > limits.bytes {
            return Err(too_large(limits));
        }
        if !is_indexed(bytes) {
            return wrong("it does not begin as one does");
        }
        let (Some(count), Some(startup)) = (u32_at(bytes, 4), u32_at(bytes, 8)) else {
            return wrong("it ends in its header");
        };
        let code = (count as usize).checked_mul(ENTRY_BYTES).and_then(|table| table.checked_add(HEADER_BYTES));
        let startup = code.and_then(|code| Some(code..code.checked_add(startup as usize)?));
        let Some((code, startup)) = code.zip(startup).filter(|(_, startup)| startup.end <= bytes.len()) else {
            return wrong("it ends in its table or its startup code");
        };
        let all = Slice::new(buffer, 0..bytes.len());
        let startup = Slice::new(buffer, startup.start..without_zero(bytes, startup));
        let bundle = Self { startup, modules: Modules::Indexed { all, count, code } };
        for id in 0..count {
            bundle.module(id)?;
        }
        Ok(bundle)
    }

    /// Reads a bundle by the path of its startup code: one file, or beside it the folder `js-modules` with a file for each
    /// module.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let mut left = limits.bytes;
        let startup = file(path, &mut left, limits)?;
        if is_indexed(&startup) {
            let buffer: Buffer = std::sync::Arc::new(startup);
            return Self::read(&buffer, limits);
        }
        let folder = path.parent().unwrap_or(Path::new("")).join(FOLDER);
        if !folder.join(MARK).is_file() {
            return wrong(format!("it does not begin as one does, and there is no `{FOLDER}/{MARK}` beside it"));
        }
        let mut modules = BTreeMap::new();
        for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))? {
            let entry = entry.map_err(|error| unreadable(&folder, &error))?;
            let name = entry.file_name();
            if name == MARK || !entry.path().is_file() {
                continue;
            }
            let number = name.to_str().and_then(|name| name.strip_suffix(".js")?.parse().ok());
            let Some(id) = number else {
                return wrong(format!("`{FOLDER}/{}` is no `NUMBER.js`", name.display()));
            };
            if modules.len() >= MOST_FILES {
                return Err(Error::Limit { what: "the number of modules", limit: MOST_FILES as u64 });
            }
            modules.insert(id, Slice::from(file(&entry.path(), &mut left, limits)?));
        }
        Ok(Self { startup: startup.into(), modules: Modules::Files(modules) })
    }

    /// The code that runs first.
    pub fn startup_code(&self) -> &[u8] {
        self.startup.bytes()
    }

    /// One more than the highest number of a module that there may be.
    pub fn module_count(&self) -> u32 {
        match &self.modules {
            Modules::Indexed { count, .. } => *count,
            Modules::Files(files) => files.keys().last().map_or(0, |last| last.saturating_add(1)),
        }
    }

    /// A module, where there is one of this number.
    pub fn module(&self, id: u32) -> Result<Option<Module<'_>>> {
        match &self.modules {
            Modules::Files(files) => Ok(files.get(&id).map(|slice| Module { id, code: slice.bytes() })),
            Modules::Indexed { count, .. } if id >= *count => Ok(None),
            Modules::Indexed { all, code, .. } => module(all.bytes(), *code, id),
        }
    }

    /// All modules, by their numbers.
    pub fn modules(&self) -> impl Iterator<Item = Module<'_>> {
        let ids: Box<dyn Iterator<Item = u32> + '_> = match &self.modules {
            Modules::Indexed { count, .. } => Box::new(0..*count),
            Modules::Files(files) => Box::new(files.keys().copied()),
        };
        // What can be wrong with one was found when the bundle was read.
        ids.filter_map(|id| self.module(id).ok().flatten())
    }
}

fn module(bytes: &[u8], code: usize, id: u32) -> Result<Option<Module<'_>>> {
    let entry = HEADER_BYTES + id as usize * ENTRY_BYTES;
    let place = u32_at(bytes, entry).zip(u32_at(bytes, entry + 4));
    let Some((offset, length)) = place else { return wrong("it ends in its table") };
    if (offset, length) == (0, 0) {
        return Ok(None);
    }
    let start = code.saturating_add(offset as usize);
    let range = start..start.saturating_add(length as usize);
    if length == 0 || range.end > bytes.len() {
        return wrong(format!("module {id} does not lie in it"));
    }
    Ok(Some(Module { id, code: bytes.get(start..without_zero(bytes, range)).unwrap_or_default() }))
}

/// The end of a piece of code, without the zero that ends each.
fn without_zero(bytes: &[u8], range: std::ops::Range<usize>) -> usize {
    let last = range.end.saturating_sub(1);
    if last >= range.start && bytes.get(last) == Some(&0) { last } else { range.end }
}

fn too_large(limits: &Limits) -> Error {
    Error::Limit { what: "the size of the RAM bundle in bytes", limit: limits.bytes }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::File { path: path.to_owned(), reason: error.to_string() }
}

/// A file, as far as there are bytes left for it.
fn file(path: &Path, left: &mut u64, limits: &Limits) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = left.saturating_add(1);
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(path, &error))?;
    match left.checked_sub(bytes.len() as u64) {
        Some(rest) => *left = rest,
        None => return Err(too_large(limits)),
    }
    Ok(bytes)
}

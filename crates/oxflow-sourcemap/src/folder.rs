//! Finds the maps of scripts: in a folder by the path of their URL, and by debug id in a folder of indices.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::decode::Options;
use crate::error::{Error, Result};
use crate::index::Opening;
use crate::map::SourceMap;
use crate::packed::unpacked;
use crate::stacks::{Maps, Script};
use crate::symbols::SymbolCache;

/// Maps that are kept open.
const MOST_OPEN: usize = 64;
/// Of the path of a URL only so many names are looked at, from the last one on: whoever sends it chooses how many there are.
const MOST_NAMES: usize = 32;

/// A file as it was: another size or time is another map.
type Stamp = (SystemTime, u64);

/// A map that is kept open.
struct Open {
    stamp: Option<Stamp>,
    turn: u64,
    /// Of its index among those by debug id.
    key: Option<String>,
    map: Arc<SourceMap>,
}

/// Maps below a folder, by the path of the script's URL or the end of it: `app.js.oxmap`, an index, or `app.js.map`; and indices by debug
/// id, as services put them into a [`SymbolCache`], which go first. What is read of a map is kept there as an index, too.
#[derive(Default)]
pub struct MapFolder {
    root: Option<PathBuf>,
    symbols: Option<SymbolCache>,
    open: HashMap<PathBuf, Open>,
    turn: u64,
}

impl MapFolder {
    /// Maps below a folder, and the place of indices; where neither is, there are none.
    pub fn new(root: Option<PathBuf>, symbols: Option<SymbolCache>) -> Self {
        Self { root, symbols, ..Self::default() }
    }

    fn by_id(&mut self, id: &str) -> Result<Option<Arc<SourceMap>>> {
        let id = id.to_ascii_lowercase();
        // No file of the folder has such a name.
        let place = PathBuf::from(format!("\0{id}"));
        if let Some(known) = self.known(&place, None) {
            return Ok(Some(known));
        }
        let Some(symbols) = &self.symbols else { return Ok(None) };
        let found = symbols.open(&id)?;
        Ok(found.map(|map| self.keep(place, None, Some(id), map)))
    }

    fn by_path(&mut self, url: &str) -> Result<Option<Arc<SourceMap>>> {
        let Some((path, about)) = self.root.as_deref().and_then(|root| place(root, url)) else { return Ok(None) };
        let stamp = (about.modified().unwrap_or(SystemTime::UNIX_EPOCH), about.len());
        if let Some(known) = self.known(&path, Some(stamp)) {
            return Ok(Some(known));
        }
        let is_index = path.extension().is_some_and(|end| end == "oxmap");
        let since = stamp.0.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let key = format!("{}\0{}\0{}", path.display(), since.as_nanos(), stamp.1);
        let symbols = self.symbols.as_ref().filter(|_| !is_index);
        let map = match symbols {
            _ if is_index => open(&path),
            None => read(&path),
            Some(symbols) => symbols.get(&key, || read(&path)),
        };
        let map = map.map_err(|error| error.of_file(&path))?;
        let key = symbols.map(|_| key);
        Ok(Some(self.keep(path, Some(stamp), key, map)))
    }

    /// A map that is open, which is then the one that was used last, here and in the folder of indices.
    fn known(&mut self, place: &Path, stamp: Option<Stamp>) -> Option<Arc<SourceMap>> {
        let found = self.open.get_mut(place).filter(|found| found.stamp == stamp)?;
        self.turn += 1;
        found.turn = self.turn;
        if let (Some(symbols), Some(key)) = (&self.symbols, &found.key) {
            symbols.touch(key);
        }
        Some(Arc::clone(&found.map))
    }

    fn keep(&mut self, place: PathBuf, stamp: Option<Stamp>, key: Option<String>, map: SourceMap) -> Arc<SourceMap> {
        if self.open.len() >= MOST_OPEN {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.turn).map(|(path, _)| path.clone());
            oldest.and_then(|oldest| self.open.remove(&oldest));
        }
        self.turn += 1;
        let map = Arc::new(map);
        self.open.insert(place, Open { stamp, turn: self.turn, key, map: Arc::clone(&map) });
        map
    }
}

impl Maps for MapFolder {
    type Map = Arc<SourceMap>;
    type Error = Error;

    fn find(&mut self, script: Script<'_>) -> Result<Option<Arc<SourceMap>>> {
        let wanted = script.debug_id;
        if let Some(found) = wanted.map_or(Ok(None), |id| self.by_id(id))? {
            return Ok(Some(found));
        }
        let found = self.by_path(script.url)?;
        // That of another build would give wrong places.
        let is_other = |map: &Arc<SourceMap>| {
            let both = wanted.zip(map.debug_id());
            both.is_some_and(|(wanted, id)| !wanted.eq_ignore_ascii_case(id))
        };
        Ok(found.filter(|map| !is_other(map)))
    }
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::File { path: path.to_owned(), reason: error.to_string() }
}

/// An index that somebody put there, who may change it in place: it is read and looked at whole, not mapped.
fn open(path: &Path) -> Result<SourceMap> {
    let bytes = fs::read(path).map_err(|error| failed(path, &error))?;
    SourceMap::open(&(Arc::new(bytes) as _), Opening { verify: true })
}

fn read(path: &Path) -> Result<SourceMap> {
    let options = Options::default();
    let bytes = fs::read(path).map_err(|error| failed(path, &error))?;
    SourceMap::read(&unpacked(&(Arc::new(bytes) as _), None, &options.limits)?, &options)
}

/// The file of a script's map.
fn place(root: &Path, url: &str) -> Option<(PathBuf, Metadata)> {
    let names = names(url)?;
    for start in 0..names.len() {
        let mut script = root.to_owned();
        script.extend(names.get(start..)?);
        for end in [".oxmap", ".map"] {
            let mut path = script.clone().into_os_string();
            path.push(end);
            let path = PathBuf::from(path);
            if let Some(about) = fs::metadata(&path).ok().filter(Metadata::is_file) {
                return Some((path, about));
            }
        }
    }
    None
}

/// The names in the path of a URL that lead down and nowhere else: whoever sends a trace chooses its URLs.
fn names(url: &str) -> Option<Vec<String>> {
    let url = url.split(['?', '#']).next()?;
    let path = match url.split_once("//") {
        Some((scheme, rest)) if scheme.is_empty() || scheme.ends_with(':') => rest.split_once('/')?.1,
        _ => url,
    };
    let path = unquoted(path);
    let is_name = |name: &&str| !matches!(*name, "" | "." | "..");
    let names: Vec<_> = path.split('/').filter(is_name).map(str::to_owned).collect();
    let is_odd = names.iter().any(|name| name.contains(['\0', '\\']));
    let first = names.len().saturating_sub(MOST_NAMES);
    if is_odd { None } else { names.get(first..).map(<[String]>::to_vec) }
}

/// Text with its `%20` and the like read.
fn unquoted(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let digits = more.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { more.get(2..).unwrap_or_default() } else { more };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::names;

    #[track_caller]
    fn check(url: &str, wanted: Option<&[&str]>) {
        let found = names(url);
        assert_eq!(
            wanted.map(<[&str]>::to_vec),
            found.as_ref().map(|names| names.iter().map(|name| &**name).collect())
        );
    }

    #[test]
    fn a_url_leads_down_only() {
        check("https://h/static/a%20b.js?v=3#x", Some(&["static", "a b.js"]));
        check("app:///a.js", Some(&["a.js"]));
        check("//h/a.js", Some(&["a.js"]));
        check("/srv//./a.js", Some(&["srv", "a.js"]));
        check("a.js", Some(&["a.js"]));
        check("https://h/..%2f../%2e%2e/a.js", Some(&["a.js"]));
        check("https://h/a%2", Some(&["a%2"]));
        check("https://h", None);
        check("https://h/a\\b.js", None);
        check("https://h/%00.js", None);
        assert_eq!(Some(32), names(&"/a".repeat(1000)).map(|names| names.len()));
    }
}

//! A source map as an object of Python.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use oxflow_sourcemap::{Bias, Buffer, Error, Limits, Options, Packing, Reverse, Rewrite, unpacked};
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString, PyTuple, PyType};

use super::errors::map_error;
use super::functions::Script;
use super::input::{Numbers, buffer};
use super::{Scopes, Token, Tokens};

/// Lines before, the line, lines after.
type Lines = (Vec<String>, String, Vec<String>);

/// Strings that were made for Python, each once.
type Texts = Box<[PyOnceLock<Option<Py<PyString>>>]>;

/// A source map of ECMA-426: with or without sections, never changed, free to share between threads.
#[pyclass(frozen, subclass, module = "oxflow.sourcemap")]
pub(crate) struct SourceMap {
    pub(crate) map: oxflow_sourcemap::SourceMap,
    sources: PyOnceLock<Texts>,
    names: PyOnceLock<Texts>,
    reverse: PyOnceLock<Arc<Reverse>>,
    script: Script,
    indices: PyOnceLock<HashMap<Box<str>, u32>>,
}

/// How a map is read.
struct Reading {
    strict: bool,
    max_bytes: u64,
    max_segments: u64,
    max_depth: u32,
    max_strings: u64,
    max_string_bytes: u64,
}

impl Reading {
    fn options(&self) -> Options {
        let limits = Limits {
            bytes: self.max_bytes,
            segments: self.max_segments,
            depth: self.max_depth,
            strings: self.max_strings,
            string_bytes: self.max_string_bytes,
        };
        Options { strict: self.strict, limits }
    }
}

/// What the sender says of the compression; words that are not known say nothing.
fn packing(encoding: Option<&str>) -> PyResult<Option<Packing>> {
    match encoding {
        None | Some("identity") => Ok(None),
        Some(word) => match Packing::named(word) {
            Some(packing) => Ok(Some(packing)),
            None => Err(PyValueError::new_err(format!(
                "`encoding` is \"gzip\", \"zstd\", \"br\" or \"identity\", not \"{word}\""
            ))),
        },
    }
}

impl SourceMap {
    pub(crate) fn read(py: Python<'_>, buffer: &Buffer, packing: Option<Packing>, options: &Options) -> PyResult<Self> {
        let map = py.detach(|| {
            let buffer = unpacked(buffer, packing, &options.limits)?;
            oxflow_sourcemap::SourceMap::read(&buffer, options)
        });
        let map = map.map_err(|error| map_error(py, &error))?;
        Ok(Self::of(map))
    }

    pub(crate) fn of(map: oxflow_sourcemap::SourceMap) -> Self {
        Self {
            map,
            sources: PyOnceLock::new(),
            names: PyOnceLock::new(),
            reverse: PyOnceLock::new(),
            script: Script::default(),
            indices: PyOnceLock::new(),
        }
    }

    pub(crate) fn source_of(&self, py: Python<'_>, index: u32) -> PyResult<Option<Py<PyString>>> {
        let texts = self.sources.get_or_init(py, || empty(self.map.source_count()));
        kept(py, texts, index, || self.map.source(index as usize))
    }

    pub(crate) fn name_of(&self, py: Python<'_>, index: u32) -> PyResult<Option<Py<PyString>>> {
        let texts = self.names.get_or_init(py, || empty(self.map.name_count()));
        kept(py, texts, index, || self.map.name(index as usize))
    }
}

/// A string that was made before, or is now.
fn kept<'a>(
    py: Python<'_>,
    texts: &Texts,
    index: u32,
    make: impl FnOnce() -> Result<Option<Cow<'a, str>>, Error>,
) -> PyResult<Option<Py<PyString>>> {
    let Some(place) = texts.get(index as usize) else { return Ok(None) };
    let text = place.get_or_try_init(py, || match make() {
        Ok(text) => Ok(text.map(|text| PyString::new(py, &text).unbind())),
        Err(error) => Err(map_error(py, &error)),
    })?;
    Ok(text.as_ref().map(|text| text.clone_ref(py)))
}

fn empty(count: usize) -> Texts {
    (0..count).map(|_| PyOnceLock::new()).collect()
}

/// A position; `None` if it is negative or no number of 64 bits holds it.
fn position(number: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    match number.extract::<i64>() {
        Ok(number) => Ok(Some(number)),
        Err(error) if error.is_instance_of::<PyOverflowError>(number.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

fn bias_of(bias: &str) -> PyResult<Bias> {
    match bias {
        "glb" => Ok(Bias::Before),
        "lub" => Ok(Bias::After),
        _ => Err(PyValueError::new_err(format!("`bias` is \"glb\" or \"lub\", not \"{bias}\""))),
    }
}

#[pymethods]
impl SourceMap {
    /// Read a map out of bytes: any buffer, with or without a byte order mark or the prefix `)]}'`.
    ///
    /// `bytes` are kept and not copied. Compressed bytes are unpacked, up to `max_bytes`: gzip and zstd are known by their beginning,
    /// brotli by `encoding="br"`, the word of HTTP. All mappings are checked now. What is wrong but does no harm is mended and told in
    /// `warnings`, unless `strict`: then every map that ECMA-426 calls invalid is refused.
    ///
    /// Raises `SourceMapError`: `InvalidJson`, `UnsupportedVersion`, `InvalidMappings`, `BadReference`, `InvalidSection`, or
    /// `LimitExceeded` for more than `max_bytes`, `max_segments`, JSON nested deeper than `max_depth`, more than `max_strings` sources,
    /// contents and names, or more than `max_string_bytes` of sources, each with `sourceRoot`, and names.
    #[classmethod]
    #[pyo3(signature = (data: "ReadableBuffer", *, encoding = None, strict = false, max_bytes = 512 << 20, max_segments = 1 << 31, max_depth = 128, max_strings = 1 << 24, max_string_bytes = 256 << 20))]
    #[expect(clippy::too_many_arguments, reason = "a limit for each thing that a map may have too much of")]
    fn from_bytes(
        _class: &Bound<'_, PyType>,
        data: &Bound<'_, PyAny>,
        encoding: Option<&str>,
        strict: bool,
        max_bytes: u64,
        max_segments: u64,
        max_depth: u32,
        max_strings: u64,
        max_string_bytes: u64,
    ) -> PyResult<Self> {
        let options = Reading { strict, max_bytes, max_segments, max_depth, max_strings, max_string_bytes }.options();
        Self::read(data.py(), &buffer(data)?, packing(encoding)?, &options)
    }

    /// Read a map out of a file, whose name may end in `.gz`, `.zst` or `.br`; the rest is as for `from_bytes`.
    #[classmethod]
    #[pyo3(signature = (path, *, strict = false, max_bytes = 512 << 20, max_segments = 1 << 31, max_depth = 128, max_strings = 1 << 24, max_string_bytes = 256 << 20))]
    #[expect(clippy::too_many_arguments, reason = "a limit for each thing that a map may have too much of")]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it extracted")]
    fn from_path(
        class: &Bound<'_, PyType>,
        path: PathBuf,
        strict: bool,
        max_bytes: u64,
        max_segments: u64,
        max_depth: u32,
        max_strings: u64,
        max_string_bytes: u64,
    ) -> PyResult<Self> {
        let py = class.py();
        let bytes: Buffer = Arc::new(py.detach(|| std::fs::read(&path))?);
        let packing = path.extension().and_then(|end| Packing::named(end.to_str()?));
        Self::read(
            py,
            &bytes,
            packing,
            &Reading { strict, max_bytes, max_segments, max_depth, max_strings, max_string_bytes }.options(),
        )
    }

    /// Read a map out of a data URL, as `find_reference` may give one; the rest is as for `from_bytes`.
    #[classmethod]
    #[pyo3(signature = (url, *, strict = false, max_bytes = 512 << 20, max_segments = 1 << 31, max_depth = 128, max_strings = 1 << 24, max_string_bytes = 256 << 20))]
    #[expect(clippy::too_many_arguments, reason = "a limit for each thing that a map may have too much of")]
    fn from_data_url(
        class: &Bound<'_, PyType>,
        url: &str,
        strict: bool,
        max_bytes: u64,
        max_segments: u64,
        max_depth: u32,
        max_strings: u64,
        max_string_bytes: u64,
    ) -> PyResult<Self> {
        let py = class.py();
        let options = Reading { strict, max_bytes, max_segments, max_depth, max_strings, max_string_bytes }.options();
        let bytes = py.detach(|| oxflow_sourcemap::from_data_url(url, &options.limits));
        let bytes: Buffer = Arc::new(bytes.map_err(|error| map_error(py, &error))?);
        Self::read(py, &bytes, None, &options)
    }

    /// Find where a place of the generated code comes from: the first segment that begins there, else the nearest one of the
    /// same line before it (`bias="glb"`) or after it (`"lub"`). `None` if there is none; never one of another line.
    ///
    /// `line` and `column` count from 0, columns in UTF-16 units; negative and huge ones have no token.
    #[pyo3(signature = (line: "int", column: "int", *, bias: "Literal['glb', 'lub']" = "glb"))]
    fn lookup(
        slf: &Bound<'_, Self>,
        line: &Bound<'_, PyAny>,
        column: &Bound<'_, PyAny>,
        bias: &str,
    ) -> PyResult<Option<Token>> {
        let bias = bias_of(bias)?;
        let (Some(line), Some(column)) = (position(line)?, position(column)?) else { return Ok(None) };
        let found = slf.get().map.lookup(line, column, bias).map_err(|error| map_error(slf.py(), &error))?;
        Ok(found.map(|segment| Token { map: slf.clone().unbind(), segment }))
    }

    /// Look up many places at once: two buffers of integers (of `numpy`, `array`, `memoryview`) or sequences of `int`, of one
    /// length. Sorted inside, and so many times as quick as single lookups.
    ///
    /// Raises `ValueError` if the lengths differ, `TypeError` for buffers of other types.
    #[pyo3(signature = (lines: "ReadableBuffer | Sequence[int]", columns: "ReadableBuffer | Sequence[int]"))]
    fn lookup_many(&self, py: Python<'_>, lines: &Bound<'_, PyAny>, columns: &Bound<'_, PyAny>) -> PyResult<Tokens> {
        Tokens::find(py, self, &Numbers::read(lines)?, &Numbers::read(columns)?)
    }

    /// Find the places of the generated code that come from a place of a source: its nearest segment at or before `column`
    /// on that line, as the first token, or with `all` as every one. `source` is an index or a name.
    ///
    /// The first call sorts all segments, which takes time and memory.
    #[pyo3(signature = (source: "int | str", line: "int", column: "int", *, all = false))]
    fn generated_for(
        slf: &Bound<'_, Self>,
        source: &Bound<'_, PyAny>,
        line: &Bound<'_, PyAny>,
        column: &Bound<'_, PyAny>,
        all: bool,
    ) -> PyResult<Vec<Token>> {
        let this = slf.get();
        let py = slf.py();
        let Some(source) = this.index_of(source)? else { return Ok(Vec::new()) };
        let number = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
        let (Some(line), Some(column)) = (number(position(line)?), number(position(column)?)) else {
            return Ok(Vec::new());
        };
        let reverse = this.reverse.get_or_try_init(py, || {
            let made = py.detach(|| this.map.reverse());
            made.map(Arc::new).map_err(|error| map_error(py, &error))
        })?;
        let found = reverse.generated_for(source, line, column);
        let wanted = if all { found.len() } else { found.len().min(1) };
        Ok(found.iter().take(wanted).map(|segment| Token { map: slf.clone().unbind(), segment: *segment }).collect())
    }

    /// The sources, with `sourceRoot`; `None` where the map has null.
    #[getter]
    fn sources<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let texts = (0u32..).take(self.map.source_count()).map(|index| self.source_of(py, index));
        PyTuple::new(py, texts.collect::<PyResult<Vec<_>>>()?)
    }

    /// The names.
    #[getter]
    fn names<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let names = (0u32..).take(self.map.name_count()).map(|index| self.name_of(py, index));
        PyTuple::new(py, names.collect::<PyResult<Vec<_>>>()?)
    }

    /// The text of a source, by index or name; `None` if the map doesn't have it.
    #[pyo3(signature = (source: "int | str"))]
    fn source_content(&self, py: Python<'_>, source: &Bound<'_, PyAny>) -> PyResult<Option<Py<PyString>>> {
        let Some(index) = self.index_of(source)? else { return Ok(None) };
        let content = py.detach(|| self.map.source_content(index as usize)).map_err(|error| map_error(py, &error))?;
        Ok(content.map(|content| PyString::new(py, &content).unbind()))
    }

    /// Whether a source, by index or name, is on the ignore list.
    #[pyo3(signature = (source: "int | str"))]
    fn ignored(&self, source: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Some(index) = self.index_of(source)? else { return Ok(false) };
        self.map.is_ignored(index as usize).map_err(|error| map_error(source.py(), &error))
    }

    /// The lines of the source around a token: those before, the line itself, those after; `None` if the map has no text of it.
    #[pyo3(signature = (token, before = 5, after = 5))]
    fn context(
        &self,
        py: Python<'_>,
        token: &Bound<'_, Token>,
        before: usize,
        after: usize,
    ) -> PyResult<Option<Lines>> {
        let Some(original) = token.get().segment.original else { return Ok(None) };
        let context = py.detach(|| self.map.context(original.source as usize, original.line, before, after));
        let context = context.map_err(|error| map_error(py, &error))?;
        Ok(context.map(|context| (context.before, context.line, context.after)))
    }

    /// Find what the function is called that a place of the generated code is in; `None` outside of functions, in those without a
    /// name, and where nothing says.
    ///
    /// The map says it in `scopes` or `x_facebook_sources`. If it has neither, `minified` is asked, the script that the map is of:
    /// a function is called what the script calls it or assigns it to, each identifier as the map has it. It is read once for a
    /// `bytes` object, and each time for other buffers. `Cache.build(..., minified=...)` keeps the answers.
    ///
    /// Raises `LimitExceeded` for a script that is nested deeper than 10,000 brackets.
    #[pyo3(signature = (line: "int", column: "int", minified: "ReadableBuffer | None" = None))]
    fn function_at(
        &self,
        line: &Bound<'_, PyAny>,
        column: &Bound<'_, PyAny>,
        minified: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<String>> {
        let py = line.py();
        let (Some(line), Some(column)) = (position(line)?, position(column)?) else { return Ok(None) };
        let found = match minified.filter(|_| !self.map.has_functions()) {
            Some(script) => self.script.functions(self, script)?.at(&self.map, line, column),
            // The first question makes a table of all answers.
            None => py.detach(|| self.map.function_at(line, column)),
        };
        found.map_err(|error| map_error(py, &error))
    }

    /// The scopes that the map tells of, a proposal of the standard; `None` if it tells of none.
    #[getter]
    fn scopes(&self, py: Python<'_>) -> PyResult<Option<Scopes>> {
        Scopes::of(py, &self.map)
    }

    /// The lines of the generated code at which the modules of a RAM bundle begin, by their numbers (`x_facebook_offsets`).
    #[getter]
    fn module_lines(&self, py: Python<'_>) -> PyResult<Vec<Option<u32>>> {
        self.map.module_lines().map_err(|error| map_error(py, &error))
    }

    /// Where functions begin in each segment of Hermes' bytecode (`x_hermes_function_offsets`): a place in a function, in
    /// bytes, is at line 0 and that column more.
    #[getter]
    fn function_offsets(&self, py: Python<'_>) -> PyResult<HashMap<u32, Vec<u32>>> {
        let offsets = self.map.function_offsets().map_err(|error| map_error(py, &error))?;
        Ok(offsets.into_iter().collect())
    }

    /// The file that the map is of, as it says.
    #[getter]
    fn file(&self) -> Option<&str> {
        self.map.file()
    }

    /// The debug id that the generated file has as well.
    #[getter]
    fn debug_id(&self) -> Option<&str> {
        self.map.debug_id()
    }

    /// What was wrong with the map and mended, a sentence each.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.map.warnings().to_vec()
    }

    /// How many lines of the generated code the mappings reach.
    #[getter]
    fn line_count(&self) -> u32 {
        self.map.line_count()
    }

    /// The map as JSON without sections.
    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let json = py.detach(|| self.map.to_json()).map_err(|error| map_error(py, &error))?;
        Ok(PyBytes::new(py, &json))
    }

    /// The same map without sections.
    ///
    /// Raises `LimitExceeded` if the sections reach to line 2^26 or beyond.
    fn flatten(&self, py: Python<'_>) -> PyResult<Self> {
        self.made(py, oxflow_sourcemap::SourceMap::flatten)
    }

    /// Make one map of two: this one, and the map `inner` of a source of this one, which is generated itself.
    ///
    /// A lookup then gives what two would, first here and then in `inner`. The name is that of `inner`, where it has one; what `inner` has
    /// nothing for has no source; segments of other sources stay. `source` is an index or a name; it need not be given where there is
    /// only one, or one with the name or file name that `inner` says its file has.
    ///
    /// Raises `ValueError` if it isn't known which source is meant.
    #[pyo3(signature = (inner, source: "int | str | None" = None))]
    fn compose(&self, inner: &Bound<'_, Self>, source: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let found = self.described_by(inner, source)?;
        let inner_map = &inner.get().map;
        self.made(inner.py(), |map| map.compose(inner_map, found))
    }

    /// Make the map of the generated file after an edit, whose map `edit` leads from places in the edited file to places in the file as
    /// it was; of that map only the mappings are used.
    ///
    /// Segments go where the edit moved them, and are cut where it cut; what was inserted has none.
    fn adjust(&self, edit: &Bound<'_, Self>) -> PyResult<Self> {
        let edit_map = &edit.get().map;
        self.made(edit.py(), |map| map.adjust(edit_map))
    }

    /// Make the same map with other names for its sources, without sections.
    ///
    /// `sources` gives new names by the ones they have. Of other names the first of `strip_prefixes` that they begin with is taken off, with
    /// the `/` behind it; `"~"` stands for the folder that all sources have in common. `contents` gives texts by new names. With
    /// `keep_contents=False` the texts that the map has are left out, with `keep_names=False` all names.
    #[pyo3(signature = (*, sources: "Mapping[str, str] | None" = None, strip_prefixes: "Sequence[str]" = Vec::new(), contents: "Mapping[str, str] | None" = None, keep_contents = true, keep_names = true))]
    fn rewrite(
        &self,
        py: Python<'_>,
        sources: Option<HashMap<String, String>>,
        strip_prefixes: Vec<String>,
        contents: Option<HashMap<String, String>>,
        keep_contents: bool,
        keep_names: bool,
    ) -> PyResult<Self> {
        let (sources, contents) = (sources.unwrap_or_default(), contents.unwrap_or_default());
        let (without_contents, without_names) = (!keep_contents, !keep_names);
        let changes = Rewrite { sources, strip_prefixes, contents, without_contents, without_names };
        self.made(py, |map| map.rewrite(&changes))
    }

    /// How many segments there are.
    fn __len__(&self) -> PyResult<usize> {
        Ok(usize::try_from(self.map.segment_count())?)
    }

    fn __repr__(&self) -> String {
        let (segments, sources) = (self.map.segment_count(), self.map.source_count());
        format!("<SourceMap of {segments} segments and {sources} sources>")
    }
}

impl SourceMap {
    /// The index of a source that is given as one or as its name.
    pub(super) fn index_of(&self, source: &Bound<'_, PyAny>) -> PyResult<Option<u32>> {
        let Ok(name) = source.cast::<PyString>() else {
            return Ok(position(source)?.and_then(|index| u32::try_from(index).ok()));
        };
        let py = source.py();
        let indices = self
            .indices
            .get_or_try_init(py, || py.detach(|| indices(&self.map)).map_err(|error| map_error(py, &error)))?;
        Ok(indices.get(&*name.to_cow()?).copied())
    }
}

/// The first index of each source by its name: once, for a question of each source.
fn indices(map: &oxflow_sourcemap::SourceMap) -> Result<HashMap<Box<str>, u32>, Error> {
    let mut indices = HashMap::new();
    for index in (0..map.source_count()).rev() {
        if let (Some(name), Ok(number)) = (map.source(index)?, u32::try_from(index)) {
            indices.insert(name.into(), number);
        }
    }
    Ok(indices)
}

//! The extension module `oxflow._oxflow`: the engine, as Python sees it.
//!
//! Everything here extracts, detaches, calls and converts. What a pipeline does is decided in the engine, what it looks
//! like to users in the Python package.

use pyo3::pymodule;

mod archive;
mod arrow;
mod call;
mod config;
mod definition;
mod errors;
mod extension;
mod http;
mod job;
mod json;
mod large;
mod message;
mod msgpack;
mod objects;
mod plan;
mod records;
mod report;
mod runtime;
mod scheduler;
mod schema;
mod sdk;
mod signals;
mod sourcemap;
mod telemetry;
mod turns;
mod walk;

// Said to a Python that could do without its lock: much here relies on it.
#[pymodule(gil_used = true)]
mod _oxflow {
    #[pymodule_export]
    use crate::archive::{StreamReader, StreamWriter};
    #[pymodule_export]
    use crate::arrow::arrow_column;
    #[pymodule_export]
    use crate::config::{check_config, config_schema, load_config};
    #[pymodule_export]
    use crate::definition::{load_definition, pipeline_schema};
    #[pymodule_export]
    use crate::extension::{NativeFunction, NativeType, connect_module, describe_module, own_functions};
    #[pymodule_export]
    use crate::http::{Fetched, Fetching, Request};
    #[pymodule_export]
    use crate::job::Run;
    #[pymodule_export]
    use crate::json::{JsonDecoder, encode_json};
    #[pymodule_export]
    use crate::message::{Advance, Message, Origin};
    #[pymodule_export]
    use crate::msgpack::{MsgPackDecoder, encode_msgpack};
    #[pymodule_export]
    use crate::plan::{check, error_codes, explain, graph, render, runs};
    #[pymodule_export]
    use crate::records::{forget_records, listen};
    #[pymodule_export]
    use crate::report::{duration, report_text};
    #[pymodule_export]
    use crate::scheduler::{Matcher, Matching, flatten_tasks};
    #[pymodule_export]
    use crate::schema::{protobuf_types, schema_types};
    #[pymodule_export]
    use crate::sdk::{abi_version, sdk_sources};
    #[pymodule_export]
    use crate::signals::SignalWatch;
    #[pymodule_export]
    use crate::sourcemap::{
        Cache, MapBuilder, SourceMap, SymbolCache, Token, Tokens, fetch_document, map_reference, symbolicated_json,
        symbolicated_text,
    };
    #[pymodule_export]
    use crate::sourcemap::{GeneratedRange, OriginalScope, RamBundle, Scopes};
    #[pymodule_export]
    use crate::telemetry::{
        CurrentSpan, Extracted, Instrument, Logger, Span, Tracer, TracerSpan, after_fork_in_child, begin_telemetry,
        current_span, extract_headers, flush_telemetry, get_baggage, inject_headers, set_baggage, start_span,
        telemetry_stats,
    };
}

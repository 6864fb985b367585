//! The extension module `oxflow._oxflow`: the engine, as Python sees it.
//!
//! Everything here extracts, detaches, calls and converts. What a pipeline does is decided in the engine, what it looks
//! like to users in the Python package.

use pyo3::pymodule;

mod call;
mod config;
mod definition;
mod errors;
mod extension;
mod job;
mod json;
mod message;
mod msgpack;
mod objects;
mod plan;
mod records;
mod report;
mod runtime;
mod schema;
mod sdk;
mod signals;

#[pymodule]
mod _oxflow {
    #[pymodule_export]
    use crate::config::{check_config, config_schema, load_config};
    #[pymodule_export]
    use crate::definition::{load_definition, pipeline_schema};
    #[pymodule_export]
    use crate::extension::{NativeFunction, NativeType, connect_module, describe_module};
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
    use crate::schema::{protobuf_types, schema_types};
    #[pymodule_export]
    use crate::sdk::{abi_version, sdk_sources};
    #[pymodule_export]
    use crate::signals::SignalWatch;
}

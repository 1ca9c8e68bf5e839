//! The native part of the Python package `udmap`: thin, typed in `udmap/_native.pyi`, documented in
//! `udmap/__init__.py`. The GIL is released wherever bytes are worked on.

mod arrow;
mod convert;
mod errors;
mod files;
mod input;
mod mapping;
mod parser;
mod part;
mod run;
mod send;
mod validate;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("UdmapError", py.get_type::<errors::UdmapError>())?;
    module.add("MappingError", py.get_type::<errors::MappingError>())?;
    module.add("InputError", py.get_type::<errors::InputError>())?;
    module.add("OutputError", py.get_type::<errors::OutputError>())?;
    module.add("ParserError", py.get_type::<errors::ParserError>())?;
    module.add("SendError", py.get_type::<errors::SendError>())?;
    module.add_class::<mapping::Mapping>()?;
    module.add_class::<convert::Converter>()?;
    module.add_class::<parser::Parser>()?;
    module.add_class::<run::Run>()?;
    module.add_function(wrap_pyfunction!(validate::validate, module)?)?;
    module.add_function(wrap_pyfunction!(validate::codes, module)?)?;
    module.add_function(wrap_pyfunction!(send::send, module)?)?;
    module.add_function(wrap_pyfunction!(mapping::builtin, module)?)?;
    module.add_function(wrap_pyfunction!(parser::parser_text, module)?)?;
    Ok(())
}

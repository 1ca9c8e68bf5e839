//! The option `--engine`.

use crate::convert::Engine;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Reads `--engine`.
pub(super) fn engine() -> impl TypedValueParser<Value = Engine> {
    PossibleValuesParser::new(Engine::ALL.map(Engine::name)).try_map(|name| {
        let engine = Engine::ALL.into_iter().find(|engine| engine.name() == name).unwrap_or_default();
        if engine.is_available() { Ok(engine) } else { Err(format!("this machine does not have {name}")) }
    })
}

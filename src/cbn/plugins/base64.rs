//! `base64`: decodes a text.

use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::options::Options;
use crate::cbn::path::Path;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::source::text_of;
use crate::cbn::state::State;
use crate::cbn::value::Value;
use crate::text::shown;
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

#[derive(Debug)]
struct Base64 {
    source: Path,
    target: Path,
    encoding: &'static GeneralPurpose,
}

pub(super) fn compile(options: &mut Options<'_>, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let source = options.required("source")?;
    let target = options.required("target")?;
    let encoding = match options.text("encoding")? {
        None => &STANDARD,
        Some(word) => match word.text.as_str() {
            "Standard" => &STANDARD,
            "URL" => &URL_SAFE,
            "RawStandard" => &STANDARD_NO_PAD,
            "RawURL" => &URL_SAFE_NO_PAD,
            other => {
                let message = format!(
                    "expected one of Standard, URL, RawStandard and RawURL for `encoding`, found `{}`",
                    shown(other)
                );
                return Err(ReadError::new(word.at, message));
            }
        },
    };
    options.end(build, &["source", "target", "encoding", "on_error"]);
    Ok(Box::new(Base64 { source: build.path(&source.text), target: build.target(&target.text), encoding }))
}

impl Action for Base64 {
    fn run<'p>(&'p self, state: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        let text = text_of(&self.source, state)?;
        // Go's decoder passes over line ends.
        let encoded = state.text(text).replace(['\r', '\n'], "");
        let decoded = self.encoding.decode(encoded);
        let decoded = decoded.map_err(|_| Failure::Other("base64 failure: the text is not base64".into()))?;
        state.check_more(decoded.len())?;
        let decoded = state.keep(&String::from_utf8_lossy(&decoded));
        self.target.set(state, Value::Text(decoded));
        Ok(())
    }
}

//! `url_decode`: decodes `%20` and `+`, as in the query of a URL.

use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::options::Options;
use crate::cbn::path::Path;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::source::text_of;
use crate::cbn::state::State;
use crate::cbn::value::Value;

#[derive(Debug)]
struct UrlDecode {
    source: Path,
    target: Path,
}

pub(super) fn compile(options: &mut Options<'_>, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let source = options.required("source")?;
    let target = options.text("target")?.unwrap_or(source);
    options.end(build, &["source", "target", "on_error"]);
    Ok(Box::new(UrlDecode { source: build.path(&source.text), target: build.target(&target.text) }))
}

impl Action for UrlDecode {
    fn run<'p>(&'p self, state: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        let text = text_of(&self.source, state)?;
        let decoded = decode(state.text(text));
        let decoded = decoded.ok_or(Failure::Other("url_decode failure: a `%` without two digits".into()))?;
        state.check_more(decoded.len())?;
        let decoded = state.keep(&decoded);
        self.target.set(state, Value::Text(decoded));
        Ok(())
    }
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = behind.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
                rest = &behind[2..];
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            byte => *byte,
        });
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

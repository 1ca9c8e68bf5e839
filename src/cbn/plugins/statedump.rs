//! `statedump`: shows all tokens, for those who write parsers.

use crate::cbn::build::Build;
use crate::cbn::dump::dump;
use crate::cbn::failure::Failure;
use crate::cbn::options::Options;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::state::State;
use crate::cbn::warning::Code;

#[derive(Debug)]
struct Statedump {
    label: String,
}

pub(super) fn compile(options: &mut Options<'_>, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let message = "Google refuses a parser with `statedump` when it is submitted";
    build.warn(options.at, Code::Statedump, message);
    let named = options.text("label")?.map(|word| word.text.clone());
    // `statedump { label }`
    let label = named.filter(|label| !label.is_empty());
    let bare = options.take_all().first().map(|option| option.name.text.clone());
    Ok(Box::new(Statedump { label: label.or(bare).unwrap_or_default() }))
}

impl Action for Statedump {
    fn run<'p>(&'p self, state: &mut State, tools: &mut Tools) -> Result<(), Failure<'p>> {
        if let Some(dumped) = &mut tools.dumped {
            dump(state, &self.label, dumped);
        }
        Ok(())
    }
}

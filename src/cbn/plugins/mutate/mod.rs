//! `mutate`: sets, moves and changes tokens.
//!
//! Within one block the order of its operations is Logstash's, not that of the text.

mod convert;
mod gsub;
mod letters;
mod merge;
mod moves;
mod pairs;
mod replace;
mod split;

use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::options::Options;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::state::State;
use crate::cbn::syntax::{Literal, PluginOption};
use crate::cbn::warning::Code;
use crate::text::shown;
use crate::udm::nearest;

/// The operations in the order in which a block does them.
const OPERATIONS: [&str; 11] = [
    "rename",
    "replace",
    "convert",
    "gsub",
    "uppercase",
    "lowercase",
    "strip",
    "remove_field",
    "split",
    "merge",
    "copy",
];

#[derive(Debug)]
struct Mutate {
    actions: Vec<Box<dyn Action>>,
}

pub(super) fn compile(options: &mut Options<'_>, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let mut actions: Vec<(usize, Box<dyn Action>)> = Vec::new();
    for PluginOption { name, value } in options.take_all() {
        let Some(rank) = OPERATIONS.iter().position(|known| *known == name.text) else {
            let near = nearest(&name.text, OPERATIONS);
            let near = near.map_or(String::new(), |near| format!("; the nearest is `{near}`"));
            let message = format!("`mutate` has no operation `{}`: it does nothing{near}", shown(&name.text));
            build.warn(name.at, Code::UnknownOperation, message);
            continue;
        };
        actions.push((rank, operation(OPERATIONS[rank], value, build)?));
    }
    actions.sort_by_key(|(rank, _)| *rank);
    let mut actions: Vec<Box<dyn Action>> = actions.into_iter().map(|(_, action)| action).collect();
    if actions.len() == 1 {
        return Ok(actions.remove(0));
    }
    Ok(Box::new(Mutate { actions }))
}

fn operation(name: &'static str, value: &Literal, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    match name {
        "rename" => moves::rename(value, build),
        "replace" => replace::compile(value, build),
        "convert" => convert::compile(value, build),
        "gsub" => gsub::compile(value, build),
        "uppercase" | "lowercase" | "strip" => letters::compile(name, value, build),
        "remove_field" => moves::remove(value, build),
        "split" => split::compile(value, build),
        "merge" => merge::compile(value, build),
        _ => moves::copy(value, build),
    }
}

impl Action for Mutate {
    fn run<'p>(&'p self, state: &mut State, tools: &mut Tools) -> Result<(), Failure<'p>> {
        self.actions.iter().try_for_each(|action| action.run(state, tools))
    }
}

//! Runs a compiled parser on one log.

use super::failure::Failure;
use super::plugin::Tools;
use super::program::{Branch, For, LoopSource, Node, Program};
use super::state::State;
use super::template::kind;
use super::value::{ContainerId, Value};
use std::sync::atomic::Ordering::Relaxed;

/// How a log ended.
#[derive(Debug)]
pub(super) enum End<'p> {
    /// All was done.
    Done,
    /// `drop` ended it, with this tag.
    Dropped(&'p str),
    /// The statement of this number failed.
    Failed(u32, Failure<'p>),
}

/// Why a block ends early.
enum Stop<'p> {
    Dropped(&'p str),
    Failed(u32, Failure<'p>),
}

/// Runs a program on the log that the state holds.
pub(super) fn run<'p>(program: &'p Program, state: &mut State, tools: &mut Tools) -> End<'p> {
    let mut runner = Runner { program, state, tools };
    match runner.block(&program.statements) {
        Ok(()) => End::Done,
        Err(Stop::Dropped(tag)) => End::Dropped(tag),
        Err(Stop::Failed(number, failure)) => End::Failed(number, failure),
    }
}

struct Runner<'p, 'r> {
    program: &'p Program,
    state: &'r mut State,
    tools: &'r mut Tools,
}

impl<'p> Runner<'p, '_> {
    fn block(&mut self, nodes: &'p [Node]) -> Result<(), Stop<'p>> {
        nodes.iter().try_for_each(|node| self.node(node))
    }

    /// Takes a step; whether there was one left.
    fn step(&mut self, number: u32) -> Result<(), Stop<'p>> {
        self.state.spend(0);
        if self.state.is_spent() {
            return Err(Stop::Failed(number, Failure::TooLong));
        }
        if self.tools.stop.as_ref().is_some_and(|stop| stop.load(Relaxed)) {
            return Err(Stop::Failed(number, Failure::Stopped));
        }
        self.state.setter = number;
        self.state.check().map_err(|error| Stop::Failed(number, error.into()))
    }

    /// Notes that a log got here, if anybody asks.
    fn reach(&mut self, number: u32) {
        if let Some(reached) = self.tools.reached.get_mut(number as usize) {
            *reached = true;
        }
    }

    fn node(&mut self, node: &'p Node) -> Result<(), Stop<'p>> {
        match node {
            Node::Action { number, action, on_error } => {
                self.step(*number)?;
                self.reach(*number);
                let result = action.run(self.state, self.tools);
                let Some(on_error) = on_error else {
                    return result.map_err(|failure| Stop::Failed(*number, failure));
                };
                match result {
                    Err(failure) if failure.is_final() => return Err(Stop::Failed(*number, failure)),
                    Err(_) => {
                        let count = &self.program.own.errors;
                        let before = count.get(self.state).number().unwrap_or(0.0);
                        count.set(self.state, Value::Number(before + 1.0));
                        on_error.set(self.state, Value::Bool(true));
                    }
                    Ok(()) => on_error.set(self.state, Value::Bool(false)),
                }
                Ok(())
            }
            Node::Drop { number, tag } => {
                self.step(*number)?;
                self.reach(*number);
                Err(Stop::Dropped(tag))
            }
            Node::If(branches) => self.branches(branches),
            Node::For(repeat) => self.repeat(repeat),
        }
    }

    fn branches(&mut self, branches: &'p [Branch]) -> Result<(), Stop<'p>> {
        for branch in branches {
            self.step(branch.number)?;
            let holds = match &branch.condition {
                None => true,
                Some(condition) => {
                    let holds = condition.holds(self.state);
                    holds.map_err(|failure| Stop::Failed(branch.number, failure))?
                }
            };
            if holds {
                self.reach(branch.number);
                return self.block(&branch.body);
            }
        }
        Ok(())
    }

    fn repeat(&mut self, repeat: &'p For) -> Result<(), Stop<'p>> {
        self.step(repeat.number)?;
        let failed = |failure| Stop::Failed(repeat.number, failure);
        match &repeat.over {
            LoopSource::Xml(source, path) => {
                let Value::Text(text) = source.get(self.state) else { return Ok(()) };
                let (state, tools) = (&mut *self.state, &mut *self.tools);
                let count = path.with(state, |state, path| {
                    let Some(document) = tools.documents.get(text.range(), state.text(text)) else {
                        return Ok(0);
                    };
                    state.spend_by(|left| document.count(path, left)).ok_or(Failure::TooLong)
                });
                let empty = self.state.keep("");
                for at in 1..=count.map_err(failed)? {
                    // Documents have fewer nodes than 2^32.
                    self.turn(repeat, Value::Counter(at as u32), Value::Text(empty))?;
                }
            }
            LoopSource::Token(path) => {
                let id = match path.get(self.state) {
                    Value::Unset => return Ok(()),
                    Value::Text(text) if text.is_empty() => return Ok(()),
                    Value::Container(id) => id,
                    value => {
                        let kind = kind(self.state, value);
                        return Err(failed(Failure::WrongLoop { token: &path.text, kind }));
                    }
                };
                if repeat.is_map {
                    self.by_key(repeat, id)?;
                } else {
                    self.by_number(repeat, id)?;
                }
            }
        }
        Ok(())
    }

    /// One turn of a loop.
    fn turn(&mut self, repeat: &'p For, first: Value, second: Value) -> Result<(), Stop<'p>> {
        self.step(repeat.number)?;
        self.reach(repeat.number);
        let values = if repeat.variables.len() == 1 { [second, Value::Unset] } else { [first, second] };
        for (variable, value) in repeat.variables.iter().zip(values) {
            variable.set(self.state, value);
        }
        let result = self.block(&repeat.body);
        for variable in &repeat.variables {
            variable.remove(self.state);
        }
        result
    }

    /// Over the elements of a list, or of an object whose keys are the numbers from 0 on.
    fn by_number(&mut self, repeat: &'p For, id: ContainerId) -> Result<(), Stop<'p>> {
        let Some(places) = self.state.elements(id) else { return self.by_key(repeat, id) };
        for (at, place) in places.enumerate() {
            let Some((_, value, _)) = self.state.container(id).at(place) else { break };
            if value.is_set() {
                self.turn(repeat, Value::Counter(at as u32), value)?;
            }
        }
        Ok(())
    }

    /// Over all members by key, in the order of their bytes.
    fn by_key(&mut self, repeat: &'p For, id: ContainerId) -> Result<(), Stop<'p>> {
        let container = self.state.container(id);
        let mut keyed: Vec<(String, Value)> = (0..container.len())
            .filter_map(|place| Some((place, container.at(place)?)))
            .filter(|(_, (_, value, _))| value.is_set())
            .map(|(place, (key, value, _))| {
                let name = key.map(|key| self.state.symbols.name(key).to_owned());
                (name.unwrap_or_else(|| place.to_string()), value)
            })
            .collect();
        keyed.sort_by(|a, b| a.0.cmp(&b.0));
        for (key, value) in keyed {
            let key = Value::Text(self.state.keep(&key));
            self.turn(repeat, key, value)?;
        }
        Ok(())
    }
}

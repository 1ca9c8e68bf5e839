//! Paths of tokens: `a.b.c`.

use super::state::State;
use super::symbols::{Symbol, Symbols};
use super::value::{ContainerId, Shape, Value};

/// A path of a token.
///
/// At each level it is the key of the first step, and where that is not there, the key that all further steps spell with
/// their dots: `labels.k8s.pod` finds `{"labels": {"k8s.pod": ...}}`.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub(super) text: Box<str>,
    steps: Box<[Symbol]>,
    /// For each step but the last one, the name of all from there on.
    tails: Box<[Symbol]>,
}

/// The most steps of a path: each takes memory for all that follow it.
const MOST_STEPS: usize = 32;

/// Where a member is.
#[derive(Debug, Clone, Copy)]
enum Level {
    Root,
    In(ContainerId),
}

impl Level {
    fn get(self, state: &State, key: Symbol) -> Value {
        match self {
            Level::Root => state.root(key),
            Level::In(id) => state.member(id, key),
        }
    }

    fn set(self, state: &mut State, key: Symbol, value: Value) {
        match self {
            Level::Root => state.set_root(key, value),
            Level::In(id) => state.set_member(id, key, value),
        }
    }
}

impl Path {
    /// A path with these steps. A text with more dots than that is one name.
    pub(super) fn new(text: &str, symbols: &mut Symbols) -> Path {
        if text.bytes().filter(|byte| *byte == b'.').count() >= MOST_STEPS {
            return Path { text: text.into(), steps: [symbols.intern(text)].into(), tails: [].into() };
        }
        let starts = || std::iter::once(0).chain(text.match_indices('.').map(|(at, _)| at + 1));
        let steps: Box<[Symbol]> =
            starts().map(|start| symbols.intern(text[start..].split('.').next().unwrap_or(""))).collect();
        let tails = starts().take(steps.len() - 1).map(|start| symbols.intern(&text[start..])).collect();
        Path { text: text.into(), steps, tails }
    }

    /// What the token holds.
    pub(super) fn get(&self, state: &State) -> Value {
        self.get_from(Level::Root, state)
    }

    /// What the token below this container holds.
    pub(super) fn get_in(&self, state: &State, id: ContainerId) -> Value {
        self.get_from(Level::In(id), state)
    }

    fn get_from(&self, from: Level, state: &State) -> Value {
        let mut level = from;
        for (at, step) in self.steps.iter().enumerate() {
            let value = level.get(state, *step);
            if !value.is_set() {
                let tail = self.tails.get(at).map(|tail| level.get(state, *tail));
                return tail.unwrap_or_default();
            }
            if at + 1 == self.steps.len() {
                return value;
            }
            match value {
                Value::Container(id) => level = Level::In(id),
                _ => return Value::Unset,
            }
        }
        Value::Unset
    }

    /// Sets the token, and makes the objects on the way. What is not an object there gives way to one.
    pub(super) fn set(&self, state: &mut State, value: Value) {
        self.set_from(Level::Root, state, value);
    }

    /// Sets the token below this container.
    pub(super) fn set_in(&self, state: &mut State, id: ContainerId, value: Value) {
        self.set_from(Level::In(id), state, value);
    }

    fn set_from(&self, from: Level, state: &mut State, value: Value) {
        let mut level = from;
        for (at, step) in self.steps.iter().enumerate() {
            if at + 1 == self.steps.len() {
                return level.set(state, *step, value);
            }
            let found = level.get(state, *step);
            level = match found {
                Value::Container(id) if self.goes_on_in(at, id, state) => Level::In(id),
                found => {
                    let tail = self.tails[at];
                    if !found.is_set() && level.get(state, tail).is_set() {
                        return level.set(state, tail, value);
                    }
                    let made = state.make(Shape::Object);
                    level.set(state, *step, Value::Container(made));
                    Level::In(made)
                }
            };
        }
    }

    /// Whether the step behind this one can be made in a container: in a list, it counts an element.
    fn goes_on_in(&self, at: usize, id: ContainerId, state: &State) -> bool {
        state.container(id).shape != Shape::List || state.symbols.number(self.steps[at + 1]).is_some()
    }

    /// Takes the token out of the state.
    pub(super) fn remove(&self, state: &mut State) -> Value {
        let mut level = Level::Root;
        for (at, step) in self.steps.iter().enumerate() {
            let value = level.get(state, *step);
            if !value.is_set() {
                let Some(tail) = self.tails.get(at) else { return Value::Unset };
                let value = level.get(state, *tail);
                if value.is_set() {
                    level.set(state, *tail, Value::Unset);
                }
                return value;
            }
            if at + 1 == self.steps.len() {
                level.set(state, *step, Value::Unset);
                return value;
            }
            match value {
                Value::Container(id) => level = Level::In(id),
                _ => return Value::Unset,
            }
        }
        Value::Unset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_many_dots_take_no_more_memory_than_they_are_long() {
        let mut symbols = Symbols::default();
        let name = "a.".repeat(100_000);
        let path = Path::new(&name, &mut symbols);
        assert_eq!(path.steps.len(), 1);
        assert!(symbols.bytes() < 3 * name.len(), "{}", symbols.bytes());
        assert_eq!(Path::new(&name[..63], &mut symbols).steps.len(), 32);
    }
}

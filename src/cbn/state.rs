//! The tokens of one log. It is cleared between logs, and keeps its memory.
//!
//! Texts are ranges of one buffer, which only grows while a log is at work; objects and lists are numbers of containers,
//! so that two tokens can hold the same one.

use super::symbols::{Symbol, Symbols};
use super::value::{ContainerId, Shape, Text, Value};
use foldhash::fast::FixedState;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::{self, Write as _};

/// An object or a list.
#[derive(Debug, Default)]
pub(super) struct Container {
    pub(super) shape: Shape,
    /// Of an object. What was removed stays with no value.
    keys: Vec<Symbol>,
    values: Vec<Value>,
    /// The statement that set each value.
    setters: Vec<u32>,
    /// Where keys are, once there are many.
    index: HashMap<Symbol, u32, FixedState>,
}

/// Up to this many keys are looked through one by one.
const FEW: usize = 24;

/// What a member and a container cost, in the sum that is limited.
const MEMBER_BYTES: usize = 32;
const CONTAINER_BYTES: usize = 128;

/// How many bytes are looked at in the time of a step, about.
const STEP_BYTES: usize = 256;

/// The state takes more memory than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge;

/// All tokens.
#[derive(Debug)]
pub(super) struct State {
    pub(super) symbols: Symbols,
    /// How many symbols the parser itself has.
    own_symbols: usize,
    /// The texts of the parser, then those of the log.
    text: String,
    own_text: usize,
    root: Vec<Value>,
    /// Which of the root's tokens were set, each once.
    touched: Vec<Symbol>,
    is_touched: Vec<bool>,
    containers: Vec<Container>,
    used: usize,
    members: usize,
    /// The statement that is at work.
    pub(super) setter: u32,
    most_bytes: usize,
    /// What the log may still take, in steps.
    steps: Cell<u64>,
    /// How many bytes the names of members take that the log has brought.
    names: usize,
    /// Used again by those who put texts together.
    pub(super) texts: Vec<Text>,
}

/// The most bytes of names that logs have brought; beyond, they are forgotten between two logs.
const MOST_NAMES: usize = 1 << 20;

impl State {
    /// A state for logs of a parser with these names and texts, of at most about `most_bytes`.
    pub(super) fn new(symbols: &Symbols, texts: &str, most_bytes: usize) -> State {
        State {
            own_symbols: symbols.len(),
            symbols: symbols.clone(),
            text: texts.to_owned(),
            own_text: texts.len(),
            root: vec![Value::Unset; symbols.len()],
            touched: Vec::new(),
            is_touched: vec![false; symbols.len()],
            containers: Vec::new(),
            used: 0,
            members: 0,
            setter: 0,
            // A range of the buffer has 32 bits.
            most_bytes: most_bytes.min(1 << 30),
            steps: Cell::new(0),
            names: 0,
            texts: Vec::new(),
        }
    }

    /// Makes it empty, for a log that may take this many steps.
    pub(super) fn clear(&mut self, steps: u64) {
        self.steps.set(steps);
        for symbol in self.touched.drain(..) {
            self.root[symbol.index()] = Value::Unset;
            self.is_touched[symbol.index()] = false;
        }
        for container in &mut self.containers[..self.used] {
            container.keys.clear();
            container.values.clear();
            container.setters.clear();
            container.index.clear();
        }
        self.used = 0;
        self.members = 0;
        self.text.truncate(self.own_text);
        if self.symbols.bytes() > MOST_NAMES {
            self.symbols.truncate(self.own_symbols);
            self.root.truncate(self.own_symbols);
            self.is_touched.truncate(self.own_symbols);
        }
        self.names = 0;
        // One large log must not hold its memory forever.
        if self.text.capacity() > 1 << 22 {
            self.text.shrink_to(1 << 22);
        }
        if self.containers.len() > 1 << 14 {
            self.containers.truncate(1 << 10);
            self.containers.shrink_to_fit();
        }
    }

    /// Whether it is within its limit.
    pub(super) fn check(&self) -> Result<(), TooLarge> {
        let bytes = self.text.len().saturating_sub(self.own_text)
            + self.names
            + self.members * MEMBER_BYTES
            + self.used * CONTAINER_BYTES;
        if bytes > self.most_bytes { Err(TooLarge) } else { Ok(()) }
    }

    /// Whether `more` bytes of text can be added.
    pub(super) fn check_more(&self, more: usize) -> Result<(), TooLarge> {
        if self.text.len().saturating_sub(self.own_text) + more > self.most_bytes {
            Err(TooLarge)
        } else {
            self.check()
        }
    }

    /// Takes steps: one, and as many as it takes to look at this many bytes. Whether there were enough is asked later.
    pub(super) fn spend(&self, bytes: usize) {
        self.steps.set(self.steps.get().saturating_sub(1 + (bytes / STEP_BYTES) as u64));
    }

    /// Takes steps that were counted elsewhere: `take` gets what is left.
    pub(super) fn spend_by<T>(&self, take: impl FnOnce(&mut u64) -> T) -> T {
        let mut left = self.steps.get();
        let result = take(&mut left);
        self.steps.set(left);
        result
    }

    /// Whether the log has taken all its steps.
    pub(super) fn is_spent(&self) -> bool {
        self.steps.get() == 0
    }

    // Texts

    pub(super) fn text(&self, text: Text) -> &str {
        &self.text[text.range()]
    }

    /// Keeps a text.
    pub(super) fn keep(&mut self, text: &str) -> Text {
        let start = self.text.len();
        self.text.push_str(text);
        Text::at(start..self.text.len())
    }

    /// Keeps what is written.
    pub(super) fn keep_written(&mut self, written: fmt::Arguments<'_>) -> Text {
        let start = self.text.len();
        // Writing to a string can't fail.
        let _ = self.text.write_fmt(written);
        Text::at(start..self.text.len())
    }

    /// Where the next text begins.
    pub(super) fn mark(&self) -> usize {
        self.text.len()
    }

    /// Keeps a text once more, at the end of the buffer.
    pub(super) fn append(&mut self, text: Text) {
        // The ranges of texts lie between characters.
        self.text.extend_from_within(text.range());
    }

    /// What was kept since a mark.
    pub(super) fn since(&self, mark: usize) -> Text {
        Text::at(mark..self.text.len())
    }

    /// The whole buffer, for a reader that makes ranges of it; [`give_back`](State::give_back) brings it back.
    pub(super) fn take_buffer(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    pub(super) fn give_back(&mut self, buffer: String) {
        self.text = buffer;
    }

    // Containers

    pub(super) fn container(&self, id: ContainerId) -> &Container {
        &self.containers[id.0 as usize]
    }

    /// A new, empty container.
    pub(super) fn make(&mut self, shape: Shape) -> ContainerId {
        if self.used == self.containers.len() {
            self.containers.push(Container::default());
        }
        self.containers[self.used].shape = shape;
        self.used += 1;
        // As each costs bytes of the limit, there are far fewer than 2^32.
        ContainerId((self.used - 1) as u32)
    }

    /// Adds a value at a list's end.
    pub(super) fn push(&mut self, id: ContainerId, value: Value) {
        let container = &mut self.containers[id.0 as usize];
        container.values.push(value);
        container.setters.push(self.setter);
        self.members += 1;
    }

    /// The value of a key; of a list, of the element that the key counts.
    pub(super) fn member(&self, id: ContainerId, key: Symbol) -> Value {
        let container = &self.containers[id.0 as usize];
        let at = match container.shape {
            Shape::Object => container.find(key),
            _ => self.symbols.number(key),
        };
        at.and_then(|at| container.values.get(at)).copied().unwrap_or_default()
    }

    /// The elements of what counts as a list, by their places: of a list, or of an object whose keys are the numbers from
    /// 0 on, which is what `split_columns` makes of lists.
    pub(super) fn elements(&self, id: ContainerId) -> Option<Places> {
        let container = &self.containers[id.0 as usize];
        if container.shape.is_list() {
            return Some(Places::All(0..container.values.len()));
        }
        let mut numbered = Vec::new();
        for (place, (key, value)) in container.keys.iter().zip(&container.values).enumerate() {
            if value.is_set() {
                numbered.push((self.symbols.number(*key)?, place));
            }
        }
        numbered.sort_unstable();
        let in_order = numbered.iter().enumerate().all(|(at, (number, _))| at == *number);
        let places: Vec<usize> = numbered.into_iter().map(|(_, place)| place).collect();
        (in_order && !places.is_empty()).then(|| Places::Some(places.into_iter()))
    }

    /// The elements that are set of what counts as a list, with the statements that set them.
    pub(super) fn list(&self, id: ContainerId) -> Option<impl Iterator<Item = (Value, u32)> + '_> {
        let container = self.container(id);
        let set = move |place| container.at(place).filter(|(_, value, _)| value.is_set());
        Some(self.elements(id)?.filter_map(set).map(|(_, value, setter)| (value, setter)))
    }

    /// The value of the key with this name.
    pub(super) fn named(&self, id: ContainerId, name: &str) -> Value {
        self.symbols.find(name).map_or(Value::Unset, |key| self.member(id, key))
    }

    /// Sets the value of a key. A list with a key that is not a number of its elements, or of the next one, becomes an
    /// object.
    pub(super) fn set_member(&mut self, id: ContainerId, key: Symbol, value: Value) {
        let setter = self.setter;
        if self.containers[id.0 as usize].shape.is_list() {
            let number = self.symbols.number(key);
            let container = &mut self.containers[id.0 as usize];
            match number {
                Some(at) if at < container.values.len() => {
                    container.values[at] = value;
                    container.setters[at] = setter;
                    return;
                }
                Some(at) if at == container.values.len() => return self.push(id, value),
                _ if !value.is_set() => return,
                _ => self.become_object(id),
            }
        }
        let container = &mut self.containers[id.0 as usize];
        match container.find(key) {
            Some(at) => {
                container.values[at] = value;
                container.setters[at] = setter;
            }
            None => {
                container.add(key, value, setter);
                self.count(key);
            }
        }
    }

    /// Counts a member. What a name takes does not depend on the logs before: it may be known from them.
    fn count(&mut self, key: Symbol) {
        self.members += 1;
        if key.index() >= self.own_symbols {
            self.names += self.symbols.name(key).len();
        }
    }

    fn become_object(&mut self, id: ContainerId) {
        let count = self.containers[id.0 as usize].values.len();
        let keys: Vec<Symbol> = (0..count).map(|at| self.symbols.intern(&at.to_string())).collect();
        let container = &mut self.containers[id.0 as usize];
        let (values, setters) =
            (std::mem::take(&mut container.values), std::mem::take(&mut container.setters));
        container.shape = Shape::Object;
        for ((key, value), setter) in keys.into_iter().zip(values).zip(setters) {
            container.add(key, value, setter);
        }
    }

    // The root

    pub(super) fn root(&self, key: Symbol) -> Value {
        self.root.get(key.index()).copied().unwrap_or_default()
    }

    pub(super) fn set_root(&mut self, key: Symbol, value: Value) {
        if key.index() >= self.root.len() {
            self.root.resize(self.symbols.len(), Value::Unset);
            self.is_touched.resize(self.symbols.len(), false);
        }
        self.root[key.index()] = value;
        if !std::mem::replace(&mut self.is_touched[key.index()], true) {
            self.touched.push(key);
            self.count(key);
        }
    }

    /// The names of the root's tokens that are set, sorted.
    pub(super) fn root_keys(&self) -> Vec<Symbol> {
        let mut keys: Vec<Symbol> =
            self.touched.iter().copied().filter(|key| self.root(*key).is_set()).collect();
        keys.sort_unstable_by_key(|key| self.symbols.name(*key));
        keys
    }
}

/// Places of members in their container.
#[derive(Debug)]
pub(super) enum Places {
    All(std::ops::Range<usize>),
    Some(std::vec::IntoIter<usize>),
}

impl Iterator for Places {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        match self {
            Places::All(places) => places.next(),
            Places::Some(places) => places.next(),
        }
    }
}

impl Container {
    fn find(&self, key: Symbol) -> Option<usize> {
        if self.keys.len() <= FEW {
            return self.keys.iter().position(|known| *known == key);
        }
        self.index.get(&key).map(|at| *at as usize)
    }

    fn add(&mut self, key: Symbol, value: Value, setter: u32) {
        self.keys.push(key);
        self.values.push(value);
        self.setters.push(setter);
        if self.keys.len() > FEW {
            let new = self.index.len()..self.keys.len();
            let keys = new.clone().map(|at| (self.keys[at], at as u32));
            self.index.extend(keys);
        }
    }

    /// How many members there are, those without a value counted.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// A member by its place: its key, if it is an object's.
    pub(super) fn at(&self, place: usize) -> Option<(Option<Symbol>, Value, u32)> {
        let value = *self.values.get(place)?;
        Some((self.keys.get(place).copied(), value, self.setters[place]))
    }

    /// The values that are set, with the keys of an object and the statements that set them.
    pub(super) fn members(&self) -> impl Iterator<Item = (Option<Symbol>, Value, u32)> + '_ {
        (0..self.values.len()).filter_map(|place| self.at(place)).filter(|(_, value, _)| value.is_set())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.iter().all(|value| !value.is_set())
    }
}

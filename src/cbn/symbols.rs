//! Names of tokens as numbers.

use foldhash::fast::RandomState;
use std::collections::HashMap;

/// A name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Symbol(u32);

impl Symbol {
    /// Its number.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Not the number of a list's element.
const NO_NUMBER: u32 = u32::MAX;

/// All names that are known: those of a parser's text, and those that logs bring.
#[derive(Debug, Clone, Default)]
pub(super) struct Symbols {
    by_name: HashMap<Box<str>, Symbol, RandomState>,
    names: Vec<Box<str>>,
    /// What each name means as the number of a list's element.
    numbers: Vec<u32>,
    bytes: usize,
}

impl Symbols {
    /// The symbol of a name.
    pub(super) fn intern(&mut self, name: &str) -> Symbol {
        if let Some(symbol) = self.by_name.get(name) {
            return *symbol;
        }
        // Names are at least a byte each, and the state's limit is far below 4 GiB.
        let symbol = Symbol(self.names.len() as u32);
        self.by_name.insert(name.into(), symbol);
        self.names.push(name.into());
        let canonical = name.len() < 10 && (name == "0" || !name.starts_with('0'));
        let number = canonical && name.bytes().all(|byte| byte.is_ascii_digit());
        self.numbers.push(if number { name.parse().unwrap_or(NO_NUMBER) } else { NO_NUMBER });
        self.bytes += 2 * name.len() + 64;
        symbol
    }

    pub(super) fn find(&self, name: &str) -> Option<Symbol> {
        self.by_name.get(name).copied()
    }

    pub(super) fn name(&self, symbol: Symbol) -> &str {
        &self.names[symbol.index()]
    }

    /// The element of a list that the name means.
    pub(super) fn number(&self, symbol: Symbol) -> Option<usize> {
        let number = self.numbers[symbol.index()];
        (number != NO_NUMBER).then_some(number as usize)
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// About how many bytes the names take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets all names behind the first `count`.
    pub(super) fn truncate(&mut self, count: usize) {
        for name in self.names.drain(count..) {
            self.bytes -= 2 * name.len() + 64;
            self.by_name.remove(&name);
        }
        self.numbers.truncate(count);
    }
}

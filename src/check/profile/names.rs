//! Names, each with a number.

use foldhash::fast::FixedState;
use std::collections::HashMap;

/// Names in the order in which they came. A table has fewer than 65,536.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<String>,
    numbers: HashMap<String, u16, FixedState>,
    /// The number that was asked for last.
    last: u16,
}

impl Names {
    /// The number of a name, which may be a new one. Beyond 65,535 it is that of the last one.
    pub(super) fn number(&mut self, name: &str) -> u16 {
        if self.names.get(usize::from(self.last)).is_none_or(|last| last != name) {
            self.last = self.numbers.get(name).copied().unwrap_or_else(|| self.add(name));
        }
        self.last
    }

    fn add(&mut self, name: &str) -> u16 {
        let Ok(number) = u16::try_from(self.names.len()) else { return u16::MAX };
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// Adds other names; the number here of each of them.
    pub(super) fn merge(&mut self, other: &Names) -> Vec<u16> {
        other.names.iter().map(|name| self.number(name)).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// All names with their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, &str)> {
        (0..).zip(self.names.iter().map(String::as_str))
    }
}

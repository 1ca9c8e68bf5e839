//! Whether a stream is lines or values, told from its beginning.

use super::head::Layout;
use crate::record::boundaries::{Gap, Step, Syntax, is_space};

/// What a [`Probe`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Lines,
    Values,
    /// The stream does not begin with a value that is right, so it takes a closer look.
    Unclear,
}

impl Verdict {
    pub(super) fn layout(self) -> Option<Layout> {
        match self {
            Verdict::Lines => Some(Layout::Lines),
            Verdict::Values => Some(Layout::Values { head: 0 }),
            Verdict::Unclear => None,
        }
    }
}

/// Tells from a stream's beginning which [`Layout`] it has.
#[derive(Debug, Default)]
pub(super) struct Probe {
    state: ProbeState,
    gap: Gap,
    /// A newline has been seen since the first value began.
    over_lines: bool,
    /// In an array: the element that is being read began, or went on, on a later line.
    later: bool,
}

#[derive(Debug, Default)]
enum ProbeState {
    #[default]
    Before,
    Object(Syntax),
    /// Behind an object or array over several lines.
    Behind,
    /// Behind an object on the first line, and perhaps a comma.
    BehindLine {
        comma: bool,
    },
    /// In an array, between elements; a comma, an element or the end may come.
    Between {
        after: bool,
        comma: bool,
    },
    Element(Syntax),
}

impl Probe {
    /// Takes more of the stream; the verdict, once it is certain.
    ///
    /// An object decides by its end, on its first line or on a later one, and what follows. An array
    /// decides as soon as an element that touches a later line is whole and a comma or the end
    /// follows, so that neither a long array nor one that is cut short must be read to its end first.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<Verdict> {
        for &byte in bytes {
            if byte == b'\n' && !matches!(self.state, ProbeState::Before) {
                self.over_lines = true;
                self.later = true;
            }
            let verdict = match &mut self.state {
                ProbeState::Before => {
                    if self.gap.pass(byte).is_ok() {
                        continue;
                    }
                    match byte {
                        b'[' => self.state = ProbeState::Between { after: false, comma: false },
                        b'{' => {
                            let mut syntax = Syntax::new();
                            syntax.push(byte);
                            self.state = ProbeState::Object(syntax);
                        }
                        _ => return Some(Verdict::Unclear),
                    }
                    None
                }
                ProbeState::Object(syntax) => match syntax.push(byte) {
                    Step::More => None,
                    Step::End | Step::EndBefore => {
                        self.state = match self.over_lines {
                            true => ProbeState::Behind,
                            false => ProbeState::BehindLine { comma: false },
                        };
                        None
                    }
                    Step::Bad => Some(Verdict::Unclear),
                },
                ProbeState::Behind => match byte {
                    _ if self.gap.pass(byte).is_ok() => None,
                    b'{' | b'[' => Some(Verdict::Values),
                    _ => Some(Verdict::Unclear),
                },
                ProbeState::BehindLine { comma } => match byte {
                    b'\n' if *comma => Some(Verdict::Unclear),
                    b'\n' => Some(Verdict::Lines),
                    _ if is_space(byte) => None,
                    b',' if !*comma => {
                        *comma = true;
                        None
                    }
                    _ => Some(Verdict::Lines),
                },
                ProbeState::Element(syntax) => match syntax.push(byte) {
                    Step::More => None,
                    Step::Bad => Some(Verdict::Unclear),
                    Step::End => {
                        self.state = ProbeState::Between { after: true, comma: false };
                        None
                    }
                    Step::EndBefore => {
                        self.state = ProbeState::Between { after: true, comma: false };
                        self.between(byte, true, false)
                    }
                },
                ProbeState::Between { after, comma } => {
                    let (after, comma) = (*after, *comma);
                    self.between(byte, after, comma)
                }
            };
            if verdict.is_some() {
                return verdict;
            }
        }
        None
    }

    fn between(&mut self, byte: u8, after: bool, comma: bool) -> Option<Verdict> {
        match byte {
            _ if is_space(byte) => return None,
            b']' if comma => return Some(Verdict::Unclear),
            b']' if self.over_lines => self.state = ProbeState::Behind,
            b']' => return Some(Verdict::Lines),
            b',' if after && self.later => return Some(Verdict::Values),
            b',' if after => self.state = ProbeState::Between { after: false, comma: true },
            _ if after => return Some(Verdict::Unclear),
            _ => {
                let mut syntax = Syntax::new();
                if syntax.push(byte) == Step::Bad {
                    return Some(Verdict::Unclear);
                }
                self.later = self.over_lines;
                self.state = ProbeState::Element(syntax);
            }
        }
        None
    }

    /// The verdict where no more is to be seen: `ended` says whether there is more.
    pub(super) fn finish(&self, ended: bool) -> Verdict {
        match self.state {
            ProbeState::Behind => Verdict::Values,
            ProbeState::Before | ProbeState::BehindLine { .. } => Verdict::Lines,
            // Cut short, or broken.
            _ if ended => Verdict::Unclear,
            // Over several lines already, and right so far, it is no line.
            _ if self.over_lines => Verdict::Values,
            _ => Verdict::Lines,
        }
    }
}

//! Whether a stream is lines or values, from its beginning.

use super::head::StreamLayout;
use crate::record::boundaries::{Automaton, ByteStep, Gap, is_space};

/// What a [`LayoutDetector`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LayoutVerdict {
    Lines,
    Values,
    /// The stream does not begin with a value that is right, so it takes a closer look.
    Unclear,
}

impl LayoutVerdict {
    pub(super) fn layout(self) -> Option<StreamLayout> {
        match self {
            LayoutVerdict::Lines => Some(StreamLayout::Lines),
            LayoutVerdict::Values => Some(StreamLayout::Values { head: 0 }),
            LayoutVerdict::Unclear => None,
        }
    }
}

/// Tells from a stream's beginning which [`StreamLayout`] it has.
#[derive(Debug, Default)]
pub(super) struct LayoutDetector {
    state: DetectorState,
    gap: Gap,
    /// A newline has been seen since the first value began.
    over_lines: bool,
    /// In an array: the element that is being read began, or went on, on a later line.
    later: bool,
}

#[derive(Debug, Default)]
enum DetectorState {
    #[default]
    Before,
    Object(Automaton),
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
    Element(Automaton),
}

impl LayoutDetector {
    /// Takes more of the stream; the verdict, once it is certain.
    ///
    /// An object decides by its end, on its first line or on a later one, and what follows. An array
    /// decides as soon as an element that touches a later line is whole and a comma or the end
    /// follows, so that neither a long array nor one that is cut short must be read to its end first.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<LayoutVerdict> {
        for &byte in bytes {
            if byte == b'\n' && !matches!(self.state, DetectorState::Before) {
                self.over_lines = true;
                self.later = true;
            }
            let verdict = match &mut self.state {
                DetectorState::Before => {
                    if self.gap.pass(byte).is_ok() {
                        continue;
                    }
                    match byte {
                        b'[' => self.state = DetectorState::Between { after: false, comma: false },
                        b'{' => {
                            let mut automaton = Automaton::new();
                            automaton.push(byte);
                            self.state = DetectorState::Object(automaton);
                        }
                        _ => return Some(LayoutVerdict::Unclear),
                    }
                    None
                }
                DetectorState::Object(automaton) => match automaton.push(byte) {
                    ByteStep::More => None,
                    ByteStep::End | ByteStep::EndBefore => {
                        self.state = match self.over_lines {
                            true => DetectorState::Behind,
                            false => DetectorState::BehindLine { comma: false },
                        };
                        None
                    }
                    ByteStep::Bad => Some(LayoutVerdict::Unclear),
                },
                DetectorState::Behind => match byte {
                    _ if self.gap.pass(byte).is_ok() => None,
                    b'{' | b'[' => Some(LayoutVerdict::Values),
                    _ => Some(LayoutVerdict::Unclear),
                },
                DetectorState::BehindLine { comma } => match byte {
                    b'\n' if *comma => Some(LayoutVerdict::Unclear),
                    b'\n' => Some(LayoutVerdict::Lines),
                    _ if is_space(byte) => None,
                    b',' if !*comma => {
                        *comma = true;
                        None
                    }
                    _ => Some(LayoutVerdict::Lines),
                },
                DetectorState::Element(automaton) => match automaton.push(byte) {
                    ByteStep::More => None,
                    ByteStep::Bad => Some(LayoutVerdict::Unclear),
                    ByteStep::End => {
                        self.state = DetectorState::Between { after: true, comma: false };
                        None
                    }
                    ByteStep::EndBefore => {
                        self.state = DetectorState::Between { after: true, comma: false };
                        self.between(byte, true, false)
                    }
                },
                DetectorState::Between { after, comma } => {
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

    fn between(&mut self, byte: u8, after: bool, comma: bool) -> Option<LayoutVerdict> {
        match byte {
            _ if is_space(byte) => return None,
            b']' if comma => return Some(LayoutVerdict::Unclear),
            b']' if self.over_lines => self.state = DetectorState::Behind,
            b']' => return Some(LayoutVerdict::Lines),
            b',' if after && self.later => return Some(LayoutVerdict::Values),
            b',' if after => self.state = DetectorState::Between { after: false, comma: true },
            _ if after => return Some(LayoutVerdict::Unclear),
            _ => {
                let mut automaton = Automaton::new();
                if automaton.push(byte) == ByteStep::Bad {
                    return Some(LayoutVerdict::Unclear);
                }
                self.later = self.over_lines;
                self.state = DetectorState::Element(automaton);
            }
        }
        None
    }

    /// The verdict where no more is to be seen: `ended` says whether there is more.
    pub(super) fn finish(&self, ended: bool) -> LayoutVerdict {
        match self.state {
            DetectorState::Behind => LayoutVerdict::Values,
            DetectorState::Before | DetectorState::BehindLine { .. } => LayoutVerdict::Lines,
            // Cut short, or broken.
            _ if ended => LayoutVerdict::Unclear,
            // Over several lines already, and right so far, it is not a line.
            _ if self.over_lines => LayoutVerdict::Values,
            _ => LayoutVerdict::Lines,
        }
    }
}

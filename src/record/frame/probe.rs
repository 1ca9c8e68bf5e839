//! Whether a stream is lines or values, told from its beginning.

use crate::record::syntax::{Step, Syntax, is_space};

/// What a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Lines,
    Values,
}

/// Tells from a stream's beginning which [`Layout`] it has.
#[derive(Debug, Default)]
pub(super) struct Probe {
    state: ProbeState,
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
    /// In an array, between elements; a comma, an element or the end may come.
    Between {
        after: bool,
        comma: bool,
    },
    Element(Syntax),
}

impl Probe {
    /// Takes more of the stream; the layout, once it is certain.
    ///
    /// An object decides by its end: on its first line or on a later one. An array decides as
    /// soon as an element that touches a later line is whole and a comma or the end follows, so
    /// that neither a long array nor one that is cut short must be read to its end first.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<Layout> {
        let by_lines = |over| if over { Layout::Values } else { Layout::Lines };
        for &byte in bytes {
            if byte == b'\n' && !matches!(self.state, ProbeState::Before) {
                self.over_lines = true;
                self.later = true;
            }
            match &mut self.state {
                ProbeState::Before => match byte {
                    _ if is_space(byte) => {}
                    b'[' => self.state = ProbeState::Between { after: false, comma: false },
                    b'{' => {
                        let mut syntax = Syntax::new();
                        syntax.push(byte);
                        self.state = ProbeState::Object(syntax);
                    }
                    _ => return Some(Layout::Lines),
                },
                ProbeState::Object(syntax) => match syntax.push(byte) {
                    Step::More => {}
                    Step::End | Step::EndBefore => return Some(by_lines(self.over_lines)),
                    Step::Bad => return Some(Layout::Lines),
                },
                ProbeState::Element(syntax) => match syntax.push(byte) {
                    Step::More => {}
                    Step::Bad => return Some(Layout::Lines),
                    Step::End => self.state = ProbeState::Between { after: true, comma: false },
                    Step::EndBefore => {
                        self.state = ProbeState::Between { after: true, comma: false };
                        if let Some(layout) = self.between(byte, true, false) {
                            return Some(layout);
                        }
                    }
                },
                ProbeState::Between { after, comma } => {
                    let (after, comma) = (*after, *comma);
                    if let Some(layout) = self.between(byte, after, comma) {
                        return Some(layout);
                    }
                }
            }
        }
        None
    }

    fn between(&mut self, byte: u8, after: bool, comma: bool) -> Option<Layout> {
        match byte {
            _ if is_space(byte) => return None,
            b']' if comma => return Some(Layout::Lines),
            b']' => return Some(if self.over_lines { Layout::Values } else { Layout::Lines }),
            b',' if after && self.later => return Some(Layout::Values),
            b',' if after => self.state = ProbeState::Between { after: false, comma: true },
            _ if after => return Some(Layout::Lines),
            _ => {
                let mut syntax = Syntax::new();
                if syntax.push(byte) == Step::Bad {
                    return Some(Layout::Lines);
                }
                self.later = self.over_lines;
                self.state = ProbeState::Element(syntax);
            }
        }
        None
    }

    /// The layout of a stream whose first value does not end within the limit: over several lines
    /// already, and right so far, it is no line.
    pub(super) fn beyond_limit(&self) -> Layout {
        if self.over_lines { Layout::Values } else { Layout::Lines }
    }
}

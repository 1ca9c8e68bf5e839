//! What a stream is whose beginning does not say so: perhaps one that begins in the middle of a JSON
//! value, as the files of a log that was rotated do.

use super::span::{Defect, UnitSpan};
use crate::record::boundaries::{Automaton, ByteStep, gap, trim};

/// What a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamLayout {
    Lines,
    /// JSON values, after this many bytes that are the end of one.
    Values {
        head: usize,
    },
}

const NO_HEAD: Defect = Defect::Broken("the end of a JSON value whose beginning is not there");

/// The layout of a stream that begins with `window`, once it is certain. `is_all` says that no more
/// will be seen, `ended` that there is no more.
///
/// Lines are passed that may be part of a value over several lines, up to the first that opens an
/// object or array with which a sequence of values begins: values with nothing between them, or with
/// commas up to the end of an array. What is nested deeper in the first value is not such a sequence,
/// because at its end comes something else.
pub(super) fn layout(window: &[u8], is_all: bool, ended: bool) -> Option<StreamLayout> {
    let (mut at, mut first) = (0, true);
    let (mut opens, mut closes) = (false, false);
    loop {
        let end = match memchr::memchr(b'\n', &window[at..]) {
            Some(length) => at + length,
            None if is_all => window.len(),
            None => return None,
        };
        let line = &window[at..end];
        if let Some(opener) = opener(line) {
            opens = true;
            match follow(window, at + opener, is_all) {
                WhatFollows::Values => return Some(StreamLayout::Values { head: at + opener }),
                WhatFollows::Lines => return Some(StreamLayout::Lines),
                WhatFollows::Unknown => return None,
                WhatFollows::Neither(until) => {
                    let start = memchr::memrchr(b'\n', &window[..until]).map_or(0, |newline| newline + 1);
                    if start > at {
                        (at, first) = (start, false);
                        continue;
                    }
                }
            }
        } else if !first && !is_inside(line) {
            return Some(StreamLayout::Lines);
        }
        closes |= matches!(trim(line).first(), Some(b'}' | b']'));
        first &= trim(line).is_empty();
        if end == window.len() {
            break;
        }
        at = end + 1;
    }
    // Nothing but the end of a value.
    let rest_only = ended && closes && !opens;
    Some(if rest_only { StreamLayout::Values { head: window.len() } } else { StreamLayout::Lines })
}

/// The end of a value whose beginning is not there, if these bytes are more than white space.
pub(super) fn span(head: &[u8], offset: u64, line: u64) -> Option<UnitSpan> {
    let start = gap(head);
    let before = &head[..start];
    let solid = head
        .iter()
        .rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b','))
        .map_or(0, |at| at + 1);
    (solid > start).then(|| UnitSpan {
        start: offset + start as u64,
        end: offset + solid as u64,
        line: line + memchr::memchr_iter(b'\n', before).count() as u64,
        column: (start - memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1)) as u64 + 1,
        defect: Some(NO_HEAD),
    })
}

/// Where in a line a bracket is opened, if nothing but closed brackets and commas come before it.
fn opener(line: &[u8]) -> Option<usize> {
    let at = line.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b',' | b'}' | b']'))?;
    matches!(line[at], b'{' | b'[').then_some(at)
}

/// Whether a line may stand inside of a value over several lines, and opens no bracket.
fn is_inside(line: &[u8]) -> bool {
    let line = trim(line);
    let word = trim(line.strip_suffix(b",").unwrap_or(line));
    let number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    matches!(line.first(), None | Some(b'"' | b'}' | b']'))
        || matches!(word, b"true" | b"false" | b"null")
        || word.iter().all(number)
}

/// What follows from a place on.
enum WhatFollows {
    /// A sequence of values of which one goes over several lines, or which are an array's elements.
    Values,
    /// A value that is a line.
    Lines,
    /// Neither, up to there.
    Neither(usize),
    /// That is not certain yet.
    Unknown,
}

fn follow(window: &[u8], start: usize, is_all: bool) -> WhatFollows {
    let sequence = |is_one| if is_one { WhatFollows::Values } else { WhatFollows::Lines };
    let (mut at, mut commas, mut over_lines) = (start, false, false);
    loop {
        let mut automaton = Automaton::new();
        let mut end = None;
        for (i, byte) in window[at..].iter().enumerate() {
            match automaton.push(*byte) {
                ByteStep::More => {}
                ByteStep::End => {
                    end = Some(at + i + 1);
                    break;
                }
                ByteStep::Bad | ByteStep::EndBefore => return WhatFollows::Neither(at + i),
            }
        }
        let Some(end) = end else {
            return match is_all {
                false => WhatFollows::Unknown,
                true if commas || over_lines || is_cut(&window[at..]) => WhatFollows::Values,
                true => WhatFollows::Neither(window.len()),
            };
        };
        over_lines |= memchr::memchr(b'\n', &window[at..end]).is_some();
        // What comes next; nothing if that is not certain, because a byte order mark may be cut.
        let next = |at: usize| {
            let next = at + gap(&window[at..]);
            (is_all || next + 3 <= window.len()).then(|| (next, window.get(next)))
        };
        let Some((behind, byte)) = next(end) else { return WhatFollows::Unknown };
        match byte {
            Some(b',') => {
                let Some((element, byte)) = next(behind + 1) else { return WhatFollows::Unknown };
                match byte {
                    Some(b'{' | b'[') => (at, commas) = (element, true),
                    None => return sequence(over_lines),
                    Some(_) => return WhatFollows::Neither(behind),
                }
            }
            Some(b']') => {
                let Some((_, byte)) = next(behind + 1) else { return WhatFollows::Unknown };
                return match byte {
                    None | Some(b'{' | b'[') => WhatFollows::Values,
                    Some(_) => WhatFollows::Neither(behind),
                };
            }
            Some(b'{' | b'[') if commas => return WhatFollows::Neither(behind),
            None | Some(b'{' | b'[') => return sequence(over_lines),
            Some(_) => return WhatFollows::Neither(behind),
        }
    }
}

/// Whether a text without an end is a value over several lines, and not lines of which the first is
/// broken: no line of it begins with a bracket.
fn is_cut(text: &[u8]) -> bool {
    let mut later =
        text.split(|byte| *byte == b'\n').skip(1).filter(|line| !trim(line).is_empty()).peekable();
    later.peek().is_some()
        && later.all(|line| !matches!(line[0], b'{' | b'[') && (is_inside(line) || opener(line).is_some()))
}

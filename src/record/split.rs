//! Cuts a stream of JSON values into units: each value, and each element of an array at the top.
//!
//! A value that breaks off or goes wrong does not take what follows with it: the splitter goes on
//! at the next line that begins like the line on which the broken unit began.

use super::syntax::{Step, Syntax, is_space};

/// A unit in the stream, by absolute offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The line on which it begins.
    pub(crate) line: u64,
    pub(crate) flaw: Option<Flaw>,
}

/// Why a unit can't be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Longer than the limit.
    TooLong,
    /// Not JSON in the place where it stands; a sentence says why.
    Broken(&'static str),
}

const BROKEN: Flaw = Flaw::Broken("the JSON value breaks off or goes wrong before its end");
const NO_COMMA: Flaw = Flaw::Broken("a comma is missing before this element of the array");
const STRAY_COMMA: Flaw = Flaw::Broken("after the last comma of the array comes no element");
const NOT_CLOSED: Flaw = Flaw::Broken("the array is not closed");

/// The longest indentation that is told apart.
const MOST_INDENT: usize = 256;

/// The splitter; feed it the stream block by block.
#[derive(Debug)]
pub(crate) struct Splitter {
    limit: u64,
    /// Whether to look for a line to go on at after an error; otherwise the rest is one broken unit.
    recovers: bool,
    at: u64,
    line: u64,
    /// The white space that the current line began with; complete once `in_indent` is false.
    indent: Vec<u8>,
    in_indent: bool,
    place: Place,
    unit: Option<Unit>,
}

/// Where between units the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside any array.
    Top,
    /// In an array, before its first element.
    First,
    /// In an array, after a comma.
    Next,
    /// In an array, after an element.
    After,
}

#[derive(Debug)]
struct Unit {
    start: u64,
    line: u64,
    indent: Vec<u8>,
    flaw: Option<Flaw>,
    /// Nothing once the unit is broken and its end is looked for.
    syntax: Option<Syntax>,
    /// Behind the last byte that is neither white space nor, in an array, a comma.
    solid: u64,
}

impl Splitter {
    /// A splitter for a stream that begins at `offset`, on line `line`.
    pub(crate) fn new(limit: u64, recovers: bool, offset: u64, line: u64) -> Splitter {
        Splitter {
            limit,
            recovers,
            at: offset,
            line,
            indent: Vec::new(),
            in_indent: true,
            place: Place::Top,
            unit: None,
        }
    }

    /// Where the stream has got to.
    pub(crate) fn offset(&self) -> u64 {
        self.at
    }

    /// Where the unit that has not ended yet begins.
    pub(crate) fn pending(&self) -> Option<u64> {
        self.unit.as_ref().map(|unit| unit.start)
    }

    /// Takes the next bytes of the stream and adds the units that end in them.
    pub(crate) fn feed(&mut self, bytes: &[u8], pieces: &mut Vec<Piece>) {
        for &byte in bytes {
            if self.in_indent && !(byte == b' ' || byte == b'\t') {
                self.in_indent = false;
                self.byte(byte, true, pieces);
            } else {
                if self.in_indent && self.indent.len() < MOST_INDENT {
                    self.indent.push(byte);
                }
                self.byte(byte, false, pieces);
            }
            self.at += 1;
            if byte == b'\n' {
                self.line += 1;
                self.indent.clear();
                self.in_indent = true;
            }
        }
    }

    /// Ends the stream.
    pub(crate) fn finish(&mut self, pieces: &mut Vec<Piece>) {
        let end = self.at;
        if let Some(unit) = &mut self.unit {
            // A number or word at the very end is whole; anything else would have ended already.
            let whole = unit.syntax.as_mut().is_some_and(|syntax| syntax.push(b' ') == Step::EndBefore);
            if !whole {
                unit.flaw = Some(BROKEN);
                self.end_broken(pieces);
                return;
            }
            self.end_unit(end, pieces);
        }
        if self.place != Place::Top {
            pieces.push(Piece { start: end, end, line: self.line, flaw: Some(NOT_CLOSED) });
        }
    }

    /// One byte; `leads` if it is the first of its line that is not white space.
    fn byte(&mut self, byte: u8, leads: bool, pieces: &mut Vec<Piece>) {
        let at = self.at;
        let in_array = self.place != Place::Top;
        let Some(unit) = &mut self.unit else { return self.between(byte, leads, pieces) };
        let filler = is_space(byte) || (in_array && byte == b',');
        if let Some(syntax) = &mut unit.syntax {
            match syntax.push(byte) {
                Step::More => {
                    if !filler {
                        unit.solid = at + 1;
                    }
                    return;
                }
                Step::End => return self.end_unit(at + 1, pieces),
                Step::EndBefore => {
                    self.end_unit(at, pieces);
                    return self.between(byte, leads, pieces);
                }
                Step::Bad => {
                    unit.flaw = Some(BROKEN);
                    unit.syntax = None;
                }
            }
        }
        // Looking for the end of a broken unit.
        let resumes = matches!(byte, b'{' | b'[') || (in_array && byte == b']');
        if self.recovers && leads && resumes && at > unit.start && unit.indent == self.indent {
            self.end_broken(pieces);
            return self.between(byte, leads, pieces);
        }
        if !filler {
            unit.solid = at + 1;
        }
    }

    fn between(&mut self, byte: u8, leads: bool, pieces: &mut Vec<Piece>) {
        if is_space(byte) {
            return;
        }
        match (self.place, byte) {
            (Place::Top, b'[') => self.place = Place::First,
            (Place::First | Place::After, b']') => self.place = Place::Top,
            (Place::Next, b']') => {
                pieces.push(Piece {
                    start: self.at,
                    end: self.at + 1,
                    line: self.line,
                    flaw: Some(STRAY_COMMA),
                });
                self.place = Place::Top;
            }
            (Place::After, b',') => self.place = Place::Next,
            (place, _) => {
                let flaw = (place == Place::After).then_some(NO_COMMA);
                self.unit = Some(Unit {
                    start: self.at,
                    line: self.line,
                    indent: self.indent.clone(),
                    flaw,
                    syntax: Some(Syntax::new()),
                    solid: self.at + 1,
                });
                self.byte(byte, leads, pieces);
            }
        }
    }

    fn end_unit(&mut self, end: u64, pieces: &mut Vec<Piece>) {
        let Some(unit) = self.unit.take() else { return };
        let flaw = if end - unit.start > self.limit { Some(Flaw::TooLong) } else { unit.flaw };
        pieces.push(Piece { start: unit.start, end, line: unit.line, flaw });
        if self.place != Place::Top {
            self.place = Place::After;
        }
    }

    /// Ends a broken unit. In an array a comma is taken to follow it.
    fn end_broken(&mut self, pieces: &mut Vec<Piece>) {
        let Some(solid) = self.unit.as_ref().map(|unit| unit.solid) else { return };
        self.end_unit(solid, pieces);
        if self.place != Place::Top {
            self.place = Place::First;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The units of `text` as `line:bytes`, `!` before a broken one, `>` before one too long; the
    /// same for every way to cut the stream in two.
    fn units(text: &str, recovers: bool) -> Vec<String> {
        let mut results = Vec::new();
        for cut in 0..=text.len() {
            let mut splitter = Splitter::new(30, recovers, 0, 1);
            let mut pieces = Vec::new();
            splitter.feed(&text.as_bytes()[..cut], &mut pieces);
            splitter.feed(&text.as_bytes()[cut..], &mut pieces);
            splitter.finish(&mut pieces);
            results.push(pieces);
        }
        results.dedup();
        assert_eq!(results.len(), 1, "the cut shows: {results:?}");
        let show = |piece: &Piece| {
            let mark = match piece.flaw {
                None => "",
                Some(Flaw::TooLong) => ">",
                Some(Flaw::Broken(_)) => "!",
            };
            format!("{mark}{}:{}", piece.line, &text[piece.start as usize..piece.end as usize])
        };
        results[0].iter().map(show).collect()
    }

    #[test]
    fn streams_are_cut_into_units() {
        for (text, expected) in [
            ("", vec![]),
            ("{\n}\n{\"a\":1}", vec!["1:{\n}", "3:{\"a\":1}"]),
            ("{}{} 7 \"x\"", vec!["1:{}", "1:{}", "1:7", "1:\"x\""]),
            ("[{},\n {},\n 7,[1]]\n{}", vec!["1:{}", "2:{}", "3:7", "3:[1]", "4:{}"]),
            ("[]\n[ ]", vec![]),
            ("[7]", vec!["1:7"]),
            // Flaws around elements.
            ("[{} {}]", vec!["1:{}", "!1:{}"]),
            ("[{},]", vec!["1:{}", "!1:]"]),
            ("[{}", vec!["1:{}", "!1:"]),
            ("[{},", vec!["1:{}", "!1:"]),
            // A broken unit and its neighbours.
            ("{\n\"a\":1\n{}\n{}", vec!["!1:{\n\"a\":1", "3:{}", "4:{}"]),
            ("{\n  \"a\": x y,\n  \"b\": {}\n}\n{}", vec!["!1:{\n  \"a\": x y,\n  \"b\": {}\n}", "5:{}"]),
            ("[\n  {,},\n  {}\n]\n{}", vec!["!2:{,}", "3:{}", "5:{}"]),
            ("[\n  {\"a\n  ]\n{}", vec!["!2:{\"a", "4:{}"]),
            ("[\n{\"a\":1,\n{}\n]", vec!["!2:{\"a\":1", "3:{}"]),
            ("{\"a\":", vec!["!1:{\"a\":"]),
            (",\n{}", vec!["!1:,", "2:{}"]),
            ("] 7\n{}", vec!["!1:] 7", "2:{}"]),
            // Too long.
            (
                "[{\"a\":\"0123456789012345678901\"},{\"a\":\"01234567890123456789012\"},{}]",
                vec![
                    "1:{\"a\":\"0123456789012345678901\"}",
                    ">1:{\"a\":\"01234567890123456789012\"}",
                    "1:{}",
                ],
            ),
        ] {
            assert_eq!(units(text, true), expected, "{text:?}");
        }
        assert_eq!(units("[{},{,},{}]", false), ["1:{}", "!1:{,},{}]"]);
    }
}

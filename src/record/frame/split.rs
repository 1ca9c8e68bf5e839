//! Cuts a stream of JSON values into units: each value, and each element of an array at the top.
//!
//! A value that breaks off or goes wrong does not take what follows with it: the splitter goes on
//! at the next line that is indented like the line on which the broken unit began, or less, and begins
//! with a bracket.

use super::span::{BREAKS_OFF, DEEP_KEPT, Defect, UnitSpan, defect_of};
use crate::record::boundaries::{Automaton, ByteStep, Gap, RECORD_MARK, is_space};

const BROKEN: Defect = Defect::Broken(BREAKS_OFF);
const NO_COMMA: Defect = Defect::Broken("a comma is missing before this element of the array");
const STRAY_COMMA: Defect = Defect::Broken("expected an element behind the last comma of the array");
const NOT_CLOSED: Defect = Defect::Broken("the array is not closed");
const NOT_OPENED: Defect = Defect::Broken("this closes an array whose beginning is not there");

/// The longest indentation that is compared.
const MOST_INDENT: usize = 256;
/// Which arrays at the top were opened where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// The stream may have begun inside an array: its first value has not been followed by anything.
    Unknown,
    /// It did not.
    Here,
    /// It did.
    Before,
}

/// The splitter; feed it the stream block by block.
#[derive(Debug)]
pub(crate) struct Splitter {
    limit: u64,
    /// Whether it stops at the end of the array that it began in, and takes what follows an error
    /// for one broken unit.
    one_array: bool,
    at: u64,
    line: u64,
    line_start: u64,
    /// The white space that the current line began with; complete once `in_indent` is false.
    indent: Vec<u8>,
    in_indent: bool,
    place: BetweenUnits,
    opening: Opening,
    /// Whether the stream's beginning was already found to be missing.
    headless: bool,
    gap: Gap,
    unit: Option<OpenUnit>,
}

/// Where between units the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BetweenUnits {
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
struct OpenUnit {
    start: u64,
    line: u64,
    column: u64,
    indent: Vec<u8>,
    defect: Option<Defect>,
    too_deep: bool,
    /// Nothing once the unit is broken and its end is looked for.
    automaton: Option<Automaton>,
    /// Behind the last byte that is neither white space nor, in an array, a comma.
    solid: u64,
}

impl Splitter {
    /// A splitter for a stream that begins at `offset`, on line `line`. `headless` says that there
    /// should have been something before.
    pub(crate) fn new(limit: u64, offset: u64, line: u64, headless: bool) -> Splitter {
        Splitter {
            limit,
            one_array: false,
            at: offset,
            line,
            line_start: offset,
            indent: Vec::new(),
            in_indent: true,
            place: BetweenUnits::Top,
            opening: Opening::Unknown,
            headless,
            gap: Gap::default(),
            unit: None,
        }
    }

    /// A splitter for the array that begins at `offset`, on a line that begins at `line_start`.
    pub(crate) fn of_array(limit: u64, offset: u64, line: u64, line_start: u64) -> Splitter {
        Splitter { one_array: true, line_start, ..Splitter::new(limit, offset, line, false) }
    }

    /// Where the stream has got to.
    pub(crate) fn offset(&self) -> u64 {
        self.at
    }

    /// Where the bytes begin that may be part of a unit that has not ended yet.
    pub(crate) fn pending(&self) -> Option<u64> {
        let begun = self.gap.begun();
        self.unit.as_ref().map(|unit| unit.start).or((begun > 0).then(|| self.at - begun))
    }

    /// Whether the one array that it reads has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.one_array && self.place == BetweenUnits::Top && self.opening == Opening::Here
    }

    /// How many bytes of the pending unit may be wanted.
    pub(crate) fn keeps(&self) -> u64 {
        let is_deep = self.unit.as_ref().is_some_and(|unit| unit.too_deep);
        if is_deep { self.limit.min(DEEP_KEPT) } else { self.limit }
    }

    /// Takes the next bytes of the stream and adds the units that end in them; how many it took. That
    /// is all of them, unless it reads one array and that has ended.
    pub(crate) fn feed(&mut self, bytes: &[u8], spans: &mut Vec<UnitSpan>) -> usize {
        for (i, &byte) in bytes.iter().enumerate() {
            if self.in_indent && !(byte == b' ' || byte == b'\t') {
                self.in_indent = false;
                self.byte(byte, true, spans);
            } else {
                if self.in_indent && self.indent.len() < MOST_INDENT {
                    self.indent.push(byte);
                }
                self.byte(byte, false, spans);
            }
            self.at += 1;
            if byte == b'\n' {
                self.line += 1;
                self.line_start = self.at;
                self.indent.clear();
                self.in_indent = true;
            }
            if self.has_ended() {
                return i + 1;
            }
        }
        bytes.len()
    }

    /// Ends the stream.
    pub(crate) fn finish(&mut self, spans: &mut Vec<UnitSpan>) {
        let end = self.at;
        let begun = self.gap.begun();
        if begun > 0 {
            self.begin(end - begun, None);
        }
        if let Some(unit) = &mut self.unit {
            // A number or word at the very end is whole; anything else would have ended already.
            let whole =
                unit.automaton.as_mut().is_some_and(|automaton| automaton.push(b' ') == ByteStep::EndBefore);
            if !whole {
                unit.defect = Some(BROKEN);
                self.end_broken(spans);
                return;
            }
            self.end_unit(end, spans);
        }
        if self.place != BetweenUnits::Top {
            spans.push(self.mark(end, end, NOT_CLOSED));
        }
    }

    /// A place with something wrong, outside any unit.
    fn mark(&self, start: u64, end: u64, defect: Defect) -> UnitSpan {
        UnitSpan { start, end, line: self.line, column: start - self.line_start + 1, defect: Some(defect) }
    }

    /// One byte; `leads` if it is the first of its line that is not white space.
    fn byte(&mut self, byte: u8, leads: bool, spans: &mut Vec<UnitSpan>) {
        let at = self.at;
        let in_array = self.place != BetweenUnits::Top;
        let Some(unit) = &mut self.unit else { return self.between(byte, leads, spans) };
        if byte == RECORD_MARK {
            // It is inside no value: whatever was begun before it has not been ended.
            match unit.automaton.as_mut().map(|automaton| automaton.push(byte)) {
                Some(ByteStep::EndBefore) => self.end_unit(at, spans),
                _ => {
                    unit.defect = Some(BROKEN);
                    self.end_broken(spans);
                }
            }
            self.place = BetweenUnits::Top;
            return;
        }
        let filler = is_space(byte) || (in_array && byte == b',');
        if let Some(automaton) = &mut unit.automaton {
            let step = automaton.push(byte);
            match step {
                ByteStep::More => {
                    unit.too_deep |= automaton.is_too_deep();
                    if !filler {
                        unit.solid = at + 1;
                    }
                    return;
                }
                ByteStep::End => return self.end_unit(at + 1, spans),
                ByteStep::EndBefore => {
                    self.end_unit(at, spans);
                    return self.between(byte, leads, spans);
                }
                ByteStep::Bad => {
                    unit.defect = Some(BROKEN);
                    unit.automaton = None;
                }
            }
        }
        // Looking for the end of a broken unit.
        let resumes = matches!(byte, b'{' | b'[') || (in_array && byte == b']');
        if !self.one_array && leads && resumes && at > unit.start && unit.indent.starts_with(&self.indent) {
            self.end_broken(spans);
            return self.between(byte, leads, spans);
        }
        if !filler {
            unit.solid = at + 1;
        }
    }

    fn between(&mut self, byte: u8, leads: bool, spans: &mut Vec<UnitSpan>) {
        if byte == RECORD_MARK && self.place != BetweenUnits::Top {
            spans.push(self.mark(self.at, self.at, NOT_CLOSED));
            self.place = BetweenUnits::Top;
        }
        match self.gap.pass(byte) {
            Ok(()) => return,
            Err(0) => {}
            Err(bytes) => {
                self.begin(self.at - bytes, None);
                return self.byte(byte, leads, spans);
            }
        }
        let (at, opening) = (self.at, self.opening);
        match (self.place, byte) {
            (BetweenUnits::Top, b'[') => {
                self.place = BetweenUnits::First;
                self.opening = Opening::Here;
            }
            // The values so far were an array's, whose beginning is not in this stream.
            (BetweenUnits::Top, b',') if opening == Opening::Before => self.place = BetweenUnits::Next,
            (BetweenUnits::Top, b']') if opening == Opening::Before => {
                self.opening = Opening::Here;
                self.closed_only(spans);
            }
            (BetweenUnits::First | BetweenUnits::After, b']') => {
                self.place = BetweenUnits::Top;
                if opening == Opening::Before {
                    self.opening = Opening::Here;
                    self.closed_only(spans);
                }
            }
            (BetweenUnits::Next, b']') => {
                spans.push(self.mark(at, at + 1, STRAY_COMMA));
                self.place = BetweenUnits::Top;
            }
            (BetweenUnits::After, b',') => self.place = BetweenUnits::Next,
            (place, _) => {
                if place == BetweenUnits::Top {
                    // Nothing between two values: they are in no array.
                    self.opening = if opening == Opening::Unknown { opening } else { Opening::Here };
                }
                self.begin(at, (place == BetweenUnits::After).then_some(NO_COMMA));
                if let Some(unit) = &mut self.unit {
                    unit.automaton = Some(Automaton::new());
                }
                self.byte(byte, leads, spans);
            }
        }
    }

    /// An array was closed that was not opened in this stream.
    fn closed_only(&mut self, spans: &mut Vec<UnitSpan>) {
        if !std::mem::replace(&mut self.headless, true) {
            spans.push(self.mark(self.at, self.at + 1, NOT_OPENED));
        }
    }

    /// Begins a unit, which is broken until it gets a syntax.
    fn begin(&mut self, start: u64, defect: Option<Defect>) {
        self.unit = Some(OpenUnit {
            start,
            line: self.line,
            column: start - self.line_start + 1,
            indent: self.indent.clone(),
            defect,
            too_deep: false,
            automaton: None,
            solid: start + 1,
        });
    }

    fn end_unit(&mut self, end: u64, spans: &mut Vec<UnitSpan>) {
        let Some(OpenUnit { start, line, column, defect, too_deep, .. }) = self.unit.take() else { return };
        let defect = defect_of(end - start, too_deep, self.limit).or(defect);
        spans.push(UnitSpan { start, end, line, column, defect });
        if self.place != BetweenUnits::Top {
            self.place = BetweenUnits::After;
        } else if self.opening == Opening::Unknown {
            self.opening = Opening::Before;
        }
    }

    /// Ends a broken unit. In an array a comma is taken to follow it.
    fn end_broken(&mut self, spans: &mut Vec<UnitSpan>) {
        let Some(unit) = &mut self.unit else { return };
        unit.defect = unit.defect.or(Some(BROKEN));
        let solid = unit.solid;
        let before = self.opening;
        self.end_unit(solid, spans);
        if self.place == BetweenUnits::Top {
            self.opening = before;
        } else {
            self.place = BetweenUnits::First;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The units of `text` as `line:bytes`, `!` before a broken one, `>` before one too long; the
    /// same for every way to cut the stream in two.
    fn units(text: &str, one_array: bool) -> Vec<String> {
        let mut results = Vec::new();
        for cut in 0..=text.len() {
            let mut splitter =
                if one_array { Splitter::of_array(30, 0, 1, 0) } else { Splitter::new(30, 0, 1, false) };
            let mut spans = Vec::new();
            splitter.feed(&text.as_bytes()[..cut], &mut spans);
            splitter.feed(&text.as_bytes()[cut..], &mut spans);
            splitter.finish(&mut spans);
            results.push(spans);
        }
        results.dedup();
        assert_eq!(results.len(), 1, "the cut shows: {results:?}");
        let show = |span: &UnitSpan| {
            let mark = match span.defect {
                None => "",
                Some(Defect::TooLong) => ">",
                Some(Defect::TooDeep) => "^",
                Some(Defect::Broken(_)) => "!",
            };
            format!("{mark}{}:{}", span.line, &text[span.start as usize..span.end as usize])
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
            // What is between values.
            ("\u{1e}{}\n\u{1e}{\n}\u{feff}{}\u{feff}", vec!["1:{}", "2:{\n}", "3:{}"]),
            ("\u{1e}{\"a\u{1e}{}\u{1e}7\u{1e}", vec!["!1:{\"a", "1:{}", "1:7"]),
            ("{}\u{fee0}\n{}", vec!["1:{}", "!1:\u{fee0}", "2:{}"]),
            // An array whose beginning, or all but its end, is not there.
            ("{},\n{},\n{}\n]", vec!["1:{}", "2:{}", "3:{}", "!4:]"]),
            ("{}\n]\n{}", vec!["1:{}", "!2:]", "3:{}"]),
            ("{}{}\n,{}", vec!["1:{}", "1:{}", "!2:,{}"]),
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
            assert_eq!(units(text, false), expected, "{text:?}");
        }
        assert_eq!(units("[{},{,},{}]", true), ["1:{}", "!1:{,},{}]"]);
    }
}

//! Reads an input and cuts it into pieces, by its lines, the frozen limits and the state.

use super::Error;
use super::lines::{Line, Lines};
use super::maker::{Maker, TAIL};
use super::piece::{EventAt, Piece, Reject};
use super::state::{InputState, Known};
use crate::text::hex;
use std::io::{self, Read};

/// The limits of a request: frozen in the state, because a range that is sent again must be the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) events: u64,
    pub(super) bytes: u64,
}

/// What an input was, for the summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// Lines that are not blank.
    pub(super) lines: u64,
    /// Those that were done before.
    pub(super) done: u64,
    /// Whether the last line is not finished, so that it is left for another time.
    pub(super) is_unfinished: bool,
}

/// Cuts one input.
pub(super) struct Reader<'r> {
    /// Its name in the state.
    pub(super) name: &'r str,
    /// Its name for people.
    pub(super) source: &'r str,
    /// Which version of an object it is.
    pub(super) version: Option<&'r str>,
    pub(super) limits: Limits,
    pub(super) state: InputState,
    pub(super) maker: &'r mut Maker,
}

/// The piece that is being made.
#[derive(Default)]
struct Making {
    first: u64,
    body: Vec<u8>,
    events: Vec<EventAt>,
    rejects: Vec<Reject>,
    /// Whether it is done, so that nothing need be made of it.
    is_done: bool,
}

/// Pieces on their way.
struct Outlet<'r> {
    give: &'r mut dyn FnMut(Piece) -> bool,
    /// Those that wait until it is known that the input is the same one as before.
    held: Option<Vec<Piece>>,
}

impl Outlet<'_> {
    /// Whether it goes on.
    fn give(&mut self, piece: Piece) -> bool {
        match &mut self.held {
            Some(held) => {
                held.push(piece);
                true
            }
            None => (self.give)(piece),
        }
    }

    fn release(&mut self) -> bool {
        self.held.take().unwrap_or_default().into_iter().all(|piece| (self.give)(piece))
    }
}

impl Reader<'_> {
    /// Hands all pieces that are not done to `give`, in order; `false` ends it.
    ///
    /// # Errors
    /// If the input can't be read, or is another one than it was.
    pub(super) fn run(
        mut self,
        input: impl Read,
        give: &mut dyn FnMut(Piece) -> bool,
    ) -> Result<Passed, Error> {
        let mut lines = Lines::new(input);
        let mut passed = Passed::default();
        let known = self.state.known.clone();
        let mut outlet = Outlet { give, held: (known.lines > 0).then(Vec::new) };
        // Before the first event there is no comma, which each event counts.
        let around = (self.maker.head().len() + TAIL.len()) as u64 - 1;
        let (mut number, mut count, mut bytes) = (0, 0, around);
        let mut making = self.begin(1);
        let mut end = 0;
        while let Some(line) = lines.next().map_err(|error| self.unread(&error))? {
            let solid = self.maker.solid(lines.bytes(&line));
            let is_blank = solid.is_empty();
            if passed.lines == 0 && !is_blank {
                self.spans_lines(solid.trim_ascii())?;
            }
            if !line.ended && !line.is_long && is_unfinished(solid.trim_ascii()) {
                passed.is_unfinished = true;
                break;
            }
            number += 1;
            let space = lines.bytes(&line).len() - solid.len();
            let cost = if is_blank { 0 } else { self.maker.cost(line.length - space as u64) };
            let is_full =
                !is_blank && count > 0 && (count == self.limits.events || bytes + cost > self.limits.bytes);
            let is_range = if number < self.state.base {
                // All of it is done, and no range begins in it.
                false
            } else {
                is_full || number == self.state.base || self.state.ends.binary_search(&number).is_ok()
            };
            if is_range {
                (count, bytes) = (0, around);
            }
            if number > making.first && (is_range || self.state.cuts.binary_search(&number).is_ok()) {
                let next = self.begin(number);
                let made = std::mem::replace(&mut making, next);
                let known = self.known(&mut lines, number - 1, line.start);
                if !self.finish(made, known, None, &mut outlet)? {
                    return Ok(passed);
                }
            }
            (count, bytes) = (count + u64::from(!is_blank), bytes + cost);
            passed.lines += u64::from(!is_blank);
            passed.done += u64::from(!is_blank && making.is_done);
            if !is_blank && !making.is_done {
                let solid = self.maker.solid(lines.bytes(&line));
                self.take(&mut making, solid, &line, number);
            }
            end = if line.ended { line.content_end() + 1 } else { line.content_end() };
            if number == known.lines {
                self.compare(&mut lines, &line, &known)?;
                if !outlet.release() {
                    return Ok(passed);
                }
            }
        }
        if outlet.held.is_some() {
            return Err(self.replaced("is shorter than it was"));
        }
        if number >= making.first {
            let known = self.known(&mut lines, number, end);
            self.finish(making, known, Some(!passed.is_unfinished), &mut outlet)?;
        }
        Ok(passed)
    }

    fn begin(&self, first: u64) -> Making {
        Making { first, is_done: self.state.done.around(first).is_some(), ..Making::default() }
    }

    fn take(&mut self, making: &mut Making, solid: &[u8], line: &Line, number: u64) {
        if line.is_long {
            making.rejects.push(Reject {
                line: number,
                length: line.length,
                reason: "too-large",
                message: format!(
                    "the line has {} bytes: only the first {} are here",
                    line.length,
                    solid.len()
                ),
                raw: solid.to_vec(),
            });
            return;
        }
        if making.body.is_empty() {
            making.body.extend_from_slice(self.maker.head());
        }
        match self.maker.add(solid, number, !making.events.is_empty(), &mut making.body) {
            Ok(event) => making.events.push(event),
            Err(reject) => making.rejects.push(reject),
        }
    }

    /// Gives out a piece, if it is not done; whether to go on. `ends` says that the input ends there, and whether its
    /// last line is whole.
    fn finish(
        &self,
        made: Making,
        known: Known,
        ends: Option<bool>,
        outlet: &mut Outlet<'_>,
    ) -> Result<bool, Error> {
        let lines = made.first..known.lines + 1;
        let Making { mut body, events, rejects, is_done, .. } = made;
        let fits = if is_done { self.state.done.holds(&lines) } else { !self.state.done.touches(&lines) };
        if !fits {
            let what =
                format!("the state does not fit `{}`: lines {} to {}", self.source, lines.start, known.lines);
            return Err(Error::new(what).with_hint("bring back the last good version of the state"));
        }
        if is_done {
            return Ok(true);
        }
        body.extend_from_slice(TAIL);
        Ok(outlet.give(Piece {
            input: self.name.to_owned(),
            source: self.source.to_owned(),
            again: lines.start <= self.state.known.lines,
            lines,
            body: body.into(),
            tail: TAIL.len(),
            is_encoded: self.maker.is_encoded(),
            events,
            rejects,
            known,
            is_end: ends.is_some(),
            version: self.version.filter(|_| ends == Some(true)).map(str::to_owned),
        }))
    }

    /// The input up to the end of a line.
    fn known(&self, lines: &mut Lines<impl Read>, number: u64, bytes: u64) -> Known {
        Known { lines: number, bytes, digest: hex(&lines.digest_at(bytes).to_be_bytes()) }
    }

    /// Whether the input begins as it did. A last line without an end may have got one.
    fn compare(&self, lines: &mut Lines<impl Read>, line: &Line, known: &Known) -> Result<(), Error> {
        let ends = [line.content_end(), line.content_end() + u64::from(line.ended)];
        if ends.contains(&known.bytes) && self.known(lines, known.lines, known.bytes).digest == known.digest {
            return Ok(());
        }
        Err(self.replaced("is another one than it was"))
    }

    fn replaced(&self, how: &str) -> Error {
        let Known { lines, .. } = self.state.known;
        let what = format!(
            "`{}` {how}: its first {lines} lines are noted in the state with other bytes",
            self.source
        );
        Error::new(what).with_hint(
            "nothing of it was sent; if it is a new one, give it another name, or give `--state` a place of its own",
        )
    }

    fn unread(&self, error: &io::Error) -> Error {
        match crate::store::Error::in_io(error) {
            Some(error) => Error::store(error),
            None => Error::new(format!("cannot read `{}`: {error}", self.source)),
        }
    }

    /// Refuses what begins with a value that goes on behind the line: its lines would be wrong ones.
    fn spans_lines(&self, first: &[u8]) -> Result<(), Error> {
        // A first line that was cut is a broken one among others; this is how lists and layouts begin.
        if first == b"{" || (first.starts_with(b"[") && is_cut_json(first)) {
            let what = format!(
                "`{}` is not one event or log a line: its first line ends in the middle of a value",
                self.source
            );
            return Err(Error::new(what).with_hint("write it as NDJSON, as `udmap convert` and `jq -c .` do"));
        }
        Ok(())
    }
}

/// Whether a last line without an end is still being written, as far as that can be seen.
fn is_unfinished(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'{' | b'[')) && is_cut_json(line)
}

fn is_cut_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_err_and(|error| error.is_eof())
}

#[cfg(test)]
mod tests {
    use super::super::event::EventMaker;
    use super::*;
    use std::cell::RefCell;

    fn event(n: usize) -> String {
        format!(
            r#"{{"metadata":{{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"GENERIC_EVENT"}},"principal":{{"hostname":"h{n}"}}}}"#
        )
    }

    fn text(n: usize) -> String {
        (1..=n).map(|n| event(n) + "\n").collect()
    }

    fn read(text: &str, state: &InputState, events: u64, bytes: u64) -> (Result<Passed, Error>, Vec<Piece>) {
        let pieces = RefCell::new(Vec::new());
        let reader = Reader {
            name: "/x",
            source: "x",
            version: None,
            limits: Limits { events, bytes },
            state: state.clone(),
            maker: &mut Maker::Events(EventMaker::new()),
        };
        let passed = reader.run(text.as_bytes(), &mut |piece| {
            pieces.borrow_mut().push(piece);
            true
        });
        (passed, pieces.into_inner())
    }

    fn shown(pieces: &[Piece]) -> Vec<(u64, u64, usize)> {
        pieces.iter().map(|piece| (piece.lines.start, piece.lines.end, piece.events.len())).collect()
    }

    #[test]
    fn ranges_follow_from_lines_and_limits() {
        let (passed, pieces) = read(&text(7), &InputState::default(), 3, 2_000_000);
        assert_eq!(shown(&pieces), [(1, 4, 3), (4, 7, 3), (7, 8, 1)]);
        assert_eq!(passed.unwrap().lines, 7);
        assert!(pieces[2].is_end && !pieces[1].is_end);
        // What is rejected counts as what is not.
        let bad = text(7).replacen("\"h2\"", "2,", 1) + "\n\n";
        let (_, pieces) = read(&bad, &InputState::default(), 3, 2_000_000);
        assert_eq!(shown(&pieces), [(1, 4, 2), (4, 7, 3), (7, 10, 1)]);
        assert_eq!((pieces[0].rejects.len(), pieces[0].rejects[0].line), (1, 2));
        // By bytes, of the request as it goes out.
        let whole = read(&text(3), &InputState::default(), 1000, 1 << 20).1[0].body.len() as u64;
        assert_eq!(read(&text(7), &InputState::default(), 1000, whole - 1).1[0].events.len(), 2);
        for piece in read(&text(9), &InputState::default(), 1000, whole).1 {
            assert!(piece.events.len() == 3 && piece.body.len() as u64 <= whole);
            serde_json::from_slice::<serde_json::Value>(&piece.body).unwrap();
        }
        // One that is larger than the limit goes alone.
        assert_eq!(
            shown(&read(&text(3), &InputState::default(), 1000, 50).1),
            [(1, 2, 1), (2, 3, 1), (3, 4, 1)]
        );
    }

    #[test]
    fn halves_are_the_same_bytes() {
        let (_, pieces) = read(&text(5), &InputState::default(), 10, 2_000_000);
        let piece = &pieces[0];
        let (left, right) = (piece.body_of(&(0..2)), piece.body_of(&(2..5)));
        assert_eq!((piece.lines_of(&(0..2)), piece.lines_of(&(2..5))), (1..3, 3..6));
        assert_eq!(left, read(&text(2), &InputState::default(), 10, 2_000_000).1[0].body);
        let mut state = InputState::default();
        state.cut(3);
        let again = read(&text(5), &state, 10, 2_000_000).1;
        assert_eq!(
            (shown(&again), &again[0].body, &again[1].body),
            (vec![(1, 3, 2), (3, 6, 3)], &left, &right)
        );
        // The rest of a split range is never one request.
        state.cut(4);
        state.done(1..3, &again[1].known);
        assert_eq!(shown(&read(&text(5), &state, 10, 2_000_000).1), [(3, 4, 1), (4, 6, 2)]);
    }

    #[test]
    fn appended_begins_a_new_range() {
        let pieces = read(&text(5), &InputState::default(), 3, 2_000_000).1;
        let mut state = InputState::default();
        state.end(&pieces[1].known, None);
        let (_, again) = read(&text(9), &state, 3, 2_000_000);
        assert_eq!(shown(&again), [(1, 4, 3), (4, 6, 2), (6, 9, 3), (9, 10, 1)]);
        assert_eq!(again[1].body, pieces[1].body);
        assert!(again[0].again && again[1].again && !again[2].again);
        pieces.iter().for_each(|piece| state.done(piece.lines.clone(), &piece.known));
        let (passed, again) = read(&text(5), &state, 3, 2_000_000);
        assert_eq!((passed.unwrap().done, again.len()), (5, 0));
        assert_eq!(shown(&read(&text(6), &state, 3, 2_000_000).1), [(6, 7, 1)]);
        // A last line without an end is a line; that it gets one changes nothing.
        let (bare, mut state) = (text(2), InputState::default());
        let piece = &read(bare.trim_end(), &state, 3, 2_000_000).1[0];
        state.end(&piece.known, None);
        state.done(1..3, &piece.known);
        assert_eq!(read(bare.trim_end(), &state, 3, 2_000_000).1.len(), 0);
        assert_eq!(shown(&read(&text(3), &state, 3, 2_000_000).1), [(3, 4, 1)]);
        assert!(read(&bare.replace("}}\n", "}} \n"), &state, 3, 2_000_000).0.is_err());
        // One that is still being written is left for another time.
        let (passed, pieces) = read(&text(2)[..150], &InputState::default(), 3, 2_000_000);
        assert_eq!((passed.unwrap().is_unfinished, shown(&pieces)), (true, vec![(1, 2, 1)]));
    }

    #[test]
    fn replaced_is_never_skipped_and_nothing_of_it_goes_out() {
        let pieces = read(&text(6), &InputState::default(), 2, 2_000_000).1;
        let mut state = InputState::default();
        state.done(5..7, &pieces[2].known);
        for other in
            [text(6).replacen("h1", "g1", 1), text(6).replacen("h6", "g6", 1), text(5), String::new()]
        {
            let (result, pieces) = read(&other, &state, 2, 2_000_000);
            assert!(result.unwrap_err().to_string().contains("`x` is"));
            assert_eq!(shown(&pieces), []);
        }
        assert_eq!(shown(&read(&text(6), &state, 2, 2_000_000).1), [(1, 3, 2), (3, 5, 2)]);
    }

    #[test]
    fn what_is_not_lines_is_refused() {
        assert!(read("{\"a\":\n{}\n", &InputState::default(), 2, 100).0.is_ok());
        for text in ["[\n", "\n{\n\"metadata\":1}\n", "[{},\n{}]\n"] {
            assert!(read(text, &InputState::default(), 2, 100).0.unwrap_err().hint().is_some(), "{text}");
        }
    }
}

//! simd-json: the record parsed to a tape that is used again, the fields picked from it.

use crate::record::{Field, Record, Text};
use crate::serde_typed;
use simd_json::{Buffers, INPUT_PADDING, Node, StaticNode, Tape};

/// What is kept from record to record.
pub struct Parser {
    buffers: Buffers,
    tape: Option<Tape<'static>>,
    text: Vec<u8>,
}

impl Default for Parser {
    fn default() -> Parser {
        Parser { buffers: Buffers::default(), tape: Some(Tape(Vec::new())), text: Vec::new() }
    }
}

impl Parser {
    /// Hands the tape of a record to `read`; `None` too if simd-json can't read the record.
    pub fn tape<T>(&mut self, line: &[u8], read: impl FnOnce(&[Node<'_>]) -> Option<T>) -> Option<T> {
        // simd-json parses in place and wants room behind the text: the copy is part of its job.
        self.text.clear();
        self.text.extend_from_slice(line);
        self.text.resize(line.len() + INPUT_PADDING, 0);
        let mut tape = self.tape.take().unwrap_or(Tape(Vec::new())).reset();
        let parsed = simd_json::fill_tape_padded(&mut self.text, line.len(), &mut self.buffers, &mut tape);
        let read = parsed.ok().and_then(|()| read(&tape.0));
        self.tape = Some(tape.reset());
        read
    }
}

/// Appends the event of a record. What simd-json has no exact number for is read by serde_json.
pub fn convert(parser: &mut Parser, line: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    let done = parser.tape(line, |nodes| record(nodes)?.event(out));
    done.or_else(|| {
        out.truncate(start);
        serde_typed::convert(line, out)
    })
}

fn record<'a>(nodes: &[Node<'a>]) -> Option<Record<'a>> {
    let Some(Node::Object { len, .. }) = nodes.first() else { return None };
    let mut record = Record::default();
    let mut at = 1;
    for _ in 0..*len {
        let Node::String(key) = nodes[at] else { return None };
        let value = nodes[at + 1];
        at += 2;
        if let Node::Object { count, .. } | Node::Array { count, .. } = value {
            at += count;
        }
        let Some(field) = Field::named(key) else { continue };
        record.set(
            field,
            match value {
                Node::String("") | Node::Static(StaticNode::Null) => None,
                Node::String(text) => Some(Text::Plain(text)),
                Node::Static(StaticNode::Bool(true)) => Some(Text::Word("true")),
                Node::Static(StaticNode::Bool(false)) => Some(Text::Word("false")),
                Node::Static(number) => Some(integer(number)?),
                Node::Object { .. } | Node::Array { .. } => Some(Text::Nested),
            },
        );
    }
    Some(record)
}

/// A whole number; simd-json gives those below zero and the others in different types.
pub fn integer(number: StaticNode) -> Option<Text<'static>> {
    match number {
        StaticNode::I64(number) => Some(Text::Integer(number)),
        StaticNode::U64(number) => Some(Text::Integer(number.try_into().ok()?)),
        _ => None,
    }
}

//! The 60 rules over simd-json's tape: one walk that fills slots, and constants made once.

use super::{LEAVES, NOUNS};
use crate::record::Text;
use crate::simd_tape::{Parser, integer};
use crate::time;
use simd_json::Node;
use std::sync::LazyLock;

/// The values of a record's nouns.
type Slots<'a> = [[Option<Text<'a>>; LEAVES.len()]; NOUNS.len()];

/// What stands before each value of a noun, from the noun's key on.
static CONSTANTS: LazyLock<Vec<Vec<String>>> =
    LazyLock::new(|| NOUNS.map(|(_, noun)| constants(noun)).into());

fn constants(noun: &str) -> Vec<String> {
    let mut before = format!(",\"{noun}\":{{");
    let mut inside: &[&str] = &[];
    let mut constants = Vec::new();
    for (_, to) in LEAVES {
        let (parents, key) = (&to[..to.len() - 1], to[to.len() - 1]);
        if parents != inside {
            before = before.replace(',', if inside.is_empty() { "," } else { "}," });
            parents.iter().for_each(|parent| before += &format!("\"{parent}\":{{"));
            inside = parents;
        }
        constants.push(format!("{before}\"{key}\":"));
        before = ",".into();
    }
    constants
}

/// Appends the event of a record.
pub fn convert(parser: &mut Parser, line: &[u8], out: &mut Vec<u8>) -> Option<()> {
    parser.tape(line, |nodes| {
        let (mut id, mut seconds, mut slots) = (None, None, Slots::default());
        members(nodes, |key, value| match key {
            "id" => id = text(value),
            "time" => seconds = text(value),
            "actor" => noun(value, &mut slots[0]),
            "object" => noun(value, &mut slots[1]),
            "origin" => noun(value, &mut slots[2]),
            _ => {}
        });
        out.extend_from_slice(b"{\"metadata\":{\"product_log_id\":");
        id?.string(out)?;
        out.extend_from_slice(b",\"event_timestamp\":\"");
        let Some(Text::Integer(seconds)) = seconds else { return None };
        time::seconds(seconds, out)?;
        out.extend_from_slice(b"\",\"event_type\":\"GENERIC_EVENT\"}");
        for (constants, slots) in CONSTANTS.iter().zip(&slots) {
            for (constant, slot) in constants.iter().zip(slots) {
                out.extend_from_slice(constant.as_bytes());
                (*slot)?.string(out)?;
            }
            out.extend_from_slice(b"}}");
        }
        out.push(b'}');
        Some(())
    })
}

/// Hands an object's members to `each`, values as the nodes that they are made of.
pub fn members<'t, 'a>(nodes: &'t [Node<'a>], mut each: impl FnMut(&'a str, &'t [Node<'a>])) {
    let Some(Node::Object { len, .. }) = nodes.first() else { return };
    let mut rest = &nodes[1..];
    for _ in 0..*len {
        let Node::String(key) = rest[0] else { return };
        let size = match rest[1] {
            Node::Object { count, .. } | Node::Array { count, .. } => 1 + count,
            _ => 1,
        };
        let (value, behind) = rest[1..].split_at(size);
        each(key, value);
        rest = behind;
    }
}

fn noun<'a>(nodes: &[Node<'a>], slots: &mut [Option<Text<'a>>; LEAVES.len()]) {
    members(nodes, |key, value| match key {
        "name" => slots[0] = text(value),
        "app" => slots[1] = text(value),
        "domain" => slots[2] = text(value),
        "link" => slots[3] = text(value),
        "user" => members(value, |key, value| match key {
            "id" => slots[4] = text(value),
            "name" => slots[5] = text(value),
            "title" => slots[6] = text(value),
            "company" => slots[7] = text(value),
            "number" => slots[8] = text(value),
            _ => {}
        }),
        "process" => members(value, |key, value| match key {
            "id" => slots[9] = text(value),
            "line" => slots[10] = text(value),
            _ => {}
        }),
        "file" => members(value, |key, value| match key {
            "path" => slots[11] = text(value),
            "hash" => slots[12] = text(value),
            "kind" => slots[13] = text(value),
            _ => {}
        }),
        "place" => members(value, |key, value| match key {
            "city" => slots[14] = text(value),
            "state" => slots[15] = text(value),
            "country" => slots[16] = text(value),
            "name" => slots[17] = text(value),
            _ => {}
        }),
        "device" => slots[18] = text(value),
        _ => {}
    });
}

/// What a value is to the rules.
pub fn text<'a>(nodes: &[Node<'a>]) -> Option<Text<'a>> {
    match nodes[0] {
        Node::String(text) if !text.is_empty() => Some(Text::Plain(text)),
        Node::Static(number) => integer(number),
        _ => None,
    }
}

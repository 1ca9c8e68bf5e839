//! The other forms in which telephony records arrive: envelopes, arrays, CEF, key="value".

use super::draft::{Draft, Gap};
use super::facts::{Dice, Facts, Source, civil, put_clock, put_number, put_uuid};

/// An envelope holds up to this many records.
const MOST: u64 = 5;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Appends a line with up to `most` records, without its newline, and returns how many count.
pub(super) fn line(
    dice: &mut Dice,
    source: &mut Source,
    draft: &mut Draft,
    most: u64,
    out: &mut Vec<u8>,
) -> u64 {
    let gap = if dice.one_in(4) { Gap::Python } else { Gap::None };
    let mut count = dice.below(MOST + 1).min(most.max(1));
    let form = dice.below(8);
    let mut pen = Pen { dice, source, draft, gap, out };
    match form {
        0 => {
            pen.say(r#"{"stat":"OK","response":"#);
            pen.list(count, Draft::bare_v1);
            pen.say("}");
        }
        1 => {
            pen.say(r#"{"stat":"OK","response":"#);
            pen.page(count);
            pen.say("}");
        }
        2 => {
            pen.say(r#"{"response":"#);
            pen.page(count);
            pen.say(r#","stat":"OK"}"#);
        }
        3 => pen.page(count),
        4 => {
            let shape = pen.dice.pick::<fn(&mut Draft, &Facts)>(&[Draft::v1, Draft::bare_v1, Draft::v2]);
            pen.list(count, shape);
        }
        _ => {
            count = 1;
            let facts = source.next(dice);
            match form {
                5 => cef(&facts, out),
                6 => key_value(&facts, out),
                // Datadog's form.
                _ => {
                    draft.v2(&facts);
                    let mut pen = Pen { dice, source, draft, gap, out };
                    pen.say(r#"{"service":"telephony","message":"#);
                    pen.record();
                    pen.say("}");
                }
            }
        }
    }
    count.max(1)
}

/// Writes envelopes.
struct Pen<'a> {
    dice: &'a mut Dice,
    source: &'a mut Source,
    draft: &'a mut Draft,
    gap: Gap,
    out: &'a mut Vec<u8>,
}

impl Pen<'_> {
    /// Writes JSON that has no colon or comma in a string, with the gaps wanted.
    fn say(&mut self, json: &str) {
        for byte in json.bytes() {
            self.out.push(byte);
            if self.gap == Gap::Python && matches!(byte, b':' | b',') {
                self.out.push(b' ');
            }
        }
    }

    /// Writes the record on the drawing board.
    fn record(&mut self) {
        self.draft.set_gap(self.gap);
        self.draft.write(self.dice, self.out);
    }

    /// Writes an array of records and returns the last one's facts.
    fn list(&mut self, count: u64, shape: fn(&mut Draft, &Facts)) -> Option<Facts> {
        let mut last = None;
        self.say("[");
        for n in 0..count {
            if n > 0 {
                self.say(",");
            }
            let facts = self.source.next(self.dice);
            shape(self.draft, &facts);
            self.record();
            last = Some(facts);
        }
        self.say("]");
        last
    }

    /// Writes what is in a v2 response, with the variants of its metadata that were seen.
    fn page(&mut self, count: u64) {
        self.say(r#"{"items":"#);
        let last = self.list(count, Draft::v2);
        self.say(r#","metadata":{"#);
        match (self.dice.below(4), last) {
            (0, _) => {}
            (1, _) | (_, None) => self.say(r#""next_offset":null,"#),
            (variant, Some(last)) => {
                let [open, comma, close] =
                    if variant == 2 { ["[\"", "\",\"", "\"]"] } else { ["\"", ",", "\""] };
                self.say(r#""next_offset":"#);
                self.out.extend_from_slice(open.as_bytes());
                put_number(last.micros / 1000, 1, self.out);
                self.out.extend_from_slice(comma.as_bytes());
                put_uuid(last.telephony_id, self.out);
                self.out.extend_from_slice(close.as_bytes());
                self.say(",");
            }
        }
        let as_object = self.dice.one_in(4);
        self.say(if as_object {
            r#""total_objects":{"relation":"eq","value":"#
        } else {
            r#""total_objects":"#
        });
        put_number(count, 1, self.out);
        self.say(if as_object { "}}}" } else { "}}" });
    }
}

/// What duo_log_sync 2.4.1 makes of a v1 record.
fn cef(facts: &Facts, out: &mut Vec<u8>) {
    let seconds = facts.seconds();
    let [_, month, day] = civil(seconds / 86_400);
    out.extend_from_slice(MONTHS[month as usize - 1].as_bytes());
    out.push(b' ');
    put_number(day, 2, out);
    out.push(b' ');
    put_clock(seconds, out);
    out.extend_from_slice(
        b" vm CEF:0|Duo Security|DuoLogSync|2.4.1|telephony|telephony|5|cs1Label=context cs1=",
    );
    out.extend_from_slice(facts.context.as_bytes());
    out.extend_from_slice(b" cs2Label=credits cs2=");
    put_number(facts.credits, 1, out);
    out.extend_from_slice(b" cs3Label=event_type cs3=telephony cs4Label=phone cs4=");
    out.extend_from_slice(&facts.phone);
    out.extend_from_slice(b" rt=");
    put_number(seconds * 1000, 1, out);
    out.extend_from_slice(b" cs5Label=type cs5=");
    out.extend_from_slice(facts.kind().as_bytes());
}

/// What the Splunk example of Duo's Python client makes of a v1 record.
fn key_value(facts: &Facts, out: &mut Vec<u8>) {
    put_number(facts.seconds(), 1, out);
    for (key, value) in [
        (",host", facts.host.as_slice()),
        (", eventtype", b"telephony"),
        (", context", facts.context.as_bytes()),
        (", type", facts.kind().as_bytes()),
        (", phone", &facts.phone),
    ] {
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"=\"");
        out.extend_from_slice(value);
        out.push(b'"');
    }
    out.extend_from_slice(b", credits=\"");
    put_number(facts.credits, 1, out);
    out.push(b'"');
}

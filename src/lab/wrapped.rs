//! The other forms in which telephony records arrive: envelopes, arrays, CEF, key="value".

use super::builder::{RecordBuilder, Spacing};
use super::fields::{RecordFields, RecordSource, Rng, civil, put_clock, put_number, put_signed, put_uuid};

/// An envelope holds up to this many records.
const MOST: u64 = 5;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Appends a line with up to `most` records, without its newline, and returns how many count.
pub(super) fn line(
    rng: &mut Rng,
    source: &mut RecordSource,
    builder: &mut RecordBuilder,
    most: u64,
    out: &mut Vec<u8>,
) -> u64 {
    let gap = if rng.one_in(4) { Spacing::Python } else { Spacing::None };
    let mut count = rng.below(MOST + 1).min(most.max(1));
    let form = rng.below(8);
    let mut pen = Pen { rng, source, builder, gap, out };
    match form {
        0 => {
            pen.say(r#"{"stat":"OK","response":"#);
            pen.list(count, RecordBuilder::bare_v1);
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
            let shape = pen.rng.pick::<fn(&mut RecordBuilder, &RecordFields)>(&[
                RecordBuilder::v1,
                RecordBuilder::bare_v1,
                RecordBuilder::v2,
            ]);
            pen.list(count, shape);
        }
        _ => {
            count = 1;
            let fields = source.next(rng);
            match form {
                5 => cef(&fields, out),
                6 => key_value(&fields, out),
                // Datadog's form.
                _ => {
                    builder.v2(&fields);
                    let mut pen = Pen { rng, source, builder, gap, out };
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
    rng: &'a mut Rng,
    source: &'a mut RecordSource,
    builder: &'a mut RecordBuilder,
    gap: Spacing,
    out: &'a mut Vec<u8>,
}

impl Pen<'_> {
    /// Writes JSON that has no colon or comma in a string, with the gaps wanted.
    fn say(&mut self, json: &str) {
        for byte in json.bytes() {
            self.out.push(byte);
            if self.gap == Spacing::Python && matches!(byte, b':' | b',') {
                self.out.push(b' ');
            }
        }
    }

    /// Writes the record on the drawing board.
    fn record(&mut self) {
        self.builder.set_gap(self.gap);
        self.builder.write(self.rng, self.out);
    }

    /// Writes an array of records and returns the last one's fields.
    fn list(&mut self, count: u64, shape: fn(&mut RecordBuilder, &RecordFields)) -> Option<RecordFields> {
        let mut last = None;
        self.say("[");
        for n in 0..count {
            if n > 0 {
                self.say(",");
            }
            let fields = self.source.next(self.rng);
            shape(self.builder, &fields);
            self.record();
            last = Some(fields);
        }
        self.say("]");
        last
    }

    /// Writes what is in a v2 response, with the variants of its metadata that were seen.
    fn page(&mut self, count: u64) {
        self.say(r#"{"items":"#);
        let last = self.list(count, RecordBuilder::v2);
        self.say(r#","metadata":{"#);
        match (self.rng.below(4), last) {
            (0, _) => {}
            (1, _) | (_, None) => self.say(r#""next_offset":null,"#),
            (variant, Some(last)) => {
                let [open, comma, close] =
                    if variant == 2 { ["[\"", "\",\"", "\"]"] } else { ["\"", ",", "\""] };
                self.say(r#""next_offset":"#);
                self.out.extend_from_slice(open.as_bytes());
                put_signed(last.micros.div_euclid(1000), self.out);
                self.out.extend_from_slice(comma.as_bytes());
                put_uuid(last.telephony_id, self.out);
                self.out.extend_from_slice(close.as_bytes());
                self.say(",");
            }
        }
        let as_object = self.rng.one_in(4);
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
fn cef(fields: &RecordFields, out: &mut Vec<u8>) {
    let seconds = fields.seconds();
    let [_, month, day] = civil(seconds.div_euclid(86_400));
    out.extend_from_slice(MONTHS[month as usize - 1].as_bytes());
    out.push(b' ');
    put_number(day, 2, out);
    out.push(b' ');
    put_clock(seconds, out);
    out.extend_from_slice(
        b" vm CEF:0|Duo Security|DuoLogSync|2.4.1|telephony|telephony|5|cs1Label=context cs1=",
    );
    out.extend_from_slice(fields.context.as_bytes());
    out.extend_from_slice(b" cs2Label=credits cs2=");
    put_number(fields.credits, 1, out);
    out.extend_from_slice(b" cs3Label=event_type cs3=telephony cs4Label=phone cs4=");
    out.extend_from_slice(&fields.phone);
    out.extend_from_slice(b" rt=");
    put_signed(seconds * 1000, out);
    out.extend_from_slice(b" cs5Label=type cs5=");
    out.extend_from_slice(fields.kind().as_bytes());
}

/// What the Splunk example of Duo's Python client makes of a v1 record.
fn key_value(fields: &RecordFields, out: &mut Vec<u8>) {
    put_signed(fields.seconds(), out);
    for (key, value) in [
        (",host", fields.host.as_slice()),
        (", eventtype", b"telephony"),
        (", context", fields.context.as_bytes()),
        (", type", fields.kind().as_bytes()),
        (", phone", &fields.phone),
    ] {
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"=\"");
        out.extend_from_slice(value);
        out.push(b'"');
    }
    out.extend_from_slice(b", credits=\"");
    put_number(fields.credits, 1, out);
    out.push(b'"');
}

//! A record's fields as found in its text, and its event spliced from them and from constants.
//!
//! Splicing is what a good engineer does where speed counts: with serde's serializer the writing
//! costs more than the parsing. All rivals but the naive one use it.

use crate::time;
use std::borrow::Cow;
use std::net::IpAddr;

/// A present field's value.
#[derive(Debug, Clone, Copy)]
pub enum Text<'a> {
    /// A JSON string as it stands in the record, quotes and escapes included.
    Quoted(&'a str),
    /// A number's or word's own text.
    Word(&'a str),
    /// A string without its escapes.
    Plain(&'a str),
    /// A whole number from a parser that does not keep its text.
    Integer(i64),
    /// An object or array, which no rule takes.
    Nested,
}

impl<'a> Text<'a> {
    /// What a JSON value is to the rules: `null` and `""` are absent.
    pub fn from_json(json: &'a str) -> Option<Text<'a>> {
        match json.as_bytes() {
            b"null" | b"\"\"" => None,
            [b'"', ..] => Some(Text::Quoted(json)),
            [b'{' | b'[', ..] => Some(Text::Nested),
            _ => Some(Text::Word(json)),
        }
    }

    /// Writes it as a JSON string.
    pub fn string(self, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Text::Quoted(json) => out.extend_from_slice(json.as_bytes()),
            Text::Word(text) => {
                out.push(b'"');
                out.extend_from_slice(text.as_bytes());
                out.push(b'"');
            }
            Text::Plain(text) => string(text, out),
            Text::Integer(number) => {
                out.push(b'"');
                out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
                out.push(b'"');
            }
            Text::Nested => return None,
        }
        Some(())
    }

    /// The text that it stands for.
    fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Text::Quoted(json) if json.contains('\\') => serde_json::from_str(json).ok().map(Cow::Owned),
            Text::Quoted(json) => Some(Cow::Borrowed(&json[1..json.len() - 1])),
            Text::Word(text) | Text::Plain(text) => Some(Cow::Borrowed(text)),
            Text::Integer(number) => Some(Cow::Owned(number.to_string())),
            Text::Nested => None,
        }
    }
}

/// Writes `text` as a JSON string.
pub fn string(text: &str, out: &mut Vec<u8>) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        serde_json::to_writer(out, text).expect("a vector takes everything");
    }
}

/// The fields that the table reads.
#[derive(Debug, Default)]
pub struct Record<'a> {
    context: Option<Text<'a>>,
    timestamp: Option<Text<'a>>,
    ts: Option<Text<'a>>,
    isotimestamp: Option<Text<'a>>,
    log_type: Option<Text<'a>>,
    host: Option<Text<'a>>,
    phone: Option<Text<'a>>,
    kind: Option<Text<'a>>,
    credits: Option<Text<'a>>,
    eventtype: Option<Text<'a>>,
}

/// A field that the table reads; a byte in a parser's hands, where a `&str` key would have to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Context,
    Timestamp,
    Ts,
    Isotimestamp,
    LogType,
    Host,
    Phone,
    Kind,
    Credits,
    Eventtype,
}

impl Field {
    /// The field with this key.
    pub fn named(key: &str) -> Option<Field> {
        Some(match key {
            "context" => Field::Context,
            "timestamp" => Field::Timestamp,
            "ts" => Field::Ts,
            "isotimestamp" => Field::Isotimestamp,
            "log_type" => Field::LogType,
            "host" => Field::Host,
            "phone" => Field::Phone,
            "type" => Field::Kind,
            "credits" => Field::Credits,
            "eventtype" => Field::Eventtype,
            _ => return None,
        })
    }
}

impl<'a> Record<'a> {
    /// Sets a field; of two equal keys the last counts.
    pub fn set(&mut self, field: Field, value: Option<Text<'a>>) {
        *match field {
            Field::Context => &mut self.context,
            Field::Timestamp => &mut self.timestamp,
            Field::Ts => &mut self.ts,
            Field::Isotimestamp => &mut self.isotimestamp,
            Field::LogType => &mut self.log_type,
            Field::Host => &mut self.host,
            Field::Phone => &mut self.phone,
            Field::Kind => &mut self.kind,
            Field::Credits => &mut self.credits,
            Field::Eventtype => &mut self.eventtype,
        } = value;
    }

    /// Appends the event, without a newline.
    pub fn event(&self, out: &mut Vec<u8>) -> Option<()> {
        out.reserve(1024);
        out.extend_from_slice(b"{\"metadata\":{");
        if let Some(context) = self.context {
            out.extend_from_slice(b"\"product_event_type\":");
            context.string(out)?;
            out.push(b',');
        }
        out.extend_from_slice(b"\"event_timestamp\":\"");
        self.time(out)?;
        out.extend_from_slice(match (self.context, self.host) {
            (Some(_), Some(_)) => b"\",\"event_type\":\"USER_UNCATEGORIZED\",\"log_type\":".as_slice(),
            (None, Some(_)) => b"\",\"event_type\":\"STATUS_UPDATE\",\"log_type\":",
            (_, None) => b"\",\"event_type\":\"GENERIC_EVENT\",\"log_type\":",
        });
        self.log_type.unwrap_or(Text::Word("DUO_TELEPHONY")).string(out)?;
        out.extend_from_slice(b",\"product_name\":\"Telephony\",\"vendor_name\":\"Duo\"}");
        self.principal(out)?;
        out.extend_from_slice(b",\"security_result\":[{\"summary\":");
        self.kind.unwrap_or(Text::Word("Duo Telephony")).string(out)?;
        out.extend_from_slice(b",\"action\":[\"ALLOW\"],\"severity\":\"INFORMATIONAL\"");
        if let Some(credits) = self.credits {
            out.extend_from_slice(b",\"detection_fields\":[{\"key\":\"credits\",\"value\":");
            credits.string(out)?;
        }
        if let Some(eventtype) = self.eventtype {
            out.extend_from_slice(match self.credits {
                Some(_) => b"},{\"key\":\"eventtype\",\"value\":".as_slice(),
                None => b",\"detection_fields\":[{\"key\":\"eventtype\",\"value\":",
            });
            eventtype.string(out)?;
        }
        if self.credits.is_some() || self.eventtype.is_some() {
            out.extend_from_slice(b"}]");
        }
        out.extend_from_slice(b"}],\"extensions\":{\"auth\":{\"mechanism\":[\"MECHANISM_UNSPECIFIED\"]}}}");
        Some(())
    }

    fn time(&self, out: &mut Vec<u8>) -> Option<()> {
        match (self.timestamp, self.ts.or(self.isotimestamp)) {
            (Some(Text::Integer(seconds)), _) => time::seconds(seconds, out),
            (Some(timestamp), _) => time::epoch(&timestamp.text()?, out),
            (None, Some(iso)) => time::iso(&iso.text()?, out),
            (None, None) => None,
        }
    }

    fn principal(&self, out: &mut Vec<u8>) -> Option<()> {
        if self.host.is_none() && self.phone.is_none() {
            return Some(());
        }
        out.extend_from_slice(b",\"principal\":{");
        if let Some(host) = self.host {
            let ip = host.text()?.parse::<IpAddr>().is_ok();
            out.extend_from_slice(if ip { b"\"ip\":[" } else { b"\"hostname\":" });
            host.string(out)?;
            out.extend_from_slice(if ip { b"]" } else { b"" });
        }
        if let Some(phone) = self.phone {
            out.extend_from_slice(if self.host.is_some() {
                b",\"user\":{\"userid\":".as_slice()
            } else {
                b"\"user\":{\"userid\":"
            });
            phone.string(out)?;
            out.extend_from_slice(b",\"phone_numbers\":[");
            phone.string(out)?;
            out.extend_from_slice(b"]}");
        }
        out.push(b'}');
        Some(())
    }
}

//! The catalogue of flaws: lines that must be rejected, by the reason they must be rejected for.

use super::builder::Base::{self, Either, V1, V2};
use super::builder::BuildStep::{self, Do, Drop, First, Last, Rename, Set, SetAny};
use super::builder::{RecordBuilder, put_nest, quoted};
use super::fields::{RecordSource, Rng};

/// How a line is spoilt.
#[derive(Debug, Clone, Copy)]
pub(super) enum Damage {
    /// By changes to a record.
    Edit(Base, &'static [BuildStep]),
    /// By something before a whole record.
    Before(&'static [&'static str]),
    /// By something after it.
    After(&'static [&'static str]),
    /// By changes to its bytes.
    Bytes(fn(&mut Vec<u8>, &mut Rng)),
    /// By bytes in a value or a key that are not UTF-8.
    NoText(&'static [&'static [u8]]),
    /// It is one of these.
    Whole(&'static [&'static str]),
}
use Damage::{After, Before, Bytes, Edit, NoText, Whole};

/// RecordFields of the default mapping.
const MAPPED: &[&str] = &[
    "context",
    "credits",
    "phone",
    "type",
    "host",
    "eventtype",
    "log_type",
    "timestamp",
    "ts",
    "isotimestamp",
];
/// Where a broken string may stand: read, unread, nested.
const ANYWHERE: &[&str] = &["context", "phone", "type", "host", "ts", "telephony_id", "note"];

/// RecordFields one of which says that a record is of this log.
const OF_TELEPHONY: &[&str] = &["context", "credits", "phone", "type", "telephony_id"];

/// Reasons with their flaws. `too-long` is not among them: see [`line()`].
pub(super) const FLAWS: &[(&str, &[Damage])] = &[
    ("invalid-json", INVALID_JSON),
    ("invalid-utf8", INVALID_UTF8),
    ("too-deep", TOO_DEEP),
    ("not-object", NOT_OBJECT),
    ("field-type", FIELD_TYPE),
    ("bad-timestamp", BAD_TIMESTAMP),
    ("timestamp-range", TIMESTAMP_RANGE),
    ("no-timestamp", NO_TIMESTAMP),
    ("api-error", API_ERROR),
    ("other-log", OTHER_LOG),
];

/// No JSON by the strict reading.
const INVALID_JSON: &[Damage] = &[
    // Not whole.
    Bytes(|line, rng| line.truncate(1 + rng.index(line.len() - 1))),
    Bytes(|line, rng| drop(line.drain(..1 + rng.index(line.len() - 1)))),
    Bytes(|line, _| line.truncate(line.len() - 1)),
    // Both kinds of records end in a string.
    Bytes(|line, _| swap(line, b"\"}", b"}")),
    // Punctuation.
    Edit(V2, &[Set("type", &["\"sms\",", "\"sms\",,", "\"sms\"]", "\"sms\"}"])]),
    Edit(
        Either,
        &[Set("note", &["[1,]", "{\"a\":1,}", "[,]", "{,}", "[1 2]", "[1}", "{\"a\"}", "{\"a\",1}"])],
    ),
    Edit(Either, &[Set("phone", &["", ":\"+1\"", ",", "\"+1\" \"+2\"", "\"+1\":1"])]),
    Edit(Either, &[Set("note", &["{1:2}", "{a:1}", "{null:1}", "{'a':1}", "[1]]", "{}}", "[", "{"])]),
    Bytes(|line, _| line.iter_mut().filter(|b| **b == b'"').for_each(|b| *b = b'\'')),
    Bytes(|line, rng| swap(line, b":", rng.pick(&[b"", b"=", b"::"]))),
    Bytes(|line, rng| swap(line, b",", rng.pick(&[b"", b";", b",,", b" "]))),
    Bytes(|line, _| swap(line, b"\"context\"", b"context")),
    // Words and numbers.
    Edit(
        Either,
        &[SetAny(&["credits", "note"], &["NaN", "Infinity", "-Infinity", "nan", "undefined", "None"])],
    ),
    Edit(Either, &[SetAny(&["credits", "note"], &["nul", "nulll", "True", "FALSE", "tru", "sms", "'sms'"])]),
    Edit(Either, &[SetAny(&["credits", "timestamp", "note"], &["01", "-01", "00", "007", "-00.5"])]),
    Edit(Either, &[SetAny(&["credits", "timestamp", "note"], &["+1", "+0", "--1", "-", "- 1", "+1e3"])]),
    Edit(Either, &[SetAny(&["credits", "timestamp", "note"], &[".5", "1.", "-.5", "1.e3", "1..2", "1.5.2"])]),
    Edit(Either, &[SetAny(&["credits", "timestamp", "note"], &["1e", "1e+", "1E-", "e5", "1e1.5", "1e5e5"])]),
    Edit(Either, &[SetAny(&["credits", "timestamp", "note"], &["0x1F", "1_000", "1,000", "1L", "1f", "１"])]),
    // Strings.
    Edit(
        Either,
        &[SetAny(ANYWHERE, &[r#""\x41""#, r#""\'""#, r#""\a""#, r#""\U0041""#, r#""\0""#, r#""\ ""#])],
    ),
    Edit(Either, &[SetAny(ANYWHERE, &[r#""\u12""#, r#""\u12G4""#, r#""\u""#, r#""\u-123""#, r#""\u{41}""#])]),
    Edit(
        Either,
        &[SetAny(ANYWHERE, &["\"\0\"", "\"a\tb\"", "\"\u{1}\"", "\"a\rb\"", "\"\u{b}\u{c}\"", "\"\u{1f}\""])],
    ),
    Edit(Either, &[SetAny(ANYWHERE, &["\"a", "a\"", "\"a\\\"", "\"a\"b\"", "\"\"\"", "\"", "\"\\"])]),
    Edit(
        Either,
        &[SetAny(
            ANYWHERE,
            &[r#""\ud800""#, r#""\udc00""#, r#""\uDBFFx""#, r#""\ud83d\n""#, r#""\udfff\udfff""#],
        )],
    ),
    Edit(
        Either,
        &[SetAny(
            ANYWHERE,
            &[r#""\ud800\ud800""#, r#""\ude00\ud83d""#, r#""\ud83d\u0041""#, r#""\ud83d\\ude00""#],
        )],
    ),
    Edit(
        Either,
        &[Set("note", &[r#"{"a":["\ud800"]}"#, "[\"\u{2}\"]", r#"{"\udc00":1}"#, r#"[{"a":"\x"}]"#])],
    ),
    Edit(Either, &[Rename("phone", &[r"\ud800", r"ph\one", "pho\u{1}ne", r"\u00zz", "pho\"ne"])]),
    Edit(Either, &[First("phone", &["01", "\"\\ud800\"", "nope", "[1,]"])]),
    // What JSON has not, and too much of it.
    Edit(
        Either,
        &[Set("note", &["/* none */ 1", "1 // one", "1 # one", "\u{a0}1", "\u{b}1", "1\u{c}", "\u{2028}1"])],
    ),
    Before(&["{", "}", ",", "x", ":", "\0", "// ", "\u{a0}", "\u{2028}", "null ", "[", "1 ", "\\"]),
    After(&["}", "]", ",", "x", ";", "\0", "\0\0\0", " // end", "\u{a0}", " null", "\"", "...", "\\n"]),
    Bytes(|line, _| {
        let again = line.clone();
        line.push(b',');
        line.extend_from_slice(&again);
    }),
    Whole(&[
        "nope",
        "telephony",
        "<log/>",
        "{{}}",
        "{[]}",
        "---",
        "'",
        "\"",
        "tru",
        "-",
        "%7B%7D",
        "{\"a\":1,",
    ]),
];

/// Bytes that are not UTF-8, in an otherwise whole record.
const INVALID_UTF8: &[Damage] = &[
    // Too long for what they say, up to a NUL in two bytes.
    NoText(&[b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xf0\x80\x80\xaf", b"\xc0\x80"]),
    // A continuation of nothing.
    NoText(&[b"\x80", b"\xbf", b"a\x80b", b"\xc3\xa9\xa9"]),
    // Surrogates, as CESU-8 has them.
    NoText(&[b"\xed\xa0\xbd\xed\xb8\x80", b"\xed\xa0\x80", b"\xed\xbf\xbf"]),
    // Cut short.
    NoText(&[b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xe2x\x82", b"\xf0\x9f"]),
    // Beyond Unicode, and bytes that never occur.
    NoText(&[
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xfe",
        b"\xff",
        b"\xff\xfe",
        b"\xf8\x88\x80\x80\x80",
    ]),
    // Latin-1.
    NoText(&[b"caf\xe9", b"Z\xfcrich", b"\xa3"]),
];

/// More nesting than serde_json reads.
const TOO_DEEP: &[Damage] = &[
    // With the record around it 128 levels, the first that is too many.
    Edit(Either, &[Do(|builder, rng| nest(builder, rng, 127))]),
    Edit(
        Either,
        &[Do(|builder, rng| {
            let levels = 128 + rng.index(400);
            nest(builder, rng, levels);
        })],
    ),
];

/// JSON, but no record.
const NOT_OBJECT: &[Damage] = &[
    Whole(&["0", "1683648435", "-1.5e3", "12345678901234567890123"]),
    Whole(&["\"sms\"", "\"\"", r#""{\"ts\":\"2023-03-21T22:34:49Z\"}""#, "\"\\ud83d\\ude00\""]),
    Whole(&["true", "false", "null", " null ", "\tnull"]),
];

/// An object or array where the default mapping reads a value.
const FIELD_TYPE: &[Damage] = &[
    Edit(Either, &[SetAny(MAPPED, &["{}", "{\"value\":\"x\"}", "{\"a\":{\"b\":[]}}"])]),
    Edit(Either, &[SetAny(MAPPED, &["[]", "[\"+12125556707\"]", "[null]", "[[1],{}]"])]),
    Edit(Either, &[Last("phone", &["{}", "[]"])]),
    Edit(Either, &[Last(r"ph\u006fne", &["{}", "[]"])]),
];

/// The first time that is present is not one.
const BAD_TIMESTAMP: &[Damage] = &[
    Edit(
        Either,
        &[Set("timestamp", &["\"yesterday\"", "\"now\"", "\"None\"", "\"-\"", "\" \"", "\"null\""])],
    ),
    Edit(Either, &[Set("timestamp", &["true", "false", "\"NaN\"", "\"Infinity\"", "\"1683648435s\""])]),
    Edit(Either, &[Set("timestamp", &["\"2023-03-21T22:34:49.466370+00:00\"", "\"2023-03-21 22:34:49\""])]),
    Edit(
        Either,
        &[Set(
            "timestamp",
            &["\"+1683648435\"", "\"01683648435\"", "\".5\"", "\"1.\"", "\"1e\"", "\"1.5.2\""],
        )],
    ),
    Edit(
        Either,
        &[Set(
            "timestamp",
            &["\"0x645a70f3\"", "\"1,683,648,435\"", "\"1_683\"", "\"--1\"", "\"1683648435\\u0000\""],
        )],
    ),
    Edit(
        Either,
        &[Set("timestamp", &["\"１６８３６４８４３５\"", "\"١٦٨٣\"", "\"1e1.5\"", "\"1683648435,5\""])],
    ),
    Edit(V1, &[Last("timestamp", &["\"soon\"", "true"])]),
    Edit(
        V2,
        &[Set("ts", &["true", "1683648435", "\"1683648435\"", "\"yesterday\"", "\" \"", "\"null\"", "0"])],
    ),
    Edit(
        V2,
        &[Set("ts", &["\"2023-02-29T00:00:00Z\"", "\"2100-02-29T00:00:00Z\"", "\"2023-04-31T00:00:00Z\""])],
    ),
    Edit(
        V2,
        &[Set("ts", &["\"2023-13-01T00:00:00Z\"", "\"2023-00-01T00:00:00Z\"", "\"2023-01-00T00:00:00Z\""])],
    ),
    Edit(
        V2,
        &[Set("ts", &["\"2023-01-01T25:00:00Z\"", "\"2023-01-01T12:60:00Z\"", "\"2023-01-01T12:00:61Z\""])],
    ),
    Edit(
        V2,
        &[Set(
            "ts",
            &["\"2023-03-21T22:34:49.Z\"", "\"2023-03-21T22:34:49,\"", "\"2023-03-21T22:34:49.4a6Z\""],
        )],
    ),
    Edit(
        V2,
        &[Set(
            "ts",
            &[
                "\"2023-03-21T22:34:49+24:00\"",
                "\"2023-03-21T22:34:49+00:60\"",
                "\"2023-03-21T22:34:49+5:30\"",
            ],
        )],
    ),
    Edit(
        V2,
        &[Set(
            "ts",
            &["\"2023-03-21T22:34:49ZZ\"", "\"2023-03-21T22:34:49Zjunk\"", "\"2023-03-21T22:34:49 PST\""],
        )],
    ),
    Edit(
        V2,
        &[Set(
            "ts",
            &[
                "\"2023-3-21T22:34:49Z\"",
                "\"2023-03-21T2:34:49Z\"",
                "\"23-03-21T22:34:49Z\"",
                "\"2023-03-21TT22:34:49Z\"",
            ],
        )],
    ),
    Edit(
        V2,
        &[Set(
            "ts",
            &[
                "\"2023/03/21 22:34:49\"",
                "\"2023-03-21_22:34:49Z\"",
                "\"21.03.2023 22:34:49\"",
                "\"2023-03-21T22.34.49Z\"",
            ],
        )],
    ),
    Edit(
        V2,
        &[Set(
            "ts",
            &["\"Tue, 21 Mar 2023 22:34:49 GMT\"", "\"Mar 21 22:34:49\"", "\"-2023-03-21T22:34:49Z\""],
        )],
    ),
    Edit(
        V2,
        &[Set(
            "ts",
            &["\"２０２３-03-21T22:34:49Z\"", "\"2023-03-21T22:34:49−05:00\"", "\"2023‑03‑21T22:34:49Z\""],
        )],
    ),
    Edit(
        V1,
        &[
            Drop(&["timestamp"]),
            Set("isotimestamp", &["\"2021-02-29T12:59:30+00:00\"", "\"12:59:30\"", "1626958770"]),
        ],
    ),
];

/// A time before year 1 or after year 9999.
const TIMESTAMP_RANGE: &[Damage] = &[
    // Milliseconds, microseconds, nanoseconds.
    Edit(
        Either,
        &[Set("timestamp", &["1683648435000", "1683648435466", "\"1683648435000\"", "1683648435466370"])],
    ),
    Edit(
        Either,
        &[Set("timestamp", &["1683648435466370000", "1e400", "-1e30", "1e99999999999999999999", "-1e400"])],
    ),
    // A step over either end.
    Edit(
        Either,
        &[Set("timestamp", &["253402300800", "253402300800.0", "\"2534023008e2\"", "999999999999"])],
    ),
    Edit(Either, &[Set("timestamp", &["-62135596801", "-62135596800.000000001", "-62135596800.0000000001"])]),
    Edit(
        V2,
        &[Set("ts", &["\"0000-12-31T23:59:59Z\"", "\"0000-01-01T00:00:00Z\"", "\"0000-02-29T12:00:00.5Z\""])],
    ),
    Edit(V2, &[Set("ts", &["\"0001-01-01T00:00:00+00:01\"", "\"0001-01-01T05:29:59.999999999+0530\""])]),
    Edit(V2, &[Set("ts", &["\"9999-12-31T23:59:59-00:01\"", "\"9999-12-31T16:00:00-08:00\""])]),
];

/// None of the three times is present.
const NO_TIMESTAMP: &[Damage] = &[
    Edit(Either, &[Drop(&["timestamp", "ts", "isotimestamp"])]),
    Edit(V1, &[Set("timestamp", &["null", "\"\""]), Set("isotimestamp", &["null", "\"\""])]),
    Edit(V2, &[Set("ts", &["null", "\"\""])]),
    Edit(V2, &[Last("ts", &["null", "\"\""])]),
    Edit(V2, &[Rename("ts", &["Ts", "ts ", "t_s", "time", "tѕ"])]),
    Whole(&["{}", "{ }", "{\"host\":\"api-1234abcd.duosecurity.com\"}"]),
];

/// Duo's API said no.
const API_ERROR: &[Damage] = &[Whole(&[
    r#"{"code":42901,"message":"Too Many Requests","stat":"FAIL"}"#,
    r#"{"code":50001,"message":"Unknown internal server error","stat":"FAIL"}"#,
    r#"{"code":40103,"message":"Invalid signature in request credentials","stat":"FAIL"}"#,
    r#"{"code": 40105, "message": "Bad request timestamp", "stat": "FAIL"}"#,
    r#"{"stat":"FAIL","code":40001,"message":"Missing required request parameters"}"#,
    r#"{"code":40002,"message":"Invalid request parameters","message_detail":"mintime must be within the past 180 days","stat":"FAIL"}"#,
    r#"{"code":40002,"message":"Invalid request parameters","message_detail":"'mintime' must be a timestamp in milliseconds","stat":"FAIL"}"#,
])];

/// Records of Duo's other logs, and of others.
const OTHER_LOG: &[Damage] = &[
    Edit(
        Either,
        &[Set("eventtype", &["\"authentication\"", "\"auth_log\"", "\"telephony \"", "7", "false"])],
    ),
    Edit(Either, &[Last("eventtype", &["\"administrator\"", "\"activity\""])]),
    Edit(Either, &[Set("event_type", &["\"authentication\"", "\"enrollment\"", "{}", "[\"telephony\"]"])]),
    Edit(Either, &[Set("service", &["\"activity\"", "\"trust_monitor\"", "{\"name\":\"telephony\"}", "[]"])]),
    Edit(Either, &[Drop(OF_TELEPHONY), Set("note", &["1", "{}", "[]", "\"x\"", "false", "0"])]),
    Edit(V1, &[Drop(&["timestamp"]), Drop(OF_TELEPHONY), Set("Phone", &["\"+1\"", "{\"a\":[]}"])]),
    Edit(V2, &[Drop(OF_TELEPHONY), Set("action", &["\"admin_login\"", "{\"name\":\"bypass_create\"}"])]),
    Whole(&[
        r#"{"access_device":{"ip":"192.0.2.7"},"event_type":"authentication","factor":"duo_push","reason":"user_marked_fraud","result":"fraud","timestamp":1581620180,"txid":"t","user":{"name":"u"}}"#,
        r#"{"action":"admin_login","description":"{\"ip_address\": \"192.0.2.7\"}","isotimestamp":"2020-01-23T16:18:58+00:00","object":null,"timestamp":1579796338,"username":"Jane"}"#,
        r#"{"activity_id":"a","action":{"name":"bypass_create"},"actor":{"name":"Jane"},"ts":"2023-03-24T13:21:35.000000+00:00"}"#,
        r#"{"action":"o2fa_user_provisioned","description":"{\"hostname\": \"pc\"}","timestamp":1579796338,"username":"jane"}"#,
        r#"{"event":{"ts":"2023-03-21T22:34:49Z"}}"#,
    ]),
    Whole(&[
        r#"{"service":"authentication","message":{"timestamp":1581620180,"phone":"+15035550101"}}"#,
        r#"{"message":[],"service":"activity"}"#,
        r#"{"stat":"OK","response":{"authlogs":[],"metadata":{}}}"#,
        r#"{"stat":"OK","response":[{"phone":"+1","timestamp":1}],"service":"authentication"}"#,
    ]),
    Whole(&[
        "Nov 23 02:47:28 vm CEF:0|Duo Security|DuoLogSync|2.4.1|authentication|authentication|5|rt=1581620180000 duser=user",
        "Nov 23 02:47:28 fw CEF:0|Other Vendor|Firewall|1.0|100|deny|9|rt=1581620180000 src=192.0.2.7 act=blocked",
        "CEF:0|Duo Security|DuoLogSync|2.4.1|telephony|administrator|5|rt=1581620180000 cs1Label=type cs1=sms",
        "CEF:0|Duo Security|DuoLogSync|2.4.1|telephony|telephony|5|rt=1581620180000 src=192.0.2.7",
        "CEF:0|Duo Security|DuoLogSync|2.4.1|telephony|telephony|5|rt=1581620180000 cs1Label=event_type cs1=authentication cs2Label=type cs2=sms",
        "1581620180,host=\"api-1234abcd.duosecurity.com\", eventtype=\"authentication\", type=\"sms\"",
        "1581620180,host=\"api-1234abcd.duosecurity.com\", username=\"jane\"",
    ]),
];

/// One in this many broken lines is too long.
const LONG_LINES: u64 = 20_000;
/// The most bytes of a line.
const MOST: usize = 1 << 20;

/// Appends a line that must be rejected, without its newline, and returns the reason.
pub(super) fn line(
    rng: &mut Rng,
    source: &mut RecordSource,
    builder: &mut RecordBuilder,
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> &'static str {
    if rng.one_in(LONG_LINES) {
        too_long(rng, source, builder, out);
        return "too-long";
    }
    let (reason, flaws) = rng.pick(FLAWS);
    scratch.clear();
    spoil(rng.pick(flaws), rng, source, builder, scratch);
    out.extend_from_slice(scratch);
    reason
}

/// Fills the empty `line` with a record that has this flaw.
pub(super) fn spoil(
    flaw: Damage,
    rng: &mut Rng,
    source: &mut RecordSource,
    builder: &mut RecordBuilder,
    line: &mut Vec<u8>,
) {
    let base = if let Edit(base, _) = flaw { base } else { Either };
    builder.base(base, &source.next(rng), rng);
    match flaw {
        Edit(_, steps) => {
            steps.iter().for_each(|step| builder.apply(*step, rng));
            builder.write(rng, line);
        }
        Before(texts) => {
            line.extend_from_slice(rng.pick(texts).as_bytes());
            builder.write(rng, line);
        }
        After(texts) => {
            builder.write(rng, line);
            line.extend_from_slice(rng.pick(texts).as_bytes());
        }
        Bytes(edit) => {
            builder.write(rng, line);
            edit(line, rng);
        }
        NoText(texts) => {
            let key = rng.pick(ANYWHERE);
            let text = rng.pick(texts);
            builder.member(key, |out| quoted(out, |out| out.extend_from_slice(text)));
            builder.settle(key, rng);
            builder.write(rng, line);
        }
        Whole(texts) => line.extend_from_slice(rng.pick(texts).as_bytes()),
    }
}

/// Nothing is wrong with this record but its length.
fn too_long(rng: &mut Rng, source: &mut RecordSource, builder: &mut RecordBuilder, out: &mut Vec<u8>) {
    builder.either(&source.next(rng), rng);
    let from = out.len();
    builder.member("note", |out| quoted(out, |_| {}));
    builder.write(rng, out);
    // The note is the last member: open it again before its quote and the brace.
    let tail = out.split_off(out.len() - 2);
    let length = MOST + 1 + rng.index(100);
    out.resize(from + length - tail.len(), b'x');
    out.extend_from_slice(&tail);
}

fn nest(builder: &mut RecordBuilder, rng: &mut Rng, levels: usize) {
    builder.member("nested", |out| put_nest(levels, rng, out));
    builder.settle("nested", rng);
}

/// Replaces the first occurrence of `old`, which is there.
fn swap(line: &mut Vec<u8>, old: &[u8], new: &[u8]) {
    if let Some(at) = line.windows(old.len()).position(|found| found == old) {
        line.splice(at..at + old.len(), new.iter().copied());
    }
}

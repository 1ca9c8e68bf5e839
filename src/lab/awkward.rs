//! The catalogue of oddities: records that look strange and must convert all the same.

use super::builder::Base::{self, Either, V1, V2};
use super::builder::BuildStep::{self, Blanks, Do, Drop, First, Last, Rename, Set, SetAny};
use super::builder::{RecordBuilder, Spacing, put_nest, quoted};
use super::fields::{RecordSource, Rng, put_number, put_time};

/// What there is to be odd: a record to begin with, and what is done to it.
pub(super) type Oddity = (Base, &'static [BuildStep]);

/// RecordFields that hold any string (`note` being one that no mapping reads).
const STRINGS: &[&str] = &["context", "phone", "type", "host", "credits", "log_type", "txid", "note"];
/// RecordFields that a record can do without.
const OPTIONAL: &[&str] =
    &["context", "credits", "phone", "type", "eventtype", "host", "txid", "telephony_id"];
/// A time that a first member gives and a later one overrules.
const TIMES: &[&str] = &["1584718692", "\"1584718692.25\"", "1.584718692e9"];

pub(super) const ODDITIES: &[Oddity] = &[
    // Escapes.
    (Either, &[SetAny(STRINGS, &[r#""say \"sms\"""#, r#""\"""#, r#""\\\"\\""#])]),
    (Either, &[SetAny(STRINGS, &[r#""DOMAIN\\user""#, r#""\\""#, r#""ends in two \\\\""#, r#""\\u0041""#])]),
    (Either, &[SetAny(STRINGS, &[r#""sms\/phone""#, r#""<\/script>""#])]),
    (Either, &[SetAny(STRINGS, &[r#""\b\f\n\r\t""#, r#""line\nline\r\n""#, r#""\tindented""#])]),
    (Either, &[SetAny(STRINGS, &[r#""caf\u00e9""#, r#""caf\u00E9""#, r#""\u4eba\u6c11""#])]),
    (
        Either,
        &[SetAny(STRINGS, &[r#""\ud83d\ude00""#, r#""a\uD83D\uDCF1b\ud834\udd1e""#, r#""\udbff\udfff""#])],
    ),
    (Either, &[SetAny(STRINGS, &[r#""\u0000""#, r#""a\u0000b""#, r#""\u0001\u001F\u007f""#])]),
    (Either, &[SetAny(STRINGS, &[r#""\u2028\u2029""#, r#""\ufeff\uffff\ufdd0""#])]),
    (Either, &[Set("type", &[r#""\u0073\u006d\u0073""#, r#""\u0070hone""#])]),
    (Either, &[Set("note", &[r#""}{,\"ts\":\"x""#, r#""\",\"phone\":\"+1\",\"x\":\"""#, r#""[[[{{{""#])]),
    (
        Either,
        &[Set(
            "note",
            &[r#""CEF:0|a|b|1|c|d|5|rt=1 cs1=x""#, r#""k=\"v\", l=\"w\"""#, r#""{\"stat\":\"FAIL\"}""#],
        )],
    ),
    // Characters as they are.
    (Either, &[SetAny(STRINGS, &["\"Zoë Müller à l’œuvre\"", "\"é\"", "\"e\u{301}\""])]),
    (Either, &[SetAny(STRINGS, &["\"認証\"", "\"전화 인증\"", "\"登録、ＳＭＳ\""])]),
    (Either, &[SetAny(STRINGS, &["\"📱\"", "\"👩\u{200d}👩\u{200d}👧 ok 🇯🇵\"", "\"\u{10ffff}\""])]),
    (Either, &[SetAny(STRINGS, &["\"אימות\"", "\"\u{202e}sms\"", "\"a\u{200b}b\""])]),
    (Either, &[SetAny(STRINGS, &["\"\u{7f}\"", "\"a\u{7f}b\u{80}\u{9f}\""])]),
    (Either, &[SetAny(STRINGS, &["\"\u{2028}\"", "\"a\u{2028}b\u{2029}c\"", "\"\u{85}\""])]),
    (Either, &[SetAny(STRINGS, &["\"\u{feff}sms\"", "\"\u{fffd}\u{fffe}\u{ffff}\"", "\"\u{a0}\u{3000}\""])]),
    (
        Either,
        &[SetAny(STRINGS, &["\" sms \"", "\" \"", "\"null\"", "\"'\"", "\"=HYPERLINK(1)\"", "\"{{type}}\""])],
    ),
    // Keys.
    (Either, &[Rename("phone", &[r"ph\u006fne", r"\u0070\u0068\u006f\u006e\u0065", r"phon\u0065"])]),
    (V1, &[Rename("timestamp", &[r"time\u0073tamp", r"\u0074imestamp"]), Rename("host", &[r"h\u006Fst"])]),
    (V2, &[Rename("ts", &[r"t\u0073", r"\u0074\u0073"]), Rename("context", &[r"c\u006Fntext"])]),
    (Either, &[Rename("phone", &["Phone", "phone2", "phone ", " phone", "phon", "phone\\u0000", "phoné"])]),
    (
        Either,
        &[Last("Context", &["\"x\""]), Last("TYPE", &["\"x\""]), Last("Ts", &["7"]), Last("hosts", &["{}"])],
    ),
    (Either, &[Set("", &["\"x\"", "{}"]), Set(r#"\"\\\n"#, &["1"]), Set("ключ 鍵", &["null"])]),
    (Either, &[Do(long_key)]),
    (Either, &[Do(|builder, _| builder.reverse())]),
    // Keys given twice.
    (Either, &[First("phone", &["\"+19995550000\"", "null", "\"\"", "7"])]),
    (Either, &[First("type", &["{}", "[1]", "{\"type\":[]}"])]),
    (Either, &[Last("phone", &["null", "\"\""]), Last("context", &["null", "\"\""])]),
    (Either, &[Last("phone", &["\"+19995550000\""]), Last("credits", &["99"])]),
    (Either, &[Last(r"ph\u006fne", &["\"+19995550000\"", "null"]), Last("phone", &["\"+18885550000\""])]),
    (V1, &[First("timestamp", &["\"never\"", "1e30", "[]", "null"])]),
    (V1, &[Last("timestamp", &["null", "\"\""])]),
    (V2, &[First("timestamp", TIMES), Last("timestamp", &["null", "\"\"", "1584718692"])]),
    (Either, &[First("note", &["1", "{\"note\":1}"]), Set("note", &["2"]), Last("note", &["null"])]),
    // Absent in one way or another.
    (Either, &[SetAny(OPTIONAL, &["null"])]),
    (Either, &[SetAny(OPTIONAL, &["\"\""])]),
    (Either, &[Do(|builder, rng| builder.remove(rng.pick(OPTIONAL)))]),
    (V1, &[Drop(&["context"])]),
    (V1, &[Drop(&["host"])]),
    (Either, &[Drop(OPTIONAL)]),
    (V1, &[Drop(OPTIONAL), Set("host", &["\"api-1234abcd.duosecurity.com\"", "\"192.0.2.7\""])]),
    (V1, &[Drop(&["timestamp"])]),
    (V1, &[Drop(&["isotimestamp"])]),
    // What says that it is a telephony record.
    (V1, &[Set("eventtype", &["\"TELEPHONY\"", "\"Telephony\"", r#""t\u0065lephony""#, "null", "\"\""])]),
    (Either, &[Set("event_type", &["\"telephony\"", "\"TELEPHONY\"", "null", "\"\""])]),
    (Either, &[Set("service", &["\"telephony\"", "\"Telephony\"", "null", "\"\""])]),
    (
        V1,
        &[
            First("eventtype", &["\"authentication\"", "{}"]),
            First("service", &["7"]),
            Last("service", &["null"]),
        ],
    ),
    (V2, &[Drop(&["context", "credits", "phone", "type"]), Set("note", &["1", "{}", "\"x\""])]),
    (Either, &[Drop(OPTIONAL), Set("note", &["null", "\"\""]), Set("log_type", &["\"DUO_TELEPHONY\""])]),
    // Hosts.
    (V1, &[Set("host", &["\"192.0.2.33\"", "\"0.0.0.0\"", "\"255.255.255.255\"", "\"10.0\\u002e0.1\""])]),
    (
        V1,
        &[Set(
            "host",
            &["\"2001:db8::7\"", "\"::1\"", "\"::\"", "\"::ffff:192.0.2.1\"", "\"1:2:3:4:5:6:7:8\""],
        )],
    ),
    (V2, &[Set("host", &["\"2001:DB8:0:0:0:0:0:1\"", "\"fe80::1\"", "\"1::\"", "\"64:ff9b::192.0.2.33\""])]),
    (
        V1,
        &[Set(
            "host",
            &["\"999.1.1.1\"", "\"1.2.3.4.5\"", "\"256.0.0.1\"", "\"1.2.3\"", "\"1.2.3.4.\"", "\"1..2.3\""],
        )],
    ),
    (
        V1,
        &[Set(
            "host",
            &["\"::1%eth0\"", "\"[::1]\"", "\"1:2:3:4:5:6:7:8:9\"", "\":::\"", "\"1::2::3\"", "\"g::1\""],
        )],
    ),
    (
        V1,
        &[Set(
            "host",
            &["\"010.1.1.1\"", "\"0x7f.0.0.1\"", "\"10.0.0.1:443\"", "\"10.0.0.0/8\"", "\" 10.0.0.1\""],
        )],
    ),
    (V1, &[Set("host", &["1", "1.5", "true", "\"münchen.example\"", "\"API-1234ABCD.DUOSECURITY.COM.\""])]),
    // RecordFields that no mapping reads.
    (
        Either,
        &[Set("extra", &["{\"phone\":\"+1\",\"ts\":{\"ts\":[1,{\"host\":null}]}}", "[[],{},[{}],\"\"]"])],
    ),
    (
        Either,
        &[Set("extra", &["1e999", "-0.0", "12345678901234567890123", "1E-7", "true", "[1,2.50,null,false]"])],
    ),
    (Either, &[Do(|builder, rng| nest(builder, rng, 2, 10))]),
    (Either, &[Do(|builder, rng| nest(builder, rng, 20, 100))]),
    // With the record around it 127 levels, as many as serde_json reads.
    (Either, &[Do(|builder, rng| nest(builder, rng, 126, 126))]),
    (Either, &[Do(sixty_more)]),
    (Either, &[Do(long_value)]),
    (Either, &[Do(long_note)]),
    // Blanks.
    (Either, &[Blanks(Spacing::Python)]),
    (Either, &[Blanks(Spacing::Wild)]),
    // Numbers and words where strings are usual, and the other way round.
    (Either, &[Set("credits", &["1.50", "0.0", "1E5", "1e+5", "2e-3", "-0", "-7", "0e0"])]),
    (
        Either,
        &[Set(
            "credits",
            &["12345678901234567890", "-98765432109876543210", "1e400", "0.1000000000000000055511151"],
        )],
    ),
    (Either, &[Set("credits", &["\"3\"", "\"1.50\"", "\"\\u0033\"", "\"many\""])]),
    (Either, &[Set("credits", &["true", "false"]), Set("type", &["true", "7"])]),
    (Either, &[Set("phone", &["12125556707", "-1", "1.2125556707e10"]), Set("context", &["0", "false"])]),
    (
        V2,
        &[
            Set("telephony_id", &["1", "null", "\"\"", "true"]),
            Set("txid", &["\"none\"", "12345678901234567890"]),
        ],
    ),
    (Either, &[Set("log_type", &["\"DUO_TELEPHONY\"", "\"DUO_AUTH\"", "\"\"", "null", "7"])]),
    // Seconds since 1970.
    (
        Either,
        &[Set(
            "timestamp",
            &["\"1683648435\"", "\"168364843\\u0035\"", "\"1683648435.0\"", "\"16836484e2\""],
        )],
    ),
    (
        Either,
        &[Set("timestamp", &["1683648435.5", "1683648435.466370", "1683648435.000", "1683648435.123456789"])],
    ),
    (Either, &[Set("timestamp", &["-1", "-86400.5", "-0.000000001", "\"-1683648435\"", "-2208988800"])]),
    (
        Either,
        &[Set("timestamp", &["1.68e9", "1.68E+9", "16836484350e-1", "1683648435e0", "1683648435000e-3"])],
    ),
    (
        Either,
        &[Set(
            "timestamp",
            &["0", "-0", "0.0", "0e99999999999999999999", "1e-99999999999999999999", "-1e-400"],
        )],
    ),
    (Either, &[Set("timestamp", &["1683648435.99999999999999999999999999999999999999999", "-5.0000000001"])]),
    (Either, &[Do(long_fraction)]),
    (Either, &[Set("timestamp", &["253402300799", "253402300799.999999999", "253402300799.99999999999"])]),
    (
        Either,
        &[Set(
            "timestamp",
            &["-62135596800", "-621355968e2", "-62135596799.9999999999", "\"-62135596800.0\""],
        )],
    ),
    (V2, &[Set("timestamp", &["null", "\"\""])]),
    (V1, &[Set("timestamp", &["null", "\"\""]), Set("ts", &["null", "\"\"", "\"2023-03-21T22:34:49Z\""])]),
    (Either, &[Set("timestamp", &["1584718692"]), Set("ts", &["\"later\"", "true", "\"9999-99-99\""])]),
    // Times as text.
    (
        V2,
        &[Set(
            "ts",
            &["\"2023-03-21t22:34:49z\"", "\"2023-03-21t22:34:49.466370z\"", "\"2023-03-21T22:34:49z\""],
        )],
    ),
    (V2, &[Set("ts", &["\"2023-03-21 22:34:49\"", "\"2023-03-21 22:34:49.5+00:00\""])]),
    (V2, &[Set("ts", &["\"2023-03-21T22:34:49,466370Z\"", "\"2023-03-21 22:34:49,1\""])]),
    (
        V2,
        &[Set(
            "ts",
            &[
                "\"2023-03-21T22:34:49+0530\"",
                "\"2023-03-21T22:34:49-0800\"",
                "\"2023-12-31T23:59:59-14:00\"",
            ],
        )],
    ),
    (
        V2,
        &[Set(
            "ts",
            &["\"2023-03-21T22:34:49\"", "\"2023-03-21T22:34:49-00:00\"", "\"2023-01-01T00:00:00+23:59\""],
        )],
    ),
    (
        V2,
        &[Set(
            "ts",
            &["\"2024-02-29T23:59:59.999999Z\"", "\"2000-02-29T00:00:00Z\"", "\"2024-02-29T23:00:00-01:00\""],
        )],
    ),
    (
        V2,
        &[Set(
            "ts",
            &["\"0001-01-01T00:00:00Z\"", "\"0001-01-01T01:00:00+01:00\"", "\"0004-02-29T00:00:00.1Z\""],
        )],
    ),
    (
        V2,
        &[Set(
            "ts",
            &[
                "\"9999-12-31T23:59:59.999999999Z\"",
                "\"9999-12-31T22:59:59-01:00\"",
                "\"1969-12-31T23:59:59.9Z\"",
            ],
        )],
    ),
    (
        V2,
        &[Set("ts", &["\"2023-03-21T22\\u003a34\\u003A49Z\"", "\"\\u0032023-03-21T22:34:49.000000+00:00\""])],
    ),
    (V2, &[Do(|builder, rng| time(builder, rng, "ts"))]),
    (V1, &[Drop(&["timestamp"]), Do(|builder, rng| time(builder, rng, "isotimestamp"))]),
    (V1, &[Drop(&["timestamp", "isotimestamp"]), Do(|builder, rng| time(builder, rng, "ts"))]),
];

/// One in this many awkward lines ends in CR LF; as many have blanks as well.
const SOME: u64 = 16;

/// Appends an awkward record, without the newline.
pub(super) fn line(rng: &mut Rng, source: &mut RecordSource, builder: &mut RecordBuilder, out: &mut Vec<u8>) {
    let oddity = rng.index(ODDITIES.len());
    odd(ODDITIES[oddity], rng, source, builder, out);
}

/// Appends a record with this oddity.
pub(super) fn odd(
    (base, steps): Oddity,
    rng: &mut Rng,
    source: &mut RecordSource,
    builder: &mut RecordBuilder,
    out: &mut Vec<u8>,
) {
    builder.base(base, &source.next(rng), rng);
    steps.iter().for_each(|step| builder.apply(*step, rng));
    match rng.below(SOME) {
        0 => builder.set_gap(Spacing::Python),
        1 => builder.set_gap(Spacing::Wild),
        _ => {}
    }
    builder.write(rng, out);
    if rng.one_in(SOME) {
        out.push(b'\r');
    }
}

/// A time in one of the forms that are read.
fn time(builder: &mut RecordBuilder, rng: &mut Rng, key: &'static str) {
    builder.member(key, |out| {
        quoted(out, |out| {
            // A day off the ends, where an offset could lead out of the range.
            put_time(rng.below(253_402_214_400) as i64, rng.pick(b"TTt "), out);
            if !rng.one_in(4) {
                out.push(rng.pick(b"..,"));
                for _ in 0..=rng.below(12) {
                    out.push(b'0' + rng.below(10) as u8);
                }
            }
            match rng.below(6) {
                0 => {}
                1 => out.push(rng.pick(b"Zz")),
                form => {
                    out.push(rng.pick(b"+-"));
                    put_number(rng.below(15), 2, out);
                    if form > 2 {
                        out.extend_from_slice(if form == 3 { b"" } else { b":" });
                        put_number(15 * rng.below(4), 2, out);
                    }
                }
            }
        });
    });
    builder.settle(key, rng);
}

fn long_fraction(builder: &mut RecordBuilder, rng: &mut Rng) {
    builder.member("timestamp", |out| {
        put_number(rng.below(4_000_000_000), 1, out);
        out.push(b'.');
        for _ in 0..100 + rng.below(400) {
            out.push(b'0' + rng.below(10) as u8);
        }
    });
    builder.settle("timestamp", rng);
}

fn nest(builder: &mut RecordBuilder, rng: &mut Rng, least: u64, most: u64) {
    let levels = least + rng.below(most - least + 1);
    builder.member("nested", |out| put_nest(levels as usize, rng, out));
    builder.settle("nested", rng);
}

fn sixty_more(builder: &mut RecordBuilder, rng: &mut Rng) {
    let values = ["null", "true", "0", "\"x\"", "[]", "{}", "\"some words\"", "-1.5"];
    for n in 0..60 {
        builder.set(&format!("extra_{n}"), rng.pick(&values).as_bytes(), rng);
    }
}

/// Words up to several KiB, with an escape or a wide character here and there.
fn put_words(rng: &mut Rng, out: &mut Vec<u8>) {
    let words = ["telephony ", "sms ", "é", "\\n", "\\\"", "📱", "\\\\", "\\u00e9", "{", "]", ",", ":"];
    let end = out.len() + 500 + rng.index(6000);
    while out.len() < end {
        let word = if rng.one_in(8) { rng.pick(&words) } else { "abcdefghijklmnopqrstuvwxyz 0123456789" };
        out.extend_from_slice(word.as_bytes());
    }
}

fn long_value(builder: &mut RecordBuilder, rng: &mut Rng) {
    let key = rng.pick(STRINGS);
    builder.member(key, |out| quoted(out, |out| put_words(rng, out)));
    builder.settle(key, rng);
}

fn long_note(builder: &mut RecordBuilder, rng: &mut Rng) {
    builder.member("long", |out| {
        out.extend_from_slice(b"[{\"text\":");
        quoted(out, |out| put_words(rng, out));
        out.extend_from_slice(b"}]");
    });
    builder.settle("long", rng);
}

fn long_key(builder: &mut RecordBuilder, rng: &mut Rng) {
    let key = "phone_".repeat(10 + rng.index(300));
    builder.set(&key, b"\"+1\"", rng);
}

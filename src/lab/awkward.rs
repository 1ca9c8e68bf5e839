//! The catalogue of oddities: records that look strange and must convert all the same.

use super::draft::Base::{self, Either, V1, V2};
use super::draft::Step::{self, Blanks, Do, Drop, First, Last, Rename, Set, SetAny};
use super::draft::{Draft, Gap, put_nest, quoted};
use super::facts::{Dice, Source, put_number, put_time};

/// What there is to be odd: a record to begin with, and what is done to it.
pub(super) type Oddity = (Base, &'static [Step]);

/// Fields that hold any string (`note` being one that no mapping reads).
const STRINGS: &[&str] = &["context", "phone", "type", "host", "credits", "log_type", "txid", "note"];
/// Fields that a record can do without.
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
    (Either, &[Do(|draft, _| draft.reverse())]),
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
    (Either, &[Do(|draft, dice| draft.remove(dice.pick(OPTIONAL)))]),
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
    // Fields that no mapping reads.
    (
        Either,
        &[Set("extra", &["{\"phone\":\"+1\",\"ts\":{\"ts\":[1,{\"host\":null}]}}", "[[],{},[{}],\"\"]"])],
    ),
    (
        Either,
        &[Set("extra", &["1e999", "-0.0", "12345678901234567890123", "1E-7", "true", "[1,2.50,null,false]"])],
    ),
    (Either, &[Do(|draft, dice| nest(draft, dice, 2, 10))]),
    (Either, &[Do(|draft, dice| nest(draft, dice, 20, 100))]),
    // With the record around it 127 levels, as many as serde_json reads.
    (Either, &[Do(|draft, dice| nest(draft, dice, 126, 126))]),
    (Either, &[Do(sixty_more)]),
    (Either, &[Do(long_value)]),
    (Either, &[Do(long_note)]),
    // Blanks.
    (Either, &[Blanks(Gap::Python)]),
    (Either, &[Blanks(Gap::Wild)]),
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
    (V2, &[Do(|draft, dice| time(draft, dice, "ts"))]),
    (V1, &[Drop(&["timestamp"]), Do(|draft, dice| time(draft, dice, "isotimestamp"))]),
    (V1, &[Drop(&["timestamp", "isotimestamp"]), Do(|draft, dice| time(draft, dice, "ts"))]),
];

/// One in this many awkward lines ends in CR LF; as many have blanks as well.
const SOME: u64 = 16;

/// Appends an awkward record, without the newline.
pub(super) fn line(dice: &mut Dice, source: &mut Source, draft: &mut Draft, out: &mut Vec<u8>) {
    let oddity = dice.index(ODDITIES.len());
    odd(ODDITIES[oddity], dice, source, draft, out);
}

/// Appends a record with this oddity.
pub(super) fn odd(
    (base, steps): Oddity,
    dice: &mut Dice,
    source: &mut Source,
    draft: &mut Draft,
    out: &mut Vec<u8>,
) {
    draft.base(base, &source.next(dice), dice);
    steps.iter().for_each(|step| draft.apply(*step, dice));
    match dice.below(SOME) {
        0 => draft.set_gap(Gap::Python),
        1 => draft.set_gap(Gap::Wild),
        _ => {}
    }
    draft.write(dice, out);
    if dice.one_in(SOME) {
        out.push(b'\r');
    }
}

/// A time in one of the forms that are read.
fn time(draft: &mut Draft, dice: &mut Dice, key: &'static str) {
    draft.member(key, |out| {
        quoted(out, |out| {
            // A day off the ends, where an offset could lead out of the range.
            put_time(dice.below(253_402_214_400), dice.pick(b"TTt "), out);
            if !dice.one_in(4) {
                out.push(dice.pick(b"..,"));
                for _ in 0..=dice.below(12) {
                    out.push(b'0' + dice.below(10) as u8);
                }
            }
            match dice.below(6) {
                0 => {}
                1 => out.push(dice.pick(b"Zz")),
                form => {
                    out.push(dice.pick(b"+-"));
                    put_number(dice.below(15), 2, out);
                    if form > 2 {
                        out.extend_from_slice(if form == 3 { b"" } else { b":" });
                        put_number(15 * dice.below(4), 2, out);
                    }
                }
            }
        });
    });
    draft.settle(key, dice);
}

fn long_fraction(draft: &mut Draft, dice: &mut Dice) {
    draft.member("timestamp", |out| {
        put_number(dice.below(4_000_000_000), 1, out);
        out.push(b'.');
        for _ in 0..100 + dice.below(400) {
            out.push(b'0' + dice.below(10) as u8);
        }
    });
    draft.settle("timestamp", dice);
}

fn nest(draft: &mut Draft, dice: &mut Dice, least: u64, most: u64) {
    let levels = least + dice.below(most - least + 1);
    draft.member("nested", |out| put_nest(levels as usize, dice, out));
    draft.settle("nested", dice);
}

fn sixty_more(draft: &mut Draft, dice: &mut Dice) {
    let values = ["null", "true", "0", "\"x\"", "[]", "{}", "\"some words\"", "-1.5"];
    for n in 0..60 {
        draft.set(&format!("extra_{n}"), dice.pick(&values).as_bytes(), dice);
    }
}

/// Words up to several KiB, with an escape or a wide character here and there.
fn put_words(dice: &mut Dice, out: &mut Vec<u8>) {
    let words = ["telephony ", "sms ", "é", "\\n", "\\\"", "📱", "\\\\", "\\u00e9", "{", "]", ",", ":"];
    let end = out.len() + 500 + dice.index(6000);
    while out.len() < end {
        let word = if dice.one_in(8) { dice.pick(&words) } else { "abcdefghijklmnopqrstuvwxyz 0123456789" };
        out.extend_from_slice(word.as_bytes());
    }
}

fn long_value(draft: &mut Draft, dice: &mut Dice) {
    let key = dice.pick(STRINGS);
    draft.member(key, |out| quoted(out, |out| put_words(dice, out)));
    draft.settle(key, dice);
}

fn long_note(draft: &mut Draft, dice: &mut Dice) {
    draft.member("long", |out| {
        out.extend_from_slice(b"[{\"text\":");
        quoted(out, |out| put_words(dice, out));
        out.extend_from_slice(b"}]");
    });
    draft.settle("long", dice);
}

fn long_key(draft: &mut Draft, dice: &mut Dice) {
    let key = "phone_".repeat(10 + dice.index(300));
    draft.set(&key, b"\"+1\"", dice);
}

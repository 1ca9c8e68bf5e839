//! Ways in which a fast reader takes what is no JSON, or gives a wrong event: a record that it has
//! learnt, and one that looks like it.

use super::GOOD;
use super::oracle::{Oracle, Table};

/// What is at stake, the record that is learnt, and what looks like it.
type Trap = (&'static str, &'static str, &'static [&'static str]);

const V2: &str = GOOD[0];
const NUMBERS: &str = r#"{"credits":1,"x":22,"timestamp":1584718692,"phone":"a"}"#;
const LISTS: &str = r#"{"x":[1,2],"y":["a","b"],"timestamp":1584718692}"#;
const TEXTS: &str = r#"{"other":"abc","phone":"def","timestamp":1584718692}"#;
const ESCAPED: &str = r#"{"phone":"a\"b","other":"a\nc","timestamp":1584718692}"#;
const WORDS: &str = r#"{"phone":"a","x":true,"y":null,"type":"","timestamp":1584718692}"#;
const BOOLEANS: &str = r#"{"phone":"a","type":true,"timestamp":1584718692}"#;
const HOSTS: &str = r#"{"host":"api-1234abcd.duosecurity.com","timestamp":1584718692}"#;
const ISO: &str = r#"{"ts":"2023-03-21T22:34:49.466370+00:00","phone":"a"}"#;
const FORMS: &str = r#"{"credits":-12.50e+3,"x":0.25,"timestamp":1584718692.25,"phone":"a"}"#;
const TOLD: &str = r#"{"eventtype":"telephony","phone":"a","timestamp":1584718692}"#;
const KNOWN: &str = r#"{"host":"h","timestamp":1584718692}"#;
const STRANGE: &str = r#"{"x":"v","phone":"p","timestamp":1584718692}"#;
const NESTED: &str = r#"{"a":{"host":"h","port":1,"b":{"c":"x"}},"timestamp":1584718692}"#;

const TRAPS: &[Trap] = &[
    (
        "a piece is behind the line's start",
        NUMBERS,
        &[
            r#"x{"credits":1,"x":22,"timestamp":1584718692,"phone":"a"}"#,
            r#" {"credits":1,"x":22,"timestamp":1584718692,"phone":"a"}"#,
            r#"{{"credits":1,"x":22,"timestamp":1584718692,"phone":"a"}"#,
        ],
    ),
    (
        "bytes behind the last piece",
        NUMBERS,
        &[
            r#"{"credits":1,"x":22,"timestamp":1584718692,"phone":"a"}x"#,
            r#"{"credits":1,"x":22,"timestamp":1584718692,"phone":"a"}}"#,
            r#"{"credits":1,"x":22,"timestamp":1584718692,"phone":"a"} "#,
            "{\"credits\":1,\"x\":22,\"timestamp\":1584718692,\"phone\":\"a\"}\r",
        ],
    ),
    (
        "numbers have no mark of their own",
        NUMBERS,
        &[
            r#"{"credits":,"x":22,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":01,"x":22,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":022,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":-,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":1-2,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":1.,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":1e,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":+1,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x": 22,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":2 2,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":22 ,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":true,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":null,"x":22,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":[],"x":{},"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":[1,2],"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":2,2,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":2x,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":2.,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":2e,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":2-,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":2 ,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":2:,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":2},"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":-2,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":02,"timestamp":1584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":11111111111111111111111111111111111111111111111111111111111111111x,"timestamp":1,"phone":"a"}"#,
        ],
    ),
    (
        "digits stand for digits, and for nothing else",
        FORMS,
        &[
            r#"{"credits":-99.99e+9,"x":9.99,"timestamp":1684718692.99,"phone":"a"}"#,
            r#"{"credits":-02.50e+3,"x":0.25,"timestamp":1584718692.25,"phone":"a"}"#,
            r#"{"credits":-12.50e+3,"x":00.5,"timestamp":1584718692.25,"phone":"a"}"#,
            r#"{"credits":-12.50e-3,"x":0.25,"timestamp":1584718692.25,"phone":"a"}"#,
            r#"{"credits":-12.50E+3,"x":0.25,"timestamp":1584718692.25,"phone":"a"}"#,
            r#"{"credits":+12.50e+3,"x":0.25,"timestamp":1584718692.25,"phone":"a"}"#,
            r#"{"credits":-12,50e+3,"x":0.25,"timestamp":1584718692.25,"phone":"a"}"#,
            r#"{"credits":-1/.50e+3,"x":0.25,"timestamp":1584718692.25,"phone":"a"}"#,
            r#"{"credits":-1:.50e+3,"x":0.25,"timestamp":1584718692.25,"phone":"a"}"#,
            r#"{"credits":-12.50e+ ,"x":0.25,"timestamp":1584718692.25,"phone":"a"}"#,
            r#"{"credits":-12.50e+3,"x":0.2.,"timestamp":1584718692.25,"phone":"a"}"#,
            r#"{"credits":-12.50e+3,"x":-.25,"timestamp":1584718692.25,"phone":"a"}"#,
            r#"{"credits":-12.50e+3,"x":0.25,"timestamp":0584718692.25,"phone":"a"}"#,
            r#"{"credits":-12.50e+3,"x":0.25,"timestamp":1584718692.255,"phone":"a"}"#,
            r#"{"credits":-12.50e+3,"x":0.25,"timestamp":"1584718692.5","phone":"a"}"#,
        ],
    ),
    (
        "a text that tells whose record it is",
        TOLD,
        &[
            r#"{"eventtype":"telephonx","phone":"a","timestamp":1584718692}"#,
            r#"{"eventtype":"TELEPHONY","phone":"a","timestamp":1584718692}"#,
            r#"{"eventtype":"authentication","phone":"a","timestamp":1584718692}"#,
            r#"{"eventtype":"","phone":"a","timestamp":1584718692}"#,
            r#"{"eventtype":null,"phone":"a","timestamp":1584718692}"#,
            r#"{"eventtype":7,"phone":"a","timestamp":1584718692}"#,
            r#"{"eventtype":true,"phone":"a","timestamp":1584718692}"#,
            r#"{"eventtype":["telephony"],"phone":"a","timestamp":1584718692}"#,
            r#"{"eventtype":"telephony","phone":"a","timestamp":1584718692}"#,
            r#"{"eventtype":"authentication","phone":"a","timestamp":1584718692,"eventtype":"telephony"}"#,
            r#"{"service":"telephony","phone":"a","timestamp":1584718692}"#,
            r#"{"service":"Telephony","phone":"a","timestamp":1584718692}"#,
            r#"{"service":"telepathy","phone":"a","timestamp":1584718692}"#,
            r#"{"service":{},"phone":"a","timestamp":1584718692}"#,
            r#"{"service":"telephony","message":{"phone":"b","timestamp":1584718692}}"#,
            r#"{"service":"telephony","message":"m","phone":"a","timestamp":1584718692}"#,
            r#"{"service":"telephony","message":{"phone":"b","timestamp":1584718692}}"#,
            r#"{"message":{"phone":"b","timestamp":1584718692},"service":"telephony"}"#,
            r#"{"message":{"phone":"b","timestamp":1584718692},"phone":"a","timestamp":1584718692}"#,
            r#"{"event_type":"telephony","phone":"a","timestamp":1584718692}"#,
            r#"{"event_type":"telephon","phone":"a","timestamp":1584718692}"#,
        ],
    ),
    (
        "a key that is not known, where nothing says whose record it is",
        KNOWN,
        &[
            r#"{"hosu":"h","timestamp":1584718692}"#,
            r#"{"host":"h","timestamp":1584718692,"x":"v"}"#,
            r#"{"host":"h","timestamp":1584718692,"x":""}"#,
            r#"{"host":"h","timestamp":1584718692,"x":null}"#,
            r#"{"host":"h","timestamp":1584718692,"x":0}"#,
            r#"{"host":"h","timestamp":1584718692,"x":false}"#,
            r#"{"host":"h","timestamp":1584718692,"x":{}}"#,
            r#"{"host":"h","timestamp":1584718692,"x":[]}"#,
            r#"{"host":"h","timestamp":1584718692,"x":"v","x":null}"#,
            r#"{"host":"h","timestamp":1584718692,"x":null,"x":"v"}"#,
            r#"{"host":"h","timestamp":1584718692,"x":"v"}"#,
            r#"{"host":"h","timestamp":1584718692,"a"b":"v"}"#,
            r#"{"host":"h","timestamp":1584718692,"é":"v"}"#,
            r#"{"host":"h","timestamp":1584718692,"a key of more than sixteen bytes":"v"}"#,
            r#"{"host":"h","timestamp":1584718692,"txid":"t"}"#,
            r#"{"host":"h","timestamp":1584718692,"telephony_id":"t","x":"v"}"#,
            r#"{"host":"h","timestamp":1584718692,"telephony_id":null,"x":"v"}"#,
            r#"{"host":"h","timestamp":1584718692,"telephony_id":"","x":"v"}"#,
            r#"{"host":"h","timestamp":1584718692,"telephony_id":{},"x":"v"}"#,
            r#"{"host":"h","timestamp":1584718692,"telephony_id":"t","telephony_id":null,"x":"v"}"#,
            r#"{"host":"h","timestamp":1584718692,"x":{"phone":"p"}}"#,
        ],
    ),
    (
        "a key that is not known, next to one that says enough",
        STRANGE,
        &[
            r#"{"x":"","phone":"p","timestamp":1584718692}"#,
            r#"{"x":"v","phone":"","timestamp":1584718692}"#,
            r#"{"x":"","phone":"","timestamp":1584718692}"#,
            r#"{"x":"v","phone":null,"timestamp":1584718692}"#,
            r#"{"x":null,"phone":null,"timestamp":1584718692}"#,
            r#"{"x":"v","phonx":"p","timestamp":1584718692}"#,
            r#"{"x":"v","phone":"p","phone":"","timestamp":1584718692}"#,
        ],
    ),
    (
        "between two numbers there is no mark",
        LISTS,
        &[
            r#"{"x":[1,22],"y":["a","b"],"timestamp":1584718692}"#,
            r#"{"x":[12],"y":["a","b"],"timestamp":1584718692}"#,
            r#"{"x":[1 2],"y":["a","b"],"timestamp":1584718692}"#,
            r#"{"x":[,12],"y":["a","b"],"timestamp":1584718692}"#,
            r#"{"x":[1,,2],"y":["a","b"],"timestamp":1584718692}"#,
            r#"{"x":[1.2],"y":["a","b"],"timestamp":1584718692}"#,
            r#"{"x":[1,2,3],"y":["a","b"],"timestamp":1584718692}"#,
            r#"{"x":[1,2},"y":["a","b"],"timestamp":1584718692}"#,
        ],
    ),
    (
        "a length below nothing",
        TEXTS,
        &[
            r#"{"other":"phone":"def","timestamp":1584718692}"#,
            r#"{"other":","phone":"def","timestamp":1584718692}"#,
            r#"{"other":"abc","phone":","timestamp":1584718692}"#,
            r#"{"other":"abc","phone":"timestamp":1584718692}"#,
            r#"{"other":"abc""phone":"def","timestamp":1584718692}"#,
            r#"{"other""abc","phone":"def","timestamp":1584718692}"#,
        ],
    ),
    (
        "nothing is no text",
        TEXTS,
        &[
            r#"{"other":"","phone":"def","timestamp":1584718692}"#,
            r#"{"other":"abc","phone":"","timestamp":1584718692}"#,
            r#"{"other":"","phone":"","timestamp":1584718692}"#,
            r#"{"other":null,"phone":"def","timestamp":1584718692}"#,
            r#"{"other":"abc","phone":null,"timestamp":1584718692}"#,
        ],
    ),
    (
        "words are part of the shape",
        WORDS,
        &[
            r#"{"phone":"a","x":false,"y":null,"type":"","timestamp":1584718692}"#,
            r#"{"phone":"a","x":null,"y":true,"type":"","timestamp":1584718692}"#,
            r#"{"phone":"a","x":tru,"y":null,"type":"","timestamp":1584718692}"#,
            r#"{"phone":"a","x":truth,"y":null,"type":"","timestamp":1584718692}"#,
            r#"{"phone":"a","x":true,"y":nul,"type":"","timestamp":1584718692}"#,
            r#"{"phone":"a","x":true,"y":null,"type":"b","timestamp":1584718692}"#,
            r#"{"phone":"","x":true,"y":null,"type":"b","timestamp":1584718692}"#,
        ],
    ),
    (
        "a mapped word is a value, null is none",
        BOOLEANS,
        &[
            r#"{"phone":"a","type":null,"timestamp":1584718692}"#,
            r#"{"phone":"a","type":false,"timestamp":1584718692}"#,
            r#"{"phone":"a","type":1,"timestamp":1584718692}"#,
            r#"{"phone":"a","type":"true","timestamp":1584718692}"#,
            r#"{"phone":"a","type":[],"timestamp":1584718692}"#,
        ],
    ),
    (
        "of two equal keys the last counts",
        r#"{"phone":"a","phone":"b","timestamp":1584718692}"#,
        &[
            r#"{"phone":"a","phone":null,"timestamp":1584718692}"#,
            r#"{"phone":"a","phone":"","timestamp":1584718692}"#,
            r#"{"phone":null,"phone":"b","timestamp":1584718692}"#,
            r#"{"phone":[],"phone":"b","timestamp":1584718692}"#,
            r#"{"phone":"a","phone":[],"timestamp":1584718692}"#,
            r#"{"phone":"a","xhone":"b","timestamp":1584718692}"#,
            r#"{"xhone":"a","phone":"b","timestamp":1584718692}"#,
        ],
    ),
    (
        "of two equal keys the last counts, and that is nothing",
        r#"{"phone":"a","phone":"","timestamp":1584718692}"#,
        &[
            r#"{"phone":"a","phone":"b","timestamp":1584718692}"#,
            r#"{"phone":"cc","phone":"","timestamp":1584718692}"#,
            r#"{"phone":"","phone":"","timestamp":1584718692}"#,
        ],
    ),
    (
        "a repeated object replaces the earlier",
        NESTED,
        &[
            r#"{"a":{"host":"h","port":1,"b":{"c":"x"}},"a":{"port":2},"timestamp":1584718692}"#,
            r#"{"a":{"host":"h","port":1,"b":{"c":"x"}},"a":{},"timestamp":1584718692}"#,
            r#"{"a":{"host":"h","port":1,"b":{"c":"x"}},"a":null,"timestamp":1584718692}"#,
            r#"{"a":{"host":"h","port":1,"b":{"c":"x"}},"a":1,"timestamp":1584718692}"#,
            r#"{"a":{"host":"h","port":1,"b":{"c":"x"},"b":{}},"timestamp":1584718692}"#,
            r#"{"a":{"host":"h","port":1,"b":{"c":"x"},"b":"y"},"timestamp":1584718692}"#,
            r#"{"a":{"host":"h","port":[],"b":{"c":{}}},"a":{"port":2},"timestamp":1584718692}"#,
            r#"{"a":{"host":"h","port":1,"b":{"c":"x"}},"\u0061":{"port":2},"timestamp":1584718692}"#,
            r#"{"a":{"host":"h","port":1,"b":{"c":"x"}},"a":[{"port":2}],"timestamp":1584718692}"#,
            r#"{"a":[{"host":"h","port":1,"b":{"c":"x"}}],"timestamp":1584718692}"#,
            r#"{"x":{"host":"h","port":1,"b":{"c":"x"}},"timestamp":1584718692}"#,
            r#"{"a":{"host":"h","port":1,"x":{"c":"x"}},"timestamp":1584718692}"#,
        ],
    ),
    (
        "the first time that is present decides",
        r#"{"timestamp":"","ts":"2023-03-21T22:34:49Z","isotimestamp":"2020-01-01T00:00:00Z"}"#,
        &[
            r#"{"timestamp":"1","ts":"2023-03-21T22:34:49Z","isotimestamp":"2020-01-01T00:00:00Z"}"#,
            r#"{"timestamp":"x","ts":"2023-03-21T22:34:49Z","isotimestamp":"2020-01-01T00:00:00Z"}"#,
            r#"{"timestamp":"","ts":"","isotimestamp":"2020-01-01T00:00:00Z"}"#,
            r#"{"timestamp":"","ts":"x","isotimestamp":"2020-01-01T00:00:00Z"}"#,
            r#"{"timestamp":"","ts":"","isotimestamp":""}"#,
        ],
    ),
    (
        "a time's length does not tell its form",
        ISO,
        &[
            r#"{"ts":"2023-03-21T22:34:49.466370-00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49.466370+00:01","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49.466370+10:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49.466370+01:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49.466370+00.00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49,466370+00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21 22:34:49.466370+00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21t22:34:49.466370+00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49.070000+00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49.000000+00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49.000001+00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49.46637000000Z","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49.12345678901Z","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49.1+00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49.123456Z","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49+00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49.12Z","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49Z","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49","phone":"a"}"#,
            r#"{"ts":"2023-02-29T22:34:49.466370+00:00","phone":"a"}"#,
            r#"{"ts":"2024-02-29T22:34:49.466370+00:00","phone":"a"}"#,
            r#"{"ts":"2023-04-31T22:34:49.466370+00:00","phone":"a"}"#,
            r#"{"ts":"0000-03-21T22:34:49.466370+00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T24:34:49.466370+00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:60:49.466370+00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:60.466370+00:00","phone":"a"}"#,
            r#"{"ts":"2023-13-21T22:34:49.466370+00:00","phone":"a"}"#,
            r#"{"ts":"2023-00-21T22:34:49.466370+00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-00T22:34:49.466370+00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49.4663é0+00:00","phone":"a"}"#,
            r#"{"ts":"2023-03-21T22:34:49.466370+00:00aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","phone":"a"}"#,
        ],
    ),
    (
        "ten digits are seconds, others need care",
        NUMBERS,
        &[
            r#"{"credits":1,"x":22,"timestamp":0584718692,"phone":"a"}"#,
            r#"{"credits":1,"x":22,"timestamp":158471869,"phone":"a"}"#,
            r#"{"credits":1,"x":22,"timestamp":15847186921,"phone":"a"}"#,
            r#"{"credits":1,"x":22,"timestamp":1584718692123,"phone":"a"}"#,
            r#"{"credits":1,"x":22,"timestamp":-158471869,"phone":"a"}"#,
            r#"{"credits":1,"x":22,"timestamp":15847186.2,"phone":"a"}"#,
            r#"{"credits":1,"x":22,"timestamp":158471869e1,"phone":"a"}"#,
            r#"{"credits":1,"x":22,"timestamp":"1584718692","phone":"a"}"#,
            r#"{"credits":1,"x":22,"timestamp":"0584718692","phone":"a"}"#,
            r#"{"credits":1,"x":22,"timestamp":"158471869x","phone":"a"}"#,
        ],
    ),
    (
        "escapes shift the marks only if they are marks",
        TEXTS,
        &[
            r#"{"other":"a\nc","phone":"def","timestamp":1584718692}"#,
            r#"{"other":"a\"c","phone":"def","timestamp":1584718692}"#,
            r#"{"other":"a\\c","phone":"def","timestamp":1584718692}"#,
            r#"{"other":"a\\","phone":"def","timestamp":1584718692}"#,
            r#"{"other":"a\","phone":"def","timestamp":1584718692}"#,
            r#"{"other":"\","phone":"def\","timestamp":1584718692}"#,
            r#"{"other":"abc","phone":"d\u0065f","timestamp":1584718692}"#,
            r#"{"other":"abc","phone":"de\\","timestamp":1584718692}"#,
            r#"{"other":"abc","phone":"de\","timestamp":1584718692}"#,
            r#"{"other\u0000":"abc","phone":"def","timestamp":1584718692}"#,
            r#"{"other":"abc","ph\u006fne":"def","timestamp":1584718692}"#,
            r#"{"other":"\u041"","phone":"def","timestamp":1584718692}"#,
            r#"{"other":"\ud800","phone":"def","timestamp":1584718692}"#,
            r#"{"other":"abc","phone":"\udc00","timestamp":1584718692}"#,
            "{\"other\":\"a\tc\",\"phone\":\"def\",\"timestamp\":1584718692}",
            "{\"other\":\"abc\",\t\"phone\":\"def\",\"timestamp\":1584718692}",
            "{\"other\":\"abc\",\"phone\":\"d\0f\",\"timestamp\":1584718692}",
        ],
    ),
    (
        "a text that has escapes is not where it was",
        ESCAPED,
        &[
            r#"{"phone":"d","other":"abc","timestamp":1584718692}"#,
            r#"{"phone":"d\\e","other":"a\tc","timestamp":1584718692}"#,
            r#"{"phone":"a\"b","other":"a\\c","timestamp":1584718693}"#,
        ],
    ),
    (
        "letters beyond ASCII are no marks",
        TEXTS,
        &[
            r#"{"other":"é","phone":"def","timestamp":1584718692}"#,
            r#"{"othér":"abc","phone":"def","timestamp":1584718692}"#,
            r#"{"other":"abc","phoné":"def","timestamp":1584718692}"#,
            r#"{"other":"abc","phone":"日本","timestamp":1584718692}"#,
        ],
    ),
    (
        "an address needs its own event",
        HOSTS,
        &[
            r#"{"host":"192.0.2.7","timestamp":1584718692}"#,
            r#"{"host":"2001:db8::1","timestamp":1584718692}"#,
            r#"{"host":"abcdef.abcdef","timestamp":1584718692}"#,
            r#"{"host":"192.0.2","timestamp":1584718692}"#,
            r#"{"host":"2001:db8::1%eth0","timestamp":1584718692}"#,
            r#"{"host":"1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1","timestamp":1584718692}"#,
            r#"{"host":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaz","timestamp":1584718692}"#,
            r#"{"host":"0001:0001:0001:0001:0001:0001:255.255.255.255","timestamp":1584718692}"#,
            r#"{"host":7,"timestamp":1584718692}"#,
        ],
    ),
    (
        "what is rejected looks as good as what is not",
        V2,
        &[
            r#"{"context":"enrollment","credits":1,"phone":"+12125556707","telephony_id":"5bf1a860-fe39-49e3-be29-217659663a74","tz":"2023-03-21T22:34:49.466370+00:00","txid":"fb0c129b-f994-4d3d-953b-c3e764272eb7","type":"sms"}"#,
            r#"{"context":"enrollment","credits":1,"phone":"+12125556707","telephony_id":"5bf1a860-fe39-49e3-be29-217659663a74","ts":"2023-03-21T25:34:49.466370+00:00","txid":"fb0c129b-f994-4d3d-953b-c3e764272eb7","type":"sms"}"#,
            r#"{"context":"enrollment","credits":[],"phone":"+12125556707","telephony_id":"5bf1a860-fe39-49e3-be29-217659663a74","ts":"2023-03-21T22:34:49.466370+00:00","txid":"fb0c129b-f994-4d3d-953b-c3e764272eb7","type":"sms"}"#,
            r#"{"context":"enrollment","credits":1,"phone":"+12125556707","telephony_id":"5bf1a860-fe39-49e3-be29-217659663a74","ts":"0000-03-21T22:34:49.466370+00:00","txid":"fb0c129b-f994-4d3d-953b-c3e764272eb7","type":"sms"}"#,
        ],
    ),
];

#[test]
fn none_is_fallen_into() {
    for (why, taught, traps) in TRAPS {
        for table in Table::ALL {
            let oracle = Oracle::new(table);
            let taught = [taught, "\n"].concat();
            for trap in *traps {
                let trap = [trap, "\n"].concat();
                for times in [1, 2, 6, 70] {
                    let log =
                        [taught.repeat(times), trap.clone(), taught.clone(), trap.repeat(2), taught.clone()]
                            .concat();
                    oracle.same_because(log.as_bytes(), why);
                }
            }
        }
    }
}

/// Invalid UTF-8 in a record that has the shape of the one before it.
#[test]
fn bytes_that_are_no_text() {
    let oracle = Oracle::new(Table::Duo);
    for bytes in
        [&b"\xff"[..], b"\x80", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"]
    {
        for at in (0..TEXTS.len()).filter(|at| TEXTS.as_bytes()[*at].is_ascii_lowercase()) {
            let (before, behind) = TEXTS.as_bytes().split_at(at);
            let broken = [before, bytes, &behind[bytes.len().min(3)..]].concat();
            let good = [TEXTS.as_bytes(), b"\n"].concat();
            // Twice: only every other record is held against the loose layouts.
            let twice = [&broken[..], b"\n"].concat().repeat(2);
            for times in [2, 40] {
                oracle.same(&[&good.repeat(times)[..], &twice, &good, &broken].concat());
            }
        }
    }
}

/// What stands behind the input's end, or was there before it, must not complete a record.
#[test]
fn a_record_cut_short() {
    for good in GOOD {
        let good = good.as_bytes();
        let line = [good, b"\n"].concat();
        for table in [Table::Duo, Table::Nested] {
            let oracle = Oracle::new(table);
            for at in 0..good.len() {
                // At the end; before more lines; and so that the rest is on the line after it.
                oracle.same(&[&line.repeat(3)[..], &good[..at]].concat());
                oracle.same(&[&line.repeat(2)[..], &good[..at], b"\n", &good[at..], b"\n", &line].concat());
            }
        }
    }
}

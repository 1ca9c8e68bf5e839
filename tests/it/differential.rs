//! All engines give the same, byte for byte: events, rejects with their places, and books.
//!
//! Each test gives logs to every engine that this machine has, and compares with the exact one.

mod alike;
mod large;
mod lines;
mod mutations;
mod oracle;
mod random;
mod traps;
mod values;

/// Records as the engines like them: Duo's API v2, API v1 with what clients add, one with texts
/// beyond ASCII, numbers and containers, and one for the table with nested fields.
const GOOD: [&str; 4] = [
    r#"{"context":"enrollment","credits":1,"phone":"+12125556707","telephony_id":"5bf1a860-fe39-49e3-be29-217659663a74","ts":"2023-03-21T22:34:49.466370+00:00","txid":"fb0c129b-f994-4d3d-953b-c3e764272eb7","type":"sms"}"#,
    r#"{"context":"authentication","credits":1,"eventtype":"telephony","host":"api-1234abcd.duosecurity.com","isotimestamp":"2020-03-20T15:38:12+00:00","phone":"+15035550100","timestamp":1584718692,"type":"sms"}"#,
    r#"{"context":"vérification","x":[1,-2.5e3,{"y":null,"z":[true,"q"]}],"credits":12,"host":"192.0.2.7","n":false,"phone":"+1","timestamp":1584718693,"type":"phone"}"#,
    r#"{"time":{"s":1584718692,"ms":"1584718692123"},"a":{"host":"2001:db8::1","port":80,"b":{"c":"d"}},"labels":{"a.b":"e"},"flag":true,"score":1.5,"credits":3}"#,
];

/// The lines of a table of cases, without its comments.
fn written(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// The bytes that a text in such a table stands for: `%41` is a byte.
fn unescaped(text: &str) -> Vec<u8> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect(part));
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
}

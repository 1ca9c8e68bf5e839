//! Rows of a table give what their bytes give, each with its number.

use udmap::convert::{Converter, Engine, Options, Reject};
use udmap::lab::{Generator, Mix};
use udmap::mapping::Mapping;

/// Events and rejects of each row, rejects as they stand in a reject file.
type Outcome = Vec<(u64, String)>;

fn text(became: Result<&[u8], &Reject>) -> String {
    let mut line = Vec::new();
    match became {
        Ok(event) => line.extend_from_slice(event),
        Err(reject) => reject.write_json("row", &mut line),
    }
    String::from_utf8(line).expect("UTF-8")
}

fn by_rows(converter: &Converter, rows: &[Vec<u8>]) -> (Outcome, udmap::convert::Counts) {
    let mut outcome = Vec::new();
    let numbered = rows.iter().enumerate().map(|(n, row)| (n as u64, row.as_slice()));
    let counts = converter.convert_rows(numbered, |row, became| {
        outcome.push((row, text(became)));
    });
    (outcome, counts)
}

fn one_by_one(converter: &Converter, rows: &[Vec<u8>]) -> (Outcome, udmap::convert::Counts) {
    let mut outcome = Vec::new();
    let mut counts = converter.counts();
    for (number, row) in rows.iter().enumerate() {
        let batch = converter.convert(row);
        let records = || batch.records();
        // Of a row, rejects follow the events.
        let ordered = records().filter(Result::is_ok).chain(records().filter(Result::is_err));
        outcome.extend(ordered.map(|became| (number as u64, text(became))));
        counts.add(&batch.counts);
    }
    (outcome, counts)
}

#[test]
fn rows_give_what_their_bytes_give() {
    let mix: Mix = "v2=40,v1=20,awkward=15,shuffled=5,broken=10,wrapped=10".parse().expect("a mix");
    let log = Generator::records(11, &mix, 6_000);
    let mut rows: Vec<Vec<u8>> = log.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    // Lines without their ends, as tables have them.
    rows.iter_mut().step_by(2).for_each(|row| row.truncate(row.len() - 1));
    // What is no line among others.
    let record = r#"{"context":"x","ts":"2024-01-01T00:00:00Z"}"#;
    let odd = [
        String::new(),
        "\n".to_owned(),
        " \t\r".to_owned(),
        format!("{record}\n{record}\nno\n{record}"),
        format!("[\n{record},\n{{}}\n]"),
        format!("\u{feff}{record}"),
        format!("{record}\r\n"),
        "[]".to_owned(),
        "[".to_owned(),
        "{\"context\":\n".to_owned(),
        format!("{{\"context\":\"{}\"}}", "x".repeat(5_000)),
        format!("[{}{record}]", format!("{record},").repeat(200)),
    ];
    for (n, row) in odd.iter().enumerate() {
        rows.insert(rows.len() * n / odd.len(), row.clone().into_bytes());
    }
    rows.splice(0..0, odd.iter().map(|row| row.clone().into_bytes()));
    rows.push(vec![0xff, 0xfe]);
    let mapping = Mapping::builtin("duo_telephony").expect("built in");
    for engine in [Engine::Auto, Engine::Portable, Engine::Exact] {
        for chunk_bytes in [1, 300, 128 * 1024] {
            let options = Options::default().engine(engine).chunk_bytes(chunk_bytes).max_record_bytes(4096);
            let converter = Converter::new(&mapping, &options);
            let (got, counts) = by_rows(&converter, &rows);
            let (want, expected) = one_by_one(&converter, &rows);
            for (got, want) in got.iter().zip(&want) {
                assert_eq!(got, want, "{engine:?} {chunk_bytes}");
            }
            assert_eq!((got.len(), &counts), (want.len(), &expected), "{engine:?} {chunk_bytes}");
            assert!(counts.balances() && counts.events > 5_000 && counts.rejects > 500);
        }
    }
}

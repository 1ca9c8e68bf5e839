//! What outputs are called: by what they are made of, and nothing else.

use aws_lc_rs::digest;

/// S3's longest key, in bytes of UTF-8.
const LONGEST_KEY: usize = 1024;
/// The longest name of a file, in bytes.
const LONGEST_NAME: usize = 255;
/// Endings that say how an input is written: an output has its own.
const PACKED: [&str; 9] = [".gz", ".gzip", ".zst", ".zstd", ".bz2", ".xz", ".lz4", ".sz", ".snappy"];
const TEXTS: [&str; 5] = [".ndjson", ".jsonl", ".json", ".log", ".txt"];

/// The identity of an output, in 16 hexadecimal digits: of which writing of which object by which
/// mapping. `parts` are told apart by their lengths.
pub(super) fn id(parts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    crate::store::hex(&context.finish().as_ref()[..8])
}

/// The key of an output below `prefix`: the input's own below its prefix, without its ending, then
/// the identity, then `ending`. What no file or URL may be called is escaped, what is too long is
/// cut: the identity stays. `files` if the parts become names of files.
pub(super) fn output(prefix: &str, relative: &str, id: &str, ending: &str, files: bool) -> String {
    let tail = format!(".{id}{ending}");
    let stem = strip(strip(relative, &PACKED), &TEXTS);
    let count = stem.split('/').count();
    let mut parts: Vec<String> = Vec::with_capacity(count);
    for (at, part) in stem.split('/').enumerate() {
        let mut part = clean(part);
        if files {
            let room = if at + 1 == count { LONGEST_NAME - tail.len() } else { LONGEST_NAME };
            cut(&mut part, room);
        }
        parts.push(part);
    }
    let mut key = parts.join("/");
    cut(&mut key, LONGEST_KEY.saturating_sub(prefix.len() + tail.len()));
    // Cut behind a slash, or with nothing left: the name is still one.
    if key.is_empty() || key.ends_with('/') {
        key.pop();
    }
    let joint = if key.is_empty() { &tail[1..] } else { tail.as_str() };
    format!("{prefix}{key}{joint}")
}

fn strip<'a>(text: &'a str, endings: &[&str]) -> &'a str {
    let found = endings.iter().find_map(|ending| {
        let at = text.len().checked_sub(ending.len())?;
        (text.is_char_boundary(at) && text[at..].eq_ignore_ascii_case(ending)).then(|| &text[..at])
    });
    found.unwrap_or(text)
}

/// A part of a key that a path may have, with no meaning of its own.
fn clean(part: &str) -> String {
    match part {
        "" => "%".to_owned(),
        _ if part.starts_with('.') => format!("%2E{}", clean_rest(&part[1..])),
        _ => clean_rest(part),
    }
}

fn clean_rest(part: &str) -> String {
    let mut made = String::with_capacity(part.len());
    for c in part.chars() {
        if c.is_control() || c == '\u{10FFFF}' || cfg!(windows) && r#"\:*?"<>|"#.contains(c) {
            made.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            made.push(c);
        }
    }
    made
}

fn cut(text: &mut String, most: usize) {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let table = [
            ("a/b.ndjson.gz", "out/a/b.ID.ndjson"),
            ("a/b.GZ", "out/a/b.ID.ndjson"),
            ("a b/ü#%&.log", "out/a b/ü#%&.ID.ndjson"),
            ("../../etc/passwd", "out/%2E./%2E./etc/passwd.ID.ndjson"),
            ("a//b", "out/a/%/b.ID.ndjson"),
            ("/a", "out/%/a.ID.ndjson"),
            (".gz", "out/%.ID.ndjson"),
            ("x/.hidden", "out/x/%2Ehidden.ID.ndjson"),
            ("a\u{1}\n", "out/a%01%0A.ID.ndjson"),
        ];
        for (relative, want) in table {
            assert_eq!(output("out/", relative, "ID", ".ndjson", false), want);
        }
        let long = format!("{}/{}", "d".repeat(300), "é".repeat(361));
        assert_eq!(long.len(), 1023);
        let key = output("out/", &long, "ID", ".ndjson", false);
        assert!(key.len() <= 1024 && key.len() > 1021 && key.ends_with("é.ID.ndjson"), "{key}");
        let key = output("", &long, "ID", ".ndjson", true);
        assert!(key.split('/').all(|part| part.len() <= 255 && part.len() > 250), "{key}");
        assert_ne!(id(&["ab", "c"]), id(&["a", "bc"]));
        assert_eq!(id(&["a"]).len(), 16);
    }
}

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
    crate::text::hex(&context.finish().as_ref()[..8])
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

/// What of a name follows from what an output is made of.
#[derive(Debug)]
pub(super) struct Follows<'a> {
    /// Where outputs go, as a key; nothing if that is not known.
    pub(super) prefix: Option<&'a str>,
    /// The name of the input, or of the first one of a pack.
    pub(super) input: &'a str,
    /// The identity.
    pub(super) id: &'a str,
    /// Whether it is a pack.
    pub(super) pack: bool,
    /// Whether parts of keys are names of files.
    pub(super) files: bool,
}

impl Follows<'_> {
    /// Whether `key` is what [`output`] makes of this with one of these endings. Below which prefix
    /// the input was listed is not known: any that its name has will do.
    pub(super) fn is(&self, key: &str, endings: &[String]) -> bool {
        endings.iter().any(|ending| self.ends(key, ending))
    }

    fn ends(&self, key: &str, ending: &str) -> bool {
        let tail = format!("{}{ending}", self.id);
        if !key.ends_with(&tail) {
            return false;
        }
        let Some(prefix) = self.prefix else { return true };
        let starts =
            std::iter::once(0).chain(memchr::memchr_iter(b'/', self.input.as_bytes()).map(|at| at + 1));
        starts.into_iter().any(|at| {
            let relative = &self.input[at..];
            if self.pack {
                output(prefix, &pack(relative), self.id, ending, self.files) == key
            } else {
                output(prefix, relative, self.id, ending, self.files) == key
            }
        })
    }
}

/// What takes the place of an input's key in the name of a pack that begins with it.
pub(super) fn pack(relative: &str) -> String {
    match relative.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/pack"),
        None => "pack".to_owned(),
    }
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

    #[test]
    fn an_output_is_called_by_what_it_is_made_of() {
        let ending = || vec![".ndjson.gz".to_owned()];
        let follows = |prefix, input, pack| Follows { prefix, input, id: "ID", pack, files: false };
        let table = [
            (Some("out/"), "s3://b/in/a/x.gz", false, "out/x.ID.ndjson.gz", true),
            (Some("out/"), "s3://b/in/a/x.gz", false, "out/a/x.ID.ndjson.gz", true),
            (Some("out/"), "s3://b/in/a/x.gz", false, "out/in/a/x.ID.ndjson.gz", true),
            (Some("out/"), "s3://b/in/a/x.gz", false, "out/b/x.ID.ndjson.gz", false),
            (Some("out/"), "s3://b/in/a/x.gz", false, "out/y.ID.ndjson.gz", false),
            (Some("out/"), "s3://b/in/a/x.gz", false, "x.ID.ndjson.gz", false),
            (Some("out/"), "s3://b/in/a/x.gz", false, "out/x.OTHER.ndjson.gz", false),
            (Some("out/"), "s3://b/in/a/x.gz", false, "out/x.ID.rejects.ndjson.gz", false),
            (Some("out/"), "s3://b/in/a/x.gz", true, "out/a/pack.ID.ndjson.gz", true),
            (Some("out/"), "s3://b/in/a/x.gz", true, "out/pack.ID.ndjson.gz", true),
            (Some("out/"), "s3://b/in/a//x.gz", false, "out/a/%/x.ID.ndjson.gz", true),
            (None, "s3://b/in/a/x.gz", false, "anything/x.ID.ndjson.gz", true),
        ];
        for (prefix, input, pack, key, want) in table {
            assert_eq!(follows(prefix, input, pack).is(key, &ending()), want, "{key}");
        }
    }
}

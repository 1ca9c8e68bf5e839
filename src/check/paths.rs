//! Paths of fields, however they are written.

/// `path` without its indexes, in snake_case.
pub(crate) fn bare(path: &str) -> String {
    let mut bare = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ if inside => {}
            c if c.is_ascii_uppercase() => {
                bare.push('_');
                bare.push(c.to_ascii_lowercase());
            }
            c => bare.push(c),
        }
    }
    bare
}

/// `path` with `[]` for every index, so that the elements of a list are counted together.
#[cfg(feature = "cli")]
pub(crate) fn general(path: &str) -> String {
    if memchr::memchr2(b'[', b']', path.as_bytes()).is_none() {
        return path.to_owned();
    }
    let mut general = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' => {
                inside = true;
                general.push('[');
            }
            ']' => {
                inside = false;
                general.push(']');
            }
            _ if inside => {}
            c => general.push(c),
        }
    }
    general
}

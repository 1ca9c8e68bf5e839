//! The kinds of compression that udmap writes, their levels, and what they are called.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// How objects are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// gzip: what every feed reads. Several times as fast as [`GzipSmall`](Self::GzipSmall); of events it makes a
    /// tenth more.
    #[default]
    Gzip,
    /// gzip, as small as the command `gzip` makes it.
    GzipSmall,
    /// Zstandard, at a level of [`ZSTD_LEVELS`](Self::ZSTD_LEVELS).
    Zstd(i32),
    /// Not at all.
    None,
}

impl Compression {
    /// Zstandard as it is by default. Of events, level 1 makes less than level 3, in less time.
    pub const ZSTD: Compression = Compression::Zstd(1);
    /// The levels that [`Zstd`](Self::Zstd) may have.
    pub const ZSTD_LEVELS: RangeInclusive<i32> = 1..=19;
    /// One of each kind.
    pub const KINDS: [Compression; 3] = [Compression::Gzip, Compression::ZSTD, Compression::None];

    /// What an object's key ends with.
    pub fn extension(self) -> &'static str {
        match self {
            Compression::Gzip | Compression::GzipSmall => ".ndjson.gz",
            Compression::Zstd(_) => ".ndjson.zst",
            Compression::None => ".ndjson",
        }
    }

    /// The compression that an extension stands for, at its usual level.
    pub fn of(extension: &str) -> Option<Compression> {
        Compression::KINDS.into_iter().find(|it| it.extension() == extension)
    }

    /// All levels of the same kind, this one first.
    pub fn levels(self) -> Vec<Compression> {
        let others = match self {
            Compression::Gzip | Compression::GzipSmall => vec![Compression::Gzip, Compression::GzipSmall],
            Compression::Zstd(_) => Compression::ZSTD_LEVELS.map(Compression::Zstd).collect(),
            Compression::None => Vec::new(),
        };
        [self].into_iter().chain(others.into_iter().filter(|other| *other != self)).collect()
    }
}

/// As in settings.
impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Compression::Gzip => f.write_str("gzip"),
            Compression::GzipSmall => f.write_str("gzip:small"),
            Compression::Zstd(level) => write!(f, "zstd:{level}"),
            Compression::None => f.write_str("none"),
        }
    }
}

impl FromStr for Compression {
    type Err = String;

    fn from_str(text: &str) -> Result<Compression, String> {
        let text = text.trim().to_ascii_lowercase();
        match text.as_str() {
            "gzip" => return Ok(Compression::Gzip),
            "gzip:small" => return Ok(Compression::GzipSmall),
            "zstd" => return Ok(Compression::ZSTD),
            "none" => return Ok(Compression::None),
            _ => {}
        }
        let (least, most) = (Compression::ZSTD_LEVELS.start(), Compression::ZSTD_LEVELS.end());
        match text.strip_prefix("zstd:").map(str::parse) {
            Some(Ok(level)) if Compression::ZSTD_LEVELS.contains(&level) => Ok(Compression::Zstd(level)),
            Some(_) => Err(format!("expected a level from {least} to {most}, as in `zstd:3`")),
            None => Err("expected one of: gzip, gzip:small, zstd, zstd:N, none".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_levels() {
        let all = Compression::KINDS.iter().flat_map(|kind| kind.levels());
        let mut count = 0;
        for compression in all {
            assert_eq!(compression.to_string().parse(), Ok(compression));
            assert_eq!(compression.levels()[0], compression);
            assert_eq!(
                compression.levels().len(),
                Compression::of(compression.extension()).unwrap().levels().len()
            );
            count += 1;
        }
        assert_eq!(count, 22);
        assert_eq!(" ZSTD\n".parse(), Ok(Compression::Zstd(1)));
        for wrong in ["", "gz", "gzip:9", "zstd:", "zstd:0", "zstd:20", "zstd:-1", "zstd:fast"] {
            assert!(wrong.parse::<Compression>().is_err(), "{wrong}");
        }
    }
}

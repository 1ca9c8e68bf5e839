//! How bad each kind of finding is.

use super::codes::Code;
use super::severity::Severity;
use crate::check::paths::bare;
use glob::Pattern;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The severities that differ from those by default.
#[derive(Debug, Clone, Default)]
pub struct Severities {
    set: HashMap<Code, Severity>,
    allowed: Vec<Allowed>,
    strict: bool,
}

/// Findings of this code at this path (without indexes) are off.
#[derive(Debug, Clone)]
struct Allowed {
    code: Code,
    path: String,
    /// Only in these files.
    files: Option<Files>,
}

/// Files that match a pattern, by their paths from a folder.
#[derive(Debug, Clone)]
struct Files {
    folder: PathBuf,
    pattern: Pattern,
}

impl Files {
    fn hold(&self, name: &str) -> bool {
        if name.contains("://") || name == "-" {
            return self.pattern.matches(name);
        }
        // A member of an archive goes by the archive's name and its own.
        let (file, member) = match name.split_once('!') {
            Some((file, _)) if !Path::new(name).exists() => (file, &name[file.len()..]),
            _ => (name, ""),
        };
        let whole = |path: &Path| std::fs::canonicalize(path).or_else(|_| std::path::absolute(path));
        let (Ok(file), Ok(folder)) = (whole(Path::new(file)), whole(&self.folder)) else { return false };
        let below = file.strip_prefix(folder);
        below.is_ok_and(|below| self.pattern.matches(&(below.to_string_lossy().into_owned() + member)))
    }
}

impl Severities {
    /// Sets the severity of a code.
    pub fn set(&mut self, code: Code, severity: Severity) {
        self.set.insert(code, severity);
    }

    /// Leaves out findings of `code` at `path`, which is written without indexes
    /// (`network.http.parsed_user_agent`), and below it.
    pub fn allow(&mut self, code: Code, path: &str) {
        self.allowed.push(Allowed { code, path: bare(path), files: None });
    }

    /// Leaves out findings of `code` at `path` and below it in files whose path from `folder` matches the pattern
    /// `files`, in which `*` matches `/`, too.
    ///
    /// # Errors
    /// A sentence, if `files` is not a pattern.
    pub fn allow_in(&mut self, code: Code, path: &str, folder: &Path, files: &str) -> Result<(), String> {
        let pattern =
            Pattern::new(files).map_err(|error| format!("`{files}` is not a pattern of files: {error}"))?;
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let files = Some(Files { folder: folder.to_owned(), pattern });
        self.allowed.push(Allowed { code, path: bare(path), files });
        Ok(())
    }

    /// Counts every warning as an error.
    pub fn strict(&mut self) {
        self.strict = true;
    }

    /// These severities for the file of this name: what is allowed in other files only is not among them.
    pub fn in_file(&self, name: &str) -> Severities {
        let mut severities = self.clone();
        severities.allowed.retain(|allowed| allowed.files.as_ref().is_none_or(|files| files.hold(name)));
        severities.allowed.iter_mut().for_each(|allowed| allowed.files = None);
        severities
    }

    /// The severity of a finding. What is allowed only in some files counts in [`Severities::in_file`].
    pub fn of(&self, code: Code, path: &str) -> Severity {
        let allowed = || {
            let path = bare(path);
            self.allowed.iter().any(|allowed| {
                allowed.code == code
                    && allowed.files.is_none()
                    && path
                        .strip_prefix(allowed.path.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        if !self.allowed.is_empty() && allowed() {
            return Severity::Off;
        }
        let severity = self.set.get(&code).copied().unwrap_or(code.about().severity);
        if self.strict && severity == Severity::Warning { Severity::Error } else { severity }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_counts() {
        let mut severities = Severities::default();
        assert_eq!(severities.of(Code::UnknownField, "a"), Severity::Warning);
        severities.allow(Code::UnknownField, "network.http.parsed_user_agent");
        for (path, severity) in [
            ("network.http.parsedUserAgent", Severity::Off),
            ("network.http.parsed_user_agent[3].x", Severity::Off),
            ("network.http.parsed_user_agents", Severity::Warning),
            ("network.http", Severity::Warning),
        ] {
            assert_eq!(severities.of(Code::UnknownField, path), severity, "{path}");
        }
        severities.set(Code::InvalidIp, Severity::Info);
        severities.strict();
        assert_eq!(severities.of(Code::InvalidIp, ""), Severity::Info);
        assert_eq!(severities.of(Code::InvalidUrl, ""), Severity::Error);
    }

    #[test]
    fn what_is_allowed_in_some_files_counts_only_there() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, other) = (folder.path().join("parsers/A/x.json"), folder.path().join("parsers/B/x.json"));
        for file in [&mine, &other] {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        let mut severities = Severities::default();
        severities.allow_in(Code::InvalidUrl, "target.url", folder.path(), "parsers/A/*").unwrap();
        assert!(severities.allow_in(Code::InvalidUrl, "target.url", folder.path(), "a[").is_err());
        let of = |name: &str| severities.in_file(name).of(Code::InvalidUrl, "target.url");
        assert_eq!(severities.of(Code::InvalidUrl, "target.url"), Severity::Warning);
        assert_eq!(of(mine.to_str().unwrap()), Severity::Off);
        assert_eq!(of(&format!("{}/parsers/../parsers/A/x.json", folder.path().display())), Severity::Off);
        assert_eq!(of(other.to_str().unwrap()), Severity::Warning);
        assert_eq!(of(&format!("{}!b", mine.display())), Severity::Off);
        // A path from elsewhere is another file; an object is matched by its URL.
        assert_eq!(of("parsers/A/x.json"), Severity::Warning);
        let mut severities = Severities::default();
        severities.allow_in(Code::InvalidUrl, "target.url", folder.path(), "s3://b/*").unwrap();
        assert_eq!(severities.in_file("s3://b/x").of(Code::InvalidUrl, "target.url"), Severity::Off);
        assert_eq!(of("-"), Severity::Warning);
    }
}

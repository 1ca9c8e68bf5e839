use super::*;

/// A folder with these files, of as many bytes as their names have.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    folder
}

/// Lists inputs and excludes given relative to `folder`; names relative to it, and the counts.
fn list_in(folder: &Path, inputs: &[&str], exclude: &[&str]) -> Result<(Vec<String>, [u64; 3]), Error> {
    let within = |name: &&str| match *name {
        STANDARD => STANDARD.to_owned(),
        name => format!("{}/{name}", folder.display()),
    };
    let inputs: Vec<String> = inputs.iter().map(within).collect();
    let exclude: Vec<PathBuf> = exclude.iter().map(|name| within(name).into()).collect();
    let Listing { sources, skipped_hidden, skipped_outputs, skipped_special, .. } = list(&inputs, &exclude)?;
    let prefix = format!("{}/", folder.display());
    let names = sources.iter().map(|it| it.name().strip_prefix(&prefix).unwrap_or(it.name()).to_owned());
    Ok((names.collect(), [skipped_hidden, skipped_outputs, skipped_special]))
}

const FILES: [&str; 9] =
    ["b/2", "b/10", "b.d/1", "b/a/z", "a", "b/.hidden", "b/.git/x", "c.ndjson", ".c.ndjson"];

#[test]
fn orders_and_counts() {
    let folder = folder(&FILES);
    type Names = &'static [&'static str];
    let table: [(Names, Names, &str, [u64; 3]); 15] = [
        (&["c.ndjson", "a"], &[], "c.ndjson a", [0, 0, 0]),
        (&["a", "-", "a"], &[], "a -", [0, 0, 0]),
        (&["b"], &[], "b/10 b/2 b/a/z", [2, 0, 0]),
        (&["b/"], &[], "b/10 b/2 b/a/z", [2, 0, 0]),
        (&["b/.git"], &[], "b/.git/x", [0, 0, 0]),
        (&["b/.hidden"], &[], "b/.hidden", [0, 0, 0]),
        (&["*"], &[], "a b/10 b/2 b/a/z b.d/1 c.ndjson", [2, 0, 0]),
        (&["b*"], &["b/2"], "b/10 b/a/z b.d/1", [2, 1, 0]),
        (&["**/.h*"], &[], "b/.hidden", [0, 0, 0]),
        (&["*/**/z"], &[], "b/a/z", [0, 0, 0]),
        (&["b/**"], &[], "b/10 b/2 b/a/z", [0, 0, 0]),
        (&["**/[1z]*"], &[], "b/10 b/a/z b.d/1", [0, 0, 0]),
        (&["b/2", "b"], &[], "b/2 b/10 b/a/z", [2, 0, 0]),
        (&["a"], &["new", "b/2"], "a", [0, 0, 0]),
        (&[], &[], "", [0, 0, 0]),
    ];
    for (inputs, exclude, names, counts) in table {
        let (got, got_counts) = list_in(folder.path(), inputs, exclude).unwrap();
        assert_eq!((got.join(" ").as_str(), got_counts), (names, counts), "{inputs:?}");
    }
    let source = &list(&[folder.path().join("c.ndjson").to_str().unwrap().to_owned()], &[]).unwrap();
    assert_eq!(source.sources[0].size(), Some(8));
}

#[test]
fn a_file_is_listed_once_however_it_is_named() {
    let folder = folder(&["in/sub/x", "in/y", "z"]);
    let count = |inputs: &[&str]| {
        let inputs: Vec<String> =
            inputs.iter().map(|name| format!("{}/{name}", folder.path().display())).collect();
        let Listing { sources, skipped_repeated, .. } = list(&inputs, &[]).unwrap();
        (sources.len(), skipped_repeated)
    };
    let table: [(&[&str], (usize, u64)); 8] = [
        (&["in", "in/sub"], (2, 1)),
        (&["in/sub", "in"], (2, 1)),
        (&["in/", "./in", "in/../in"], (2, 4)),
        (&["in/y", "in/./y", "in/sub/../y"], (1, 2)),
        (&["in/*", "in/sub/x"], (2, 1)),
        (&["**/x", "in/**"], (2, 1)),
        (&["z", "in"], (3, 0)),
        (&["", "in"], (3, 2)),
    ];
    for (inputs, counts) in table {
        assert_eq!(count(inputs), counts, "{inputs:?}");
    }
}

#[test]
fn filters_by_the_path_below_what_was_named() {
    let folder = folder(&FILES);
    let pattern = |text: &&str| glob::Pattern::new(text).unwrap();
    type Names = &'static [&'static str];
    let table: [(Names, Names, Names, &str, u64); 9] = [
        (&["b"], &["a/*"], &[], "b/a/z", 2),
        (&["b"], &[], &["a/*"], "b/10 b/2", 1),
        (&["b"], &["b/*"], &[], "", 3),
        (&["b"], &["*z", "2"], &["a/*"], "b/2", 2),
        (&["*"], &["b/*"], &["*/z"], "b/10 b/2", 4),
        (&["b/*"], &["a/z"], &[], "b/a/z", 2),
        (&["**/[1z]*"], &["b/1*"], &[], "b/10", 2),
        (&["a", "c.ndjson"], &["nothing"], &["*"], "a c.ndjson", 0),
        (&["b/2", "b"], &[], &["2"], "b/2 b/10 b/a/z", 1),
    ];
    for (inputs, include, exclude, names, filtered) in table {
        let filter = PathFilter {
            include: include.iter().map(pattern).collect(),
            exclude: exclude.iter().map(pattern).collect(),
        };
        let inputs: Vec<String> =
            inputs.iter().map(|name| format!("{}/{name}", folder.path().display())).collect();
        let listing = list_with(&inputs, &[], &ListOptions { filter, ..ListOptions::default() }).unwrap();
        let prefix = format!("{}/", folder.path().display());
        let got: Vec<&str> =
            listing.sources.iter().map(|it| it.name().strip_prefix(&prefix).unwrap()).collect();
        assert_eq!((got.join(" ").as_str(), listing.skipped_filtered), (names, filtered), "{inputs:?}");
    }
}

#[cfg(feature = "bucket")]
#[test]
fn a_url_of_this_machine_is_its_path() {
    let folder = folder(&FILES);
    let url = format!("file://{}/b/", folder.path().display());
    let listing = list(&[url], &[]).unwrap();
    assert_eq!(listing.sources.len(), 3);
    assert!(listing.sources[0].name().starts_with('/'), "{:?}", listing.sources[0]);
}

#[test]
fn errors() {
    let folder = folder(&FILES);
    type Names = &'static [&'static str];
    let table: [(Names, Names, ErrorKind, &str, &str); 7] = [
        (&["-", "a", "-"], &[], ErrorKind::Twice, "cannot read stdin: it is given twice", "stdin can be"),
        (
            &["b/x/y"],
            &[],
            ErrorKind::NotFound,
            "cannot open `FOLDER/b/x/y`: no such file or folder",
            "there is nothing named `x` in `FOLDER/b`",
        ),
        (
            &["a/x"],
            &[],
            ErrorKind::NotFound,
            "cannot open `FOLDER/a/x`: no such file or folder",
            "`FOLDER/a` is not a folder",
        ),
        (
            &["*.gz"],
            &[],
            ErrorKind::NoMatch,
            "cannot list `FOLDER/*.gz`: the pattern matches nothing",
            "`**`",
        ),
        (&["a/*"], &[], ErrorKind::NoMatch, "cannot list `FOLDER/a/*`: the pattern matches nothing", "`**`"),
        (&["[a"], &[], ErrorKind::BadPattern, "cannot list `FOLDER/[a`: it is not a valid pattern: ", ""),
        (
            &["b.d/../a"],
            &["a"],
            ErrorKind::InputIsOutput,
            "cannot read `FOLDER/b.d/../a`: it is both input and output",
            "write to another file",
        ),
    ];
    let name = folder.path().to_str().unwrap();
    for (inputs, exclude, kind, text, hint) in table {
        let error = list_in(folder.path(), inputs, exclude).unwrap_err();
        assert_eq!(error.kind(), kind, "{inputs:?}");
        assert!(error.to_string().replace(name, "FOLDER").starts_with(text), "{error}");
        assert!(error.hint().unwrap_or("").replace(name, "FOLDER").starts_with(hint), "{:?}", error.hint());
    }
}

#[cfg(unix)]
#[test]
fn links_and_pipes() {
    use std::os::unix::fs::symlink;
    let folder = folder(&["real/1", "in/a"]);
    let path = |name: &str| folder.path().join(name);
    symlink(path("real"), path("in/b")).unwrap();
    symlink(path("in"), path("in/loop")).unwrap();
    symlink(path("in/a"), path("in/same")).unwrap();
    symlink("nowhere", path("in/.x")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(path("in/pipe")).status().unwrap().success());
    let listed = |inputs: &[&str]| {
        let (names, counts) = list_in(folder.path(), inputs, &["real/1"]).unwrap();
        (names.join(" "), counts)
    };
    assert_eq!(listed(&["in"]), ("in/a".into(), [1, 1, 1]));
    assert_eq!(listed(&["in/*"]), ("in/a".into(), [0, 1, 1]));
    assert_eq!(listed(&["in/**"]), ("in/a".into(), [0, 1, 1]));
    symlink(path("in"), path("in/again")).unwrap(); // two loops: 2 to the power of 40 ways round
    assert_eq!(listed(&["**/a"]), ("in/a".into(), [0, 0, 0]));
    assert_eq!(listed(&["in/loop"]), ("in/loop/a".into(), [1, 1, 1]));
    assert_eq!(listed(&["in/pipe"]), ("in/pipe".into(), [0, 0, 0]));
    symlink("circle", path("circle")).unwrap();
    let error = list_in(folder.path(), &["circle"], &[]).unwrap_err();
    assert!(error.to_string().contains("/circle`: ") && error.io_error().is_some(), "{error}");
    fs::remove_file(path("circle")).unwrap();
    let error = list_in(folder.path(), &[&"x".repeat(300)], &[]).unwrap_err();
    assert!(error.to_string().contains("xxx`: ") && error.io_error().is_some(), "{error}");
    symlink("nowhere", path("in/gone")).unwrap();
    assert_eq!(listed(&["**/a"]), ("in/a".into(), [0, 0, 0]));
    for inputs in [&["in"], &["in/g*"], &["**/gone"], &["in/gone"]] {
        let error = list_in(folder.path(), inputs, &[]).unwrap_err();
        assert_eq!(
            (error.kind(), error.why().as_str()),
            (ErrorKind::NotFound, "it is a link that leads nowhere")
        );
        assert!(error.object().ends_with("in/gone"));
    }
}

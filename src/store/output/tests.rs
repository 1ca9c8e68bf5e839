//! Targets of every kind: whole, dropped, refused, kept as they were.

use std::io::Read;

use super::*;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn appears_when_whole() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["out", "out.gz", "out.zst", &"long".repeat(63)] {
        let path = folder.path().join(name);
        let target = path.to_str().unwrap();
        for text in ["", "first\n", "second\n"] {
            let before = names(folder.path());
            let mut output = Output::create(target).unwrap();
            assert_eq!(output.target(), target);
            output.write_all(text.as_bytes()).unwrap();
            assert_eq!(names(folder.path()).len(), before.len() + 1);
            assert!(names(folder.path())[0].starts_with(".") && names(folder.path())[0].ends_with(".tmp"));
            drop(output);
            assert_eq!(names(folder.path()), before, "a dropped output leaves something behind");

            let mut output = Output::create(target).unwrap();
            output.write_all(text.as_bytes()).unwrap();
            output.finish().unwrap();
            let bytes = fs::read(&path).unwrap();
            let mut got = String::new();
            match name.rsplit_once('.') {
                Some((_, "gz")) => flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut got).unwrap(),
                Some((_, "zst")) => zstd::Decoder::new(&*bytes).unwrap().read_to_string(&mut got).unwrap(),
                _ => (&*bytes).read_to_string(&mut got).unwrap(),
            };
            assert_eq!(got, text, "{name}");
        }
        assert!(!names(folder.path())[0].starts_with("."));
    }
    fn is_send<T: Send>() {}
    is_send::<Output>();
}

#[test]
fn refused_targets() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_str().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let table = [
        ("", ErrorKind::IsFolder, "it is a folder", "name a file in it"),
        ("x/out", ErrorKind::NoFolder, "no such folder `FOLDER/x`", "create it: mkdir -p FOLDER/x"),
        ("x/", ErrorKind::NoFolder, "no such folder `FOLDER/x/`", "create it: mkdir -p FOLDER/x/"),
        ("file/out", ErrorKind::NoFolder, "`FOLDER/file` is not a folder", ""),
    ];
    for (target, kind, why, hint) in table {
        let target = format!("{name}/{target}");
        let error = Output::create(&target).unwrap_err();
        assert_eq!(error.kind(), kind);
        let text = format!("cannot create `{target}`: {}", why.replace("FOLDER", name));
        assert_eq!(error.to_string(), text);
        assert_eq!(error.hint().unwrap_or(""), hint.replace("FOLDER", name));
    }
    assert_eq!(names(folder.path()), ["file"]);
}

#[cfg(unix)]
#[test]
fn permissions_are_ordinary_or_kept() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode();
    let write = |name: &str| Output::create(path(name).to_str().unwrap()).unwrap().finish().unwrap();
    fs::write(path("ordinary"), "").unwrap();
    write("new");
    assert_eq!(mode("new"), mode("ordinary"));
    for kept in [0o600, 0o666, 0o640, 0o755] {
        fs::set_permissions(path("new"), fs::Permissions::from_mode(kept)).unwrap();
        write("new");
        assert_eq!(mode("new") & 0o7777, kept);
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("sub")).unwrap();
    symlink("sub/real", path("link")).unwrap();
    symlink(path("link"), path("link2")).unwrap();
    // To a file that is not there at first, then is.
    for target in ["link2", "link"] {
        let mut output = Output::create(path(target).to_str().unwrap()).unwrap();
        output.write_all(target.as_bytes()).unwrap();
        output.finish().unwrap();
        assert_eq!(fs::read_to_string(path("sub/real")).unwrap(), target);
        assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
        assert_eq!(names(&path("sub")), ["real"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn devices_are_written_to() {
    let mut output = Output::create("/dev/null").unwrap();
    output.write_all(b"{}\n").unwrap();
    output.finish().unwrap();

    let mut output = Output::create("/dev/full").unwrap();
    let error = output.write_all(b"{}\n").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    let error = Error::from_io(error).unwrap();
    assert_eq!(error.to_string(), "cannot write `/dev/full`: No space left on device (os error 28)");
    let error = output.finish().unwrap_err();
    assert_eq!(error.to_string(), "cannot write `/dev/full`: an earlier write failed");

    for target in ["/dev/stdout", "/dev/fd/1", "-"] {
        let output = Output::create(target).unwrap();
        assert!(output.temporary.is_none() && output.object == Object::Stdout && output.target() == target);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_closed_pipe_is_known_and_broken_off_gzip_has_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe.gz");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    // Opened for both, so that neither end waits.
    let mut pipe = File::options().read(true).write(true).open(&path).unwrap();
    let mut output = Output::create(path.to_str().unwrap()).unwrap();
    // More than what is compressed at a time.
    let lines = "{}\n".repeat(400_000);
    output.write_all(lines.as_bytes()).unwrap();
    drop(output);
    let mut bytes = [0; 60_000];
    let read = pipe.read(&mut bytes).unwrap();
    let mut text = String::new();
    let end = flate2::read::GzDecoder::new(&bytes[..read]).read_to_string(&mut text);
    assert!(text.len() > 1_000_000 && lines.starts_with(&text) && end.is_err(), "{} {end:?}", text.len());

    let mut output = Output::create(path.to_str().unwrap()).unwrap();
    drop(pipe);
    let error = Error::from_io(output.write_all(lines.as_bytes()).unwrap_err()).unwrap();
    assert!(error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe));
    assert!(!error.is_broken_pipe(), "it is not stdout");
}

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
            let mut sink = Sink::create(target).unwrap();
            assert_eq!(sink.target(), target);
            sink.write_all(text.as_bytes()).unwrap();
            assert_eq!(names(folder.path()).len(), before.len() + 1);
            assert!(names(folder.path())[0].starts_with(".") && names(folder.path())[0].ends_with(".tmp"));
            drop(sink);
            assert_eq!(names(folder.path()), before, "a dropped sink leaves something behind");

            let mut sink = Sink::create(target).unwrap();
            sink.write_all(text.as_bytes()).unwrap();
            sink.finish().unwrap();
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
    is_send::<Sink>();
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
        let error = Sink::create(&target).unwrap_err();
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
    let write = |name: &str| Sink::create(path(name).to_str().unwrap()).unwrap().finish().unwrap();
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
        let mut sink = Sink::create(path(target).to_str().unwrap()).unwrap();
        sink.write_all(target.as_bytes()).unwrap();
        sink.finish().unwrap();
        assert_eq!(fs::read_to_string(path("sub/real")).unwrap(), target);
        assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
        assert_eq!(names(&path("sub")), ["real"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn devices_are_written_to() {
    let mut sink = Sink::create("/dev/null").unwrap();
    sink.write_all(b"{}\n").unwrap();
    sink.finish().unwrap();

    let mut sink = Sink::create("/dev/full").unwrap();
    let error = sink.write_all(b"{}\n").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    let error = Error::from_io(error).unwrap();
    assert_eq!(error.to_string(), "cannot write `/dev/full`: No space left on device (os error 28)");
    let error = sink.finish().unwrap_err();
    assert_eq!(error.to_string(), "cannot write `/dev/full`: an earlier write failed");

    for target in ["/dev/stdout", "/dev/fd/1", "-"] {
        let sink = Sink::create(target).unwrap();
        assert!(sink.temporary.is_none() && sink.object == Object::Stdout && sink.target() == target);
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
    let mut sink = Sink::create(path.to_str().unwrap()).unwrap();
    sink.write_all(b"{}\n").unwrap();
    sink.flush().unwrap();
    drop(sink);
    let mut bytes = [0; 1000];
    let read = pipe.read(&mut bytes).unwrap();
    let mut text = String::new();
    let end = flate2::read::GzDecoder::new(&bytes[..read]).read_to_string(&mut text);
    assert!(text == "{}\n" && end.is_err(), "{text:?} {end:?}");

    let mut sink = Sink::create(path.to_str().unwrap()).unwrap();
    drop(pipe);
    let error = Error::from_io(sink.write_all(b"{}\n").unwrap_err()).unwrap();
    assert!(error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe));
    assert!(!error.is_broken_pipe(), "it is not stdout");
}

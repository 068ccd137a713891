//! Who can read the key, which requests exist, and that idle connections block nobody.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::common::Reader;
use crate::served::{FINISHED, Served, events, going_on};

#[test]
fn only_pause_run_and_stop_can_be_requested() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::run(&going_on(dir.path()));
    let localhost = format!("localhost:{}", served.port);
    let ours = [served.ours(), served.ours().replace(&served.host(), &localhost)];
    for (word, ours) in ["pause", "run", "stop", "stop", "pause"].iter().zip(ours.iter().cycle()) {
        let answer = served.ask(&format!("POST /control/{word}"), ours);
        assert_eq!((answer.status, answer.text(), served.control()), (200, (*word).into(), Some(format!("{word}\n"))));
    }
    let body = format!("{}Content-Length: 4096\r\n", served.ours());
    let padded = [format!("POST /control/run HTTP/1.1\r\n{body}\r\n").as_bytes(), &[b'x'; 4096]].concat();
    assert_eq!((served.send(&padded).status, served.control()), (200, Some("run\n".into())), "4 KiB are not too many");
    let files: Vec<_> = fs::read_dir(&served.dir).unwrap().map(|e| e.unwrap().file_name()).collect();
    let before = fs::read_dir(FINISHED.path().join("run")).unwrap().count();
    assert_eq!(files.len(), before + 2, "control and serve.token came to it: {files:?}");

    fs::copy(FINISHED.path().join("run/STATUS.json"), served.dir.join("STATUS.json")).unwrap();
    let answer = served.ask("POST /control/stop", &served.ours());
    assert_eq!((answer.status, served.control()), (409, Some("run\n".into())), "nobody would listen any more");
}

#[test]
fn only_the_owner_can_read_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let run = going_on(dir.path());
    let served = Served::run(&run);
    let key = served.key.clone();
    assert_eq!(run.join("serve.token").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(key.len() == 64 && key.bytes().all(|b| b.is_ascii_hexdigit()), "{key}");
    let file = run.join("serve.token").display().to_string();
    assert!(served.said.contains(&file) && !served.said.contains(&key), "{}", served.said);
    for path in ["/", "/page.css", "/page.js", "/icon.svg", "/events"] {
        let answer = served.ask(&format!("GET {path}"), &served.ours());
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.head.contains(&key) && !answer.text().contains(&key), "{path}");
        for word in [
            "content-security-policy: default-src 'self';",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
        ] {
            assert!(answer.head.contains(word), "{path} without {word}: {}", answer.head);
        }
        assert!(
            !answer.head.contains("cookie") && answer.head.matches("cache-control").count() == 1,
            "{}",
            answer.head
        );
    }
    let page = served.ask("GET /", &format!("Host: {}\r\n", served.host())).text();
    assert!(page.contains("<title>skewfit</title>"), "the bare page needs no key");
    assert!(
        !page.contains("<script>") && !page.contains(" style=") && !page.contains("//"),
        "nothing inline, nothing from elsewhere"
    );
    assert!(!served.end().contains(&key));

    let again = Served::run(&run);
    assert_eq!(again.key, key, "a run keeps its key");
    let other = Served::run(&going_on(&dir.path().join("other")));
    assert_ne!(other.key, key);
    assert_eq!(
        other.ask("GET /events", &format!("Host: {}\r\nAuthorization: Bearer {key}\r\n", other.host())).status,
        401
    );
}

#[test]
fn a_read_only_run_is_shown_and_not_controlled() {
    let dir = tempfile::tempdir().unwrap();
    let run = going_on(dir.path());
    let reader = Reader::of(dir.path(), &run);
    let served = Served::by(reader.command(&["serve", run.to_str().unwrap(), "--port", "0"]), &run);
    assert!(served.said.contains("read-only") && !run.join("serve.token").exists(), "{}", served.said);
    let told = events(&served).find_map(|(part, told)| (part == "run").then_some(told)).unwrap();
    assert_eq!((&told["read_only"], &told["state"]), (&true.into(), &"exploring".into()));
    for word in ["pause", "run", "stop"] {
        let answer = served.ask(&format!("POST /control/{word}"), &served.ours());
        assert_eq!((answer.status, served.control()), (403, None));
        assert!(answer.text().contains("read-only"), "{}", answer.text());
    }
    let other = format!("Host: {}\r\nAuthorization: Bearer {}\r\n", served.host(), "0".repeat(64));
    assert_eq!(served.ask("GET /events", &other).status, 401, "it has a key all the same");
    served.end();
}

#[test]
fn two_hundred_idle_connections_block_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::run(&going_on(dir.path()));
    let resident_kb = || {
        let status = fs::read_to_string(format!("/proc/{}/status", served.live.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<i64>().unwrap()
    };
    let ask = || {
        let begun = Instant::now();
        assert_eq!(served.ask("GET /events", &served.ours()).status, 200);
        begun.elapsed()
    };
    ask();
    let before = resident_kb();
    let half = [b"POST /control/stop HTTP/1.1\r\nX: ".to_vec(), vec![b'a'; 8000]].concat();
    let whole = format!("POST /control/stop HTTP/1.1\r\n{}Content-Length: 9\r\n\r\n", served.ours());
    let begun = Instant::now();
    let mut slow: Vec<TcpStream> = (0..200).map(|_| served.open()).collect();
    for (i, stream) in slow.iter_mut().enumerate() {
        let _ = match i % 4 {
            0 => Ok(()),
            1 => stream.write_all(b"GET / HT"),
            2 => stream.write_all(&half),
            _ => stream.write_all(whole.as_bytes()), // its body is never sent
        };
    }
    let took = ask();
    assert!(took < Duration::from_secs(2), "{took:?}");
    let grown = resident_kb() - before;
    assert!(grown < 20_000, "{grown} kB more");
    for stream in &mut slow {
        let _ = stream.write_all(b"x"); // an occasional byte is not a complete request
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest); // until the server closes the connection
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
        assert!(begun.elapsed() < Duration::from_secs(12), "they are borne for {:?}", begun.elapsed());
    }
    let all = begun.elapsed();
    assert_eq!(served.control(), None);
    let told = format!(
        "answered within {} ms beside 200 others, {grown} kB more, all gone after {all:.1?}\n",
        took.as_millis()
    );
    std::io::stderr().write_all(told.as_bytes()).unwrap();
}

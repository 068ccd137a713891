//! The page, from outside: raw requests against the real binary, and a real browser where there is one.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test may fail")]

#[path = "common/browser.rs"]
mod browser;
mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use browser::Browser;
use common::{Live, command, copy, explore, explore_args, json, refused, skewfit, stderr, until};
use serde_json::Value;
use skewfit::keep::store::Store;

/// A finished run, copied by whoever changes it.
static FINISHED: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    explore(&dir.path().join("run"), &["run.steps=500"]);
    dir
});

/// A copy of the finished run that says of itself that it goes on.
fn going_on(to: &Path) -> PathBuf {
    let run = to.join("run");
    copy(&FINISHED.path().join("run"), &run);
    let status = fs::read_to_string(run.join("STATUS.json")).unwrap();
    fs::write(run.join("STATUS.json"), status.replace("\"done\"", "\"exploring\"")).unwrap();
    run
}

/// A process with a page.
struct Served {
    live: Live,
    dir: PathBuf,
    port: u16,
    key: String,
    said: String,
    stderr: BufReader<ChildStderr>,
}

impl Served {
    /// By `skewfit serve`.
    fn run(dir: &Path) -> Self {
        Self::by(command(&["serve", dir.to_str().unwrap(), "--port", "0"]), dir)
    }

    /// By `skewfit explore --serve`.
    fn explore(dir: &Path, settings: &[&str]) -> Self {
        let mut args = explore_args(dir, settings);
        args.extend(["--serve", "0"].map(String::from));
        Self::by(command(&args.iter().map(String::as_str).collect::<Vec<_>>()), dir)
    }

    fn by(mut command: Command, dir: &Path) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let live = Live::of(child);
        let mut said = String::new();
        while !said.contains("page at ") {
            assert!(stderr.read_line(&mut said).unwrap() > 0, "no page: {said}");
        }
        let port = said.split("http://127.0.0.1:").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
        let key = fs::read_to_string(dir.join("serve.token")).unwrap().trim_end().to_owned();
        Self { live, dir: dir.to_owned(), port, key, said, stderr }
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A request that is let in: its Host, this page's Origin, the key.
    fn ours(&self) -> String {
        let (host, key) = (self.host(), &self.key);
        format!("Host: {host}\r\nOrigin: http://{host}\r\nAuthorization: Bearer {key}\r\n")
    }

    fn open(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends these bytes; what comes back, up to its end or, of a stream of events, to the first of them.
    fn send(&self, request: &[u8]) -> Answer {
        let mut stream = self.open();
        let _ = stream.write_all(request); // a refusal may come before all of it went out
        let mut bytes = Vec::new();
        let mut some = [0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut some) {
            bytes.extend(&some[..n]);
            let has = |what: &[u8]| bytes.windows(what.len()).any(|w| w == what);
            if has(b"text/event-stream") && has(b"\n\n") {
                break;
            }
        }
        Answer::of(&bytes)
    }

    /// A request with a head.
    fn ask(&self, line: &str, head: &str) -> Answer {
        self.send(format!("{line} HTTP/1.1\r\n{head}\r\n").as_bytes())
    }

    fn control(&self) -> Option<String> {
        fs::read_to_string(self.dir.join("control")).ok()
    }

    /// Everything it said on stderr, after it was asked to end and did.
    fn end(mut self) -> String {
        self.live.term();
        self.stderr.read_to_string(&mut self.said).unwrap();
        assert_eq!(self.live.end().status.code(), Some(0), "{}", self.said);
        self.said
    }
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn of(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0); // 0: cut without a word
        Self { status, head: head.to_lowercase(), body: bytes[(end + 4).min(bytes.len())..].to_vec() }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The stream of events: (part, JSON).
fn events(served: &Served) -> impl Iterator<Item = (String, Value)> {
    let mut stream = served.open();
    write!(stream, "GET /events HTTP/1.0\r\n{}\r\n", served.ours()).unwrap();
    let mut part = String::new();
    BufReader::new(stream).lines().map_while(Result::ok).filter_map(move |line| {
        if let Some(name) = line.strip_prefix("event: ") {
            name.clone_into(&mut part);
        }
        let told = line.strip_prefix("data: ").map(serde_json::from_str); // a process that ends may tear the last one
        told?.ok().map(|told| (part.clone(), told))
    })
}

#[test]
fn no_request_gets_in_that_is_not_the_pages_own() {
    let begun = std::time::Instant::now();
    let dir = tempfile::tempdir().unwrap();
    let served = Served::run(&going_on(dir.path()));
    let (host, key) = (served.host(), served.key.clone());
    let (origin, bearer) = (format!("Origin: http://{host}\r\n"), format!("Authorization: Bearer {key}\r\n"));
    let port = served.port;
    let mut tried = 0;
    let mut refused = |request: &str, codes: &[u16]| {
        tried += 1;
        let answer = served.send(request.as_bytes());
        assert!(codes.contains(&answer.status), "{} for {request}", answer.status);
        assert_eq!(served.control(), None, "{request}");
        assert!(!answer.head.contains(&key) && !answer.text().contains(&key), "{request}");
        assert!(!answer.head.contains("access-control"), "{request}");
        if ![0, 400, 431].contains(&answer.status) {
            assert!(answer.head.contains("content-security-policy: default-src 'self';"), "{}", answer.head);
        }
    };

    // A wrong Host is refused on every path, whatever else is right.
    let paths =
        ["/", "/events", "/control/stop", "/pictures/0123456789abcdef/goal", "/no/such/thing", "/../control/stop"];
    let named = |host: &str| format!("Host: {host}\r\n");
    let hosts = [
        named("evil.example"),
        named(&format!("evil.example:{port}")),
        named("127.0.0.1"),
        named("localhost"),
        named("127.0.0.1:1"),
        named(&format!("localhost.evil.example:{port}")),
        named(&format!("127.0.0.1:{port}.evil.example")),
        named(&format!("[::1]:{port}")),
        named(&format!("0.0.0.0:{port}")),
        named(&format!("evil@127.0.0.1:{port}")),
        named(""),
        named(&host) + &named("evil.example"),
        named("evil.example") + &named(&host),
        named(&host) + &named(&host),
        String::new(),
    ];
    for hosts in &hosts {
        for path in paths {
            for method in ["GET", "POST", "OPTIONS"] {
                refused(&format!("{method} {path} HTTP/1.1\r\n{hosts}{origin}{bearer}\r\n"), &[403, 400]);
            }
        }
    }
    for target in
        [format!("http://{host}/control/stop"), "http://evil.example/control/stop".into(), format!("https://{host}/")]
    {
        for method in ["POST", "GET"] {
            refused(&format!("{method} {target} HTTP/1.1\r\n{}{origin}{bearer}\r\n", named(&host)), &[403]);
        }
    }
    refused(&format!("CONNECT {host} HTTP/1.1\r\n{}{origin}{bearer}\r\n", named(&host)), &[403]);
    refused(&format!("POST /control/stop HTTP/1.0\r\n{origin}{bearer}\r\n"), &[403]);

    // Right Host: only the key and the page's own Origin, once each, get anything done.
    let origins = [
        String::new(),
        "Origin: null\r\n".into(),
        "Origin: http://evil.example\r\n".into(),
        format!("Origin: http://localhost:{port}\r\n"), // the Host says 127.0.0.1
        format!("Origin: https://{host}\r\n"),
        format!("Origin: http://{host}.evil.example\r\n"),
        format!("Origin: http://{host}/\r\n"),
        format!("{origin}Origin: http://evil.example\r\n"),
        origin.clone(),
    ];
    let keys = [
        String::new(),
        "Authorization: Bearer \r\n".into(),
        format!("Authorization: Bearer {}\r\n", "0".repeat(64)),
        format!("Authorization: Bearer {}\r\n", &key[..63]),
        format!("Authorization: Bearer {key}0\r\n"),
        format!("Authorization: Basic {key}\r\n"),
        format!("Authorization: {key}\r\n"),
        format!("Cookie: token={key}\r\n"),
        format!("{bearer}{bearer}"),
        bearer.clone(),
    ];
    for (i, origin) in origins.iter().enumerate() {
        for (j, key) in keys.iter().enumerate().filter(|(j, _)| (i + 1, j + 1) != (origins.len(), keys.len())) {
            let word = ["pause", "run", "stop"][(i + j) % 3];
            refused(&format!("POST /control/{word} HTTP/1.1\r\n{}{origin}{key}\r\n", named(&host)), &[401, 403]);
        }
    }
    for query in [format!("?token={key}"), format!("?key={key}&authorization=Bearer%20{key}")] {
        refused(&format!("POST /control/stop{query} HTTP/1.1\r\n{}{origin}\r\n", named(&host)), &[401]);
        refused(&format!("GET /events{query} HTTP/1.1\r\n{}{origin}\r\n", named(&host)), &[401]);
    }
    for path in ["/events", "/pictures/0123456789abcdef/goal", "/control/stop", "/no/such/thing"] {
        for method in ["GET", "HEAD"] {
            refused(&format!("{method} {path} HTTP/1.1\r\n{}\r\n", named(&host)), &[401]);
        }
    }

    // All of it right, and yet nothing that there is to ask for.
    let ours = format!("{}{origin}{bearer}", named(&host));
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "post"] {
        refused(&format!("{method} /control/stop HTTP/1.1\r\n{ours}\r\n"), &[405]);
    }
    for path in [
        "/control/move",
        "/control/Stop",
        "/control/",
        "/control",
        "/control/stop/",
        "/control/stop/now",
        "//control/stop",
        "/../control/stop",
        "/x/../control/stop",
        "/control/..%2fstop",
        "/control/stop%00",
        "/control/stop%20",
        "/stop",
    ] {
        refused(&format!("POST {path} HTTP/1.1\r\n{ours}\r\n"), &[404, 405]);
    }
    for path in [
        "/serve.token",
        "/../serve.token",
        "/%2e%2e/serve.token",
        "/..%2fserve.token",
        "/run.log",
        "/config.toml",
        "/pictures/../serve.token",
        "/pictures/..%2f..%2fserve.token/goal",
        "/pictures/serve.token/goal",
        "/pictures//goal",
    ] {
        refused(&format!("GET {path} HTTP/1.1\r\n{ours}\r\n"), &[404]);
    }

    // Too much of it, or not one request.
    let (many, long) = ("x".repeat(9000), "a".repeat(8300));
    refused(&format!("POST /control/stop HTTP/1.1\r\n{ours}X-Long: {long}\r\n\r\n"), &[431, 400, 0]);
    refused(&format!("POST /{long} HTTP/1.1\r\n{ours}\r\n"), &[414, 431, 400, 0]);
    refused(&format!("POST /control/stop HTTP/1.1\r\n{ours}{}\r\n", "X: y\r\n".repeat(150)), &[431, 400, 0]);
    refused(&format!("POST /control/stop HTTP/1.1\r\n{ours}Content-Length: 9000\r\n\r\n{many}"), &[413, 0]);
    refused(
        &format!("POST /control/stop HTTP/1.1\r\n{ours}Transfer-Encoding: chunked\r\n\r\n2328\r\n{many}\r\n0\r\n\r\n"),
        &[413, 0],
    );
    let both = "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n";
    refused(
        &format!("GET / HTTP/1.1\r\n{ours}{both}\r\n0\r\n\r\nPOST /control/stop HTTP/1.1\r\n{ours}\r\n"),
        &[200, 400, 0],
    );
    refused(&format!("POST /control/stop HTTP/1.1\r\n Host: {host}\r\n{origin}{bearer}\r\n"), &[400, 403]);
    refused(&format!("POST /control/stop HTTP/2.0\r\n{ours}\r\n"), &[400, 0]);
    refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[400, 0]);
    refused(&format!("OPTIONS * HTTP/1.1\r\n{ours}\r\n"), &[404]);
    assert!(tried >= 60, "{tried} requests");
    let what = "requests with wrong method, Host, Origin, key or path: no state change, wrong Host refused everywhere";
    common::record(("G24", 0), what, tried as u64, begun);
    std::io::stderr().write_all(format!("{tried} requests, none got in\n").as_bytes()).unwrap();

    let said = served.end();
    assert!(!said.contains(&key), "{said}");
}

#[test]
fn pause_run_and_stop_are_all_there_is_to_ask() {
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
fn the_key_is_the_owners_alone_and_told_to_nobody_else() {
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
fn two_hundred_that_say_nothing_keep_out_nobody() {
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
            _ => stream.write_all(whole.as_bytes()), // its body never comes
        };
    }
    let took = ask();
    assert!(took < Duration::from_secs(2), "{took:?}");
    let grown = resident_kb() - before;
    assert!(grown < 20_000, "{grown} kB more");
    for stream in &mut slow {
        let _ = stream.write_all(b"x"); // a byte now and then is no answer
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest); // up to where the other side ends it
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

#[test]
fn a_live_run_shows_pictures_and_curves() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let served = Served::explore(&run, &["run.steps=1000000"]);
    let mut seen = std::collections::BTreeMap::new();
    for (part, told) in events(&served) {
        seen.insert(part, told);
        let drawn = |figure: &Value| figure["line"].as_array().unwrap().len() > 1;
        let curves = seen.get("curves").is_some_and(|c| c["figures"].as_array().unwrap().iter().all(drawn));
        let health = seen.get("health").is_some_and(|health| health["memory_mb"].is_number()); // known after an epoch
        if curves && health && seen.get("episodes").is_some_and(|e| e.as_array().unwrap().len() == 7) && seen.len() == 4
        {
            break;
        }
    }
    let told = &seen["run"];
    assert_eq!(
        (&told["state"], &told["asked"], &told["steps_total"]),
        (&"exploring".into(), &"run".into(), &1_000_000.into())
    );
    assert!(
        seen["health"]["disk_free_bytes"].as_u64().unwrap() > 0 && seen["health"]["memory_mb"].as_f64().unwrap() > 1.0
    );
    let headings: Vec<_> =
        seen["curves"]["figures"].as_array().unwrap().iter().map(|f| f["heading"].as_str().unwrap()).collect();
    let want = ["Coverage cells", "Coverage entropy", "Final distance", "Success rate", "Critic loss", "VAE loss"];
    assert_eq!(headings, want);

    // The newest of what there is now, for the run goes on.
    let fresh = || events(&served).find_map(|(part, told)| (part == "episodes").then_some(told));
    until("a picture that is the shard's", || {
        let Some(told) = fresh() else { return false }; // a slow machine
        let newest = told.as_array().unwrap().last().unwrap().clone();
        let picture = |which: &str| {
            let path = format!("GET /pictures/{}/{which}", newest["name"].as_str().unwrap());
            let answer = served.ask(&path, &served.ours());
            fs::write(dir.path().join(which), &answer.body).unwrap();
            (answer.status == 200)
                .then(|| skewfit::show::pictures::load_goal(&dir.path().join(which), 24).unwrap().pixels)
        };
        let Some(pictures) = picture("goal").zip(picture("reached")) else { return false }; // seven later ones came
        let episode = Store::read_only(&run).unwrap().episode(newest["id"].as_u64().unwrap()).unwrap();
        assert!(pictures.0 == episode.goal_image && pictures.1 == episode.frame(episode.steps()));
        assert_eq!(newest["goal_source"], episode.goal_origin.name());
        true
    });
    assert_eq!(served.ask("POST /control/pause", &served.ours()).status, 200);
    let log = fs::read_to_string(run.join("run.log")).unwrap();
    assert!(!log.contains(&served.key) && !served.said.contains(&served.key));
}

#[test]
fn a_page_changes_nothing_of_what_is_learned() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let served = Served::explore(&run, &["run.steps=500"]);
    let watched = events(&served).count();
    let Served { live, mut stderr, mut said, key, .. } = served;
    stderr.read_to_string(&mut said).unwrap();
    let told = json(&live.end());
    let alone: Value = serde_json::from_slice(&fs::read(FINISHED.path().join("run/summary.json")).unwrap()).unwrap();
    assert!(watched > 0 && told["params_blake3"] == alone["params_blake3"], "{watched} events");
    assert!(!said.contains(&key));
    // It is over, and can still be looked at: until nobody wants to any more.
    let served = Served::run(&run);
    let told = events(&served).find_map(|(part, told)| (part == "run").then_some(told)).unwrap();
    assert_eq!((&told["state"], &told["env_steps"]), (&"done".into(), &500.into()));
    served.end();
}

#[test]
fn a_port_that_is_taken_is_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let finished = FINISHED.path().join("run");
    refused(&skewfit("serve", &finished, &["--port", &port]), 2, &[&port, "127.0.0.1", "another port"]);
    refused(&skewfit("resume", &finished, &["--serve", &port]), 2, &[&port, "another port"]);
    let new = dir.path().join("new");
    let args = ["corridor-tiny", "--out", new.to_str().unwrap(), "--serve", &port];
    refused(&skewfit("explore", Path::new(args[0]), &args[1..]), 2, &[&port, "another port"]);
    assert!(!new.exists() && !finished.join("serve.token").exists());
    refused(&skewfit("serve", dir.path(), &["--port", "0"]), 2, &["is not a run"]);
    assert!(stderr(&skewfit("serve", dir.path(), &["--help"])).is_empty());
}

#[test]
fn a_browser_shows_it_and_its_buttons_work() {
    let Some(mut browser) = Browser::open() else { return };
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let mut served = Served::explore(&run, &["run.steps=60000"]);
    let event = |why: &str| {
        format!(
            "{{\"at\":\"2026-11-20T03:04:05Z\",\"env_steps\":4200,\"updates\":9,\"event\":\"rolled-back\",\"why\":\"{why}\"}}\n"
        )
    };
    fs::write(run.join("night.jsonl"), event("<img id=boom src=x onerror=alert(1)> critic loss is not finite"))
        .unwrap();
    browser.ask("Page.navigate", serde_json::json!({ "url": format!("http://{}/#{}", served.host(), served.key) }));
    let long =
        "[...document.querySelectorAll('#curves path.line')].filter((l) => l.getAttribute('d').split('L').length > 8)";
    browser.until(&format!("{long}.length === 6"));
    browser.until("document.querySelectorAll('#pairs li').length === 6");
    browser.until("(() => { const c = document.getElementById('camera'); return c.width === 24 && c.getContext('2d').getImageData(12, 12, 1, 1).data[3] === 255; })()");
    assert_eq!(
        browser.value("location.href"),
        format!("http://{}/", served.host()),
        "the key has left the address bar"
    );
    assert_eq!(browser.value("document.cookie"), "");
    assert_eq!(browser.value("document.getElementById('boom') === null"), true);
    assert!(browser.value("document.getElementById('events').textContent").as_str().unwrap().contains("<img id=boom"));
    assert_eq!(browser.value("document.getElementById('rolled-back').textContent"), "1");
    assert_eq!(browser.value("document.getElementById('state-word').textContent"), "exploring");
    assert_eq!(browser.value("document.body.scrollWidth <= innerWidth"), true);

    let artefacts = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, size, scheme) in
        [("light", (1366, 700), "light"), ("dark", (1366, 700), "dark"), ("phone", (390, 844), "light")]
    {
        browser.photograph(size, scheme, &artefacts.join(format!("page-{name}.png")));
        assert_eq!(
            browser.value("document.documentElement.scrollWidth <= innerWidth"),
            true,
            "{name} scrolls sideways"
        );
    }
    let press = |browser: &mut Browser, id: &str| browser.value(&format!("document.getElementById('{id}').click()"));
    let asked =
        |word: &str| until(word, || fs::read_to_string(run.join("control")).is_ok_and(|text| text.trim() == word));
    press(&mut browser, "pause");
    asked("pause");
    browser.until("!document.getElementById('resume').disabled");
    press(&mut browser, "resume");
    asked("run");
    browser.until("!document.getElementById('stop').disabled");
    press(&mut browser, "stop");
    browser.until("document.getElementById('sure').open");
    std::thread::sleep(Duration::from_millis(300));
    asked("run"); // it was not sure yet
    press(&mut browser, "sure-stop");
    until("stop", || served.live.over() || fs::read_to_string(run.join("control")).is_ok_and(|text| text == "stop\n"));
    browser.complaints.retain(|what| !what.contains("/pictures/")); // seven later episodes may have come in between
    assert_eq!(browser.complaints, [] as [String; 0]);
}

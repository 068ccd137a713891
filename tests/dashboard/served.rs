//! A process that serves the dashboard, and its answers.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;

use crate::common::{Live, command, copy, explore, explore_args};

/// A finished run; a test that changes it makes a copy.
pub static FINISHED: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    explore(&dir.path().join("run"), &["run.steps=500"]);
    dir
});

/// A copy of the finished run whose status says that it is live.
pub fn going_on(to: &Path) -> PathBuf {
    let run = to.join("run");
    copy(&FINISHED.path().join("run"), &run);
    let status = fs::read_to_string(run.join("STATUS.json")).unwrap();
    fs::write(run.join("STATUS.json"), status.replace("\"done\"", "\"exploring\"")).unwrap();
    run
}

/// A process that serves the dashboard.
pub struct Served {
    pub live: Live,
    pub dir: PathBuf,
    pub port: u16,
    pub key: String,
    pub said: String,
    pub stderr: BufReader<ChildStderr>,
}

impl Served {
    /// Starts `skewfit serve`.
    pub fn run(dir: &Path) -> Self {
        Self::by(command(&["serve", dir.to_str().unwrap(), "--port", "0"]), dir)
    }

    /// Starts `skewfit explore --serve`.
    pub fn explore(dir: &Path, settings: &[&str]) -> Self {
        let mut args = explore_args(dir, settings);
        args.extend(["--serve", "0"].map(String::from));
        Self::by(command(&args.iter().map(String::as_str).collect::<Vec<_>>()), dir)
    }

    pub fn by(mut command: Command, dir: &Path) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let live = Live::of(child);
        let mut said = String::new();
        while !said.contains("page at ") {
            assert!(stderr.read_line(&mut said).unwrap() > 0, "no page: {said}");
        }
        let port = said.split("http://127.0.0.1:").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
        let key = match said.split_once('#') {
            Some((_, rest)) => rest[..64].to_owned(), // a read-only run
            None => fs::read_to_string(dir.join("serve.token")).unwrap().trim_end().to_owned(),
        };
        Self { live, dir: dir.to_owned(), port, key, said, stderr }
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The headers of an accepted request: Host, the page's Origin, the key.
    pub fn ours(&self) -> String {
        let (host, key) = (self.host(), &self.key);
        format!("Host: {host}\r\nOrigin: http://{host}\r\nAuthorization: Bearer {key}\r\n")
    }

    pub fn open(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends these bytes; returns the answer up to its end or, for a stream of events, up to the first event.
    pub fn send(&self, request: &[u8]) -> Answer {
        let mut stream = self.open();
        let _ = stream.write_all(request); // a refusal may arrive before everything was sent
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

    /// Sends a request with these headers.
    pub fn ask(&self, line: &str, head: &str) -> Answer {
        self.send(format!("{line} HTTP/1.1\r\n{head}\r\n").as_bytes())
    }

    pub fn control(&self) -> Option<String> {
        fs::read_to_string(self.dir.join("control")).ok()
    }

    /// Ends the process by a signal; returns its stderr.
    pub fn end(mut self) -> String {
        self.live.term();
        self.stderr.read_to_string(&mut self.said).unwrap();
        assert_eq!(self.live.end().status.code(), Some(0), "{}", self.said);
        self.said
    }
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn of(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0); // 0: the connection was closed without an answer
        Self { status, head: head.to_lowercase(), body: bytes[(end + 4).min(bytes.len())..].to_vec() }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The stream of server-sent events: (part, JSON).
pub fn events(served: &Served) -> impl Iterator<Item = (String, Value)> {
    let mut stream = served.open();
    write!(stream, "GET /events HTTP/1.0\r\n{}\r\n", served.ours()).unwrap();
    let mut part = String::new();
    BufReader::new(stream).lines().map_while(Result::ok).filter_map(move |line| {
        if let Some(name) = line.strip_prefix("event: ") {
            name.clone_into(&mut part);
        }
        let told = line.strip_prefix("data: ").map(serde_json::from_str); // a process that ends may cut the last event
        told?.ok().map(|told| (part.clone(), told))
    })
}

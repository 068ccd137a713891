//! A headless Chromium, controlled by its DevTools protocol: JSON over a WebSocket.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "helpers of tests")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::until;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// One page of a browser that ends with its test.
pub struct Browser {
    process: Child,
    socket: TcpStream,
    asked: u64,
    /// Errors of the page: uncaught exceptions, refused content, failed requests.
    pub complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// `None` if no Chromium is installed; a message then goes directly to stderr.
    pub fn open() -> Option<Self> {
        let named = std::env::var("SKEWFIT_TEST_CHROMIUM").ok();
        let runs = |name: &str| Command::new(name).arg("--version").output().is_ok_and(|out| out.status.success());
        let Some(name) = named.or_else(|| NAMES.iter().find(|name| runs(name)).map(|name| (*name).to_owned())) else {
            let test = std::thread::current().name().unwrap_or_default().to_owned();
            let way = "install Debian's package chromium, or name one in SKEWFIT_TEST_CHROMIUM";
            let said = format!("{test} SKIPPED: there is no Chromium; {way}\n");
            std::io::stderr().write_all(said.as_bytes()).unwrap(); // libtest captures the output of `eprintln!`
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let process = Command::new(name)
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"])
            .args(["--hide-scrollbars", "--remote-debugging-port=0", "about:blank"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = None;
        until("the browser's port", || {
            let text = fs::read_to_string(profile.path().join("DevToolsActivePort")).unwrap_or_default();
            port = text.lines().next().and_then(|line| line.parse().ok());
            port.is_some()
        });
        let mut path = None;
        until("a page in the browser", || {
            path = page(port.unwrap());
            path.is_some()
        });
        let socket = socket(port.unwrap(), &path.unwrap());
        let mut browser = Self { process, socket, asked: 0, complaints: vec![], _profile: profile };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// Calls a method of the protocol; returns its result.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        self.send(&json!({ "id": self.asked, "method": method, "params": params }).to_string());
        loop {
            let told = self.receive();
            if let Some(what) = complaint(&told) {
                self.complaints.push(what);
            }
            if told["id"] == self.asked {
                assert!(told["error"].is_null(), "{method}: {}", told["error"]);
                return told["result"].clone();
            }
        }
    }

    /// The value of a JavaScript expression.
    pub fn value(&mut self, expression: &str) -> Value {
        let result = self.ask("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true }));
        assert!(result["exceptionDetails"].is_null(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub fn until(&mut self, expression: &str) {
        until(expression, || {
            std::thread::sleep(Duration::from_millis(50));
            self.value(expression) == true
        });
    }

    /// Saves a screenshot of the page at a size, with the colour scheme `light` or `dark`.
    pub fn photograph(&mut self, (width, height): (u32, u32), scheme: &str, path: &Path) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.ask("Emulation.setDeviceMetricsOverride", size);
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.ask("Emulation.setEmulatedMedia", features);
        let shot = self.ask("Page.captureScreenshot", json!({ "captureBeyondViewport": width < 600 }));
        fs::write(path, from_base64(shot["data"].as_str().unwrap())).unwrap();
    }

    fn send(&mut self, text: &str) {
        let mut frame = vec![0x81]; // a whole text message; a client must mask, and a mask of zeros is allowed
        match text.len() {
            n @ 0..126 => frame.push(0x80 | n as u8),
            n => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(n).unwrap().to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.socket.write_all(&frame).unwrap();
    }

    fn receive(&mut self) -> Value {
        let mut text = Vec::new();
        loop {
            let [head, length] = self.take(2).try_into().unwrap();
            let big = |bytes: Vec<u8>| bytes.iter().fold(0, |n, byte| n << 8 | usize::from(*byte));
            let length = match length {
                126 => big(self.take(2)),
                127 => big(self.take(8)),
                short => usize::from(short),
            };
            text.extend(self.take(length));
            if head & 0x80 != 0 {
                return serde_json::from_slice(&text).unwrap();
            }
        }
    }

    fn take(&mut self, bytes: usize) -> Vec<u8> {
        let mut taken = vec![0; bytes];
        self.socket.read_exact(&mut taken).unwrap();
        taken
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn complaint(told: &Value) -> Option<String> {
    match told["method"].as_str()? {
        "Runtime.exceptionThrown" => Some(told["params"].to_string()),
        "Log.entryAdded" if told["params"]["entry"]["level"] == "error" => Some(told["params"]["entry"].to_string()),
        _ => None,
    }
}

/// The DevTools path of the first page.
fn page(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET /json/list HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    let list: Value = serde_json::from_str(text.split("\r\n\r\n").nth(1)?).ok()?;
    let page = list.as_array()?.iter().find(|target| target["type"] == "page")?;
    page["webSocketDebuggerUrl"].as_str()?.split_once("/devtools").map(|(_, path)| format!("/devtools{path}"))
}

fn socket(port: u16, path: &str) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let key = "dGhlIHNhbXBsZSBub25jZQ=="; // any 16 bytes
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13";
    write!(socket, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{upgrade}\r\nSec-WebSocket-Key: {key}\r\n\r\n").unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    socket
}

fn from_base64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("not base64: {c}"),
    };
    let digits: Vec<u8> = text.bytes().filter(|c| *c != b'=').map(digit).collect();
    let group = |four: &[u8]| {
        let bits = four.iter().enumerate().fold(0u32, |bits, (i, d)| bits | u32::from(*d) << (18 - 6 * i));
        bits.to_be_bytes()[1..four.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}

//! Requests that do not come from the page itself are refused.

use std::io::Write;

use crate::common;
use crate::served::{Served, going_on};

#[test]
fn no_request_but_the_pages_own_is_accepted() {
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

    // A wrong Host is refused on every path, even if everything else is right.
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

    // With the right Host, a request also needs the key and the page's own Origin, once each.
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

    // Right headers, but a method or a path that does not exist.
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

    // Too large, or not exactly one request.
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

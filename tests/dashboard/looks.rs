//! The page in a real browser.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::browser::Browser;
use crate::common::until;
use crate::served::Served;

#[test]
fn a_browser_shows_the_page_and_its_buttons_work() {
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
    asked("run"); // stop is not confirmed yet
    press(&mut browser, "sure-stop");
    until("stop", || served.live.over() || fs::read_to_string(run.join("control")).is_ok_and(|text| text == "stop\n"));
    browser.complaints.retain(|what| !what.contains("/pictures/")); // seven later episodes may have replaced a picture in between
    assert_eq!(browser.complaints, [] as [String; 0]);
}

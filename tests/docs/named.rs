//! Names in code and documents exist: oracles, words of the glossary, documents, commits.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::{ROOT, all_code, documents, quoted, read};

/// Names of documents that the program writes.
const WRITTEN: [&str; 3] = ["REPORT.md", "DIAGNOSE.md", "table.md"];

fn code() -> String {
    ["src", "envs", "hardware", "tests", "dev", "benches", "examples", "fuzz/targets"]
        .map(|folder| all_code(&Path::new(ROOT).join(folder)))
        .concat()
}

/// The cells of a document's table rows.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = text.lines().filter(|line| line.starts_with("| "));
    rows.map(|row| row.trim_matches(['|', ' ']).split(" | ").collect())
}

/// Numbers after "oracle", as in `oracle_20_...` and "(oracles 5 and 20)".
fn oracles(code: &str) -> BTreeSet<u32> {
    let number = |word: &str| word.trim_end_matches([',', ')', '.']).parse::<u32>().ok();
    let after = code.split("oracle").skip(1).flat_map(|rest| {
        let line = rest.lines().next().unwrap_or_default();
        let name = line.strip_prefix('_').and_then(|name| name.get(..2)?.parse().ok());
        let words = line.strip_prefix("s ").or(line.strip_prefix(' ')).unwrap_or_default().split(' ');
        let list = words.take_while(|word| ["and", "to"].contains(word) || number(word).is_some());
        name.into_iter().chain(list.filter_map(number)).collect::<Vec<u32>>()
    });
    after.collect()
}

#[test]
fn every_oracle_has_a_row_and_every_row_its_tests() {
    let text = read("docs/ORACLES.md");
    let mut numbers = BTreeSet::new();
    let mut tests = BTreeSet::new();
    for row in rows(&text).filter(|row| row[0].parse::<u32>().is_ok()) {
        assert_eq!(row.len(), 4, "number, statement, source, test: {row:?}");
        numbers.insert(row[0].parse::<u32>().unwrap());
        for test in quoted(row[3]) {
            let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("no path::name: {test}"));
            assert!(read(file).contains(&format!("fn {name}(")), "oracle {}: no test {test}", row[0]);
            let of_the_row = name.strip_prefix("oracle_").is_none_or(|n| n.starts_with(&format!("{:0>2}_", row[0])));
            assert!(of_the_row, "oracle {} names {test}", row[0]);
            tests.insert(name.to_owned());
        }
        assert!(row[3].contains("::oracle_"), "oracle {} has no test", row[0]);
    }
    let code = code();
    let named = oracles(&code);
    assert!(named.is_subset(&numbers), "oracles without a row: {:?}", named.difference(&numbers));
    let functions = code.split("fn oracle_").skip(1).filter_map(|rest| rest.split('(').next());
    for name in functions.map(|name| format!("oracle_{name}")).filter(|name| name.as_bytes()[7].is_ascii_digit()) {
        assert!(tests.contains(&name), "docs/ORACLES.md does not name {name}");
    }
}

#[test]
fn every_word_of_the_glossary_occurs() {
    let others = documents().into_iter().filter(|(document, _)| document != "docs/GLOSSARY.md");
    let text = (code() + &others.map(|(document, _)| read(&document)).collect::<String>()).to_lowercase();
    let glossary = read("docs/GLOSSARY.md");
    let words: Vec<&str> = rows(&glossary).filter(|row| row.len() == 2).map(|row| row[0]).collect();
    assert!(words.len() > 40, "{} words", words.len());
    let bounded = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    for word in words.into_iter().flat_map(|words| words.split(", ")) {
        let word = word.trim_matches('`').to_lowercase();
        let mut places = text.match_indices(&word);
        let whole = |at: usize| {
            bounded(text[..at].chars().next_back())
                && bounded(text[at + word.len()..].trim_start_matches('s').chars().next())
        };
        assert!(places.any(|(at, _)| whole(at)), "`{word}` does not occur");
    }
}

#[test]
fn named_documents_exist() {
    let texts = [("the code".to_owned(), String::new(), code())];
    let documents =
        documents().into_iter().map(|(document, folder)| (document.clone(), folder.into(), read(&document)));
    for (whose, folder, text) in texts.into_iter().chain(documents) {
        let words = text.split(|c: char| !(c.is_alphanumeric() || "_-./".contains(c)));
        let names = words.filter(|word| word.ends_with(".md") && word.len() > 3 && !word.contains("//"));
        for name in names.map(|name| name.trim_start_matches("../").trim_start_matches("./")) {
            let places = [Path::new(ROOT).join(name.trim_start_matches('/')), Path::new(ROOT).join(&folder).join(name)];
            let written = WRITTEN.contains(&name.rsplit('/').next().unwrap_or(name));
            assert!(written || places.iter().any(|place| place.is_file()), "{whose} names {name}");
        }
    }
}

/// A commit is written as seven hex digits between backticks.
#[test]
fn named_commits_are_in_the_history() {
    let git = |args: &[&str]| Command::new("git").args(args).current_dir(ROOT).output();
    let whole = git(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|o| o.stdout.starts_with(b"false"));
    if !whole {
        println!("SKIPPED: the history is not here");
        return;
    }
    let text = read("CONTRIBUTING.md");
    let is_commit = |word: &&str| word.len() == 7 && word.chars().all(|c| c.is_ascii_hexdigit());
    let commits: Vec<&str> = quoted(&text).filter(is_commit).collect();
    assert!(commits.len() > 3, "{commits:?}");
    for commit in commits {
        let found = git(&["cat-file", "-e", &format!("{commit}^{{commit}}")]).unwrap();
        assert!(found.status.success(), "CONTRIBUTING.md names commit {commit}");
    }
}

#[test]
fn the_book_has_every_document() {
    let summary = read("docs/SUMMARY.md");
    let pages = documents().into_iter().filter(|(document, folder)| *folder == "docs" && document != "docs/SUMMARY.md");
    for (document, _) in pages {
        let link = document.replace("docs/", "(") + ")";
        assert!(summary.contains(&link), "docs/SUMMARY.md does not list {document}");
    }
    for part in read("docs/START.md").split("README.md:").skip(1).filter_map(|rest| rest.split('}').next()) {
        assert!(read("README.md").contains(&format!("<!-- ANCHOR: {part} -->")), "README.md has no anchor {part}");
    }
}

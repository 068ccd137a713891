//! The order of wings and rooms: who may use whom.

use super::sources::{code, read, shipped};

/// The rooms of `src/` in order, a line a wing: each may use the ones before it.
const ORDER: [&str; 8] = [
    "error format statistics",
    "learn: words settings rng nn latent density episode skew replay goals agent policy rollout learner",
    "config",
    "keep: store faults checkpoint models provenance summary supervise",
    "task: scene coverage attempt scores opened",
    "show: pictures metrics tensorboard clip report evaluation redraw export diagnose dashboard",
    "run: progress estimate explore evaluate",
    "face: bench cli",
];

/// `wing::room` of every room, in order.
fn rooms() -> Vec<String> {
    let of = |line: &&str| match line.split_once(": ") {
        Some((wing, rooms)) => rooms.split(' ').map(|room| format!("{wing}::{room}")).collect::<Vec<_>>(),
        None => line.split(' ').map(str::to_owned).collect(),
    };
    ORDER.iter().flat_map(of).collect()
}

/// Every `crate::a::b` that the code names, one by one where a `use` lists several.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + 7..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c)).unwrap_or(rest.len());
        let head = rest[..end].trim_end_matches(':').to_owned();
        match rest[end..].strip_prefix('{') {
            Some(list) => {
                let list = list.split(';').next().unwrap();
                let item = |item: &str| format!("{head}::{item}").trim_matches(':').to_owned();
                found.extend(list.split([',', '{', '}']).filter(|i| !i.is_empty()).map(item));
            }
            None => found.push(head),
        }
    }
    found
}

#[test]
fn wings_and_rooms_depend_one_way() {
    let rooms = rooms();
    let place = |path: &str| rooms.iter().position(|room| path == room || path.starts_with(&format!("{room}::")));
    let mut arrows = 0;
    for file in shipped().into_iter().filter(|file| file.starts_with("src")) {
        let module = file.strip_prefix("src").unwrap().with_extension("").display().to_string().replace('/', "::");
        let uses = paths(&read(&file));
        let Some(from) = place(module.trim_end_matches("::mod")) else {
            let lists_rooms = ["lib", "main", "fuzz", "trials"].contains(&module.as_str()) || module.ends_with("::mod");
            assert!(lists_rooms && (uses.is_empty() || module == "fuzz"), "{} is in no room of ORDER", file.display());
            continue;
        };
        for path in uses {
            let to = place(&path).unwrap_or_else(|| panic!("{}: `crate::{path}` is no room of ORDER", file.display()));
            assert!(to <= from, "{} uses crate::{path}, which comes after it", file.display());
            arrows += usize::from(to < from);
        }
    }
    assert!(arrows > 300, "only {arrows} arrows found");
}

#[test]
fn the_reader_of_arrows_sees_lists() {
    let code = code(
        "use crate::{error::Error, keep::{store, faults}};\nuse crate::learn::nn::{Adam, gemm::View};\nx(crate::format::bytes)",
    );
    let found = paths(&code);
    for path in ["error::Error", "keep", "learn::nn::Adam", "learn::nn::gemm::View", "format::bytes"] {
        assert!(found.iter().any(|p| p == path), "{path} in {found:?}");
    }
}

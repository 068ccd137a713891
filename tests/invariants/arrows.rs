//! The order of wings and rooms: which one may use which.

use super::sources::{code, read, shipped};

/// The rooms of `src/` in order, one line for each wing: each room may use the rooms before it.
const ORDER: [&str; 8] = [
    "error format statistics",
    "learn: choices settings rng nn latent density episode skew replay goals agent policy practice rollout learner",
    "config",
    "keep: store faults checkpoint models provenance summary supervise",
    "task: scene coverage practice_facts true_distances reached knn_entropy attempt scores opened",
    "show: pictures metrics tensorboard clip report evaluation redraw export diagnose dashboard",
    "run: progress threads estimate goal_folder explore evaluate",
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

/// The code of the module `a::b::c` with `super::` resolved.
fn absolute(code: &str, module: &str) -> String {
    let parts: Vec<&str> = module.split("::").collect();
    let mut out = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("super::") {
        let ups = rest[at..].split("super::").take_while(|part| part.is_empty()).count().max(1);
        let base = parts[..parts.len().saturating_sub(ups)].join("::");
        out += &rest[..at];
        out += &format!("crate::{base}{}", if base.is_empty() { "" } else { "::" });
        rest = &rest[at + ups * "super::".len()..];
    }
    out + rest
}

/// Every path `crate::a::b` in the code; a braced `use` gives one path for each entry.
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
        let module = module.strip_suffix("::mod").unwrap_or(&module);
        let uses = paths(&absolute(&read(&file), module));
        let Some(from) = place(module) else {
            let lists_rooms = ["lib", "main"].contains(&module) || file.ends_with("mod.rs");
            assert!(lists_rooms && uses.is_empty(), "{} is in no room of ORDER", file.display());
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
fn paths_in_braced_use_lists_are_found() {
    let code = code(
        "use crate::{error::Error, keep::{store, faults}};\nuse crate::learn::nn::{Adam, gemm::MatrixView};\nx(crate::format::bytes)",
    );
    let found = paths(&code);
    for path in ["error::Error", "keep", "learn::nn::Adam", "learn::nn::gemm::MatrixView", "format::bytes"] {
        assert!(found.iter().any(|p| p == path), "{path} in {found:?}");
    }
    for (code, module, meant) in [
        ("use super::words;", "learn::settings", "use crate::learn::words;"),
        (
            "use super::super::a::B;use super::c;",
            "keep::store::fs::disk",
            "use crate::keep::store::a::B;use crate::keep::store::fs::c;",
        ),
        ("pub(super)fn f(){super::g()}", "config::keys", "pub(super)fn f(){crate::config::g()}"),
    ] {
        assert_eq!(absolute(code, module), meant);
    }
}

//! Faults occur at their counts; a fault that could never occur is refused.

use super::*;

#[test]
fn faults_occur_at_their_counts() {
    let chaos = Chaos::parse("full@disk:2+2, nan-reward@update:7,nan-policy@update:7, short@disk:9").unwrap();
    let seen: Vec<_> = (1..=10).filter_map(|n| chaos.change().map(|what| (n, what))).collect();
    assert_eq!(seen, [(2, FaultKind::Full), (3, FaultKind::Full), (9, FaultKind::Short)]);
    assert_eq!(chaos.nan_targets(FaultSite::Update, 7).collect::<Vec<_>>(), [NanTarget::Reward, NanTarget::Policy]);
    assert_eq!(chaos.nan_targets(FaultSite::Update, 8).next().or(chaos.nan_targets(FaultSite::Vae, 7).next()), None);
    assert!(Chaos::parse("").unwrap().is_none() && Chaos::default().change().is_none());
}

#[test]
fn a_fault_that_cannot_be_parsed_is_named() {
    for bad in [
        "kill",
        "kill@disk",
        "kill@disk:x",
        "hang@disk:1",
        "nan-reward@beat:1",
        "nan-reward@vae:1",
        "nan-noise@update:3",
        "eio@moon:1",
        "full@disk:1+",
    ] {
        let why = Chaos::parse(&format!("kill@disk:1,{bad}")).unwrap_err().to_string();
        assert!(why.contains(&format!("`{bad}`")), "{why}");
    }
}

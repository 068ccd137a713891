//! The hand-derived gradients against candle's and central differences (oracle 21).

use candle_core::{Device, Tensor, Var};

use super::*;
use crate::learn::agent::sac::Losses;

fn flat(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Largest error of `got`'s tensors against `want`'s, relative to each tensor's largest entry.
pub(super) fn worst(params: &Params, got: &[f32], want: impl Fn(usize) -> Vec<f64>) -> (f64, String) {
    let mut worst = (0.0, String::new());
    for (i, tensor) in params.tensors.iter().enumerate() {
        let want = want(i);
        let top = want.iter().fold(1e-30f64, |top, w| top.max(w.abs()));
        for (g, w) in got[tensor.range()].iter().zip(&want) {
            let error = (f64::from(*g) - w).abs() / top;
            if error.is_nan() || error > worst.0 {
                worst = (error, tensor.name.clone());
            }
        }
    }
    worst
}

fn check(agent: &AgentConfig, n: usize, wide: bool) {
    let (batch, noise) = data_for(agent.critics, n, 7);
    let what = format!("{:?}, {} critics, B = {n}, wide {wide}", agent.hidden, agent.critics);
    let tensors = Data::new(&batch, &noise, DType::F64).unwrap();
    for agent in variants(agent).into_iter().take(2) {
        for threads in [1, 2, 3] {
            let mut sac = sac(&agent, threads, wide);
            let reference = reference(&sac, &agent);
            let temperature = reference.temperature().unwrap();
            let (actor, log_pi) = reference.actor_loss(&tensors, temperature).unwrap();
            let critic = reference.critic_loss(&tensors, temperature).unwrap();
            let sums = sac.gradients(Losses::Both, &batch, &noise, sac.temperature());
            let norms = [sac.policy_norm2().unwrap(), sac.critic_norm2().unwrap()];
            let losses = [(sums.actor_loss, actor.to_scalar()), (sums.critic_loss, critic.to_scalar())];
            for (ours, want) in losses.into_iter().chain([(sums.log_pi, Ok(log_pi))]) {
                let (ours, want) = (ours / n as f64, want.unwrap());
                assert!((ours - want).abs() < 2e-6 * (1.0 + want.abs()), "B = {n}: {ours} {want}");
            }
            let gradients = [(&actor, &reference.policy, &sac.policy), (&critic, &reference.critics, &sac.critics)];
            let ours = [&sac.workspaces[0].policy_gradient, &sac.workspaces[0].critic_gradient];
            for (((loss, vars, params), ours), norm) in gradients.into_iter().zip(ours).zip(norms) {
                let store = loss.backward().unwrap();
                let of = |var: &Var| flat(store.get(var).expect("a gradient"));
                let error = worst(params, ours, |i| of(&vars[i]));
                let norm2: f64 = vars.iter().flat_map(of).map(|g| g * g).sum();
                println!("{what}, {threads} threads: {error:?}");
                assert!(error.0 < 1e-5, "{what}, {threads} threads: {error:?}");
                assert!((norm / norm2 - 1.0).abs() < 1e-5, "{norm} {norm2}");
            }
        }
    }
}

#[test]
fn gradients_are_candles() {
    for n in [1, 3, 127, 128, 300] {
        check(&config(&[24, 20]), n, false);
        check(&config(&[24, 20]), n, true);
        check(&five(&[24, 20]), n, true);
    }
    check(&config(&[400, 300]), 130, false);
    check(&config(&[400, 300]), 130, true);
}

#[test]
fn wide_weights_reach_every_branch() {
    let agent = config(&[24, 20]);
    let sac = sac(&agent, 1, true);
    let (batch, actor) = (data(300, 7).0, sac.actor().unwrap());
    let raw: Vec<f32> = (batch.observation.chunks_exact(2 * Z))
        .flat_map(|o| actor.head(&mut actor.scratch(), o)[ACTIONS..].to_vec())
        .collect();
    let share = |test: fn(f32) -> bool| raw.iter().filter(|x| test(**x)).count() as f64 / raw.len() as f64;
    let shares = [share(|x| x < -20.0), share(|x| (-20.0..=2.0).contains(&x)), share(|x| x > 2.0)];
    assert!(shares.iter().all(|s| *s > 0.1), "{shares:?}");
}

#[test]
fn oracle_21_central_differences_of_the_policy_loss() {
    let agent = config(&[12, 10]);
    let mut sac = sac(&agent, 2, true);
    let (batch, noise) = data(40, 3);
    let tensors = Data::new(&batch, &noise, DType::F64).unwrap();
    sac.gradients(Losses::Actor, &batch, &noise, sac.temperature());
    sac.policy_norm2().unwrap();
    let reference = reference(&sac, &agent);
    let temperature = reference.temperature().unwrap();
    let loss = || reference.actor_loss(&tensors, temperature).unwrap().0.to_scalar::<f64>().unwrap();
    let mut rng = stream(2, "oracle-21", &[]);
    for (tensor, var) in sac.policy.tensors.iter().zip(&reference.policy) {
        let ours = &sac.workspaces[0].policy_gradient[tensor.range()];
        let top = ours.iter().fold(0.0f32, |top, g| top.max(g.abs()));
        let (start, h) = (flat(var), 1e-6);
        let set = |values| var.set(&Tensor::from_vec(values, tensor.shape.clone(), &Device::Cpu).unwrap()).unwrap();
        for _ in 0..20 {
            let i = rng.random_range(0..tensor.len());
            let at = |step: f64| {
                let mut values = start.clone();
                values[i] += step;
                set(values);
                loss()
            };
            let slope = (at(h) - at(-h)) / (2.0 * h);
            let error = (slope - f64::from(ours[i])).abs() / f64::from(top);
            assert!(error < 2e-5, "{} [{i}]: {slope} {} {error:e}", tensor.name, ours[i]);
        }
        set(start);
    }
}

#[test]
fn sampled_actions_are_the_references() {
    let agent = config(&[24, 20]);
    let sac = sac(&agent, 1, true);
    let (batch, noise) = data(20, 4);
    let tensors = Data::new(&batch, &noise, DType::F64).unwrap();
    let want = flat(&reference(&sac, &agent).actions(&tensors).unwrap());
    let rows = batch.observation.chunks_exact(2 * Z).zip(noise.current.chunks_exact(ACTIONS));
    let actor = sac.actor().unwrap();
    for ((observation, eps), want) in rows.zip(want.chunks_exact(ACTIONS)) {
        let drawn = actor.sample(&mut actor.scratch(), observation, eps);
        assert!(drawn.iter().zip(want).all(|(d, w)| (f64::from(*d) - w).abs() < 1e-5), "{drawn:?} {want:?}");
        let mean = actor.mean_action(&mut actor.scratch(), observation);
        assert_eq!(mean, actor.sample(&mut actor.scratch(), observation, &[0.0; ACTIONS]));
    }
}

#[test]
fn initial_values_are_bounded_as_stated() {
    let agent = AgentConfig { hidden_bias: 0.1, ..config(&[400, 300]) };
    let mut sac = fresh(&agent, 1);
    let top = |values: &[f32]| values.iter().fold(0.0f32, |top, w| top.max(w.abs()));
    let near = |got: f32, bound: f32, what: &str| {
        assert!(got < bound * 1.000_001 && got > 0.5 * bound, "{what}: {got} {bound}")
    };
    for (params, last) in [(&sac.policy, 1e-3), (&sac.critics, 3e-3), (&sac.targets, 3e-3)] {
        for first in (0..params.tensors.len()).step_by(6) {
            near(top(params.get(first)), 1.0 / 20.0, "hidden0");
            near(top(params.get(first + 2)), 1.0 / 300f32.sqrt(), "hidden1");
            near(top(params.get(first + 4)), last, "last");
            assert!([first + 1, first + 3].iter().all(|i| params.get(*i).iter().all(|b| *b == 0.1)));
        }
    }
    let (mean, log_std) = sac.policy.get(5).split_at(ACTIONS);
    assert!(mean == [0.0; ACTIONS] && top(log_std) > 0.0 && top(log_std) <= 1e-3);
    assert!(sac.critics.get(5) == [0.0] && sac.critics.get(11) == [0.0] && sac.temperature() == 1.0);
    assert!(sac.critics.get(0) != sac.critics.get(6) && sac.critics.get(0) != sac.targets.get(0));
    sac = fresh(&AgentConfig { copy_targets_at_start: true, ..agent }, 1);
    assert_eq!(sac.critics.values, sac.targets.values);
}

#[test]
fn critics_of_any_number_begin_apart_and_their_norms_at_one() {
    let agent = AgentConfig { hidden_bias: 0.1, ..five(&[30, 20, 10]) };
    let sac = fresh(&agent, 1);
    let of = |name: &str| {
        let params = if name.starts_with("target") { &sac.targets } else { &sac.critics };
        let tensor = params.tensors.iter().find(|t| t.name == name).unwrap();
        params.values[tensor.range()].to_vec()
    };
    assert_eq!(sac.policy.tensors.len(), 8);
    assert!(sac.critics.tensors.len() == 5 * 14 && sac.targets.tensors.len() == 5 * 14);
    for which in ["critic", "target"] {
        for (j, layer, units) in (0..5).flat_map(|j| [(j, "hidden0", 30), (j, "hidden1", 20), (j, "hidden2", 10)]) {
            let tensor = |name: &str| of(&format!("{which}{j}.{layer}.{name}"));
            assert!(tensor("weight").iter().all(|w| w.abs() <= 1.0 / (units as f32).sqrt()));
            assert_eq!(tensor("bias"), vec![0.1; units]);
            assert_eq!((tensor("norm.gain"), tensor("norm.shift")), (vec![1.0; units], vec![0.0; units]));
            assert!(j == 0 || tensor("weight") != of(&format!("{which}0.{layer}.weight")));
        }
    }
    let two = fresh(&AgentConfig { critics: 2, layer_norm: false, ..agent }, 1);
    assert_eq!(two.policy, sac.policy);
    assert_eq!(two.critics.get(0), sac.critics.get(0));
}

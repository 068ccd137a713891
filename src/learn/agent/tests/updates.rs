//! Whole updates: compared with candle's Adam, repeated, refused, and their fixed point (oracle 24).

use candle_core::Var;

use super::*;
use crate::error::Error;
use crate::learn::agent::sac::Losses;

/// For each tensor, the sum of distances between `params` and the reference, relative to the distance that the reference has
/// moved. The rounding of f32 is not counted: a gain of 1 moves by less than 1e-3.
pub(super) fn apart(params: &Params, start: &[f32], vars: &[Var]) -> Vec<(f64, String)> {
    let of = |(tensor, var): (&crate::learn::nn::Tensor, &Var)| {
        let want: Vec<f64> = var.flatten_all().unwrap().to_vec1().unwrap();
        let distance = |from: &[f32], forgiven: f64| -> f64 {
            from.iter().zip(&want).map(|(f, w)| ((f64::from(*f) - w).abs() - forgiven * w.abs()).max(0.0)).sum()
        };
        let rounding = f64::from(f32::EPSILON);
        (
            distance(&params.values[tensor.range()], rounding) / distance(&start[tensor.range()], 0.0),
            tensor.name.clone(),
        )
    };
    params.tensors.iter().zip(vars).map(of).collect()
}

#[test]
fn one_and_three_updates_are_candles() {
    for agent in [variants(&config(&[24, 20])), variants(&five(&[24, 20]))].concat() {
        for (threads, wide) in [(1, true), (2, true), (3, true), (2, false)] {
            let mut sac = sac(&agent, threads, wide);
            let mut reference = reference(&sac, &agent);
            let start = [&sac.policy, &sac.critics, &sac.targets, &sac.log_temperature].map(|p| p.values.clone());
            for step in 0..3 {
                let (batch, noise) = data_for(agent.critics, 300, step);
                let temperature = reference.temperature().unwrap();
                let info = sac.update(&batch, &noise, 0).unwrap();
                let (actor, critic) = reference.update(&Data::new(&batch, &noise, DType::F64).unwrap()).unwrap();
                for (ours, want) in
                    [(info.actor_loss, actor), (info.critic_loss, critic), (info.temperature, temperature)]
                {
                    assert!((ours - want).abs() < 1e-5 * (1.0 + want.abs()), "{agent:?} {info:?}: {ours} {want}");
                }
                let temperature = std::slice::from_ref(&reference.log_temperature);
                let pairs = [
                    apart(&sac.policy, &start[0], &reference.policy),
                    apart(&sac.critics, &start[1], &reference.critics),
                    apart(&sac.targets, &start[2], &reference.targets),
                    apart(&sac.log_temperature, &start[3], temperature),
                ];
                for (error, name) in pairs.concat() {
                    assert!(error < 1e-4, "update {step}, {name}: {error:e} of the way; {agent:?}");
                }
            }
        }
    }
}

#[test]
fn q_and_log_prob_give_the_actors_loss() {
    for (agent, wide) in [(config(&[24, 20]), false), (config(&[24, 20]), true), (five(&[24, 20]), true)] {
        let mut sac = sac(&agent, 2, wide);
        let (batch, noise) = data_for(agent.critics, 200, 9);
        let rows = batch.observation.chunks(2 * Z).zip(noise.current.chunks(ACTIONS));
        let actor = sac.actor().unwrap();
        let drawn: Vec<f32> = rows.flat_map(|(s, eps)| actor.sample(&mut actor.scratch(), s, eps)).collect();
        let (q, log_pi) = sac.q_and_log_prob(&batch.observation, &drawn, &noise.current).unwrap();
        let temperature = sac.temperature();
        let loss = q.iter().zip(&log_pi).map(|(q, log_pi)| f64::from(temperature * log_pi - q)).sum::<f64>() / 200.0;
        let (stored, _) = sac.q_and_log_prob(&batch.observation, &batch.action, &noise.current).unwrap();
        let mean = stored.iter().map(|q| f64::from(*q)).sum::<f64>() / 200.0;
        let want = sac.update(&batch, &noise, 0).unwrap();
        assert!((loss - want.actor_loss).abs() < 1e-5 * (1.0 + loss.abs()), "{loss} {want:?}");
        // With more than two critics, Q is the mean, as in the log; with two, it is the minimum.
        let apart = want.q_mean - mean;
        assert!(if agent.critics > 2 { apart.abs() < 1e-5 } else { apart > 0.0 }, "{mean} {want:?}");
    }
}

/// Everything that an update may change, as bits; temperature and its two moments come last.
fn bits(sac: &Sac) -> Vec<u32> {
    let networks = [&sac.policy, &sac.critics, &sac.targets].into_iter().flat_map(|p| &p.values);
    let [policy, critics, temperature] = sac.adams.each_ref().map(|a| a.m.iter().chain(&a.v));
    let all = networks.chain(policy).chain(critics).chain(&sac.log_temperature.values).chain(temperature);
    all.map(|v| v.to_bits()).collect()
}

#[test]
fn an_update_repeats_to_the_bit() {
    for agent in [variants(&config(&[24, 20])), variants(&five(&[24, 20]))].concat() {
        for threads in [1, 2, 3] {
            let run = || {
                let mut sac = sac(&agent, threads, true);
                for step in 0..2 {
                    let (batch, noise) = data_for(agent.critics, 300, step);
                    sac.update(&batch, &noise, 0).unwrap();
                }
                bits(&sac)
            };
            assert_eq!(run(), run());
        }
    }
}

#[test]
fn a_nan_anywhere_is_refused_and_no_network_moves() {
    let networks: [fn(&mut Sac) -> &mut Params; 4] =
        [|s| &mut s.policy, |s| &mut s.critics, |s| &mut s.targets, |s| &mut s.log_temperature];
    for agent in [variants(&config(&[24, 20])), variants(&five(&[12, 10]))].concat() {
        let (batch, noise) = data_for(agent.critics, 130, 0);
        let read = |name: &str| {
            !name.starts_with("target") || noise.pair.iter().any(|j| name[6..].starts_with(&j.to_string()))
        };
        for network in networks {
            for tensor in network(&mut fresh(&agent, 2)).tensors.iter().filter(|t| read(&t.name)) {
                let mut sac = sac(&agent, 2, true);
                network(&mut sac).values[tensor.start] = f32::NAN;
                let before = bits(&sac);
                let refused = sac.update(&batch, &noise, 0);
                assert!(matches!(refused, Err(Error::NotFinite(_))), "{}: {refused:?}", tensor.name);
                // Critic-first has stepped the temperature before it finds a NaN in a critic.
                let kept = before.len() - if agent.actor_first { 0 } else { 3 };
                assert!(bits(&sac)[..kept] == before[..kept], "{}", tensor.name);
            }
        }
    }
}

/// A NaN in any parameter of any critic makes the actor's gradient non-finite, with the minimum of two critics and with the
/// mean of more.
#[test]
fn one_nan_critic_reaches_the_actors_gradient() {
    for agent in [config(&[24, 20]), five(&[24, 20])] {
        let (batch, noise) = data_for(agent.critics, 130, 0);
        for tensor in &fresh(&agent, 2).critics.tensors {
            let mut sac = sac(&agent, 2, true);
            sac.critics.values[tensor.start] = f32::NAN;
            sac.gradients(Losses::Actor, &batch, &noise, 0.3);
            assert!(matches!(sac.policy_norm2(), Err(Error::NotFinite(_))), "{}", tensor.name);
        }
    }
}

/// An update uses only the target critics of its pair, and all critics.
#[test]
fn only_the_pair_of_the_update_counts_in_the_target() {
    let (batch, mut noise) = data_for(5, 130, 0);
    let agent = five(&[12, 10]);
    let loss = |noise: &Noise, broken: Option<usize>| {
        let mut sac = sac(&agent, 2, true);
        let size = sac.targets.values.len() / 5;
        broken.iter().for_each(|j| sac.targets.values[j * size] = f32::NAN);
        sac.gradients(Losses::Critic, &batch, noise, 0.3).critic_loss
    };
    let mut losses = Vec::new();
    for (j, k) in (0..5).flat_map(|k| (0..k).map(move |j| (j, k))) {
        noise.pair = [j, k];
        for broken in 0..5 {
            assert_eq!(loss(&noise, Some(broken)).is_nan(), [j, k].contains(&broken), "{j} {k} {broken}");
        }
        losses.push(loss(&noise, None).to_bits());
    }
    losses.sort_unstable();
    losses.dedup();
    assert_eq!(losses.len(), 10, "ten pairs, ten targets");
}

#[test]
fn the_pair_is_drawn_after_the_noise_and_of_two_critics_not_at_all() {
    let (mut alone, mut noise) = (stream(5, "oracle-noise", &[]), Noise::default());
    let want: Vec<f32> = (0..12).map(|_| StandardNormal.sample(&mut alone)).collect();
    let next: u64 = alone.random();
    for critics in 2..=6 {
        let mut rng = stream(5, "oracle-noise", &[]);
        noise.draw(6, critics, &mut rng);
        assert_eq!([&noise.current[..], &noise.next].concat(), want);
        assert_eq!(rng.random::<u64>() == next, critics == 2, "{critics}");
    }
}

#[test]
fn an_empty_batch_is_refused_and_nothing_moves() {
    let (batch, noise) = data(0, 0);
    for agent in variants(&config(&[24, 20])) {
        let mut sac = sac(&agent, 2, true);
        let before = bits(&sac);
        assert!(matches!(sac.update(&batch, &noise, 0), Err(Error::NotFinite(_))));
        assert!(bits(&sac) == before);
    }
}

#[test]
fn oracle_24_time_limits_bootstrap_and_terminals_do_not() {
    // With r = -1 at every step, Q = -1 / (1 - gamma) = -10 for any policy; at a terminal step, Q = -1.
    let agent = AgentConfig { entropy_in_target: false, tau: 0.1, ..config(&[16, 16]) };
    for (mask, want) in [(1.0, -10.0), (0.0, -1.0)] {
        let mut sac = fresh(&agent, 1);
        let mut last = 0.0;
        for step in 0..2000 {
            let (mut batch, noise) = data(32, step);
            batch.reward.fill(-1.0);
            batch.mask.fill(mask);
            last = sac.update(&batch, &noise, 0).unwrap().q_mean;
        }
        assert!((last - want).abs() < 0.03 * want.abs(), "Q = {last}, not {want}");
    }
}

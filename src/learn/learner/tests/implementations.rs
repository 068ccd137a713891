//! Two implementations of the model traits, hand-written and candle. The same inputs give the same outputs, each continues
//! from the other's state, and both learn equally well. The learner's random streams are shared, so only rounding differs.

use skewfit_envs::scenes::{self, SceneOptions};
use skewfit_envs::{GoalPicture, Scene};

use super::candle::{CandleSac, CandleVae};
use super::*;
use crate::config::{Config, overrides};
use crate::keep::checkpoint::params_blake3;
use crate::learn::episode::GoalOrigin;
use crate::learn::nn::{ModelState, NamedTensor};
use crate::learn::rollout::{Behaviour, RolloutGoal, rollout};

/// point2d without walls, in short episodes.
fn config() -> Config {
    let settings = [
        "run.threads=2",
        "env={image_size=24, samples=4, walls=\"none\", episode_steps=10}",
        "latent={dim=2, channels=[8, 16], batch=16, beta=1e-3, learning_rate=1e-5}",
        "agent={hidden=[32, 32], batch=128, learning_rate=1e-3, tau=5e-2, discount=0.8}",
    ];
    Config::resolve("point2d", settings.map(|set| overrides::parse(set).unwrap()).into()).unwrap()
}

/// Hand-written models.
fn models(cfg: &Config, workers: &Workers) -> (Vae, Sac) {
    let mut vae = Vae::new(&cfg.latent, 24, workers, &mut rng::stream(cfg.seed, "vae-init", &[])).unwrap();
    see(&mut vae);
    let sac = SacConfig { latent_dim: 2, action_dim: 2, agent: cfg.agent.clone() };
    (vae, Sac::new(sac, workers, &mut rng::stream(cfg.seed, "agent-init", &[])))
}

/// Sets the VAE so that its means are roughly the ball's position, because learning that takes more updates than a test has
/// time for. One channel is the darkness of each of 7 x 7 cells, nine more copy it, and the heads weight it by position.
fn see(vae: &mut Vae) {
    let ([first, second], [flat, heads]) = ([8, 16], [vae.architecture.encoder_flat(), vae.architecture.heads()]);
    let tent = [0.5, 0.5, 1.0, 0.5, 0.5]; // windows of stride 3 add up to 1
    for (i, w) in vae.params.get_mut(0).iter_mut().step_by(first).enumerate() {
        *w = -0.1 * tent[i / 15] * tent[i / 3 % 5];
    }
    vae.params.get_mut(1)[0] = 3.0;
    for (i, w) in vae.params.get_mut(2).iter_mut().enumerate() {
        let (tap, input, output) = (i / (first * second), i / second % first, i % second);
        *w = if output >= 9 { *w } else { f32::from(u8::from(input == 0 && tap == output)) };
    }
    for (place, tap) in (0..9).flat_map(|place| (0..9).map(move |tap| (place, tap))) {
        let i = place * second + tap;
        vae.params.get_mut(flat)[i * 9 * second + i] = 1.0;
        let [row, column] = [(place / 3, tap / 3), (place % 3, tap % 3)];
        let once = [row, column].iter().all(|(place, tap)| *tap < 2 || *place == 2); // windows of stride 2 share cells
        let at = |(place, tap): (usize, usize)| if once { (2 * place + tap) as f32 - 3.0 } else { 0.0 };
        vae.params.get_mut(heads)[i * 4..i * 4 + 2].copy_from_slice(&[at(column), at(row)]);
    }
    vae.params.constant(vae.params.tensors.len() - 1, 0.9); // the ground
    vae.parameters_changed();
}

fn native(cfg: &Config) -> Learner {
    let workers = Workers::new(cfg.run.threads);
    let (vae, sac) = models(cfg, &workers);
    Learner::with_models(&cfg.learner(), &workers, Box::new(vae), Box::new(sac))
}

fn candle(cfg: &Config) -> Learner {
    let workers = Workers::new(1);
    let (vae, sac) = models(cfg, &workers);
    let latent = CandleVae::new(&cfg.latent, 24, &vae.params).unwrap();
    let agent = CandleSac::new(&sac, &cfg.agent, 2).unwrap();
    Learner::with_models(&cfg.learner(), &workers, Box::new(latent), Box::new(agent))
}

fn scene(cfg: &Config) -> Box<dyn Scene> {
    let (image_size, samples, walls) = (cfg.env.image_size, cfg.env.samples, cfg.env.walls.clone());
    let episode_steps = cfg.env.episode_steps;
    scenes::build("point2d", &SceneOptions { image_size, samples, episode_steps, evaluation_goals: 100, walls })
        .unwrap()
}

/// Runs exploration episode `id` with a goal from the prior.
fn explored(learner: &mut Learner, scene: &mut dyn Scene, id: u64) -> Episode {
    let [mut reset, mut noise, mut draws] = ["env", "policy", "goal"].map(|name| rng::stream(0, name, &[id]));
    let latent = normals(2, &mut draws);
    let target = RolloutGoal { picture: learner.latent.decode(&latent).unwrap(), latent, origin: GoalOrigin::Prior };
    rollout(scene, learner.policy().unwrap(), Behaviour::Explore(&mut noise), &target, id, 10, &mut reset).unwrap()
}

fn add_episode(learner: &mut Learner, episode: Episode) {
    let latents = learner.latents(&episode).unwrap();
    learner.add(episode, latents).unwrap();
}

/// Mean distance of the last state from the goal, over the scene's evaluation goals.
fn distance(learner: &Learner, scene: &mut dyn Scene) -> f64 {
    let goals = scene.evaluation_goals().to_vec();
    let of = |(i, goal): (usize, &GoalPicture)| {
        let policy = learner.policy().unwrap();
        let picture = goal.image.pixels.clone();
        let latent = policy.encode(&mut policy.scratch(), &picture);
        let target = RolloutGoal { latent, picture, origin: GoalOrigin::Replay };
        let mut reset = rng::stream(0, "evaluate", &[i as u64]);
        rollout(scene, policy, Behaviour::Deterministic, &target, 0, 10, &mut reset).unwrap();
        let state = scene.true_state().unwrap();
        state.0.iter().zip(&goal.state.0).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    };
    goals.iter().enumerate().map(of).sum::<f64>() / goals.len() as f64
}

/// Mean distances before training, and over the last three epochs.
fn learned(mut learner: Learner, cfg: &Config) -> [f64; 2] {
    let mut scene = scene(cfg);
    let mut distances = vec![distance(&learner, &mut *scene)];
    for epoch in 0..6 {
        for id in 40 * epoch..40 * (epoch + 1) {
            let episode = explored(&mut learner, &mut *scene, id);
            add_episode(&mut learner, episode);
        }
        (0..20).for_each(|_| _ = learner.update_vae(1e-3).unwrap());
        learner.refresh(false, &mut || {}).unwrap();
        (0..400).for_each(|_| _ = learner.update_agent().unwrap());
        distances.push(distance(&learner, &mut *scene));
    }
    [distances[0], distances[4..].iter().sum::<f64>() / 3.0]
}

#[test]
fn both_implementations_learn_point2d_equally() {
    let cfg = config();
    let [native, candle] = [learned(native(&cfg), &cfg), learned(candle(&cfg), &cfg)];
    println!("hand-written {native:?}, candle {candle:?}");
    for [before, after] in [native, candle] {
        assert!(before > 4.0 && after < 1.6, "from {before} to {after}");
    }
    assert!((native[1] - candle[1]).abs() < 0.1, "{native:?} {candle:?}");
}

/// Both learners with the same episodes.
fn twins(cfg: &Config) -> [Learner; 2] {
    let (mut learners, mut scene) = ([native(cfg), candle(cfg)], scene(cfg));
    for id in 0..6 {
        let episode = explored(&mut learners[0], &mut *scene, id);
        learners.iter_mut().for_each(|learner| add_episode(learner, episode.clone()));
    }
    learners
}

/// Asserts that two states moved the same way from `begun`.
fn moved_alike(begun: &ModelState, ours: &ModelState, others: &ModelState) {
    let way = |from: &NamedTensor, to: &NamedTensor| {
        from.data.iter().zip(&to.data).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>()
    };
    for ((start, a), b) in begun.params.iter().zip(&ours.params).zip(&others.params) {
        assert_eq!((&a.name, &a.shape), (&b.name, &b.shape));
        assert!(way(a, b) <= 0.03 * way(start, a) + 1e-7, "{}: {} of {}", a.name, way(a, b), way(start, a));
    }
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + b.abs())
}

#[test]
fn both_implementations_are_fed_the_same_and_give_the_same() {
    same_updates(&config());
    let mut many = config();
    (many.agent.critics, many.agent.layer_norm, many.agent.hidden) = (5, true, vec![16, 12, 16]);
    same_updates(&many);
    let mut critic_first = config();
    critic_first.agent.actor_first = false;
    same_updates(&critic_first);
}

fn same_updates(cfg: &Config) {
    let mut learners = twins(cfg);
    let begun = learners[0].models().unwrap();
    let latents =
        learners.each_ref().map(|l| l.replay.episodes().next().unwrap().latents(l.replay.version()).unwrap().to_vec());
    assert!(latents[0].iter().zip(&latents[1]).all(|(a, b)| near(f64::from(*a), f64::from(*b), 1e-4)), "{latents:?}");
    for step in 0..3 {
        let facts = learners.each_mut().map(|l| l.update_vae(1e-3).unwrap());
        let [ours, others] = facts.map(|info| info.columns().map(|(_, fact)| fact));
        assert!(ours.iter().zip(&others).all(|(a, b)| near(*a, *b, 1e-4)), "VAE, {step}: {facts:?}");
        assert_eq!(facts[0].active_dims, facts[1].active_dims);
    }
    for learner in &mut learners {
        learner.refresh(true, &mut || {}).unwrap();
    }
    let [ours, others] = learners.each_ref().map(|l| l.skewed.log_density().to_vec());
    assert!(ours.len() == 60 && ours.iter().zip(&others).all(|(a, b)| near(*a, *b, 1e-5)), "{ours:?} {others:?}");
    for step in 0..3 {
        let facts = learners.each_mut().map(|l| l.update_agent().unwrap());
        assert!(near(facts[0].1, facts[1].1, 1e-5), "reward, {step}: {facts:?}");
        let [ours, others] = facts.map(|(info, _)| info.columns().map(|(_, fact)| fact));
        assert!(ours.iter().zip(&others).all(|(a, b)| near(*a, *b, 1e-3)), "agent, {step}: {facts:?}");
    }
    let [ours, others] = learners.each_ref().map(|l| l.models().unwrap());
    moved_alike(&begun, &ours, &others);
    let z = normals(6, &mut rng::stream(0, "seam", &[]));
    let [ours, others] = learners.each_mut().map(|l| l.latent.decode(&z).unwrap());
    assert!(ours.len() == others.len() && ours.iter().zip(&others).all(|(a, b)| a.abs_diff(*b) <= 1));
    let judged = learners
        .each_ref()
        .map(|l| l.agent.q_and_log_prob(&[z.clone(), z[..2].to_vec()].concat(), &z[..4], &z[..4]).unwrap());
    let [ours, others] = judged.map(|(q, log_pi)| [q, log_pi].concat());
    assert!(ours.iter().zip(&others).all(|(a, b)| near(f64::from(*a), f64::from(*b), 1e-3)), "{ours:?} {others:?}");
}

#[test]
fn either_implementation_goes_on_from_the_others_state() {
    let [mut native, mut candle] = twins(&config());
    native.update_vae(1e-3).unwrap();
    native.refresh(false, &mut || {}).unwrap();
    native.update_agent().unwrap();
    let state = native.models().unwrap();
    candle.restore_models(&state).unwrap();
    assert!(matches!(candle.update_agent(), Err(Error::Misuse(_))), "replay's latents are stale");
    let crossed = candle.models().unwrap();
    assert!(crossed == state && params_blake3(&crossed) == params_blake3(&state));
    let mut fresh = self::native(&config());
    fresh.restore_models(&crossed).unwrap();
    assert_eq!(fresh.models().unwrap(), state);
    let picture = native.replay.episodes().next().unwrap().frame(3).to_vec();
    let seen = [&native, &candle, &fresh].map(|l| {
        let policy = l.policy().unwrap();
        let z = policy.encode(&mut policy.scratch(), &picture);
        policy.mean_action(&mut policy.scratch(), &[z.clone(), z].concat())
    });
    assert!(seen[0] == seen[1] && seen[1] == seen[2], "the actions differ: {seen:?}");
    // Both continue alike: parameters and moments were exchanged, not only their copies on the host.
    candle.counts = native.counts.clone();
    for learner in [&mut native, &mut candle] {
        learner.refresh(false, &mut || {}).unwrap();
        learner.update_vae(1e-3).unwrap();
        learner.refresh(false, &mut || {}).unwrap();
        learner.update_agent().unwrap();
    }
    let [ours, others] = [&native, &candle].map(|l| l.models().unwrap());
    moved_alike(&state, &ours, &others);
    let short = ModelState { optimizer: state.optimizer[1..].to_vec(), ..state };
    for learner in [&mut native, &mut candle] {
        assert!(matches!(learner.restore_models(&short), Err(Error::Damaged(why)) if why.contains("no tensor")));
    }
}

//! The whole agent at random sizes: latents, actions, hidden layers, critics, batches, threads; with and without layer norm.

use candle_core::Var;
use proptest::collection::vec;
use proptest::prelude::*;

use super::gradients::worst;
use super::updates::apart;
use super::*;
use crate::learn::agent::sac::Losses;
use crate::learn::nn::tests::reference::shapes;

#[derive(Clone, Debug)]
struct SacCase {
    z: usize,
    actions: usize,
    hidden: Vec<usize>,
    critics: usize,
    layer_norm: bool,
    batch: usize,
    threads: usize,
    entropy_in_target: bool,
    actor_first: bool,
}

/// Agents whose layers have at least `least` units, or 8 with layer norm: with two or three units, the norm's gradient is a
/// difference of nearly equal numbers.
fn case(least: usize) -> impl Strategy<Value = SacCase> {
    let nets = (1usize..=9, 1usize..=5, vec(1usize..=37, 1..=4), 2usize..=6, any::<bool>());
    let update = (1usize..=150, 1usize..=4, any::<bool>(), any::<bool>());
    (nets, update).prop_map(move |(nets, (batch, threads, entropy_in_target, actor_first))| {
        let (z, actions, mut hidden, critics, layer_norm) = nets;
        hidden.iter_mut().for_each(|units| *units = (*units).max(if layer_norm { 8 } else { least }));
        SacCase { z, actions, hidden, critics, layer_norm, batch, threads, entropy_in_target, actor_first }
    })
}

impl SacCase {
    fn agent(&self) -> AgentConfig {
        let Self { critics, layer_norm, entropy_in_target, actor_first, .. } = *self;
        AgentConfig { critics, layer_norm, entropy_in_target, actor_first, ..config(&self.hidden) }
    }

    fn sac(&self) -> Sac {
        let cfg = SacConfig { latent_dim: self.z, action_dim: self.actions, agent: self.agent() };
        let mut rng = stream(3, "sac-shape", &[]);
        let mut sac = Sac::new(cfg, &Workers::new(self.threads), &mut rng);
        for params in [&mut sac.policy, &mut sac.critics, &mut sac.targets] {
            widen(params, &mut rng);
        }
        sac
    }

    fn data(&self, update: u64) -> (Batch, Noise) {
        let (mut rng, mut batch) = (stream(4, "sac-shape", &[self.batch as u64, update]), Batch::default());
        batch.resize(self.batch, self.z, self.actions);
        for values in [&mut batch.observation, &mut batch.next_observation] {
            values.fill_with(|| StandardNormal.sample(&mut rng));
        }
        batch.action.fill_with(|| rng.random_range(-1.0..1.0));
        batch.reward.fill_with(|| rng.random_range(-3.0..0.0));
        batch.mask.fill_with(|| if rng.random_bool(0.8) { 1.0 } else { 0.0 });
        let mut noise = Noise::default();
        noise.draw(batch.action.len(), self.critics, &mut rng);
        (batch, noise)
    }

    /// Gradients of policy and critics.
    fn gradients(&self, (batch, noise): &(Batch, Noise)) -> [Vec<f32>; 2] {
        let mut sac = self.sac();
        sac.gradients(Losses::Both, batch, noise, sac.temperature());
        sac.policy_norm2().unwrap();
        sac.critic_norm2().unwrap();
        [sac.workspaces[0].policy_gradient.clone(), sac.workspaces[0].critic_gradient.clone()]
    }
}

proptest! {
    #![proptest_config(shapes(32))]

    #[test]
    fn an_agent_of_any_size_is_candles(case in case(1)) {
        let data = case.data(0);
        let (sac, tensors) = (case.sac(), Data::new(&data.0, &data.1, DType::F64).unwrap());
        let reference = SacReference::new(&sac, &case.agent(), case.actions, DType::F64).unwrap();
        let temperature = reference.temperature().unwrap();
        let losses = [
            (reference.actor_loss(&tensors, temperature).unwrap().0, &reference.policy, &sac.policy),
            (reference.critic_loss(&tensors, temperature).unwrap(), &reference.critics, &sac.critics),
        ];
        prop_assume!(reference.margin.get() > 1e-5);
        let ours = case.gradients(&data);
        for ((loss, vars, params), ours) in losses.into_iter().zip(&ours) {
            let store = loss.backward().unwrap();
            let of = |var: &Var| store.get(var).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            let error = worst(params, ours, |i| of(&vars[i]));
            prop_assert!(error.0 < 1e-5, "{error:?}");
        }
        prop_assert_eq!(case.gradients(&data), ours);
    }
}

proptest! {
    #![proptest_config(shapes(16))]

    #[test]
    fn updates_of_any_size_are_candles(case in case(8)) {
        let mut sac = case.sac();
        let mut reference = SacReference::new(&sac, &case.agent(), case.actions, DType::F64).unwrap();
        let start = [&sac.policy, &sac.critics, &sac.targets].map(|p| p.values.clone());
        for update in 0..3 {
            let (batch, noise) = case.data(update);
            let info = sac.update(&batch, &noise, 0).unwrap();
            let losses = reference.update(&Data::new(&batch, &noise, DType::F64).unwrap()).unwrap();
            prop_assume!(reference.margin.get() > 1e-5);
            for (ours, want) in [(info.actor_loss, losses.0), (info.critic_loss, losses.1)] {
                prop_assert!((ours - want).abs() < 1e-5 * (1.0 + want.abs()), "update {update}: {ours} {want}");
            }
            let sides = [(&sac.policy, &reference.policy), (&sac.critics, &reference.critics), (&sac.targets, &reference.targets)];
            for ((params, vars), start) in sides.into_iter().zip(&start) {
                for (error, name) in apart(params, start, vars) {
                    prop_assert!(error < 1e-4, "update {update}, {name}: {error:e} of the way");
                }
            }
        }
    }
}

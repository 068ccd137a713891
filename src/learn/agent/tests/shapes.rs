//! The whole agent at random sizes: latents, actions, hidden layers, batches, threads.

use candle_core::Var;
use proptest::prelude::*;

use super::gradients::worst;
use super::*;
use crate::learn::agent::sac::Losses;
use crate::learn::nn::tests::reference::shapes;

#[derive(Clone, Debug)]
struct Case {
    z: usize,
    actions: usize,
    hidden: [usize; 2],
    batch: usize,
    threads: usize,
    entropy_in_target: bool,
}

fn case() -> impl Strategy<Value = Case> {
    let numbers = (1usize..=9, 1usize..=5, [1usize..=37, 1usize..=37], 1usize..=150, 1usize..=4, any::<bool>());
    numbers.prop_map(|(z, actions, hidden, batch, threads, entropy_in_target)| Case {
        z,
        actions,
        hidden,
        batch,
        threads,
        entropy_in_target,
    })
}

impl Case {
    fn agent(&self) -> AgentConfig {
        AgentConfig { entropy_in_target: self.entropy_in_target, ..config(self.hidden) }
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

    fn data(&self) -> (Batch, Noise) {
        let (mut rng, mut batch) = (stream(4, "sac-shape", &[self.batch as u64]), Batch::default());
        batch.resize(self.batch, self.z, self.actions);
        for values in [&mut batch.observation, &mut batch.next_observation] {
            values.fill_with(|| StandardNormal.sample(&mut rng));
        }
        batch.action.fill_with(|| rng.random_range(-1.0..1.0));
        batch.reward.fill_with(|| rng.random_range(-3.0..0.0));
        batch.mask.fill_with(|| if rng.random_bool(0.8) { 1.0 } else { 0.0 });
        let mut noise = Noise::default();
        noise.draw(batch.action.len(), &mut rng);
        (batch, noise)
    }

    /// Gradients of policy and critics.
    fn gradients(&self, (batch, noise): &(Batch, Noise)) -> [Vec<f32>; 2] {
        let (mut sac, workers) = (self.sac(), Workers::new(self.threads));
        sac.gradients(&workers, Losses::Both, batch, noise, sac.temperature());
        sac.policy_norm2(&workers).unwrap();
        sac.critic_norm2(&workers).unwrap();
        [sac.lanes[0].policy_gradient.clone(), sac.lanes[0].critic_gradient.clone()]
    }
}

proptest! {
    #![proptest_config(shapes(32))]

    #[test]
    fn an_agent_of_any_size_is_candles(case in case()) {
        let data = case.data();
        let (sac, tensors) = (case.sac(), Data::new(&data.0, &data.1).unwrap());
        let reference = Reference::new(&sac, &case.agent(), case.actions).unwrap();
        let alpha = reference.temperature().unwrap();
        let losses = [
            (reference.actor_loss(&tensors, alpha).unwrap().0, &reference.policy, &sac.policy),
            (reference.critic_loss(&tensors, alpha).unwrap(), &reference.critics, &sac.critics),
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

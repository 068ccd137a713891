//! Units of a scene: a step with its picture, the physics alone, the picture alone. One thread, 48 px, 4 samples.

use skewfit_envs::scenes::SceneOptions;
use skewfit_envs::scenes::corridor::Corridor;
use skewfit_envs::scenes::door::Door;
use skewfit_envs::scenes::point2d::Point2d;
use skewfit_envs::{Action, Env, EnvFault};

use super::timing::Work;
use crate::config::{Config, EnvConfig};
use crate::error::Result;
use crate::learn::rng::normals;
use crate::learn::rng::{self, Rng};
use crate::task::scene;

/// One step with random actions, with its picture.
pub(super) fn step(name: &str) -> Result<Work> {
    let (mut scene, mut rng) = (scene(name)?, rng::stream(0, "bench", &[]));
    scene.reset(&mut rng)?;
    let actions = scene.spec().action_dim;
    Ok(Box::new(move || {
        std::hint::black_box(scene.step(&random(actions, &mut rng))?);
        Ok(())
    }))
}

/// One step of a scene's physics.
type Advance = Box<dyn FnMut(&Action) -> Result<Action, EnvFault>>;

/// One step with random actions, without rendering.
pub(super) fn physics(name: &str) -> Result<Work> {
    let EnvConfig { image_size, samples, episode_steps, .. } = settings(name)?;
    let options = SceneOptions { image_size, samples, episode_steps, evaluation_goals: 0, walls: "none".to_owned() };
    let mut rng = rng::stream(0, "bench", &[]);
    let (actions, mut advance): (_, Advance) = match name {
        "corridor" => {
            let mut scene = Corridor::new(&options);
            (2, Box::new(move |action| scene.advance(action)))
        }
        "point2d" => {
            let mut scene = Point2d::new(&options)?;
            (2, Box::new(move |action| scene.advance(action)))
        }
        _ => {
            let mut scene = Door::new(&options)?;
            (3, Box::new(move |action| scene.advance(action)))
        }
    };
    Ok(Box::new(move || {
        std::hint::black_box(advance(&random(actions, &mut rng))?);
        Ok(())
    }))
}

/// Renders the state after 50 random actions.
pub(super) fn picture(name: &str) -> Result<Work> {
    let EnvConfig { image_size, samples, .. } = settings(name)?;
    let (mut scene, mut rng) = (scene(name)?, rng::stream(0, "bench", &[]));
    scene.reset(&mut rng)?;
    let actions = scene.spec().action_dim;
    for _ in 0..50 {
        scene.step(&random(actions, &mut rng))?;
    }
    Ok(Box::new(move || {
        std::hint::black_box(scene.truth_mut().map(|truth| truth.render(image_size, samples)));
        Ok(())
    }))
}

fn settings(name: &str) -> Result<EnvConfig> {
    Ok(EnvConfig { scene: name.to_owned(), ..Config::resolve("door", Vec::new())?.env })
}

fn scene(name: &str) -> Result<Box<dyn Env>> {
    scene::build(&settings(name)?, 0)
}

fn random(actions: usize, rng: &mut Rng) -> Action {
    Action(normals(actions, rng).iter().map(|u| u.tanh()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::scene::build;
    use skewfit_envs::Truth;

    #[test]
    fn a_step_is_physics_and_picture() {
        let door = Config::resolve("door", Vec::new()).unwrap().env;
        let options = SceneOptions {
            image_size: 16,
            samples: 1,
            episode_steps: 10,
            evaluation_goals: 0,
            walls: "none".to_owned(),
        };
        let actions: Vec<Action> = (0..20).map(|i| random(3, &mut rng::stream(i, "test", &[]))).collect();
        let mut whole = build(&EnvConfig { image_size: 16, samples: 1, ..door }, 0).unwrap();
        let mut alone = Door::new(&options).unwrap();
        for action in &actions {
            let seen = whole.step(action).unwrap();
            assert_eq!(alone.advance(action).unwrap(), seen.executed);
            assert_eq!(Truth::render(&mut alone, 16, 1), seen.observation.image);
        }
    }

    #[test]
    fn every_scene_is_timed_in_parts() {
        for name in skewfit_envs::scenes::NAMES {
            for work in [step(name), physics(name), picture(name)] {
                work.unwrap()().unwrap();
            }
        }
    }
}

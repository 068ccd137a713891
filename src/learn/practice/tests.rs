//! Tests of practice, on latents of one number.

use super::*;
use crate::learn::episode::GoalOrigin;
use crate::learn::goals::GoalDraw;
use crate::learn::rng::stream;

/// Draws the goals 10, 20, 30, ... in turn, without looking at the stream.
#[derive(Default)]
struct Tens(std::sync::atomic::AtomicU32);

impl GoalSource for Tens {
    fn dim(&self) -> usize {
        1
    }

    fn write(&self, _: &mut Rng, out: &mut [f32]) -> GoalDraw {
        let drawn = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        out[0] = 10.0 * drawn as f32;
        GoalDraw { slot: None, origin: GoalOrigin::Replay }
    }
}

fn course(source: &Tens, after: AfterReaching, wander_steps: usize) -> Course<'_> {
    let [draws, noise] = ["goal", "wander"].map(|name| stream(7, name, &[]));
    Course::new(Practice { after, wander_steps, radius: Some(0.5), source, draws, noise }, false)
}

/// Walks through these latents towards the first goal 0; returns the actions of wandering by step.
fn walk(course: &mut Course<'_>, latents: &[f32]) -> Vec<Option<Vec<f32>>> {
    let steps = latents.len() - 1;
    let step = |t: usize| {
        course.observe(t, &latents[t..=t], &[0.0]);
        course.wander(2)
    };
    let actions = (0..steps).map(step).collect();
    course.arrives(steps, &latents[steps..], &[0.0]);
    actions
}

fn goals(course: &Course<'_>) -> Vec<(usize, Option<usize>, f32)> {
    course.later.iter().map(|later| (later.start, later.reached, later.goal.latent[0])).collect()
}

#[test]
fn the_next_goal_begins_where_one_is_reached() {
    let source = Tens::default();
    let mut course = course(&source, AfterReaching::Next, 10);
    let actions = walk(&mut course, &[3.0, 0.4, 10.5, 9.8, 20.0, 29.0, 30.1]);
    assert_eq!(course.first_reached, Some(1));
    assert_eq!(goals(&course), [(1, Some(3), 10.0), (3, Some(4), 20.0), (4, Some(6), 30.0)]);
    assert!(actions.iter().all(Option::is_none));
}

#[test]
fn it_wanders_between_goals_and_holds_its_actions() {
    let source = Tens::default();
    let mut course = course(&source, AfterReaching::Wander, 7);
    let mut latents = vec![5.0; 12];
    (latents[2], latents[4]) = (0.1, 0.1); // reached at 2; it passes the goal again while it wanders
    let actions = walk(&mut course, &latents);
    assert_eq!((course.first_reached, goals(&course)), (Some(2), vec![(9, None, 10.0)]));
    let wandered: Vec<usize> = (0..11).filter(|t| actions[*t].is_some()).collect();
    assert_eq!(wandered, (2..9).collect::<Vec<_>>());
    let held: Vec<_> = actions[2..9].iter().flatten().collect();
    let changes = held.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(changes == 1 && held.iter().all(|a| a.len() == 2 && a.iter().all(|a| a.abs() <= 1.0)), "{held:?}");
}

#[test]
fn who_stays_draws_nothing() {
    let source = Tens::default();
    let mut course = course(&source, AfterReaching::Stay, 10);
    let actions = walk(&mut course, &[0.0; 5]);
    assert!(course.later.is_empty() && course.first_reached.is_none() && actions.iter().all(Option::is_none));
}

#[test]
fn before_latents_mean_anything_nothing_is_reached() {
    let source = Tens::default();
    for wander in [false, true] {
        let [draws, noise] = ["goal", "wander"].map(|name| stream(7, name, &[]));
        let rule =
            Practice { after: AfterReaching::Next, wander_steps: 3, radius: None, source: &source, draws, noise };
        let mut course = Course::new(rule, wander);
        let actions = walk(&mut course, &[0.0; 30]);
        assert!(course.later.is_empty() && course.first_reached.is_none());
        assert!(actions.iter().all(|action| action.is_some() == wander));
        let distinct: std::collections::BTreeSet<String> = actions.iter().map(|a| format!("{a:?}")).collect();
        assert_eq!(distinct.len(), if wander { 6 } else { 1 });
    }
}

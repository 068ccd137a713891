//! Output for people: metrics, reports, diagnoses, the live page, TensorBoard files, clips, exports.

pub mod clip;
pub mod dashboard;
pub mod diagnose;
pub mod evaluation;
pub mod export;
pub mod metrics;
pub mod pictures;
pub mod redraw;
pub mod report;
pub mod tensorboard;

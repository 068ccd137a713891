//! Configuration files that are refused.

use super::refused;

#[test]
fn files_are_refused_with_file_line_key_and_what_is_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let table: &[(&str, &[&str])] = &[
        ("[skew]\npwer = -1", &["line 2", "unknown key `skew.pwer`", "`skew.power`"]),
        ("[skw]\npower = -1", &["line 2", "`skw.power`", "`skew.power`"]),
        ("\n[skw]", &["line 2", "unknown key `skw`"]),
        ("power = -1", &["line 1", "`power`", "`skew.power`"]),
        ("\"latent.dim\" = 4", &["line 1", "unknown key", "`latent.dim`"]),
        ("latent = 3", &["line 1", "`latent` is a table", "latent.dim"]),
        ("name = \"a\"\nname = \"b\"", &["line 2", "not TOML", "duplicate"]),
        ("seed = ", &["line 1", "not TOML"]),
        ("seed = 1\nthis is not toml", &["line 2", "not TOML"]),
        ("[env\nscene = 1", &["line 1", "not TOML"]),
        ("name = \"\"", &["line 1", "name = \"\"", "letters"]),
        ("name = \"../up\"", &["name", "letters"]),
        ("name = 3", &["name = 3", "in quotes", "letters"]),
        ("seed = -1", &["seed = -1", "from 0"]),
        ("seed = 1.5", &["seed = 1.5", "whole number"]),
        ("seed = 99999999999999999999", &["line 1"]),
        ("[env]\nscene = \"dor\"", &["line 2", "env.scene = \"dor\"", "door, corridor, point2d"]),
        ("[env]\nscene = \"pusher\"", &["env.scene = \"pusher\"", "not shipped yet", "door, corridor, point2d"]),
        ("[env]\nscene = \"arm\"", &["not shipped yet"]),
        ("[env]\nimage_size = 50", &["env.image_size = 50", "24, 48, 84, 96"]),
        ("[env]\nimage_size = \"48\"", &["env.image_size = \"48\"", "24, 48, 84, 96"]),
        ("[env]\nsamples = 2", &["env.samples = 2", "1, 4"]),
        ("[env]\nepisode_steps = 0", &["env.episode_steps = 0", "1 to 10000"]),
        ("[env]\nwalls = \"u\"", &["line 2", "env.walls", "point2d"]),
        ("[run]\nschedule = \"overlapped\"", &["run.schedule", "not shipped yet", "lockstep"]),
        ("[run]\nsteps = 500", &["line 2", "run.steps = 500", "less than run.warmup_steps = 10000"]),
        ("[run]\nwarmup_steps = 150", &["line 2", "run.warmup_steps = 150", "multiple of env.episode_steps = 100"]),
        ("[run]\nepoch_steps = 550", &["line 2", "run.epoch_steps = 550", "multiple"]),
        ("[run]\nsteps = 10_000_000_000", &["run.steps", "1000000000"]),
        ("[run]\nkeep_checkpoints = 0", &["run.keep_checkpoints = 0", "from 1"]),
        ("[latent]\ndim = 0", &["latent.dim = 0", "1 to 256"]),
        ("[latent]\nbeta = nan", &["latent.beta = nan", "0 to 1000"]),
        ("[latent]\nbatch = 0", &["latent.batch = 0", "from 1"]),
        ("[latent]\nlearning_rate = 0", &["latent.learning_rate = 0", "1e-8 to 1"]),
        ("[latent]\nchannels = [16, 32]", &["line 2", "latent.channels", "3 entries", "env.image_size = 48"]),
        ("[latent]\nchannels = [16, 32, 1000]", &["latent.channels", "1 to 256"]),
        ("[latent]\nphases = []", &["latent.phases", "every"]),
        ("[latent]\nphases = [{ every = 0, updates = 1 }]", &["latent.phases", "every >= 1"]),
        ("[latent]\nphases = [{ every = 1, updates = 1, after = 2 }]", &["latent.phases"]),
        (
            "[latent]\nphases = [{ every = 1, updates = 1 }, { every = 1, updates = 1 }]",
            &["latent.phases", "last table only"],
        ),
        ("[density]\ndecoder_variance = 0", &["density.decoder_variance = 0", "1e-6"]),
        ("[density]\nestimator = \"exact\"", &["density.estimator", "iwae, elbo, self-normalised"]),
        ("[skew]\npower = 0.5", &["skew.power = 0.5", "-1 to 0"]),
        ("[skew]\npower = -inf", &["skew.power = -inf", "-1 to 0"]),
        ("[skew]\nmin_ess = 2", &["skew.min_ess = 2", "0 to 1"]),
        ("[goals]\nrelabel_keep = 0.7", &["line 2", "goals.relabel_keep = 0.7", "more than 1"]),
        ("[goals]\nsource = \"oracle\"", &["goals.source", "not shipped yet"]),
        ("[agent]\nhidden = []", &["agent.hidden", "1 to 8 whole numbers from 1 to 4096"]),
        ("[agent]\ncritics = 1", &["agent.critics", "a whole number from 2 to 64"]),
        ("[agent]\nbatch = 0", &["agent.batch = 0", "from 1"]),
        ("[agent]\ntarget_entropy = \"high\"", &["agent.target_entropy", "\"auto\" or a number"]),
        ("[agent]\nentropy_in_target = 1", &["agent.entropy_in_target = 1", "true or false"]),
        ("[replay]\ncapacity = 1000", &["replay.capacity = 1000", "agent.batch = 1024"]),
        ("replay.capacity = 2_000_001", &["line 1", "replay.capacity", "1 to 2000000"]),
        ("[replay]\ncapacity = 50\n[agent]\nbatch = 8\n[latent]\nbatch = 8", &["line 2", "an episode"]),
        ("[evaluate]\npictures = 5", &["line 2", "evaluate.pictures_each_time = 10", "evaluate.pictures = 5"]),
        ("[coverage]\nwindow_steps = 1", &["coverage.window_steps = 1", "from 2"]),
    ];
    let file = dir.path().join("night.toml");
    for (text, words) in table {
        std::fs::write(&file, text).unwrap();
        let words: Vec<&str> = ["night.toml"].iter().chain(*words).copied().collect();
        refused(dir.path(), &["explore", "night.toml"], &words);
    }
}

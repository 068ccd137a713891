//! Text choices of the configuration file: the names in a table of kinds, and the text form of values that are a `bool`
//! or an `Option` in [the settings](super::settings).

/// The names in a table of kinds, in its order.
#[must_use]
pub const fn names<T, const N: usize>(kinds: &[(&'static str, T); N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut k = 0;
    while k < N {
        names[k] = kinds[k].0;
        k += 1;
    }
    names
}

macro_rules! two_choices {
    ($(#[$doc:meta])* $name:ident, $yes:literal, $no:literal) => {
        $(#[$doc])*
        pub mod $name {
            use serde::{Deserialize, Deserializer, Serializer, de::Error};

            pub fn serialize<S: Serializer>(yes: &bool, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(if *yes { $yes } else { $no })
            }

            pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<bool, D::Error> {
                match String::deserialize(d)?.as_str() {
                    $yes => Ok(true),
                    $no => Ok(false),
                    other => Err(D::Error::unknown_variant(other, &[$yes, $no])),
                }
            }
        }
    };
}

two_choices!(
    /// `goals.keep_goal_picture`.
    decoded_or_real, "decoded", "real"
);
two_choices!(
    /// `agent.update_order`.
    actor_or_critic_first, "actor-first", "critic-first"
);

/// `agent.target_entropy`.
pub mod auto_or_number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Wire {
        Number(f64),
        Word(String),
    }

    pub fn serialize<S: Serializer>(value: &Option<f64>, s: S) -> Result<S::Ok, S::Error> {
        value.map_or_else(|| Wire::Word("auto".into()), Wire::Number).serialize(s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<f64>, D::Error> {
        match Wire::deserialize(d)? {
            Wire::Number(number) => Ok(Some(number)),
            Wire::Word(word) if word == "auto" => Ok(None),
            Wire::Word(word) => Err(D::Error::unknown_variant(&word, &["auto", "a number"])),
        }
    }
}

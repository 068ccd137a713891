//! Labels of metrics, and their values as text.

/// `eval/final_angle_error_rad` -> `Final angle error (rad)`.
pub(crate) fn metric_label(metric: &str) -> String {
    let name = metric.rsplit('/').next().unwrap_or_default();
    let (name, unit) = match name.rsplit_once('_') {
        Some((name, unit @ ("rad" | "m" | "nats" | "s" | "px"))) => (name, format!(" ({unit})")),
        _ => (name, String::new()),
    };
    let mut letters = name.chars().map(|c| if c == '_' { ' ' } else { c });
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect::<String>() + &unit
}

/// Three decimals; none for counts and for values of 100 or more.
pub(super) fn format_value(value: f64) -> String {
    if (value.fract() == 0.0 && value.abs() >= 2.0) || value.abs() >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_names_become_labels() {
        for (metric, want) in [
            ("eval/final_angle_error_rad", "Final angle error (rad)"),
            ("eval/final_hand_distance_m", "Final hand distance (m)"),
            ("eval/final_distance", "Final distance"),
            ("coverage/cells", "Cells"),
        ] {
            assert_eq!(metric_label(metric), want);
        }
    }
}

//! `ethtool -K`.

use super::command::{Command, Netns};
use super::error::ParseError;
use super::lex::Args;
use super::value::device;

/// `ethtool -K DEV gro on|off`; other features and settings are *not covered*.
pub(super) fn parse(mut args: Args<'_>, netns: &Netns) -> Result<Command, ParseError> {
    match args.expect("-K and a device")? {
        "-K" | "--features" | "--offload" => {}
        option if option.starts_with('-') => {
            return Ok(Command::NotCovered {
                what: format!("ethtool {option}"),
            });
        }
        _ => {
            return Ok(Command::NoEffect {
                why: "it only shows settings",
            });
        }
    }
    let dev = args.value("a device", device)?;
    let feature = args.expect("a feature such as gro")?;
    if !matches!(feature, "gro" | "generic-receive-offload" | "rx-gro") {
        // features that Linux has beside it; one of them is no slip of the finger
        let others = ["gso", "tso", "ufo", "lro", "rx", "tx", "sg"];
        let what = format!("ethtool -K … {feature}");
        return match others.contains(&feature) {
            true => Ok(Command::NotCovered { what }),
            false => args.not_covered(what, "gro"),
        };
    }
    let on = args.value("on or off", |word| match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    })?;
    args.end()?;
    Ok(Command::SetGro {
        netns: netns.clone(),
        dev,
        on,
    })
}

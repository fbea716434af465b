//! `sysctl` and `echo VALUE > FILE`.

use super::command::{Command, NapiKnob, Netns};
use super::error::ParseError;
use super::lex::Args;
use super::value::{device, number};

/// `sysctl [-q] [-w] [-n] [-e] KEY=VALUE…`; without `=` it only shows.
pub(super) fn parse(mut args: Args<'_>, netns: &Netns) -> Result<Vec<Command>, ParseError> {
    let mut commands = Vec::new();
    let mut any = false;
    while let Some(word) = args.next() {
        if word.starts_with('-') && word.len() > 1 {
            match word {
                "--quiet" | "--write" | "--values" | "--ignore" => {}
                "-a" | "-A" | "-X" | "--all" => any = true,
                "-p" | "--load" | "--system" => {
                    return Ok(vec![Command::NotCovered {
                        what: format!("sysctl {word}"),
                    }]);
                }
                _ if word[1..].chars().all(|c| "qwne".contains(c)) => {}
                _ => return Err(args.unexpected("-q, -w, -n, -e or KEY=VALUE")),
            }
            continue;
        }
        any = true;
        if let Some((key, value)) = word.split_once('=') {
            if key.is_empty() {
                return Err(args.unexpected("KEY=VALUE with a key"));
            }
            commands.push(Command::Sysctl {
                netns: netns.clone(),
                key: dotted(key),
                value: value.into(),
            });
        }
    }
    if !any {
        args.expect("KEY=VALUE")?;
    }
    if commands.is_empty() {
        commands.push(Command::NoEffect {
            why: "it only shows settings",
        });
    }
    Ok(commands)
}

/// `echo VALUE > FILE`: below /proc/sys it is a sysctl, elsewhere an attribute of a device.
pub(super) fn parse_echo(mut args: Args<'_>, netns: &Netns) -> Result<Vec<Command>, ParseError> {
    let mut words = Vec::new();
    while let Some(word) = args.next() {
        let Some(rest) = word.strip_prefix(">>").or_else(|| word.strip_prefix('>')) else {
            words.push(word);
            continue;
        };
        let file = if rest.is_empty() {
            args.expect("a file name")?
        } else {
            rest
        };
        args.end()?;
        return Ok(vec![match file.strip_prefix("/proc/sys/") {
            Some(key) => Command::Sysctl {
                netns: netns.clone(),
                key: dotted(key),
                value: words.join(" "),
            },
            None => napi_knob(file, &words, netns).unwrap_or_else(|| Command::NotCovered {
                what: format!("echo > {file}"),
            }),
        }]);
    }
    Ok(vec![Command::NoEffect {
        why: "it only prints",
    }])
}

/// `/sys/class/net/DEV/napi_defer_hard_irqs`, `gro_flush_timeout` and `queues/rx-0/rps_cpus`; the recordings mount sysfs on `/nsys`.
fn napi_knob(file: &str, words: &[&str], netns: &Netns) -> Option<Command> {
    let rest = file
        .strip_prefix("/sys/class/net/")
        .or_else(|| file.strip_prefix("/nsys/class/net/"))?;
    let (dev, attribute) = rest.split_once('/')?;
    let knob = match attribute {
        "napi_defer_hard_irqs" => NapiKnob::DeferHardIrqs,
        "gro_flush_timeout" => NapiKnob::GroFlushTimeout,
        "queues/rx-0/rps_cpus" => NapiKnob::RpsCpus,
        _ => return None,
    };
    let [value] = words else { return None };
    Some(Command::NapiTimer {
        netns: netns.clone(),
        dev: device(dev)?,
        knob,
        value: match knob {
            NapiKnob::RpsCpus => cpus(value)?,
            _ => number(value)?,
        },
    })
}

/// A mask of CPUs in hex, 32 at a time between commas (`bitmap_parse()`); what is asked is whether there are any.
fn cpus(mask: &str) -> Option<u32> {
    let mut all = mask
        .split(',')
        .map(|word| u32::from_str_radix(word, 16).ok());
    all.try_fold(0, |cpus, word| Some(cpus | word?))
}

/// Keys may be written with slashes; then dots inside a name are swapped, as procps does it.
fn dotted(key: &str) -> String {
    let slash_first = key
        .find(['.', '/'])
        .is_some_and(|at| key[at..].starts_with('/'));
    if !slash_first {
        return key.to_owned();
    }
    let swap = |c| match c {
        '/' => '.',
        '.' => '/',
        c => c,
    };
    key.chars().map(swap).collect()
}

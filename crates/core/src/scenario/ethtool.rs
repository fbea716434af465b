//! `ethtool -K`.

use super::command::{Command, Netns};
use super::error::ParseError;
use super::lex::Args;
use super::value::device;
use crate::skb::Features;
use crate::skb::feature::{ALL_TSO, HW_CSUM, HW_VLAN_CTAG_TX, HW_VLAN_STAG_TX, SG};

/// Features of Linux that are not simulated; one of them is no slip of the finger.
const OTHERS: [&str; 14] = [
    "ufo",
    "lro",
    "rx",
    "rx-checksumming",
    "rxvlan",
    "rx-vlan-offload",
    "rx-vlan-hw-parse",
    "rx-vlan-filter",
    "ntuple",
    "rxhash",
    "rx-gro-list",
    "rx-gro-hw",
    "rx-udp-gro-forwarding",
    "highdma",
];

/// What a feature's name is about.
enum Named {
    /// `NETIF_F_GRO`.
    Gro,
    /// Of `dev->features`, what counts for packets that are sent.
    Sends(Features),
    /// `NETIF_F_GSO`: asked for by sockets that make packets longer than the MTU (`sk_setup_caps()`), of which there are none.
    Sockets,
}

/// By the names of `ethtool` and of the kernel (`netdev_features_strings`, `net/ethtool/common.c`).
fn named(feature: &str) -> Option<Named> {
    Some(match feature {
        "gro" | "generic-receive-offload" | "rx-gro" => Named::Gro,
        "gso" | "generic-segmentation-offload" | "tx-generic-segmentation" => Named::Sockets,
        "sg" | "scatter-gather" | "tx-scatter-gather" => Named::Sends(SG),
        "tso" | "tcp-segmentation-offload" => Named::Sends(ALL_TSO),
        "tx" | "tx-checksumming" | "tx-checksum-ip-generic" => Named::Sends(HW_CSUM),
        "txvlan" | "tx-vlan-offload" | "tx-vlan-hw-insert" => Named::Sends(HW_VLAN_CTAG_TX),
        "tx-vlan-stag-hw-insert" => Named::Sends(HW_VLAN_STAG_TX),
        _ => return None,
    })
}

/// `ethtool -K DEV FEATURE on|off …`: GRO, and what counts when a packet is sent. Other features and settings are *not
/// covered*.
pub(super) fn parse(mut args: Args<'_>, netns: &Netns) -> Result<Vec<Command>, ParseError> {
    match args.expect("-K and a device")? {
        "-K" | "--features" | "--offload" => {}
        option
            if option.starts_with('-') && !matches!(option, "-k" | "-i" | "-g" | "-l" | "-S") =>
        {
            return Ok(vec![Command::NotCovered {
                what: format!("ethtool {option}"),
            }]);
        }
        _ => return Ok(vec![shows()]),
    }
    let dev = args.value("a device", device)?;
    let mut out = Vec::new();
    loop {
        let feature = args.expect("a feature: gro, sg, tso, gso, tx or txvlan")?;
        let Some(named) = named(feature) else {
            let what = format!("ethtool -K … {feature}");
            return match OTHERS.contains(&feature) {
                true => Ok(vec![Command::NotCovered { what }]),
                false => args
                    .not_covered(what, "gro, sg, tso, gso, tx or txvlan")
                    .map(|command| vec![command]),
            };
        };
        let on = args.value("on or off", |word| match word {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        })?;
        out.push(command(netns, &dev, named, on));
        if args.peek().is_none() {
            return Ok(out);
        }
    }
}

fn command(netns: &Netns, dev: &str, named: Named, on: bool) -> Command {
    let (netns, dev) = (netns.clone(), dev.to_owned());
    match named {
        Named::Gro => Command::SetGro { netns, dev, on },
        Named::Sends(features) => Command::SetFeatures {
            netns,
            dev,
            features,
            on,
        },
        Named::Sockets => Command::NoEffect {
            why: "only sockets that send more than a packet at once ask for it",
        },
    }
}

fn shows() -> Command {
    Command::NoEffect {
        why: "it only shows settings",
    }
}

//! `ip fou add`: UDP ports behind which other protocols begin, and `encap fou|gue` of tunnels that send to such ports.

use super::command::{Command, Netns};
use super::error::ParseError;
use super::ip::{need, not_covered};
use super::lex::Args;
use super::value::number;

/// What stands behind the UDP header (`enum`s `FOU_ENCAP_*` and `TUNNEL_ENCAP_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FouPort {
    /// The protocol of this number (`ipproto`).
    Direct(u8),
    /// Generic UDP encapsulation, whose header names the protocol (`gue`).
    Gue,
}

/// How a tunnel puts its packets into UDP (`struct ip_tunnel_encap`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TunnelEncap {
    /// `encap gue`, not `fou`.
    pub gue: bool,
    /// `encap-sport`; `None` is *auto*.
    pub sport: Option<u16>,
    /// `encap-dport`.
    pub dport: u16,
    /// `encap-csum`.
    pub csum: bool,
}

impl TunnelEncap {
    /// `fou_encap_hlen()`, `gue_encap_hlen()` (`net/ipv4/fou_core.c`): bytes in front of the tunnel's own header.
    #[must_use]
    pub fn hlen(self) -> u32 {
        const GUE_HLEN: u32 = 4;
        crate::net::udp::HLEN + if self.gue { GUE_HLEN } else { 0 }
    }
}

const PORT: &str = "a port from 1 to 65535";

fn port(word: &str) -> Option<u16> {
    let port = number(word).and_then(|port| u16::try_from(port).ok());
    port.filter(|port| *port != 0)
}

/// A protocol by number, or by its name in `/etc/protocols`.
fn protocol(word: &str) -> Option<u8> {
    match word {
        "ipencap" => Some(4),
        "ipv6" => Some(41),
        "gre" => Some(47),
        "mpls-in-ip" => Some(137),
        word => number(word).and_then(|protocol| u8::try_from(protocol).ok()),
    }
}

/// `ip fou add port PORT ipproto PROTO|gue`.
pub(super) fn parse(mut args: Args<'_>, netns: Netns) -> Result<Vec<Command>, ParseError> {
    match args.next() {
        None | Some("show" | "list") => {
            return Ok(vec![Command::NoEffect {
                why: "it only shows",
            }]);
        }
        Some("add") => {}
        Some("del") => return not_covered("ip fou del"),
        _ => return Err(args.unexpected("add, del or show")),
    }
    let (mut at, mut kind) = (None, None);
    while let Some(word) = args.next() {
        match word {
            "port" => at = Some(args.value(PORT, port)?),
            "ipproto" => {
                let named = args.value("a protocol as a number or name", protocol)?;
                kind = Some(FouPort::Direct(named));
            }
            "gue" => kind = Some(FouPort::Gue),
            "-6" | "local" | "peer" | "peer_port" | "dev" => {
                return not_covered(&format!("ip fou add … {word}"));
            }
            _ => return Err(args.unexpected("port PORT, ipproto PROTO or gue")),
        }
    }
    Ok(vec![Command::FouAdd {
        netns,
        port: need(&mut args, at, "port PORT")?,
        kind: need(&mut args, kind, "ipproto PROTO or gue")?,
    }])
}

/// What `type gre … encap …` has said so far.
#[derive(Debug, Default)]
pub(super) struct EncapOptions {
    gue: Option<bool>,
    sport: Option<u16>,
    dport: u16,
    csum: bool,
}

impl EncapOptions {
    /// Takes the option `word` and its value; false when it is none of these.
    pub fn option(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, ParseError> {
        match word {
            "encap" => {
                self.gue = args.value("fou, gue or none", |word| match word {
                    "fou" => Some(Some(false)),
                    "gue" => Some(Some(true)),
                    "none" => Some(None),
                    _ => None,
                })?;
            }
            "noencap" => self.gue = None,
            "encap-sport" => {
                self.sport = args.value("a port or auto", |word| match word {
                    "auto" => Some(None),
                    word => port(word).map(Some),
                })?;
            }
            "encap-dport" => self.dport = args.value(PORT, port)?,
            "encap-csum" => self.csum = true,
            "noencap-csum" => self.csum = false,
            "noencap-remcsum" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// All of it, if the tunnel has an encapsulation.
    pub fn encap(&self) -> Option<TunnelEncap> {
        self.gue.map(|gue| TunnelEncap {
            gue,
            sport: self.sport,
            dport: self.dport,
            csum: self.csum,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::command::LinkKind;
    use crate::scenario::parse;

    fn one(text: &str) -> Command {
        parse(text).expect("a command").lines.remove(0).command
    }

    /// iproute2, `ip/ipfou.c` and `ip/link_gre.c`.
    #[test]
    fn ports_and_tunnels() {
        let fou = |port, kind| Command::FouAdd {
            netns: None,
            port,
            kind,
        };
        assert_eq!(
            one("ip fou add port 5555 ipproto 47"),
            fou(5555, FouPort::Direct(47))
        );
        assert_eq!(
            one("ip fou add port 5555 ipproto gre"),
            fou(5555, FouPort::Direct(47))
        );
        assert_eq!(one("ip fou add port 6080 gue"), fou(6080, FouPort::Gue));
        assert!(parse("ip fou add port 5555").is_err());
        let encap =
            |text: &str| match one(&format!("ip link add d type gre remote 10.0.0.1 {text}")) {
                Command::LinkAdd {
                    kind: LinkKind::Gre(parms),
                    ..
                } => parms.encap,
                other => panic!("{other:?}"),
            };
        let gue = TunnelEncap {
            gue: true,
            sport: None,
            dport: 6080,
            csum: true,
        };
        assert_eq!(
            encap("encap gue encap-sport auto encap-dport 6080 encap-csum"),
            Some(gue)
        );
        assert_eq!(gue.hlen(), 12);
        let fou = encap("encap fou encap-sport 4000 encap-dport 5555").expect("fou");
        assert_eq!((fou.sport, fou.csum, fou.hlen()), (Some(4000), false, 8));
        assert_eq!(encap("encap none"), None);
    }
}

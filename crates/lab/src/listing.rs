//! The packets as a list, a line each: number, time, addresses, protocols, length, as tcpdump and Wireshark show them.

use headroom_core::packet::{self, Kind, Layer, print_value};
use headroom_core::share::Frame;

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Row {
    /// Index of the packet.
    pub at: usize,
    /// Its name, without the time.
    pub name: String,
    /// Seconds after the first packet of its capture, if the name says so.
    pub time: String,
    /// Source, with its port.
    pub source: String,
    /// Destination, with its port.
    pub destination: String,
    /// `ipv4 / icmp`: the layers behind the Ethernet header, without the payload.
    pub protocols: String,
    /// Bytes.
    pub len: usize,
}

/// The lines of all packets.
#[must_use]
pub fn rows(packets: &[Frame]) -> Vec<Row> {
    packets.iter().enumerate().map(row).collect()
}

/// A packet's name with the time at which it was captured, nanoseconds after the first one: it is kept with the work.
#[must_use]
pub fn timed(name: &str, time: Option<u64>) -> String {
    match time {
        Some(time) => format!(
            "{name} +{}.{:06}s",
            time / 1_000_000_000,
            time % 1_000_000_000 / 1000
        ),
        None => name.to_owned(),
    }
}

/// Name and time of a name as [`timed`] writes it.
fn parted(name: &str) -> (String, String) {
    let found = name.rsplit_once(" +").and_then(|(front, time)| {
        let seconds = time.strip_suffix('s')?;
        let (whole, parts) = seconds.split_once('.')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        (digits(whole) && digits(parts)).then(|| (front.to_owned(), seconds.to_owned()))
    });
    found.unwrap_or_else(|| (name.to_owned(), String::new()))
}

fn row((at, frame): (usize, &Frame)) -> Row {
    let layers: Vec<Layer> = packet::explicit(&frame.bytes)
        .into_iter()
        .map(|(layer, _)| layer)
        .collect();
    let ip = |layer: &&Layer| matches!(layer.kind, Kind::Ipv4 | Kind::Ipv6);
    let ether = |layer: &&Layer| layer.kind == Kind::Ethernet;
    let outer = layers.iter().position(|layer| ip(&layer));
    let address = |ip_field: &str, ether_field: &str, port: &str| match outer {
        Some(index) => {
            let address = layers.get(index).and_then(|layer| said(layer, ip_field));
            let next = layers.get(index + 1).and_then(|layer| said(layer, port));
            match (address, next) {
                (Some(address), Some(port)) if address.contains(':') => {
                    format!("[{address}]:{port}")
                }
                (Some(address), Some(port)) => format!("{address}:{port}"),
                (address, _) => address.unwrap_or_default(),
            }
        }
        None => {
            let layer = layers.iter().find(ether);
            let address = layer.and_then(|layer| said(layer, ether_field));
            address.unwrap_or_default()
        }
    };
    let shown = |layer: &&Layer| !matches!(layer.kind, Kind::Ethernet | Kind::Payload);
    let words: Vec<&str> = layers.iter().filter(shown).map(|l| l.kind.word()).collect();
    let protocols = match words.is_empty() {
        false => words.join(" / "),
        true => {
            let proto = layers.iter().find(ether).and_then(|l| said(l, "h_proto"));
            proto.map_or_else(|| "bytes".to_owned(), |proto| format!("ethernet {proto}"))
        }
    };
    let (name, time) = parted(&frame.name);
    Row {
        at,
        name,
        time,
        source: address("saddr", "h_source", "source"),
        destination: address("daddr", "h_dest", "dest"),
        protocols,
        len: frame.bytes.len(),
    }
}

fn said(layer: &Layer, field: &str) -> Option<String> {
    let spec = layer.kind.fields().iter().find(|spec| spec.name == field)?;
    Some(print_value(spec, layer.given(field)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, name: &str) -> Row {
        let layers = packet::parse(text).expect(text);
        let bytes = packet::build(&layers).expect(text);
        let name = name.to_owned();
        rows(&[Frame { name, bytes }]).remove(0)
    }

    #[test]
    fn addresses_are_those_of_the_outermost_ip_header() {
        let row = of(
            "ethernet / ipv4 saddr=10.0.0.2 daddr=10.0.0.1 / gre / ipv4 saddr=192.0.2.2 / icmp / payload 00",
            "a",
        );
        assert_eq!(
            (&*row.source, &*row.destination, &*row.protocols),
            ("10.0.0.2", "10.0.0.1", "ipv4 / gre / ipv4 / icmp")
        );
        // 14 + 20 + 4 + 20 + 8 + 1
        assert_eq!(row.len, 67);
        let row = of(
            "ethernet / ipv4 saddr=10.0.0.2 / udp source=5 dest=4789",
            "a",
        );
        assert_eq!(
            (&*row.source, &*row.destination),
            ("10.0.0.2:5", "10.0.0.1:4789")
        );
        let row = of("ethernet / ipv6 saddr=fc00::7 / tcp dest=80", "a");
        assert_eq!(&*row.destination, "[fc00::1]:80");
        let row = of(
            "ethernet h_dest=01:80:c2:00:00:0e h_source=02:00:00:00:00:09 h_proto=0x88cc / payload 00",
            "a",
        );
        assert_eq!(
            (&*row.source, &*row.destination, &*row.protocols),
            ("02:00:00:00:00:09", "01:80:c2:00:00:0e", "ethernet 0x88cc")
        );
    }

    /// Bytes that are no Ethernet header (13 of its 14), and a packet without any.
    #[test]
    fn what_is_no_frame_is_bytes() {
        let frame = |len: usize| Frame {
            name: "a".into(),
            bytes: vec![0; len],
        };
        let rows = rows(&[frame(13), frame(0)]);
        let seen: Vec<_> = rows
            .iter()
            .map(|row| {
                let (from, to) = (&*row.source, &*row.destination);
                (row.at, from, to, &*row.protocols, row.len)
            })
            .collect();
        assert_eq!(seen, [(0, "", "", "bytes", 13), (1, "", "", "bytes", 0)]);
    }

    #[test]
    fn a_name_keeps_the_time() {
        assert_eq!(
            timed("x.pcap 3", Some(1_500_000_999)),
            "x.pcap 3 +1.500000s"
        );
        // Six digits, as tcpdump has them: 61 s and 5 µs, whose zeros stand in front.
        assert_eq!(timed("x 3", Some(61_000_005_000)), "x 3 +61.000005s");
        assert_eq!(timed("x.pcap 3", None), "x.pcap 3");
        let text = "ethernet / ipv4 / icmp";
        let row = of(text, "x.pcap 3 +1.500000s");
        assert_eq!((&*row.name, &*row.time), ("x.pcap 3", "1.500000"));
        // The time is what stands last.
        let row = of(text, "a +1.5s +2.000000s");
        assert_eq!((&*row.name, &*row.time), ("a +1.5s", "2.000000"));
        for name in ["a +b", "a +1.s", "a + 1.0s", "+1.0s", ""] {
            let row = of(text, name);
            assert_eq!((&*row.name, &*row.time), (name, ""), "{name}");
        }
    }
}

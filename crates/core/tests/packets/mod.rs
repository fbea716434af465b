//! Packets as bytes: made by hand, and as they come to a function in a trace.

#![allow(dead_code, reason = "not every test file needs all of it")]

use headroom_core::trace::{Cursor, Edge, PacketFields, StepKind, Trace};

/// Hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Two bytes in network order.
pub fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

/// The sum of 16-bit words, folded: 0xffff where a checksum holds.
pub fn sum_of(header: &[u8]) -> u16 {
    let mut sum: u32 = header
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// An IPv4 packet of an unused protocol's (253) or another one's payload.
pub fn ipv4(hosts: [[u8; 4]; 2], protocol: u8, frag_off: u16, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0x45, 0];
    header.extend((payload.len() as u16 + 20).to_be_bytes());
    header.extend([0x22, 0x22]);
    header.extend(frag_off.to_be_bytes());
    header.extend([64, protocol, 0, 0]);
    header.extend(hosts.concat());
    let check = !sum_of(&header);
    header[10..12].copy_from_slice(&check.to_be_bytes());
    header.extend_from_slice(payload);
    header
}

/// Bytes that tell where they were.
pub fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 + at / 256) as u8).collect()
}

/// Every packet as it comes to `function` on `dev`: its bytes from `data` on, wherever they lie.
pub fn packets(trace: &Trace, function: &str, dev: &str) -> Vec<Vec<u8>> {
    let mut cursor = Cursor::new(trace).expect("a trace");
    let mut all = Vec::new();
    for (at, step) in trace.steps.iter().enumerate() {
        let entry = matches!(step.kind, StepKind::Function { name, edge: Edge::Entry, .. } if name == function);
        if !entry || step.dev.as_ref().is_none_or(|found| found.name != dev) {
            continue;
        }
        cursor.go(at);
        let view = cursor.packet();
        let Some(PacketFields::Skb(skb)) = view.fields else {
            panic!("an skb")
        };
        let linear = &view.buffer.expect("a buffer").bytes[skb.data as usize..skb.tail as usize];
        let mut bytes = linear.to_vec();
        for part in &skb.fragments {
            let page = &cursor
                .memory()
                .buffers
                .get(&part.buffer)
                .expect("a page")
                .bytes;
            bytes.extend(&page[part.offset as usize..(part.offset + part.len) as usize]);
        }
        assert_eq!(bytes.len(), skb.len as usize);
        all.push(bytes);
    }
    all
}

/// How often a function is entered.
pub fn saw(trace: &Trace, function: &str) -> usize {
    trace
        .steps
        .iter()
        .filter(|step| {
            matches!(step.kind, StepKind::Function { name, edge: Edge::Entry, .. } if name == function)
        })
        .count()
}

//! Which accesses of the context the verifier allows (`*_is_valid_access()`, net/core/filter.c).

use super::{CtxLoad, Member, PacketPointer};
use crate::bpf::host::CtxField;
use crate::bpf::program::ProgType;

/// A field of `struct __sk_buff`: its first byte, its name, what it is.
type Row = (u32, &'static str, Member);

/// `struct __sk_buff` (include/uapi/linux/bpf.h) but for `cb` and the parts of IPv6 addresses.
const SK_BUFF: [Row; 30] = {
    use CtxField as F;
    use Member::{NotCovered, Number, Pointer};
    [
        (0, "len", Number(F::Len)),
        (4, "pkt_type", Number(F::PktType)),
        (8, "mark", Number(F::Mark)),
        (12, "queue_mapping", Number(F::QueueIndex)),
        (16, "protocol", Number(F::Protocol)),
        (20, "vlan_present", Number(F::VlanPresent)),
        (24, "vlan_tci", Number(F::VlanTci)),
        (28, "vlan_proto", Number(F::VlanProto)),
        (32, "priority", Number(F::Priority)),
        (36, "ingress_ifindex", Number(F::IngressIfindex)),
        (40, "ifindex", Number(F::Ifindex)),
        (44, "tc_index", Number(F::TcIndex)),
        (68, "hash", Number(F::Hash)),
        (72, "tc_classid", Number(F::TcClassid)),
        (76, "data", Pointer(PacketPointer::Data)),
        (80, "data_end", Pointer(PacketPointer::DataEnd)),
        (84, "napi_id", Number(F::NapiId)),
        (88, "family", NotCovered),
        (92, "remote_ip4", NotCovered),
        (96, "local_ip4", NotCovered),
        (132, "remote_port", NotCovered),
        (136, "local_port", NotCovered),
        (140, "data_meta", Pointer(PacketPointer::DataMeta)),
        (152, "tstamp", Number(F::Tstamp)),
        (160, "wire_len", Number(F::WireLen)),
        (164, "gso_segs", NotCovered),
        (168, "sk", Number(F::Sk)),
        (176, "gso_size", Number(F::GsoSize)),
        (180, "tstamp_type", Number(F::TstampType)),
        (184, "hwtstamp", Number(F::Hwtstamp)),
    ]
};

/// Bytes of a field: those that are not four bytes.
fn width(name: &str) -> u32 {
    match name {
        "tstamp" | "sk" | "hwtstamp" => 8,
        "tstamp_type" => 1,
        _ => 4,
    }
}

/// The field that a byte of `struct __sk_buff` belongs to. Flow keys (144) and padding are nobody's.
fn sk_buff_field(off: u32) -> Option<Row> {
    match off {
        48..=67 => return Some((48, "cb", Member::Number(CtxField::Cb(off as u8 - 48)))),
        100..=115 => return Some((off & !3, "remote_ip6", Member::NotCovered)),
        116..=131 => return Some((off & !3, "local_ip6", Member::NotCovered)),
        _ => {}
    }
    let at = SK_BUFF.partition_point(|(start, ..)| *start <= off);
    let row = *SK_BUFF.get(at.checked_sub(1)?)?;
    (off < row.0 + width(row.1)).then_some(row)
}

/// Fields that a type may not even read.
fn hidden(prog_type: &ProgType, name: &str) -> bool {
    let socket = matches!(
        name,
        "family"
            | "remote_ip4"
            | "local_ip4"
            | "remote_ip6"
            | "local_ip6"
            | "remote_port"
            | "local_port"
    );
    match prog_type {
        ProgType::SchedCls => socket,
        ProgType::CgroupSkb => matches!(name, "tc_classid" | "data_meta" | "wire_len"),
        ProgType::SkSkb => matches!(
            name,
            "tc_classid" | "data_meta" | "wire_len" | "tstamp" | "hwtstamp" | "mark"
        ),
        ProgType::SocketFilter if matches!(name, "data" | "data_end") => true,
        _ => {
            socket
                || matches!(
                    name,
                    "tc_classid" | "data_meta" | "wire_len" | "tstamp" | "hwtstamp"
                )
        }
    }
}

/// Which field a load of the context reads; `None` if the verifier refuses it.
pub(in crate::bpf) fn ctx_load(
    prog_type: &ProgType,
    off: i64,
    size: u32,
    signed: bool,
) -> Option<CtxLoad> {
    let off = u32::try_from(off).ok()?;
    if off % size != 0 {
        return None;
    }
    if *prog_type == ProgType::Xdp {
        return xdp_load(off, size, signed);
    }
    if *prog_type == ProgType::Netfilter {
        return super::nf::ctx(off, size, signed);
    }
    if !prog_type.has_skb() {
        return None;
    }
    let (start, name, member) = sk_buff_field(off)?;
    let allowed = match name {
        "data" | "data_meta" | "data_end" => size == 4 && !signed,
        "remote_ip4" | "local_ip4" | "remote_ip6" | "local_ip6" => size == 4,
        "cb" => off + size <= 68,
        "tstamp_type" => size == 1 && *prog_type == ProgType::SchedCls,
        _ if width(name) == 8 => size == 8,
        _ => size <= 4,
    };
    (allowed && !hidden(prog_type, name)).then_some(CtxLoad {
        member,
        name,
        inside: if name == "cb" { 0 } else { off - start },
    })
}

/// `struct xdp_md`: four bytes each; `egress_ifindex` (20) is for programs of a devmap only.
fn xdp_load(off: u32, size: u32, signed: bool) -> Option<CtxLoad> {
    let (member, name) = match off {
        0 => (Member::Pointer(PacketPointer::Data), "data"),
        4 => (Member::Pointer(PacketPointer::DataEnd), "data_end"),
        8 => (Member::Pointer(PacketPointer::DataMeta), "data_meta"),
        12 => (Member::Number(CtxField::Ifindex), "ingress_ifindex"),
        16 => (Member::Number(CtxField::QueueIndex), "rx_queue_index"),
        _ => return None,
    };
    let pointer = matches!(member, Member::Pointer(_));
    (size == 4 && !(signed && pointer)).then_some(CtxLoad {
        member,
        name,
        inside: 0,
    })
}

/// Which field a store to the context writes; `None` if the verifier refuses it.
pub(in crate::bpf) fn ctx_store(prog_type: &ProgType, off: i64, size: u32) -> Option<CtxLoad> {
    let load = ctx_load(prog_type, off, size, false)?;
    let tc = [
        "mark",
        "tc_index",
        "priority",
        "tc_classid",
        "cb",
        "tstamp",
        "queue_mapping",
    ];
    let may: &[&str] = match prog_type {
        ProgType::SchedCls => &tc,
        ProgType::CgroupSkb => &["mark", "priority", "cb", "tstamp"],
        ProgType::SkSkb => &["tc_index", "priority"],
        ProgType::SocketFilter => &["cb"],
        ProgType::LwtXmit | ProgType::LwtIn | ProgType::LwtOut | ProgType::LwtSeg6local => {
            &["mark", "priority", "cb"]
        }
        ProgType::Xdp | ProgType::Netfilter | ProgType::Plain | ProgType::Unknown(_) => &[],
    };
    // Narrow stores are for cb only.
    let whole = load.name == "cb" || size == width(load.name);
    (may.contains(&load.name) && whole).then_some(load)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The offsets of include/uapi/linux/bpf.h, counted by hand.
    #[test]
    fn loads_are_allowed_as_in_filter_c() {
        let tc = |off, size| ctx_load(&ProgType::SchedCls, off, size, false).map(|l| l.member);
        assert_eq!(tc(76, 4), Some(Member::Pointer(PacketPointer::Data)));
        assert_eq!(tc(80, 4), Some(Member::Pointer(PacketPointer::DataEnd)));
        assert_eq!(tc(140, 4), Some(Member::Pointer(PacketPointer::DataMeta)));
        assert_eq!(tc(16, 2), Some(Member::Number(CtxField::Protocol)));
        assert_eq!(tc(40, 4), Some(Member::Number(CtxField::Ifindex)));
        // Addresses are four bytes wide, nothing else; numbers may be narrower, not wider.
        assert_eq!(
            (tc(140, 2), tc(140, 8), tc(138, 4), tc(8, 8)),
            (None, None, None, None)
        );
        // The socket's fields, padding, before and behind.
        assert_eq!(
            (tc(88, 4), tc(136, 4), tc(181, 1), tc(-4, 4), tc(192, 4)),
            (None, None, None, None, None)
        );
        assert_eq!(ctx_load(&ProgType::SchedCls, 140, 4, true), None);
        let xdp = |off, size| ctx_load(&ProgType::Xdp, off, size, false).map(|l| l.member);
        assert_eq!(xdp(8, 4), Some(Member::Pointer(PacketPointer::DataMeta)));
        assert_eq!((xdp(12, 2), xdp(20, 4), xdp(24, 4)), (None, None, None));
    }

    #[test]
    fn stores_are_allowed_as_in_filter_c() {
        let who = |off, size| {
            let types = [
                ProgType::SchedCls,
                ProgType::LwtXmit,
                ProgType::CgroupSkb,
                ProgType::SocketFilter,
                ProgType::SkSkb,
                ProgType::Xdp,
            ];
            types.map(|t| ctx_store(&t, off, size).map_or("-", |s| s.name))
        };
        assert_eq!(who(8, 4), ["mark", "mark", "mark", "-", "-", "-"]);
        assert_eq!(who(8, 2), ["-"; 6]);
        assert_eq!(who(52, 1), ["cb", "cb", "cb", "cb", "-", "-"]);
        assert_eq!(who(56, 8), ["cb", "cb", "cb", "cb", "-", "-"]);
        // The last eight bytes would reach into `hash`.
        assert_eq!(who(64, 8), ["-"; 6]);
        assert_eq!(who(44, 4), ["tc_index", "-", "-", "-", "tc_index", "-"]);
        assert_eq!(who(152, 8), ["tstamp", "-", "tstamp", "-", "-", "-"]);
        assert_eq!(who(76, 4), ["-"; 6]);
    }

    #[test]
    fn each_type_hides_its_fields() {
        let may = |t: &ProgType, off, size| ctx_load(t, off, size, false).is_some();
        assert!(!may(&ProgType::LwtXmit, 140, 4) && !may(&ProgType::CgroupSkb, 140, 4));
        assert!(may(&ProgType::LwtXmit, 76, 4) && !may(&ProgType::SocketFilter, 76, 4));
        assert!(may(&ProgType::CgroupSkb, 152, 8) && !may(&ProgType::LwtOut, 152, 8));
        assert!(!may(&ProgType::SkSkb, 8, 4) && may(&ProgType::SkSkb, 88, 4));
        assert!(may(&ProgType::SchedCls, 180, 1) && !may(&ProgType::CgroupSkb, 180, 1));
    }
}

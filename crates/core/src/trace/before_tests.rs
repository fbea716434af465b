use super::*;
use crate::scene::sentence;
use crate::scene::sentence::baseline;
use crate::trace::recorder::Moment;
use crate::trace::{
    BufferNo, ByteWrite, Edge, OriginId, Outcome, Recorder, SkbFields, SkbNo, StepKind, XdpFields,
};

/// Steps that are put one behind the other by hand.
struct Steps {
    recorder: Recorder,
    pending: Vec<ByteWrite>,
}

fn steps() -> Steps {
    Steps {
        recorder: Recorder::new("test", "mac_header"),
        pending: Vec::new(),
    }
}

fn frame(data_meta: u32) -> PacketFields {
    PacketFields::Xdp(XdpFields {
        data_meta,
        data: 256,
        data_end: 330,
        frame_sz: 704,
        fragments: Vec::new(),
    })
}

fn skb(data: u32) -> PacketFields {
    let of = crate::scene::testing::skb_fields();
    PacketFields::Skb(SkbFields { data, ..of })
}

impl Steps {
    /// A function is entered with a packet; gives the number of the step.
    fn enter(
        &mut self,
        name: &'static str,
        skb: Option<u32>,
        buffer: u32,
        fields: PacketFields,
    ) -> usize {
        let moment = Moment {
            kind: StepKind::Function {
                name,
                file: "net/core/test.c",
                edge: Edge::Entry,
            },
            dev: None,
            skb: skb.map(SkbNo),
            buffer: Some(BufferNo(buffer)),
            fields: Some(fields),
            outcome: Outcome::None,
            freed: false,
        };
        self.recorder.step(moment, &mut self.pending);
        self.recorder.trace.steps.len() - 1
    }

    /// Before the next step: so many bytes come from a place of one buffer to a place of another.
    fn copy(&mut self, from: (u32, u32), to: (u32, u32), len: usize) {
        self.pending.push(ByteWrite {
            buffer: BufferNo(to.0),
            offset: to.1,
            old: vec![(0, OriginId::default()); len],
            new: vec![(7, OriginId::default()); len],
            moved_from: None,
            copied_from: Some((BufferNo(from.0), from.1)),
        });
    }

    /// Steps of another packet, number 99.
    fn others(&mut self, count: usize) {
        for _ in 0..count {
            self.enter("other", Some(99), 99, skb(64));
        }
    }

    fn whole(mut self) -> Trace {
        self.recorder.trace.note_returns();
        self.recorder.trace
    }
}

#[test]
fn the_first_step_of_a_frame_is_compared_with_nothing() {
    let mut made = steps();
    let step = made.enter("run_xdp", None, 1, frame(256));
    let trace = made.whole();
    assert_eq!(trace.before(step), None);
    assert_eq!(sentence(&trace, step), "run_xdp starts.");
}

#[test]
fn the_second_frame_of_a_run_is_not_the_first() {
    let mut made = steps();
    made.enter("run_xdp", None, 1, frame(256));
    let tagged = made.enter("helper", None, 1, frame(252));
    let second = made.enter("run_xdp", None, 2, frame(256));
    let back = made.enter("redirected", None, 1, frame(252));
    let trace = made.whole();
    assert_eq!(
        sentence(&trace, tagged),
        "helper starts: data_meta 256 → 252. The metadata are at 252–255."
    );
    assert_eq!(sentence(&trace, second), "run_xdp starts.");
    assert_eq!(trace.before(back), Some(tagged));
}

#[test]
fn a_frame_that_becomes_an_skb_begins_anew() {
    let mut made = steps();
    made.enter("run_xdp", None, 1, frame(252));
    let first = made.enter("eth_type_trans", Some(1), 1, skb(256));
    let second = made.enter("netif_receive_skb", Some(1), 1, skb(270));
    let trace = made.whole();
    assert_eq!(trace.before(first), None);
    assert_eq!(trace.before(second), Some(first));
}

#[test]
fn a_clone_is_a_packet_of_its_own_over_the_same_bytes() {
    let mut made = steps();
    let original = made.enter("ip_rcv", Some(1), 1, skb(270));
    let clone = made.enter("packet_rcv", Some(2), 1, skb(256));
    let on = made.enter("ip_rcv_core", Some(1), 1, skb(290));
    let trace = made.whole();
    assert_eq!(trace.before(clone), None);
    assert_eq!(trace.before(on), Some(original));
    assert_eq!(sentence(&trace, on), "ip_rcv_core starts: data 270 → 290.");
}

#[test]
fn a_packet_goes_on_in_a_larger_buffer_that_it_was_copied_to() {
    let mut made = steps();
    let small = made.enter("ip_tunnel_xmit", Some(1), 1, skb(16));
    // pskb_expand_head() with 64 bytes more in front: head to tail, 64 up
    made.copy((1, 0), (2, 64), 90);
    let large = made.enter("iptunnel_xmit", Some(1), 2, skb(80));
    let trace = made.whole();
    assert_eq!(trace.before(large), Some(small));
    assert_eq!(
        sentence(&trace, large),
        "iptunnel_xmit starts: data 16 → 80. 90 bytes were written at 64–153."
    );
}

/// napi_skb_cache_get() gives out the `sk_buff` that was given back last.
#[test]
fn a_number_that_is_given_again_is_another_packet() {
    let mut made = steps();
    made.enter("gro_receive_skb", Some(6), 1, skb(294));
    let fresh = made.enter("ip_send_skb", Some(6), 2, skb(48));
    // payload of a merged one goes into a segment that has its number: from 68, behind its header at 48
    made.copy((2, 68), (3, 68), 20);
    let segment = made.enter("dev_hard_start_xmit", Some(6), 3, skb(40));
    let trace = made.whole();
    assert_eq!(trace.before(fresh), None);
    assert_eq!(trace.before(segment), None);
}

#[test]
fn a_packet_that_was_held_back_for_long_is_told_of_as_itself() {
    let mut made = steps();
    let queued = made.enter("enqueue", Some(1), 1, skb(256));
    let waiting = made.enter("xdp_do_redirect", None, 3, frame(252));
    made.others(3 * NEAR);
    let back = made.enter("dequeue", Some(1), 1, skb(270));
    let frame = made.enter("cpu_map_kthread_run", None, 3, frame(256));
    let fresh = made.enter("ip_rcv", Some(2), 2, skb(256));
    let trace = made.whole();
    assert_eq!(trace.before(back), Some(queued));
    assert_eq!(sentence(&trace, back), "dequeue starts: data 256 → 270.");
    assert_eq!(trace.before(frame), Some(waiting));
    assert_eq!((trace.before(fresh), baseline(&trace, fresh)), (None, None));
    // so many others lie in between, and no more places than these two have to be kept
    assert_eq!(trace.returns, [(back, queued), (frame, waiting)]);
}

/// What comes back after so many steps that they are all looked through is not kept, what comes one later is.
#[test]
fn the_place_where_looking_ends_leaves_no_hole() {
    for (between, kept) in [(NEAR - 1, false), (NEAR, true)] {
        let mut made = steps();
        let first = made.enter("enqueue", Some(1), 1, skb(256));
        made.others(between);
        let back = made.enter("dequeue", Some(1), 1, skb(270));
        let trace = made.whole();
        assert_eq!(trace.before(back), Some(first), "{between}");
        assert_eq!(!trace.returns.is_empty(), kept, "{between}");
    }
}

/// Numbers of a file that was made up take no more memory than its steps.
#[test]
fn a_number_out_of_all_reason_is_left_out() {
    let mut made = steps();
    made.enter("enqueue", Some(u32::MAX), 1, skb(256));
    made.others(NEAR);
    let back = made.enter("dequeue", Some(u32::MAX), 1, skb(270));
    let trace = made.whole();
    assert_eq!(trace.before(back), None);
}

/// A file may claim any number and place; 2 × 2³¹ is 0 in 32 bits, and u32::MAX + 10 is 9.
#[test]
fn numbers_and_places_that_do_not_fit_are_those_of_nobody() {
    let mut made = steps();
    made.enter("a", Some(0), 1, skb(256));
    let other = made.enter("b", Some(1 << 31), 1, skb(256));
    made.copy((1, u32::MAX), (2, 0), 10);
    let copied = made.enter("c", Some(0), 2, skb(256));
    let trace = made.whole();
    assert_eq!(trace.before(other), None);
    assert_eq!(trace.before(copied), None);
}

#[test]
fn where_packets_come_back_is_there_again_after_packing() {
    let mut made = steps();
    made.enter("enqueue", Some(1), 1, skb(256));
    made.others(NEAR);
    made.enter("dequeue", Some(1), 1, skb(270));
    let trace = made.whole();
    assert_eq!(trace.returns.len(), 1);
    assert_eq!(Trace::unpack(&trace.pack()).as_ref(), Ok(&trace));
}

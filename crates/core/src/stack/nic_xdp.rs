//! Frames of XDP that a network card's driver sends: `XDP_TX`, and `ndo_xdp_xmit` for frames of other devices.

use super::xdp_frame::{EOPNOTSUPP, xdp_convert_buff_to_frame};
use super::{Kernel, Run, not_covered};
use crate::scenario::nic::xdp_tx;
use crate::scenario::topology::{DevId, DeviceKind};
use crate::xdp::{XdpBuff, action};

impl Kernel {
    /// The verdicts `XDP_TX` and `XDP_REDIRECT` of a program on a card.
    pub(super) fn nic_xdp_leaves(&mut self, dev: DevId, xdp: XdpBuff, verdict: u64) -> Run<()> {
        match verdict {
            action::TX => self.nic_xdp_tx(dev, &xdp),
            _ => self.xdp_leaves(dev, xdp, action::REDIRECT),
        }
    }

    /// The driver sends the frame back by the card, and it leaves the simulated world.
    fn nic_xdp_tx(&mut self, dev: DevId, xdp: &XdpBuff) -> Run<()> {
        let DeviceKind::Nic(index) = self.topology.dev(dev).kind else {
            return Ok(());
        };
        let Some(driver) = xdp_tx(index) else {
            return not_covered("XDP_TX of xsk: the card's driver sends, and there is none");
        };
        if let Err(error) = xdp_convert_buff_to_frame(xdp) {
            return self.xdp_return_frame(dev, xdp, error);
        }
        self.xdp_function(driver.tx, driver.file, dev, xdp, 0)
    }

    /// `ndo_xdp_xmit` of a card: one frame sent.
    pub(super) fn nic_xdp_xmit(&mut self, index: usize, to: DevId, xdp: &XdpBuff) -> Run<()> {
        match xdp_tx(index).and_then(|driver| Some((driver.xmit?, driver.file))) {
            Some((xmit, file)) => self.xdp_function(xmit, file, to, xdp, 1),
            None => self.xdp_return_frame(to, xdp, EOPNOTSUPP),
        }
    }
}

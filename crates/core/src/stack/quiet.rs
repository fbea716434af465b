//! Runs without a trace, and what all runs need little of: names of devices, shared between steps.

use std::sync::Arc;

use super::{Kernel, MAX_STEPS};
use crate::scenario::topology::DevId;
use crate::trace::DevRef;

/// Names that were asked for, by device.
pub(super) type DevRefs = Vec<Option<Arc<DevRef>>>;

impl Kernel {
    /// Name of a device and its namespace, shared until one of them changes.
    pub(super) fn dev_ref(&mut self, dev: DevId) -> Arc<DevRef> {
        if self.dev_refs.len() <= dev.0 {
            self.dev_refs.resize(dev.0 + 1, None);
        }
        let known = &mut self.dev_refs[dev.0];
        let name = &self.topology.dev(dev).name;
        let netns = &self.topology.netns_of(dev).name;
        match known {
            Some(known) if known.name == *name && known.netns == *netns => Arc::clone(known),
            _ => Arc::clone(known.insert(Arc::new(self.topology.dev_ref(dev)))),
        }
    }

    /// From now on nothing is kept of what happens.
    pub(crate) fn be_quiet(&mut self) {
        self.recorder.be_quiet(MAX_STEPS);
        self.judge.quiet = true;
        self.buffers.be_quiet();
    }

    /// After a command of a quiet run: forgets what is over.
    pub(crate) fn forget(&mut self) {
        self.recorder.forget();
        self.program_source = None;
        let buffers = &mut self.buffers;
        for pool in self.page_pools.values_mut() {
            pool.fold(buffers);
        }
        buffers.recycle();
    }
}

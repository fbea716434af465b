//! Ways to go through a run.

use super::Stepper;

impl Stepper<'_> {
    /// The next instruction, into a function that is called. `false` at the end.
    pub fn step_into(&mut self) -> bool {
        self.find(|_, _| true)
    }

    /// The next instruction of this function or of its callers.
    pub fn step_over(&mut self) -> bool {
        let depth = self.depth();
        self.find(|stepper, at| stepper.depth_of(at) <= depth)
    }

    /// The next instruction of a caller.
    pub fn step_out(&mut self) -> bool {
        let depth = self.depth();
        self.find(|stepper, at| stepper.depth_of(at) < depth)
    }

    /// The next instruction at which a line of C begins.
    pub fn to_line(&mut self, line: u32) -> bool {
        self.find(|stepper, at| stepper.begins(at, line))
    }

    /// The next instruction at which one of these lines of C begins, or that is one of these of the
    /// listing. `false`, and the last one, when there is none.
    pub fn run_to(&mut self, lines: &[u32], insns: &[usize]) -> bool {
        let found = self.find(|stepper, at| stepper.stops(at, lines, insns));
        if !found {
            self.at = self.len() - 1;
        }
        found
    }

    /// As [`Stepper::run_to`], backwards; the first one, when there is none.
    pub fn run_back_to(&mut self, lines: &[u32], insns: &[usize]) -> bool {
        let found = self.find_back(|stepper, at| stepper.stops(at, lines, insns));
        if !found {
            self.at = 0;
        }
        found
    }

    fn stops(&self, at: usize, lines: &[u32], insns: &[usize]) -> bool {
        insns.contains(&self.kind_of(at).0) || lines.iter().any(|line| self.begins(at, *line))
    }

    /// Whether a line of C begins there: come to from another line, or from its own end in a loop.
    fn begins(&self, at: usize, line: u32) -> bool {
        let of = |at: usize| self.line_of(at).and_then(|l| l.c_line);
        if of(at) != Some(line) {
            return false;
        }
        let before = at.checked_sub(1).and_then(of);
        let insn = self.kind_of(at).0;
        let above = insn
            .checked_sub(1)
            .and_then(|i| self.run.listing.lines.get(i));
        before != Some(line) || above.and_then(|l| l.c_line) != Some(line)
    }

    /// The instruction before. `false` at the beginning.
    pub fn back(&mut self) -> bool {
        self.find_back(|_, _| true)
    }

    /// The instruction before of this function or of its callers.
    pub fn back_over(&mut self) -> bool {
        let depth = self.depth();
        self.find_back(|stepper, at| stepper.depth_of(at) <= depth)
    }

    fn find(&mut self, is: impl Fn(&Self, usize) -> bool) -> bool {
        let found = (self.at + 1..self.len()).find(|at| is(self, *at));
        self.at = found.unwrap_or(self.at);
        found.is_some()
    }

    fn find_back(&mut self, is: impl Fn(&Self, usize) -> bool) -> bool {
        let found = (0..self.at).rev().find(|at| is(self, *at));
        self.at = found.unwrap_or(self.at);
        found.is_some()
    }
}

//! The suite on the manual runtime, and the tests of the harness itself.

mod budgets;
mod deep_groups;
mod docs;
mod harness;
mod nothing_lost;
mod signals;
mod stack_deadlines;
mod stack_sweep;

use withal_testing::Manual;

withal_testing::conformance!(manual: Manual::new());

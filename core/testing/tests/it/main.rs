//! The suite on the manual runtime, and the tests of the harness itself.

mod harness;
mod signals;

use withal_testing::Manual;

withal_testing::conformance!(manual: Manual::new());

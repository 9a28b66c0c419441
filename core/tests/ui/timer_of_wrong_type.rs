use std::time::Duration;
use withal_core::timeout;

fn main() {
    let _timed = timeout(&(), Duration::ZERO, async {});
}

use std::time::Duration;
use withal_core::timeout;

async fn timed() -> bool {
    timeout(&(), Duration::from_secs(1), async {}).await.is_ok()
}

fn main() {}

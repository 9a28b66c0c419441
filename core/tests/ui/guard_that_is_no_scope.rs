use std::sync::Mutex;
use withal_core::with;

async fn locked(mutex: &Mutex<u32>) -> Result<u32, std::io::Error> {
    let guard = mutex.lock().unwrap();
    with(guard, async |n| Ok(**n)).await
}

fn main() {}

use std::rc::Rc;
use withal_core::{sync, using};

fn spawn(_: impl Future<Output = usize> + Send + 'static) {}

fn main() {
    spawn(async {
        let shared = Rc::new(1);
        let Ok(length) = using(sync(vec![1]), async |list| {
            std::future::ready(()).await;
            list.len() + *shared
        })
        .await;
        length
    });
}

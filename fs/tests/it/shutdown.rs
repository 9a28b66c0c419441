//! A runtime that ends with files open: they are finished all the same.

use std::future::pending;
use std::io;
use std::sync::{Arc, mpsc};

use withal_core::{Blocking, Launch, ScopeExt, Spawn, Task, drained};
use withal_fs::{create, temp_dir};
use withal_testing::block_on;

use crate::handles::open_handles;
use crate::pattern::bytes;

/// Ends `launcher` while a file with unwritten bytes is open in one of its tasks, and a temporary directory around it.
fn ends_early<L: Launch>(launcher: L) {
    let outside = tempfile::tempdir().unwrap();
    let kept = outside.path().join("kept");
    let data = Arc::new(bytes(11, 700_000));
    let rt = launcher.runtime();
    let (send, entered) = mpsc::channel();
    let task = {
        let (rt, data, kept) = (rt.clone(), data.clone(), kept.clone());
        async move {
            let work = temp_dir(&rt).with(async |dir| {
                let gone = dir.path().to_path_buf();
                create(&rt, &kept)
                    .with(async |file| {
                        file.write_all(&data).await?;
                        let _ = send.send(gone);
                        pending::<io::Result<()>>().await
                    })
                    .await
            });
            unreachable!("ended: {:?}", work.await);
        }
    };
    let gone = launcher.block_on(async {
        rt.spawn(Task::new(task));
        rt.unblock(move || entered.recv().unwrap()).await
    });
    drop(launcher);
    block_on(drained());
    assert_eq!(open_handles(&kept), 0);
    assert!(std::fs::read(&kept).unwrap() == *data);
    assert!(!gone.exists());
}

#[test]
fn tokio() {
    ends_early(withal_tokio::Launcher::multi_thread().unwrap());
}

#[test]
fn tokio_current_thread() {
    ends_early(withal_tokio::Launcher::current_thread().unwrap());
}

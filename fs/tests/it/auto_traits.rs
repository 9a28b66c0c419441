//! Files go where their runtime goes.

use std::io;

use withal_core::{Runtime, ScopeExt};
use withal_fs::{File, TempDir, create, open, temp_dir};
use withal_testing::Manual;

fn is_send_and_sync<T: Send + Sync>() {}
fn is_send<T: Send>(_: &T) {}

#[test]
fn guards_are_send_and_sync() {
    is_send_and_sync::<File<Manual>>();
    is_send_and_sync::<TempDir<Manual>>();
}

#[test]
fn futures_are_send() {
    async fn everything<R: Runtime>(rt: R) -> io::Result<()> {
        temp_dir(&rt)
            .with(async |dir| {
                let path = dir.path().join("file");
                create(&rt, &path)
                    .with(async |file| {
                        file.write_all(b"text").await?;
                        file.set_len(3).await?;
                        file.sync_all().await
                    })
                    .await?;
                open(&rt, &path)
                    .with(async |file| {
                        file.seek(io::SeekFrom::End(-1)).await?;
                        file.metadata().await?;
                        file.read_exact(&mut [0; 1]).await?;
                        file.read(&mut [0; 1]).await?;
                        file.read_to_end(&mut Vec::new()).await?;
                        file.read_to_string(&mut String::new()).await?;
                        io::Result::Ok(())
                    })
                    .await
            })
            .await
    }
    let future = everything(Manual::new());
    is_send(&future);
    withal_testing::block_on(future).unwrap();
}

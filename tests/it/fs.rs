//! Feature `fs`.

use std::io;

use withal::fs::{create, open, temp_dir};
use withal::{Launch, Runtime, ScopeExt};
use withal_testing::Manual;

#[test]
fn files_work_on_the_manual_runtime() {
    check(&Manual::new());
}

/// Writes a file, reads it back, and looks whether its directory has gone.
pub(crate) fn check<L: Launch>(launcher: &L) {
    let main = write_and_read(launcher.runtime());
    launcher.run(main).expect("no signal").expect("no error");
}

async fn write_and_read<R: Runtime>(rt: R) -> io::Result<()> {
    let gone = temp_dir(&rt).with(async |dir| {
        let path = dir.path().join("greeting");
        let written = create(&rt, &path).with(async |file| file.write_all(b"hello").await);
        written.await?;
        let read = open(&rt, &path).with(async |file| {
            let mut text = String::new();
            file.read_to_string(&mut text).await?;
            io::Result::Ok(text)
        });
        assert_eq!(read.await?, "hello");
        io::Result::Ok(path)
    });
    assert!(!gone.await?.exists());
    Ok(())
}

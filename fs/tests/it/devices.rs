//! Pipes, which have no positions, and a device that is always full.

use std::io::{self, ErrorKind, Read, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::path::Path;

use withal_core::{Runtime, ScopeError, ScopeExt};
use withal_fs::{File, PathError, create, open};
use withal_testing::cut_after;

use crate::pattern::bytes;

on_every_runtime! {
    pipe_for_reading
    pipe_for_writing
    full_at_the_flush
    full_at_the_exit
    full_at_a_later_write
    full_after_a_cut
    full_beside_the_error_of_the_body
}

async fn pipe_for_reading<R: Runtime>(rt: R) {
    let (reader, mut writer) = io::pipe().unwrap();
    let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
    writer.write_all(b"one two ").unwrap();
    let read = open(&rt, path).with(async |file| {
        let mut word = [0; 4];
        file.read_exact(&mut word).await?;
        assert_eq!(&word, b"one ");
        let error = file.seek(SeekFrom::Start(0)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSeekable);
        file.read_exact(&mut word).await?;
        assert_eq!(&word, b"two ");
        writer.write_all(b"three").unwrap();
        drop(writer);
        drop(reader);
        // A reader who goes away takes nothing along, though nothing here can be read twice.
        let mut rest = Vec::new();
        if cut_after(1, file.read_to_end(&mut rest)).await.is_none() {
            file.metadata().await?;
            file.read_to_end(&mut rest).await?;
        }
        assert_eq!(rest, b"three");
        io::Result::Ok(())
    });
    read.await.unwrap();
}

async fn pipe_for_writing<R: Runtime>(rt: R) {
    let (mut reader, writer) = io::pipe().unwrap();
    let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
    let data = bytes(6, 1_000_000);
    let reading = std::thread::spawn(move || {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).map(|_| all)
    });
    let wrote = create(&rt, path).with(async |file| {
        // From here on only the file holds the pipe open.
        drop(writer);
        for chunk in data.chunks(70_001) {
            file.write_all(chunk).await?;
        }
        io::Result::Ok(())
    });
    wrote.await.unwrap();
    assert!(reading.join().unwrap().unwrap() == data);
}

#[track_caller]
fn assert_full(error: &io::Error) {
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert!(
        error.to_string().starts_with("cannot write to /dev/full: "),
        "{error}"
    );
    let inner = PathError::of(error).unwrap();
    assert_eq!(inner.path(), Path::new("/dev/full"));
    assert!(inner.cause().raw_os_error().is_some());
}

async fn full_at_the_flush<R: Runtime>(rt: R) {
    let wrote = create(&rt, "/dev/full").with_report(async |file| {
        file.write_all(b"x").await?;
        // Again and again, until somebody makes room.
        assert_full(&file.flush().await.unwrap_err());
        assert_full(&file.flush().await.unwrap_err());
        assert_full(&file.sync_all().await.unwrap_err());
        assert_full(&file.metadata().await.unwrap_err());
        io::Result::Ok(())
    });
    let Err(ScopeError::Exit(error)) = wrote.await else {
        panic!("the exit has kept quiet")
    };
    assert_full(&error);
}

async fn full_at_the_exit<R: Runtime>(rt: R) {
    let wrote = create(&rt, "/dev/full").with(async |file| file.write_all(b"x").await);
    assert_full(&wrote.await.unwrap_err());
}

async fn write_until_it_fails<R: Runtime>(file: &mut File<R>) -> io::Error {
    let chunk = vec![0; 100_000];
    loop {
        let before = file.position();
        if let Err(error) = file.write_all(&chunk).await {
            assert_eq!(
                file.position(),
                before,
                "nothing of a refused chunk is accepted"
            );
            return error;
        }
        assert!(before < 1_000_000, "accepted more than there is room for");
    }
}

async fn full_at_a_later_write<R: Runtime>(rt: R) {
    let wrote = create(&rt, "/dev/full").with_report(async |file| {
        assert_full(&write_until_it_fails(file).await);
        assert_full(&write_until_it_fails(file).await);
        io::Result::Ok(())
    });
    let Err(ScopeError::Exit(error)) = wrote.await else {
        panic!("the exit has kept quiet")
    };
    assert_full(&error);
}

async fn full_after_a_cut<R: Runtime>(rt: R) {
    let wrote = create(&rt, "/dev/full").with_report(async |file| {
        file.write_all(b"x").await?;
        if let Some(flushed) = cut_after(1, file.flush()).await {
            assert_full(&flushed.unwrap_err());
        }
        assert_full(&file.flush().await.unwrap_err());
        io::Result::Ok(())
    });
    let Err(ScopeError::Exit(error)) = wrote.await else {
        panic!("the exit has kept quiet")
    };
    assert_full(&error);
}

async fn full_beside_the_error_of_the_body<R: Runtime>(rt: R) {
    let wrote = create(&rt, "/dev/full").with_report(async |file| {
        file.write_all(b"x").await?;
        Err::<(), _>(io::Error::other("the body's own"))
    });
    let Err(ScopeError::BodyAndExit { body, exit }) = wrote.await else {
        panic!("one of two errors is gone")
    };
    assert_eq!(body.to_string(), "the body's own");
    assert_full(&exit);
}

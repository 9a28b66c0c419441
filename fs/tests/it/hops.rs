//! Small reads and writes do not cost a hop each.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use withal_core::{Blocking, Runtime, ScopeExt, Signals, Spawn, Task, Timer};
use withal_fs::{create, open};
use withal_testing::{Manual, Sleep, run};

/// A runtime that counts its hops.
#[derive(Clone, Debug)]
struct Counting {
    inner: Manual,
    hops: Arc<AtomicUsize>,
}

impl Counting {
    fn new(inner: Manual) -> Self {
        Self {
            inner,
            hops: Arc::default(),
        }
    }

    fn take(&self) -> usize {
        self.hops.swap(0, Ordering::Relaxed)
    }
}

impl Blocking for Counting {
    fn unblock<T, F>(&self, work: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.hops.fetch_add(1, Ordering::Relaxed);
        self.inner.unblock(work)
    }
}

impl Timer for Counting {
    type Sleep = Sleep;

    fn now(&self) -> Duration {
        self.inner.now()
    }

    fn sleep_until(&self, at: Duration) -> Sleep {
        self.inner.sleep_until(at)
    }
}

impl Spawn for Counting {
    fn spawn(&self, task: Task) {
        self.inner.spawn(task);
    }
}

impl Signals for Counting {
    fn interrupted(&self) -> impl Future<Output = ()> + Send + 'static {
        self.inner.interrupted()
    }
}

impl Runtime for Counting {
    const NAME: &'static str = "counting";
}

#[test]
fn a_small_file_is_opened_and_written_in_two() {
    let file = tempfile::NamedTempFile::new().unwrap();
    run(|rt| async move {
        let rt = Counting::new(rt);
        let wrote = create(&rt, file.path()).with(async |file| {
            for _ in 0..1000 {
                file.write_all(b"a line of text\n").await?;
            }
            io::Result::Ok(())
        });
        wrote.await?;
        assert_eq!(rt.take(), 2);
        let read = open(&rt, file.path()).with(async |file| {
            let mut line = [0; 15];
            for _ in 0..1000 {
                file.read_exact(&mut line).await?;
                assert_eq!(&line, b"a line of text\n");
            }
            io::Result::Ok(())
        });
        read.await?;
        assert_eq!(rt.take(), 3);
        let read =
            open(&rt, file.path()).with(async |file| file.read_to_end(&mut Vec::new()).await);
        assert_eq!(read.await?, 15_000);
        assert_eq!(rt.take(), 3);
        io::Result::Ok(())
    })
    .unwrap();
}

#[test]
fn a_large_file_takes_one_for_each_buffer() {
    const MIB: usize = 1 << 20;
    let file = tempfile::NamedTempFile::new().unwrap();
    run(|rt| async move {
        let rt = Counting::new(rt);
        let wrote = create(&rt, file.path()).with(async |file| {
            for _ in 0..4 * MIB / 4096 {
                file.write_all(&[1; 4096]).await?;
            }
            io::Result::Ok(())
        });
        wrote.await?;
        // The last buffer goes along with the close.
        assert_eq!(rt.take(), 2 + 15);
        let read = open(&rt, file.path()).with(async |file| {
            let mut all = 0;
            loop {
                match file.read(&mut [0; 4096]).await? {
                    0 => break io::Result::Ok(all),
                    n => all += n,
                }
            }
        });
        assert_eq!(read.await?, 4 * MIB);
        // One more finds the end.
        assert_eq!(rt.take(), 2 + 16 + 1);
        io::Result::Ok(())
    })
    .unwrap();
}

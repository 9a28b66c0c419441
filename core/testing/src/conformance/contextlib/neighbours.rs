//! The ready-made scopes: `AclosingTestCase`, `ClosingTestCase`, `TestNullcontext`, `LockContextTestCase`, `TestRedirectStream`, `TestChdir`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::lock::Mutex as AsyncMutex;
use withal_core::{
    Bracket, Close, Never, Propagate, Runtime, ScopeExt, acquire, closing, null, sync, with,
};

use crate::conformance::entries::error;
use crate::cut::{poll_once, yield_now};
use crate::ledger::{Injected, Ledger, ok};

/// Something with an async close that says so.
struct C(Ledger);

impl Close for C {
    type Error = Injected;

    async fn close(&mut self) -> Result<(), Injected> {
        yield_now().await;
        self.0.say("closed");
        Ok(())
    }
}

/// Closed once, at the end, and not before.
pub async fn aclosing<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = closing(C(ledger.clone())).using(async |c| c.0.say("body"));
    assert_eq!(ended.await, Ok(()));
    assert_eq!(ledger.trace(), "body closed");
}

/// The body fails: closed once, and the error is passed on.
pub async fn aclosing_error<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let ended = closing(C(ledger.clone())).with(async |_| Err::<(), _>(error("1/0")));
    assert_eq!(ended.await, Err(error("1/0")));
    assert_eq!(ledger.trace(), "closed");
}

/// A generator that holds a scope, is run for one item, and is closed: its scope has exited when the error is seen outside.
pub async fn aclosing_bpo41229<R: Runtime>(_: R) {
    let ledger = Ledger::new();
    let resource = ledger.scope("resource").yields(1);
    let generator = Box::pin(resource.using(async |_| {
        // Each suspension stands for an item.
        loop {
            yield_now().await;
        }
    }));
    let body = sync(generator).with(async |items: &mut _| {
        while ledger.entered() == 0 {
            assert!(poll_once(items).await.is_pending());
        }
        Err::<(), _>(error("1/0"))
    });
    let ended: Result<(), Injected> = body.await.map(|_| ());
    assert_eq!(ended, Err(error("1/0")));
    assert_eq!(ledger.trace(), "+resource ~resource -resource");
}

/// The body has the very value, and nothing becomes of it.
pub async fn nullcontext<R: Runtime>(_: R) {
    let c = Arc::new(());
    let ended = null(c.clone()).using(async |c_in| Arc::ptr_eq(c_in, &c));
    assert_eq!(ended.await, Ok(true));
    let ended = null(()).with(async |()| Err::<(), _>(error("not suppressed")));
    assert_eq!(ended.await, Err(error("not suppressed")));
}

/// Held inside, released after a success and after an error.
async fn held<S>(scope: impl AsyncFn() -> S, locked: impl Fn() -> bool)
where
    S: Bracket<Held: 'static, Error = Never, Verdict = Propagate>,
{
    assert!(!locked());
    let inside = scope().await.using(async |_| locked());
    assert_eq!(inside.await, Ok(true));
    assert!(!locked());
    let failed = with(scope().await, async |_| Err::<(), _>(error("1/0")));
    assert_eq!(failed.await, Err(error("1/0")));
    assert!(!locked());
}

/// An async lock.
pub async fn with_lock<R: Runtime>(_: R) {
    let lock = Arc::new(AsyncMutex::new(1));
    let locked = || lock.try_lock().is_none();
    held(async || sync(lock.clone().lock_owned().await), locked).await;
}

/// A permit that goes back in its drop.
struct Permit(Arc<AtomicUsize>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A permit of a semaphore.
pub async fn with_semaphore<R: Runtime>(_: R) {
    let free = Arc::new(AtomicUsize::new(1));
    let permit = async || {
        free.fetch_sub(1, Ordering::SeqCst);
        sync(Permit(free.clone()))
    };
    held(permit, || free.load(Ordering::SeqCst) == 0).await;
}

/// A process-wide setting, as the standard streams and the working directory of Python's tests.
type Setting = Arc<Mutex<&'static str>>;

/// Sets it to `target` and afterwards back.
fn redirect(
    setting: &Setting,
    target: &'static str,
) -> impl Bracket<
    Held: 'static,
    View = (&'static str, &'static str),
    Error = Injected,
    Verdict = Propagate,
> + use<> {
    let (setup, restore) = (setting.clone(), setting.clone());
    let swap = |setting: &Setting, to| std::mem::replace(&mut *setting.lock().unwrap(), to);
    acquire(async move || ok((target, swap(&setup, target)))).release(async move |(_, old), _| {
        yield_now().await;
        swap(&restore, old);
        ok(())
    })
}

fn now(setting: &Setting) -> &'static str {
    *setting.lock().unwrap()
}

/// Making a scope has no effect; running it has.
pub async fn no_redirect_in_init<R: Runtime>(_: R) {
    let setting = Setting::new(Mutex::new("original"));
    let scope = redirect(&setting, "target");
    assert_eq!(now(&setting), "original");
    let run = scope.using(async |(target, _)| *target);
    assert_eq!(now(&setting), "original");
    assert_eq!(run.await, Ok("target"));
}

/// In force inside, restored afterwards.
pub async fn redirect_to_string_io<R: Runtime>(_: R) {
    let setting = Setting::new(Mutex::new("original"));
    let inside = redirect(&setting, "target").using(async |_| now(&setting));
    assert_eq!(inside.await, Ok("target"));
    assert_eq!(now(&setting), "original");
}

/// Restored after an error.
pub async fn restored_after_error<R: Runtime>(_: R) {
    let setting = Setting::new(Mutex::new("original"));
    let failed = redirect(&setting, "target").with(async |_| Err::<(), _>(error("1/0")));
    assert_eq!(failed.await, Err(error("1/0")));
    assert_eq!(now(&setting), "original");
}

/// Used again, and inside of itself: each use has a scope of its own, and restores what it has found.
pub async fn cm_is_reentrant<R: Runtime>(_: R) {
    let setting = Setting::new(Mutex::new("original"));
    let (one, two) = (|| redirect(&setting, "1"), || redirect(&setting, "2"));
    let ended = one().with(async |_| {
        let seen = two().with(async |_| {
            let seen = one().using(async |_| now(&setting)).await?;
            ok((seen, now(&setting)))
        });
        ok((seen.await?, now(&setting)))
    });
    assert_eq!(ended.await, Ok((("1", "2"), "1")));
    assert_eq!(now(&setting), "original");
}

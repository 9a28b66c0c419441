//! The futures of every way to run a scope are `Send` when their parts are, and only then.

use std::future::{Future, pending, ready};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use withal_core::{
    Bracket, ExitStack, LazyGuard, Outcome, Propagate, Reason, Scope, ScopeExt, acquire, drain,
    drained, join, join_all, lazy, move_on_after, race, sync, timeout, timeout_at, until, using,
    with, with_local, with_report,
};
use withal_testing::{Manual, block_on};

use crate::sample::Sample;

fn send<F: Future + Send>(future: F) -> F {
    future
}

fn file() -> Sample<io::Error> {
    Sample::new(1)
}

const LIMIT: Duration = Duration::from_secs(1);

#[test]
fn of_running_a_scope() {
    let text = String::from("borrowed");
    let len = async |_: &mut _| io::Result::Ok(text.len());
    assert_eq!(block_on(send(with(file(), len))).unwrap(), 8);
    assert_eq!(block_on(send(file().with(len))).unwrap(), 8);
    assert_eq!(block_on(send(with_report(file(), len))).unwrap(), 8);
    assert_eq!(block_on(send(file().with_report(len))).unwrap(), 8);
    assert_eq!(block_on(send(with_local(file(), len))).unwrap(), 8);
    let len = async |_: &mut _| text.len();
    assert_eq!(block_on(send(using(file(), len))).unwrap(), 8);
    assert_eq!(block_on(send(file().using(len))).unwrap(), 8);
}

#[test]
fn of_every_combinator() {
    let rt = Manual::new();
    block_on(send(file().named("a").using(async |_| ()))).unwrap();
    block_on(send(file().protected().using(async |_| ()))).unwrap();
    block_on(send(file().boxed().using(async |_| ()))).unwrap();
    block_on(send(
        file().view_as(|guard| &mut guard.value).using(async |_| ()),
    ))
    .unwrap();
    assert!(block_on(send(file().exit_within(&rt, LIMIT).using(async |_| ()))).is_ok());
    let two = acquire(async || io::Result::Ok(())).release(async |(), _| Ok(()));
    block_on(send(two.using(async |()| ()))).unwrap();
}

#[test]
fn of_every_composition() {
    let text = String::from("borrowed");
    assert!(block_on(send((file(), sync(1)).using(async |_| text.len()))).is_ok());
    assert!(block_on(send([file(), file()].using(async |_| text.len()))).is_ok());
    assert!(block_on(send(vec![file()].using(async |_| text.len()))).is_ok());
    assert!(block_on(send(Some(file()).using(async |_| text.len()))).is_ok());
    assert!(block_on(send(join(file(), sync(1)).using(async |_| text.len()))).is_ok());
    assert!(block_on(send(join_all([file()]).using(async |_| text.len()))).is_ok());
    let then = file().then_enter(|guard| sync(guard.value));
    assert!(block_on(send(then.using(async |_| text.len()))).is_ok());
    assert!(block_on(send(file().or_enter(file()).using(async |_| text.len()))).is_ok());
    assert!(block_on(send(race(file(), file()).using(async |_| text.len()))).is_ok());
    let get = async |lazy: &mut LazyGuard<_>| send(lazy.get()).await.map(|_| text.len());
    assert!(block_on(send(lazy(file).with(get))).is_ok());
}

#[test]
fn of_an_exit_stack() {
    let text = String::from("borrowed");
    let body = async |stack: &mut ExitStack| {
        let entered = send(stack.enter(file())).await?;
        send(entered.close()).await?;
        let mut pushed = stack.push(text.len(), async |_, _| ());
        let Ok(swapped) = send(pushed.swap(sync(1))).await;
        swapped?;
        drop(pushed);
        let taken = stack.take();
        send(taken.close(Outcome::Success)).await.map(drop)
    };
    block_on(send(ExitStack::with(body))).unwrap();
    block_on(send(ExitStack::new().using(async |_| text.len()))).unwrap();
}

#[test]
fn of_an_open_scope() {
    let open = block_on(send(file().open())).unwrap();
    block_on(send(open.close(Outcome::Success))).unwrap();
}

#[test]
fn of_cancelling() {
    let rt = Manual::new();
    let body = || file().using(async |guard| guard.value);
    let stop = || pending::<Reason>();
    assert_eq!(block_on(send(until(stop(), body()))).unwrap().unwrap(), 1);
    let graceful = until(stop(), body()).grace(ready(()));
    assert_eq!(block_on(send(graceful)).unwrap().unwrap(), 1);
    let limited = send(timeout(&rt, LIMIT, body()));
    assert_eq!(block_on(limited).unwrap().unwrap(), 1);
    let limited = send(timeout(&rt, LIMIT, body()).grace(LIMIT));
    assert_eq!(block_on(limited).unwrap().unwrap(), 1);
    let limited = send(timeout_at(&rt, LIMIT, body()));
    assert_eq!(block_on(limited).unwrap().unwrap(), 1);
    let limited = send(move_on_after(&rt, LIMIT, body()));
    assert_eq!(block_on(limited).unwrap().unwrap(), 1);
}

#[test]
fn of_draining() {
    // Only that they are `Send`: other tests of this process have scopes of their own alive.
    drop(send(drain(&Manual::new(), LIMIT)));
    drop(send(drained()));
}

#[test]
fn of_helpers_that_know_nothing_of_their_scope() {
    fn over_scopes<S>(scope: S) -> impl Future<Output = Result<u8, io::Error>> + Send
    where
        S: Scope<Guard: 'static, Verdict = Propagate> + Send,
        S::Error: Into<io::Error>,
    {
        send(async { using(scope, async |_| 1).await.map_err(Into::into) })
    }
    fn over_brackets<S>(scope: S) -> impl Future<Output = ()> + Send
    where
        S: Bracket<Held: 'static, View: Send, Verdict = Propagate> + Send,
    {
        send(async {
            let _ = scope.using(async |_| ()).await.is_ok();
        })
    }
    fn opened<S>(scope: S) -> impl Future<Output = ()> + Send
    where
        S: Bracket<Held: 'static> + Send,
    {
        send(async {
            if let Ok(open) = scope.open().await {
                let _ = open.close(Outcome::Success).await.is_ok();
            }
        })
    }
    assert_eq!(block_on(over_scopes(file())).unwrap(), 1);
    block_on(over_brackets(file().named("a")));
    block_on(opened(file().boxed()));
}

/// Answers by an inherent method where the value is `Send`, else by the trait's.
struct Probe<T>(T);

impl<T: Send> Probe<T> {
    fn is_send(&self) -> bool {
        true
    }
}

trait NotSend {
    fn is_send(&self) -> bool {
        false
    }
}
impl<T> NotSend for Probe<T> {}

#[test]
fn not_of_what_is_not_send_itself() {
    fn gives() -> impl Future {
        file().using(async |_| Rc::new(1))
    }
    fn borrows(shared: &Rc<u32>) -> impl Future {
        file().using(async |_| **shared)
    }
    fn holds() -> impl Future {
        file().using(async |_| {
            let local = Rc::new(1);
            ready(()).await;
            *local
        })
    }
    fn plain() -> impl Future<Output = io::Result<u32>> {
        file().using(async |_| ready(1).await)
    }
    assert!(!Probe(gives()).is_send());
    assert!(!Probe(borrows(&Rc::new(1))).is_send());
    assert!(!Probe(holds()).is_send());
    assert!(!Probe(timeout(&Manual::new(), LIMIT, holds())).is_send());
    assert!(Probe(timeout(&Manual::new(), LIMIT, plain())).is_send());
}

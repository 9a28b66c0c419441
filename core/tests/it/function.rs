//! Scopes that are one function: what they are to the compiler, to tasks, and to those who borrow.

use std::cell::RefCell;
use std::error::Error;
use std::future::ready;
use std::io;
use std::rc::Rc;

use futures::executor::block_on as elsewhere;
use withal_core::{
    ErasedFn, Never, Open, Outcome, Provide, Report, ScopeExt, ScopeFn, scope_fn, sync, with_local,
};
use withal_testing::{block_on, yield_now};

type Boxed = Box<dyn Error + Send + Sync>;

fn needs_send<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    std::thread::spawn(move || elsewhere(future))
        .join()
        .unwrap()
}

/// A function over a borrowed and an owned argument, with an error that has a lifetime in it.
fn greeting(
    word: &'static str,
    name: String,
) -> ScopeFn<String, impl Future<Output = Result<(), Boxed>> + Send> {
    scope_fn(async move |p: Provide<String>| {
        yield_now().await;
        let text = format!("{word} {name}");
        let (text, outcome) = p.provide(text).await;
        yield_now().await;
        match outcome.is_success() && text.len() > 3 {
            true => Ok(()),
            false => Err("too short".into()),
        }
    })
}

#[test]
fn its_future_can_be_spawned() {
    let name = String::from("world");
    let length = needs_send(async move {
        let own = String::from("!");
        let greeting = greeting("hello", name);
        greeting
            .with(async |text| {
                yield_now().await;
                text.push_str(&own);
                Ok::<_, Boxed>(text.len())
            })
            .await
            .map_err(|error| error.to_string())
    });
    assert_eq!(length, Ok(12));
}

/// The same with an error that a type can be hidden over.
fn numbered(name: String) -> ScopeFn<String, impl Future<Output = Result<(), io::Error>> + Send> {
    scope_fn(async move |p: Provide<String>| {
        yield_now().await;
        let (text, _) = p.provide(name).await;
        match text.is_empty() {
            true => Err(io::Error::other("too short")),
            false => Ok(()),
        }
    })
}

#[test]
fn it_can_be_spawned_with_all_that_combinators_make_of_it() {
    let ended = needs_send(async {
        let one = greeting("one", String::from("1")).protected().named("one");
        let two = greeting("two", String::from("2"));
        let all = (one, two, sync(4)).with(async |(one, two, four)| {
            yield_now().await;
            Ok::<_, Boxed>(one.len() + two.len() + *four)
        });
        all.await.map_err(|error| error.to_string())
    });
    assert_eq!(ended, Ok(5 + 5 + 4));
    let ended = needs_send(async {
        let hidden = (
            numbered("one".into()).erased(),
            Some(numbered("two".into()).boxed()),
        );
        let both = hidden.with(async |(one, two)| {
            yield_now().await;
            let two = two.as_mut().map_or(0, |two| two.view().len());
            Ok::<_, io::Error>(one.len() + two)
        });
        both.await.map_err(|error| error.to_string())
    });
    assert_eq!(ended, Ok(6));
}

/// A struct with an open scope in it, whose type can be written down.
struct Service {
    name: Open<ErasedFn<String, io::Result<()>>>,
}

#[test]
fn it_can_be_named_and_kept_open() {
    block_on(async {
        let name = numbered(String::from("one")).erased();
        let name = name.open().await.unwrap();
        let mut service = Service { name };
        service.name.push('!');
        assert_eq!(*service.name, "one!");
        service.name.clear();
        let closed = service.name.close(Outcome::Success).await;
        assert_eq!(closed.unwrap_err().to_string(), "too short");
    });
}

#[test]
fn one_that_borrows_or_is_not_send_runs_locally() {
    let log = RefCell::new(Vec::new());
    let shared = Rc::new(());
    let borrowing = |name: &'static str| {
        let (log, shared) = (&log, shared.clone());
        scope_fn(async move |p: Provide<Rc<()>>| {
            log.borrow_mut().push(format!("enter {name}"));
            let (_, outcome) = p.provide(shared).await;
            yield_now().await;
            log.borrow_mut()
                .push(format!("exit {name} after {outcome}"));
            Ok::<_, Never>(())
        })
    };
    let count = block_on(with_local(borrowing("a"), async |guard| {
        with_local(borrowing("b"), async |_| {
            Ok::<_, io::Error>(Rc::strong_count(guard))
        })
        .await
    }));
    assert_eq!(count.unwrap(), 3);
    let log = log.into_inner();
    let expected = [
        "enter a",
        "enter b",
        "exit b after success",
        "exit a after success",
    ];
    assert_eq!(log, expected);
    assert_eq!(Rc::strong_count(&shared), 1);
}

#[test]
fn its_name_is_in_reports() {
    let fails = || scope_fn(async |_: Provide<()>| Err::<(), _>(io::Error::other("full")));
    let report = |scope: ErasedFn<(), _>| {
        let ended = block_on(scope.with(async |()| Ok::<_, Report>(())));
        format!("{:?}", ended.unwrap_err())
    };
    let plain = report(fails().erased());
    assert!(plain.contains("enter of `scope_fn`"), "{plain}");
    let called = report(fails().called("connect").erased());
    assert!(called.contains("enter of `connect`"), "{called}");
}

#[test]
fn what_it_is_told_can_be_kept_and_shown() {
    let told = |body: Result<(), io::Error>| {
        let mut said = Vec::new();
        let scope = scope_fn(async |p: Provide<()>| {
            let ((), outcome) = p.provide(()).await;
            said.push(outcome.to_string());
            said.push(outcome.as_outcome().to_string());
            said.push(outcome.is::<io::Error>().to_string());
            Ok::<_, Never>(())
        });
        // It borrows, and so it is run where it is.
        let _ = block_on(with_local(scope, async move |_| ready(body).await));
        said
    };
    assert_eq!(told(Ok(())), ["success", "success", "false"]);
    let failed = told(Err(io::Error::other("no luck")));
    assert_eq!(failed, ["failure: no luck", "failure: no luck", "true"]);
}

#[test]
fn the_future_of_a_function_is_stored_once_in_a_box() {
    let small = scope_fn(async |p: Provide<()>| Ok::<_, Never>(drop(p.provide(()).await)));
    let large = scope_fn(async |p: Provide<()>| {
        let kept = [1_u64; 1000];
        p.provide(()).await;
        Ok::<_, Never>(assert_eq!(kept.len(), 1000))
    });
    assert_eq!(size_of_val(&small), size_of_val(&large));
    let run = size_of_val(&large.using(async |()| ()));
    assert!(run < 600, "{run} bytes");
    drop(small);
}

#[test]
fn what_it_closes_elsewhere_is_told_the_text_only() {
    let inner = || {
        scope_fn(async |p: Provide<()>| {
            let ((), outcome) = p.provide(()).await;
            Err::<(), _>(io::Error::other(format!(
                "{outcome}, {}",
                outcome.is::<io::Error>()
            )))
        })
        .erased()
    };
    let around = scope_fn(async move |p: Provide<()>| {
        let (here, there) = (inner().open().await?, inner().open().await?);
        let ((), outcome) = p.provide(()).await;
        let said = here.close(&outcome).await.unwrap_err();
        // Another thread may still have it when the error goes back to its owner.
        let task = async move { there.close(&outcome).await };
        let there = needs_send(task).unwrap_err();
        Err::<(), _>(io::Error::other(format!("{said}; {there}")))
    });
    let ended =
        block_on(around.with(async |()| Err::<(), _>(Report::from(io::Error::other("no luck")))));
    let report = format!("{:?}", ended.unwrap_err());
    assert!(
        report.contains("failure: no luck, true; failure: no luck, false"),
        "{report}"
    );
}

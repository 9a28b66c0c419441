//! Combinators are invisible to the body: it sees the guard, or the part that `view_as` shows.

use std::io;
use std::time::Duration;

use withal_core::{Never, Or, Outcome, Overdue, Propagate, Scope, ScopeExt, acquire, sync};
use withal_testing::{Manual, block_on, yield_now};

/// A file whose guard has fields and methods with common names.
struct File;

#[derive(Debug, Default, PartialEq)]
struct Written(Vec<u8>, usize);

impl Scope for File {
    type Guard = Written;
    type Error = io::Error;
    type Verdict = Propagate;

    async fn enter(self) -> io::Result<Written> {
        Ok(Written::default())
    }

    async fn exit(written: Written, _: Outcome<'_>) -> io::Result<Propagate> {
        // What the body did through the view is in the guard.
        assert_eq!(written.0.len(), written.1);
        Ok(Propagate)
    }
}

#[test]
fn names_do_not_come_between() {
    let written = File.named("a").named("b").with(async |file| {
        // With a wrapper around the guard these would be its own fields.
        file.0.push(1);
        file.1 += 1;
        yield_now().await;
        io::Result::Ok(file.0.len())
    });
    assert_eq!(block_on(written).unwrap(), 1);
}

#[test]
fn nor_do_all_combinators_together() {
    let rt = Manual::new();
    let scope = File
        .named("file")
        .protected()
        .exit_within(&rt, Duration::from_secs(1))
        .boxed()
        .named("outer");
    let written = scope.with(async |file| {
        file.0.extend([1, 2]);
        file.1 += 2;
        Ok::<_, io::Error>(file.0.clone())
    });
    assert_eq!(rt_block_on(&rt, written).unwrap(), [1, 2]);
}

fn rt_block_on<F: Future>(rt: &Manual, future: F) -> F::Output {
    withal_core::Launch::block_on(rt, future)
}

#[test]
fn a_part_of_the_guard() {
    let length = File
        .view_as(|file| &mut file.0)
        .using(async |bytes| bytes.len());
    assert_eq!(block_on(length).unwrap(), 0);

    let pair = sync((1, String::from("one")))
        .view_as(|(_, name)| name)
        .named("name");
    let Ok(name) = block_on(pair.using(async |name| {
        name.push('!');
        name.clone()
    }));
    assert_eq!(name, "one!");
}

#[test]
fn a_part_of_a_part() {
    let bytes = File
        .view_as(|file| &mut file.0)
        .named("bytes")
        .view_as(|bytes| bytes.as_mut_slice());
    // The view has no size.
    let first = bytes.using(async |bytes: &mut [u8]| bytes.first().copied());
    assert_eq!(block_on(first).unwrap(), None);
}

#[test]
fn a_trait_object_as_the_view() {
    trait Cache {
        fn get(&mut self) -> u32;
    }
    impl Cache for u32 {
        fn get(&mut self) -> u32 {
            *self += 1;
            *self
        }
    }
    let cache = sync(1_u32).view_as(|n| n as &mut dyn Cache);
    let Ok(got) = block_on(cache.using(async |cache| cache.get() + cache.get()));
    assert_eq!(got, 5);
}

#[test]
fn the_error_of_a_combinator_is_that_of_its_scope() {
    async fn plain() -> Result<u32, Never> {
        sync(1).named("a").protected().using(async |n| *n).await
    }
    assert_eq!(block_on(plain()), Ok(1));

    // But for the one that can fail by itself.
    async fn bounded(rt: &Manual) -> Result<(), Or<String, Overdue>> {
        let stuck = acquire(async || Ok(())).release(async |(), _| {
            std::future::pending::<()>().await;
            Ok::<_, String>(())
        });
        stuck
            .exit_within(rt, Duration::from_secs(3))
            .using(async |()| ())
            .await
    }
    let rt = Manual::new();
    let overdue = rt_block_on(&rt, bounded(&rt)).unwrap_err();
    assert!(matches!(overdue, Or::B(overdue) if overdue.limit == Duration::from_secs(3)));
}

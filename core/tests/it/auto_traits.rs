//! Which public types are `Send`, `Sync` and `Unpin`: a change here is a change of the contract.

use std::cell::Cell;
use std::fmt::Display;
use std::future::{Pending, Ready};
use std::io;
use std::marker::{PhantomData, PhantomPinned};
use std::rc::Rc;

use withal_core as withal;
use withal_testing::Manual;

/// Answers by an inherent constant where the bound holds, else by the trait's.
struct Is<T: ?Sized>(PhantomData<T>);

trait IsNot {
    const SEND: bool = false;
    const SYNC: bool = false;
    const UNPIN: bool = false;
}
impl<T: ?Sized> IsNot for Is<T> {}

impl<T: ?Sized + Send> Is<T> {
    const SEND: bool = true;
}
impl<T: ?Sized + Sync> Is<T> {
    const SYNC: bool = true;
}
impl<T: ?Sized + Unpin> Is<T> {
    const UNPIN: bool = true;
}

macro_rules! assert_traits {
    ($($type:ty: $($name:ident)*;)*) => {$(
        let mut found = Vec::new();
        if Is::<$type>::SEND { found.push("Send"); }
        if Is::<$type>::SYNC { found.push("Sync"); }
        if Is::<$type>::UNPIN { found.push("Unpin"); }
        let expected: &[&str] = &[$(stringify!($name)),*];
        assert_eq!(found, expected, "{}", stringify!($type));
    )*};
}

/// `Send`, but not `Sync`.
type NotSync = Cell<u8>;
/// Neither.
type Neither = Rc<u8>;
/// None of the three.
type Nothing = (Rc<u8>, PhantomPinned);
/// A scope that is `Send` and nothing else.
type OnlySend = withal::Plain<(NotSync, PhantomPinned)>;

#[test]
fn what_exits_are_told() {
    assert_traits! {
        withal::Outcome<'static>: Send Sync Unpin;
        withal::FailureRef<'static>: Send Sync Unpin;
        withal::PanicRef<'static>: Send Sync Unpin;
        withal::Cancelled: Send Sync Unpin;
        withal::Reason: Send Sync Unpin;
        withal::Kept: Send Sync Unpin;
        withal::KeptFailure: Send Sync Unpin;
        withal::Propagate: Send Sync Unpin;
        withal::Recover: Send Sync Unpin;
    }
}

#[test]
fn errors() {
    assert_traits! {
        withal::Report: Send Sync Unpin;
        withal::Entry: Send Sync Unpin;
        withal::Kind: Send Sync Unpin;
        withal::Phase: Send Sync Unpin;
        withal::Never: Send Sync Unpin;
        withal::Overdue: Send Sync Unpin;
        withal::Elapsed: Send Sync Unpin;
        withal::TooLate: Send Sync Unpin;
        withal::Interrupted: Send Sync Unpin;
        withal::Shutdown: Send Sync Unpin;
        withal::Or<io::Error, io::Error>: Send Sync Unpin;
        withal::Or<io::Error, Neither>: Unpin;
        withal::OneOf<io::Error, io::Error>: Send Sync Unpin;
        withal::OneOf<io::Error, Neither>: Unpin;
        withal::ScopeError<io::Error, io::Error>: Send Sync Unpin;
        withal::ScopeError<NotSync, io::Error>: Send Unpin;
        dyn withal::Fault: Send Sync;
    }
}

#[test]
fn scopes_are_what_their_values_are() {
    assert_traits! {
        withal::Plain<u8>: Send Sync Unpin;
        withal::Plain<NotSync>: Send Unpin;
        withal::Plain<Nothing>: ;
        withal::Closing<u8>: Send Sync Unpin;
        withal::Closing<NotSync>: Send Unpin;
        withal::Closing<Nothing>: ;
        withal::Named<OnlySend>: Send;
        withal::Protected<OnlySend>: Send Unpin;
        withal::ExitWithin<OnlySend, Manual>: Send;
        withal::ViewAs<OnlySend, u8, str>: Send;
        withal::ViewAs<withal::Plain<u8>, u8, Nothing>: Send Sync Unpin;
        withal::ViewAs<withal::Plain<u8>, Neither, u8>: Unpin;
        withal::Viewed<u8, u8, Nothing>: Send Sync Unpin;
        withal::Viewed<NotSync, u8, u8>: Send Unpin;
        withal::Releasing<u8, u8, io::Error, u8>: Send Sync Unpin;
        withal::Releasing<NotSync, u8, io::Error, u8>: Send Unpin;
        withal::Backoff: Send Sync Unpin;
    }
}

#[test]
fn functions_are_what_their_futures_are() {
    type Returned = Ready<Result<(), io::Error>>;
    assert_traits! {
        withal::ScopeFn<NotSync, Returned>: Send Sync Unpin;
        withal::ScopeFn<Neither, Returned>: Unpin;
        withal::ScopeFn<u8, Neither>: Unpin;
        withal::ErasedFn<NotSync, Result<(), io::Error>>: Send Unpin;
        withal::Provide<NotSync>: Send Sync Unpin;
        withal::Provide<Neither>: Unpin;
        withal::Providing<NotSync>: Send Unpin;
        withal::Providing<Nothing>: Unpin;
        withal::Provided<NotSync, Returned>: Send Unpin;
        withal::Kept: Send Sync Unpin;
    }
}

#[test]
fn compositions_are_what_their_members_are() {
    assert_traits! {
        withal::Join<(OnlySend, OnlySend)>: Send;
        withal::Join<Vec<withal::Plain<u8>>>: Send Sync Unpin;
        withal::Join<[withal::Plain<Nothing>; 2]>: ;
        withal::Race<OnlySend, withal::Plain<u8>>: Send;
        withal::Race<withal::Plain<u8>, withal::Plain<u8>>: Send Sync Unpin;
        withal::OrEnter<OnlySend, withal::Plain<u8>>: Send;
        withal::OrEnter<withal::Plain<u8>, withal::Plain<u8>>: Send Sync Unpin;
        withal::ThenEnter<OnlySend, u8, Nothing>: Send;
        withal::ThenEnter<withal::Plain<u8>, Neither, Nothing>: Unpin;
        withal::Lazy<withal::Plain<u8>>: Send Unpin;
        withal::LazyGuard<withal::Plain<NotSync>>: Send Unpin;
    }
}

#[test]
fn exit_stacks_are_everything_and_leases_are_what_their_guards_are() {
    assert_traits! {
        withal::ExitStack: Send Sync Unpin;
        withal::ExitStack<withal::Recover>: Send Sync Unpin;
        withal::StackHandle: Send Sync Unpin;
        withal::Entered<'static, u8>: Send Sync Unpin;
        withal::Entered<'static, NotSync>: Send Unpin;
        withal::Entered<'static, Nothing>: ;
        withal::Key<u8>: Send Sync Unpin;
        withal::Key<Nothing>: Send Sync Unpin;
    }
}

#[test]
fn types_that_only_name_something_are_everything() {
    // The guard, the error and the verdict of a closure scope are not in it yet.
    assert_traits! {
        withal::Acquire<u8, Nothing, Nothing>: Send Sync Unpin;
        withal::Acquire<NotSync, u8, u8>: Send Unpin;
        withal::Released<u8, u8, Nothing, Nothing, Nothing>: Send Sync Unpin;
        withal::Released<u8, Neither, u8, u8, u8>: Unpin;
        withal::Suppress<withal::Type<io::Error>>: Send Sync Unpin;
        withal::Suppress<()>: Send Sync Unpin;
        withal::Armed<Nothing>: Send Sync Unpin;
    }
}

#[test]
fn boxed_scopes_are_send_whatever_they_hide() {
    assert_traits! {
        withal::BoxScope<u8, io::Error>: Send Unpin;
        withal::BoxScope<Nothing, io::Error>: Send Unpin;
        withal::BoxScope<dyn Display, io::Error, withal::Recover>: Send Unpin;
        withal::BoxGuard<Nothing, io::Error>: Send Unpin;
    }
}

#[test]
fn open_scopes_are_what_their_guards_are() {
    assert_traits! {
        withal::Open<withal::Plain<u8>>: Send Sync Unpin;
        withal::Open<withal::Plain<NotSync>>: Send Unpin;
        withal::Open<withal::Suppress<()>>: Send Sync Unpin;
    }
}

#[test]
fn shared_scopes_go_everywhere() {
    assert_traits! {
        withal::Shared<withal::Plain<u8>>: Send Sync Unpin;
        withal::Shared<withal::Suppress<()>>: Send Sync Unpin;
        withal::SharedGuard<u8>: Send Sync Unpin;
        withal::SharedGuard<NotSync>: Unpin;
    }
}

#[test]
fn futures_are_what_their_bodies_are() {
    assert_traits! {
        withal::Timeout<Manual, Ready<u8>>: Send Unpin;
        withal::Timeout<Manual, Pending<Neither>>: Unpin;
        withal::Timeout<Manual, Ready<Neither>>: Unpin;
        withal::TimeoutWith<Manual, Ready<u8>>: Send Unpin;
        withal::TimeoutWith<Manual, Ready<Neither>>: Unpin;
        withal::Deadline<Manual>: Send Sync Unpin;
        withal::Deadline<Neither>: Unpin;
        withal::Forced: Send Sync Unpin;
        withal::Forcefully<Ready<u8>>: Send Sync Unpin;
        withal::Forcefully<Nothing>: ;
        withal::Until<Ready<withal::Reason>, Ready<u8>>: Send Unpin;
        withal::Until<Ready<withal::Reason>, Ready<Neither>>: Unpin;
        withal::CancelHandle: Send Sync Unpin;
        withal::CancelSignal: Send Sync Unpin;
        withal::CancelOnDrop: Send Sync Unpin;
        withal::Until<withal::CancelSignal, Ready<u8>>: Send Unpin;
        // Its value comes from a future that is `Send`.
        withal::Shield<u8>: Send Unpin;
        withal::Shield<Nothing>: Send Unpin;
        withal::Task: Send Unpin;
        withal::Orphan: Send Unpin;
        dyn withal::Shelter: Send Sync;
        dyn withal::Carrier: Send Sync;
        dyn withal::Carried: Send Sync;
    }
}

#[test]
fn groups_and_their_handles_go_everywhere() {
    assert_traits! {
        withal::TaskGroup<String>: Send Sync Unpin;
        withal::GroupHandle<String>: Send Sync Unpin;
        withal::TaskHandle<u8>: Send Sync Unpin;
        withal::TaskCanceller: Send Sync Unpin;
        withal::TaskResults<'static, u8, String>: Send Sync Unpin;
        withal::TaskReady<u8>: Send Sync Unpin;
        withal::GroupError<String>: Send Sync Unpin;
        withal::TaskFailure<String>: Send Sync Unpin;
        withal::TaskPanic: Send Sync Unpin;
        withal::StartError<String>: Send Sync Unpin;
    }
}

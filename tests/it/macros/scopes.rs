//! What `#[scope]` keeps of the function that it stands on.

use std::cell::RefCell;
use std::fmt::{Debug, Display};
use std::io;
use std::rc::Rc;

use withal::{Never, Open, Outcome, Report, ScopeExt, scope, sync, with_local};
use withal_testing::{block_on, caught, yield_now};

/// A connection.
#[derive(Debug, PartialEq)]
pub(super) struct Connection {
    host: String,
    sent: Vec<String>,
}

/// Connects, and says goodbye.
#[scope(yields = Connection)]
pub(super) async fn connect(host: String) -> io::Result<()> {
    yield_now().await;
    if host.is_empty() {
        return Err(io::Error::other("no host"));
    }
    let connection = Connection {
        host,
        sent: Vec::new(),
    };
    let outcome = yield_!(connection);
    yield_now().await;
    connection.sent.push(format!("goodbye after {outcome}"));
    match connection.sent.first() {
        Some(word) if word == "fail" => Err(io::Error::other(format!("{connection:?}"))),
        _ => Ok(()),
    }
}

#[test]
fn the_guard_goes_to_the_body_and_comes_back() {
    let host = connect("a".to_owned()).with(async |c| io::Result::Ok(c.host.clone()));
    assert_eq!(block_on(host).unwrap(), "a");
    let fails = connect("a".to_owned()).with(async |c| io::Result::Ok(c.sent.push("fail".into())));
    let error = block_on(fails).unwrap_err().to_string();
    assert!(error.contains("goodbye after success"), "{error}");
    let refused = connect(String::new()).with(async |_| io::Result::Ok(()));
    assert_eq!(block_on(refused).unwrap_err().to_string(), "no host");
}

#[test]
fn its_future_can_be_spawned_and_its_scope_composed() {
    fn spawn<T>(future: impl Future<Output = T> + Send + 'static) -> T {
        block_on(future)
    }
    let hosts = spawn(async {
        let (a, b) = (connect("a".to_owned()), connect("b".to_owned()).protected());
        let both = (a, Some(b), sync(1)).with(async |(a, b, _)| {
            yield_now().await;
            let b = b.as_ref().map_or("", |b| &b.host);
            io::Result::Ok(format!("{}{b}", a.host))
        });
        both.await.unwrap()
    });
    assert_eq!(hosts, "ab");
}

/// Generic, with a where clause, an `impl Trait`, and patterns for arguments.
#[scope(yields = (T, String))]
async fn generic<T, const N: usize>(
    value: T,
    label: impl Display + Send,
    (left, mut right): (u8, u8),
    _: [u8; N],
) -> Result<(), Report>
where
    T: Debug + Send + 'static,
{
    right += left;
    let text = format!("{label} {right} {N}");
    yield_!((value, text));
    match text.is_empty() {
        true => Ok(()),
        false => Err(Report::msg(format!("{value:?} {text}"))),
    }
}

#[test]
fn generics_bounds_and_patterns_are_kept() {
    let run = generic(7_u64, 'x', (1, 2), [0; 3]).with(async |(value, text)| {
        *value += 1;
        text.push('!');
        Ok::<_, Report>(())
    });
    assert_eq!(block_on(run).unwrap_err().to_string(), "8 x 3 3!");
}

struct Pool(RefCell<Vec<u32>>);

impl Pool {
    /// A method that borrows from its receiver and from an argument.
    #[scope(local, yields = u32)]
    async fn checkout(&self, log: &mut Vec<&'static str>) -> Result<(), Report> {
        let number = self.0.borrow_mut().pop();
        let number = number.ok_or_else(|| Report::msg("empty"))?;
        log.push("out");
        yield_!(number);
        log.push("in");
        self.0.borrow_mut().push(number);
        Ok(())
    }

    /// By value, with `Self` in its types.
    #[scope(yields = Box<Self>)]
    async fn whole(self) -> Result<(), Never> {
        let me = Box::new(self);
        yield_!(me);
        Ok(assert_eq!(me.0.borrow().len(), 3))
    }
}

#[test]
fn methods_and_borrowed_arguments_are_kept() {
    let pool = Pool(RefCell::new(vec![1, 2]));
    let mut log = Vec::new();
    let number = with_local(pool.checkout(&mut log), async |number| {
        Ok::<_, Report>(**number)
    });
    assert_eq!(block_on(number).unwrap(), 2);
    assert_eq!(log, ["out", "in"]);
    assert_eq!(*pool.0.borrow(), [1, 2]);
    let run = pool.whole().using(async |pool| pool.0.borrow_mut().push(3));
    let Ok(()) = block_on(run);
}

/// A scope that is not `Send`.
#[scope(local, yields = Rc<str>)]
async fn shared(name: Rc<str>) -> Result<(), Never> {
    yield_!(name);
    Ok(drop(name))
}

#[test]
fn a_local_one_is_run_where_it_is() {
    let name: Rc<str> = "rc".into();
    let run = with_local(shared(name.clone()), async |name| {
        Ok::<_, Report>(name.len())
    });
    assert_eq!(block_on(run).unwrap(), 2);
    assert_eq!(Rc::strong_count(&name), 1);
}

/// What an argument holds is held as long as in any `async fn`: to the end.
#[scope(local)]
async fn holds(_permit: Rc<()>, _: Rc<()>) -> Result<(), Never> {
    yield_!();
    Ok(())
}

#[scope]
async fn holds_nothing() -> Result<(), Never> {
    yield_!(());
    Ok(())
}

#[test]
fn arguments_that_are_not_used_are_held() {
    let permit = Rc::new(());
    let scope = holds(permit.clone(), permit.clone());
    let run = with_local(scope, async |_| Ok::<_, Report>(Rc::strong_count(&permit)));
    assert_eq!(block_on(run).unwrap(), 3);
    assert_eq!(Rc::strong_count(&permit), 1);
    assert!(block_on(holds_nothing().using(async |()| ())).is_ok());
}

/// By value, of which nothing or a part is used.
struct Held {
    permit: Rc<()>,
    number: u32,
}

impl Held {
    #[scope(local)]
    async fn unused(self) -> Result<(), Never> {
        yield_!();
        Ok(())
    }

    #[scope(local, yields = u32)]
    async fn partly(self) -> Result<(), Never> {
        yield_!(self.number);
        Ok(())
    }

    #[scope(local, yields = u32)]
    async fn boxed(self: Box<Self>) -> Result<(), Never> {
        yield_!(self.number);
        Ok(())
    }

    /// One that is moved on has only its other parts left.
    #[scope(local, yields = Rc<()>)]
    async fn moved(mut self) -> Result<(), Never> {
        self.number += 1;
        let permit = self.permit;
        yield_!(permit);
        Ok(drop(permit))
    }
}

#[test]
fn a_receiver_is_held_as_a_whole() {
    let permit = Rc::new(());
    let held = || Held {
        permit: permit.clone(),
        number: 7,
    };
    let count = || Ok::<_, Report>(Rc::strong_count(&permit));
    let run = with_local(held().unused(), async |_| count());
    assert_eq!(block_on(run).unwrap(), 2);
    let run = with_local(held().partly(), async |n| Ok::<_, Report>((**n, count()?)));
    assert_eq!(block_on(run).unwrap(), (7, 2));
    let run = with_local(Box::new(held()).boxed(), async |_| count());
    assert_eq!(block_on(run).unwrap(), 2);
    let run = with_local(held().moved(), async |_| count());
    assert_eq!(block_on(run).unwrap(), 2);
    assert_eq!(Rc::strong_count(&permit), 1);
}

/// A yield is also the first thing that these do.
#[scope(yields = u32)]
async fn assigned() -> Result<(), Report> {
    let number = 1;
    let outcome;
    outcome = yield_!(number);
    match outcome.is_success() {
        true => Err(Report::msg(number.to_string())),
        false => Ok(()),
    }
}

#[scope]
async fn returned() -> Result<(), Report> {
    return match yield_!().is_success() {
        true => Ok(()),
        false => Err(Report::msg("failed")),
    };
}

#[scope]
async fn dropped() -> Result<(), Never> {
    drop(yield_!());
    Ok(())
}

#[test]
fn a_yield_may_be_assigned_returned_and_dropped() {
    let run = assigned().with(async |n| Ok::<_, Report>(*n += 1));
    assert_eq!(block_on(run).unwrap_err().to_string(), "2");
    assert!(block_on(returned().with(async |()| Ok::<_, Report>(()))).is_ok());
    assert!(block_on(dropped().using(async |()| ())).is_ok());
}

/// Attributes of arguments stand on them in the function, too; a raw name is no part of its name.
#[scope(yields = u8)]
async fn r#type(#[allow(unused_mut)] mut n: u8, #[cfg(any())] other: u8) -> Result<(), Report> {
    yield_!(n);
    Err(Report::msg("closed"))
}

#[test]
fn the_attributes_of_arguments_are_kept() {
    let run = r#type(1).with(async |_| Ok::<_, Report>(()));
    let report = format!("{:?}", block_on(run).unwrap_err());
    assert!(report.contains("exit of `type`"), "{report}");
}

/// Where it never yields, though it returns `Ok`.
#[scope]
async fn forgetful(yields: bool) -> Result<(), Never> {
    if yields {
        yield_!();
    }
    Ok(())
}

#[test]
fn one_that_does_not_yield_is_named_with_its_line() {
    let line = line!() - 10;
    let run = forgetful(false).using(async |()| ());
    let message = block_on(caught(run)).unwrap_err();
    let here = format!("`forgetful` ({}:{line}:", file!());
    assert!(message.starts_with(&here), "{message}");
    assert!(block_on(forgetful(true).using(async |()| ())).is_ok());
}

/// Two of them inside of a third: all that goes wrong in their exits is found again.
#[scope(yields = (Open<Numbered>, Open<Numbered>))]
async fn two(first: u32, second: u32) -> Result<(), Report> {
    let first = Numbered(first).open().await?;
    let second = Numbered(second).open().await?;
    let outcome = yield_!((first, second));
    Report::both(second.close(&outcome).await, first.close(&outcome).await).map(drop)
}

#[test]
fn no_error_of_two_closes_is_lost() {
    let run = |first, second| {
        let run = two(first, second).with(async |(_, second)| Ok::<_, Report>(**second));
        block_on(run).map_err(|report| report.len())
    };
    assert_eq!(run(1, 2), Ok(2));
    assert_eq!(run(0, 2), Err(1));
    assert_eq!(run(1, 0), Err(1));
    assert_eq!(run(0, 0), Err(2));
}

/// Which yields what another scope has opened.
#[scope(yields = (Open<Numbered>, u8))]
async fn around(number: u32) -> Result<(), Report> {
    let open = Numbered(number).open().await?;
    let spare = 1;
    let outcome = yield_!((open, spare));
    open.close(&outcome).await?;
    Ok(())
}

struct Numbered(u32);

impl withal::Scope for Numbered {
    type Guard = u32;
    type Error = Report;
    type Verdict = withal::Propagate;

    async fn enter(self) -> Result<u32, Report> {
        Ok(self.0)
    }

    async fn exit(guard: u32, outcome: Outcome<'_>) -> Result<withal::Propagate, Report> {
        match guard {
            0 => Err(Report::msg(format!("zero after {outcome}"))),
            _ => Ok(withal::Propagate),
        }
    }
}

#[test]
fn other_scopes_are_opened_and_closed_by_hand() {
    let run = |number| {
        block_on(around(number).with(async |(open, one)| Ok::<_, Report>(**open + u32::from(*one))))
    };
    assert_eq!(run(1).unwrap(), 2);
    assert_eq!(run(0).unwrap_err().to_string(), "zero after success");
}

#[test]
fn its_name_is_that_of_the_function() {
    let run = connect(String::new()).with(async |_| Ok::<_, Report>(()));
    let report = format!("{:?}", block_on(run).unwrap_err());
    assert!(report.contains("enter of `connect`"), "{report}");
}

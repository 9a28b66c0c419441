//! What `#[scope]` keeps of the function that it stands on.

use std::cell::RefCell;
use std::fmt::{Debug, Display};
use std::io;
use std::rc::Rc;

use withal::{Never, Open, Outcome, Report, ScopeExt, scope, sync, with_local};
use withal_testing::{block_on, yield_now};

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

/// Which yields what another scope has opened.
#[scope(yields = (Open<Numbered>, u8))]
async fn around(number: u32) -> Result<(), Report> {
    let open = Numbered(number).open().await?;
    let spare = 1;
    let outcome = yield_!((open, spare));
    open.close(outcome.as_outcome()).await?;
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

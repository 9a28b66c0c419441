//! Programs over each kind of composition, for the sweeps.

use std::pin::Pin;

use withal_core::{
    Bracket, ExitStack, Propagate, Raise, Report, ScopeExt, acquire, join, join_all, lazy, race,
    shared,
};

use crate::conformance::functions::function;
use crate::cut::yield_times;
use crate::ledger::{Injected, Ledger};

pub(super) type Program = Pin<Box<dyn Future<Output = Result<(), Report>> + Send>>;

/// One kind of composition.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) program: fn(&Ledger) -> Program,
    /// Its exits run one after the other, last in, first out.
    pub(super) in_order: bool,
    /// All that is entered is there for the body.
    pub(super) plain: bool,
}

/// The whole of it: what the body says at its end tells that the exits must see a success.
fn run<S, How>(ledger: &Ledger, scope: S) -> Program
where
    S: Bracket<Held: 'static, View: Send, Verdict = Propagate> + Send + 'static,
    S::Error: Raise<Report, How>,
    How: 'static,
{
    let ledger = ledger.clone();
    Box::pin(async move {
        scope
            .with(async |_| {
                yield_times(2).await;
                ledger.point("body")?;
                ledger.say("body.");
                Ok(())
            })
            .await
    })
}

const fn kind(name: &'static str, program: fn(&Ledger) -> Program) -> Kind {
    Kind {
        name,
        program,
        in_order: true,
        plain: true,
    }
}

impl Kind {
    const fn abreast(mut self) -> Self {
        self.in_order = false;
        self
    }

    const fn choosing(mut self) -> Self {
        self.plain = false;
        self
    }
}

pub(super) const KINDS: &[Kind] = &[
    kind("tuple", |ledger| {
        let s = |name| ledger.scope(name).yields(1);
        run(ledger, (s("a"), s("b"), s("c")))
    }),
    kind("array", |ledger| {
        run(ledger, ["a", "b"].map(|name| ledger.scope(name).yields(2)))
    }),
    kind("vec", |ledger| {
        let scopes = ["a", "b", "c"].map(|name| ledger.scope(name).yields(1));
        run(ledger, Vec::from(scopes))
    }),
    kind("option", |ledger| {
        let s = |name| ledger.scope(name).yields(1);
        run(
            ledger,
            (Some(s("a")), None.or(Some(s("b"))), None::<crate::Traced>),
        )
    }),
    kind("nested", |ledger| {
        let s = |name| ledger.scope(name).yields(1);
        run(ledger, ((s("a"), [s("b")]), (s("c"), vec![s("d")])))
    }),
    kind("sync beside async", |ledger| {
        let s = |name| ledger.scope(name).yields(1);
        run(ledger, (s("a"), ledger.scope("b"), s("c")))
    }),
    kind("protected", |ledger| {
        let s = |name| ledger.scope(name).yields(1);
        run(ledger, ((s("a"), s("b")).protected(), s("c").protected()))
    }),
    kind("boxed and named", |ledger| {
        let s = |name| ledger.scope(name).yields(1);
        run(ledger, (s("a"), s("b").boxed()).named("pair").boxed())
    }),
    kind("then_enter", |ledger| {
        let ledger = ledger.clone();
        let s = |name| ledger.scope(name).yields(1);
        let (b, c) = (s("b"), s("c"));
        run(&ledger, s("a").then_enter(|_| b).then_enter(|_| c))
    }),
    kind("lazy", |ledger| {
        let ledger = ledger.clone();
        Box::pin(async move {
            let made = ledger.clone();
            let inner = lazy(move || (made.scope("b").yields(1), made.scope("c").yields(1)));
            (ledger.scope("a").yields(1), inner)
                .with(async |(_, lazy)| {
                    yield_times(1).await;
                    match lazy.get().await {
                        Ok(_) => {}
                        Err(error) => return Err(error.raise()),
                    }
                    yield_times(1).await;
                    ledger.point("body")?;
                    ledger.say("body.");
                    Ok(())
                })
                .await
        })
    }),
    kind("shared", |ledger| {
        let made = ledger.clone();
        let pair = shared(move || (made.scope("a").yields(1), made.scope("b").yields(1)));
        run(ledger, (pair.clone(), ledger.scope("c").yields(1), pair))
    }),
    kind("join", |ledger| {
        run(
            ledger,
            join(ledger.scope("a").yields(1), ledger.scope("b").yields(2)),
        )
    })
    .abreast(),
    kind("join of tuples", |ledger| {
        let s = |name| ledger.scope(name).yields(1);
        run(ledger, join((s("a"), s("b")), (s("c"), s("d").yields(2))))
    })
    .abreast(),
    kind("join_all", |ledger| {
        let s = |name, yields| ledger.scope(name).yields(yields);
        run(ledger, join_all(vec![s("a", 2), s("b", 1), s("c", 3)]))
    })
    .abreast(),
    kind("join_all of an array, protected", |ledger| {
        let s = |name, yields| ledger.scope(name).yields(yields).protected();
        run(ledger, join_all([s("a", 1), s("b", 2)]))
    })
    .abreast(),
    kind("or_enter", |ledger| {
        let s = |name| ledger.scope(name).yields(1);
        let first = (s("a"), s("b").enter_fails());
        run(ledger, first.or_enter((s("c"), s("d"))))
    })
    .choosing(),
    kind("or_enter, after an orphan", |ledger| {
        let s = |name| ledger.scope(name).yields(1);
        let (orphan, made) = (s("a"), s("c"));
        let first = acquire(async move || {
            let _ = crate::cut_after(3, orphan.using(async |_| yield_times(9).await)).await;
            Err::<(), _>(Injected("first".to_owned()))
        });
        let second =
            acquire(async move || made.open().await.map(drop)).release(async |(), _| Ok(()));
        run(ledger, first.release(async |(), _| Ok(())).or_enter(second))
    })
    .choosing(),
    kind("race", |ledger| {
        let s = |name, yields| ledger.scope(name).yields(yields);
        run(ledger, race((s("a", 1), s("b", 2)), (s("c", 1), s("d", 1))))
    })
    .abreast()
    .choosing(),
    kind("race of protected ones", |ledger| {
        let s = |name, yields| ledger.scope(name).yields(yields).protected();
        run(ledger, race(s("a", 2), s("b", 1)))
    })
    .abreast()
    .choosing(),
    kind("functions", |ledger| {
        let f = |name| function(ledger, name, None);
        run(ledger, (f("a").protected(), f("b").boxed(), [Some(f("c"))]))
    }),
    kind("functions, one after the other", |ledger| {
        let f = |name| function(ledger, name, None);
        let (b, c) = (f("b"), f("c"));
        run(ledger, f("a").then_enter(|_| b).then_enter(|_| c))
    }),
    kind("functions in a stack", |ledger| {
        let ledger = ledger.clone();
        Box::pin(ExitStack::with(async move |stack| {
            let f = |name| function(&ledger, name, None);
            let _a = stack.enter(f("a")).await?;
            let _b = stack.enter(f("b").protected()).await?;
            yield_times(2).await;
            ledger.point("body")?;
            ledger.say("body.");
            Ok(())
        }))
    }),
    kind("functions joined", |ledger| {
        let f = |name| function(ledger, name, None);
        run(ledger, join(f("a"), f("b").protected()))
    })
    .abreast(),
    kind("a function instead of another one", |ledger| {
        let f = |name| function(ledger, name, None);
        let first = (f("a"), ledger.scope("b").yields(1).enter_fails());
        run(ledger, first.or_enter((f("c"), ledger.scope("d"))))
    })
    .choosing(),
    kind("functions that race", |ledger| {
        let f = |name| function(ledger, name, None);
        run(ledger, race(f("a"), f("b").protected()))
    })
    .abreast()
    .choosing(),
];

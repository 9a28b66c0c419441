//! How many bytes does a scope add to a future?

use std::hint::black_box;

use withal_core::{Bracket, Outcome, Propagate, Raise, Scope, sync, with};

use crate::permit::{Permit, Permits, Refused, suspend};

/// The future of one scope, and what it is made of, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// What is in it.
    pub what: &'static str,
    /// The future of the body alone, which has the captures in it.
    pub body: usize,
    /// What the body has captured: it waits in the scope's future before it is in the body's.
    pub captures: usize,
    /// The guard.
    pub guard: usize,
    /// The future of the scope.
    pub future: usize,
}

impl Size {
    /// What a level may add.
    pub const BUDGET: usize = 128;

    /// What the scope adds to its body, its captures and its guard.
    pub fn added(&self) -> usize {
        self.future
            .saturating_sub(self.body + self.captures + self.guard)
    }

    /// Whether that is allowed.
    pub fn is_within(&self) -> bool {
        self.added() <= Self::BUDGET
    }

    fn of<S, F, How>(what: &'static str, scope: S, mut held: S::Held, body: F) -> Self
    where
        S: Bracket<Error: Raise<Refused, How>, Held: 'static>,
        F: AsyncFnOnce(&mut S::View) -> Result<u64, Refused> + Copy,
    {
        Self {
            what,
            body: size_of_val(&body(S::view(&mut held))),
            captures: size_of_val(&body),
            guard: size_of::<S::Held>(),
            future: size_of_val(&with(scope, body)),
        }
    }
}

/// All cases.
///
/// # Errors
///
/// Never: there are permits.
pub fn sizes() -> Result<[Size; 6], Refused> {
    let permit = || Permit::take(1);
    let bytes = black_box([0_u8; 200]);
    Ok([
        Size::of(
            "exit never suspends",
            sync(permit()?),
            permit()?,
            async |p| p.work(),
        ),
        Size::of("general", Permits(1), permit()?, async |p| p.work()),
        Size::of("guard of 200 bytes", Large, bytes, async |held| {
            suspend(1).await;
            Ok(u64::from(held[0]))
        }),
        Size::of(
            "captures of 200 bytes",
            Permits(1),
            permit()?,
            async move |p| {
                suspend(1).await;
                black_box(&bytes);
                p.work()
            },
        ),
        Size::of("body of 200 bytes", Permits(1), permit()?, async |p| {
            let bytes = black_box([0_u8; 200]);
            suspend(1).await;
            black_box(&bytes);
            p.work()
        }),
        Size::of("scope in a scope", Permits(1), permit()?, async |_| {
            with(Permits(2), async |p| p.work()).await
        }),
    ])
}

/// A scope with a large guard.
struct Large;

impl Scope for Large {
    type Guard = [u8; 200];
    type Error = Refused;
    type Verdict = Propagate;

    async fn enter(self) -> Result<[u8; 200], Refused> {
        Ok(black_box([0; 200]))
    }

    async fn exit(guard: [u8; 200], _: Outcome<'_>) -> Result<Propagate, Refused> {
        black_box(&guard);
        Ok(Propagate)
    }
}

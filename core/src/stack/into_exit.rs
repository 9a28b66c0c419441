//! What the closures of entries may answer.

use crate::failure::Fault;
use crate::raise::Never;
use crate::verdict::{IntoVerdict, Propagate, Verdict};

/// What the closure of an entry may answer: nothing, a [`Verdict`], or a `Result` of either.
#[diagnostic::on_unimplemented(
    message = "an exit cannot answer `{Self}`",
    label = "this closure answers `{Self}`",
    note = "it may answer `()`, a verdict (`Propagate` or `Recover`), or a `Result` of one of these",
    note = "of a future: await it, in the closure of a `push` or a `defer`; a `callback` is not async"
)]
pub trait IntoExit: Send {
    /// The verdict that it stands for.
    type Verdict: Verdict;
    /// Why the exit failed.
    type Error: Fault;

    /// Turns the answer into what an exit gives.
    ///
    /// # Errors
    ///
    /// The error that it stands for.
    fn into_exit(self) -> Result<Self::Verdict, Self::Error>;
}

impl IntoExit for () {
    type Verdict = Propagate;
    type Error = Never;

    fn into_exit(self) -> Result<Propagate, Never> {
        Ok(Propagate)
    }
}

#[diagnostic::do_not_recommend]
impl<V: Verdict> IntoExit for V {
    type Verdict = V;
    type Error = Never;

    fn into_exit(self) -> Result<V, Never> {
        Ok(self)
    }
}

impl<Y: IntoVerdict, X: Fault> IntoExit for Result<Y, X> {
    type Verdict = Y::Verdict;
    type Error = X;

    fn into_exit(self) -> Result<Y::Verdict, X> {
        self.map(Y::into_verdict)
    }
}

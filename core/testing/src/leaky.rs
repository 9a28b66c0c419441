//! A deliberately broken way to run a scope: proves that the harness bites.

use withal_core::{Armed, Bracket, Outcome};

/// Runs `body` as one would without withal: enter, body, exit in a row. Dropped in between, the exit is lost.
///
/// A sweep over it must fail; if it does not, the sweep is broken.
///
/// # Errors
///
/// The scope's.
///
/// # Cancel safety
///
/// None: that is the point.
pub async fn with_leaky<S: Bracket<Held: 'static>, T>(
    scope: S,
    body: impl AsyncFnOnce(&mut S::View) -> T,
) -> Result<T, S::Error> {
    let mut held = scope.begin(Armed::here()).await?;
    let value = body(S::view(&mut held)).await;
    S::end(held, Outcome::Success).await?;
    Ok(value)
}

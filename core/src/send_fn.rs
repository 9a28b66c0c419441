//! Closures whose futures are `Send`, said in a way that stable Rust and its type inference accept.

/// A closure whose future is `Send`.
///
/// `AsyncFnOnce(..)` cannot say that the future is `Send`; a bound on `SendFn` alone leaves the types of the closure's parameters open.
/// Both together do it: the first drives inference, the second gives `Send`.
/// `Args` is the tuple of the parameters, and everything that is called has it by itself.
///
/// # Examples
///
/// A helper that is generic over a body, and spawns:
///
/// ```
/// # use withal_core as withal;
/// use withal::{ScopeExt, SendFn, sync};
///
/// fn boxed<T: 'static>(
///     body: impl AsyncFnOnce(&mut Vec<u8>) -> T
///         + for<'a> SendFn<(&'a mut Vec<u8>,), T>
///         + 'static,
/// ) -> std::pin::Pin<Box<dyn Future<Output = T> + Send>> {
///     Box::pin(async move {
///         let mut list = vec![1, 2, 3];
///         body.call_send((&mut list,)).await
///     })
/// }
/// # withal_testing::block_on(async {
/// assert_eq!(boxed(async |list| list.len()).await, 3);
/// # });
/// ```
pub trait SendFn<Args, T>: Send {
    /// The future that it returns.
    type Future: Future<Output = T> + Send;

    /// Calls it.
    fn call_send(self, args: Args) -> Self::Future;
}

impl<F, Fut, T> SendFn<(), T> for F
where
    F: FnOnce() -> Fut + Send,
    Fut: Future<Output = T> + Send,
{
    type Future = Fut;

    #[inline]
    fn call_send(self, (): ()) -> Fut {
        self()
    }
}

impl<F, Fut, A, T> SendFn<(A,), T> for F
where
    F: FnOnce(A) -> Fut + Send,
    Fut: Future<Output = T> + Send,
{
    type Future = Fut;

    #[inline]
    fn call_send(self, (a,): (A,)) -> Fut {
        self(a)
    }
}

impl<F, Fut, A, B, T> SendFn<(A, B), T> for F
where
    F: FnOnce(A, B) -> Fut + Send,
    Fut: Future<Output = T> + Send,
{
    type Future = Fut;

    #[inline]
    fn call_send(self, (a, b): (A, B)) -> Fut {
        self(a, b)
    }
}

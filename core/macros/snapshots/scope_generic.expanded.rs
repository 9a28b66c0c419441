#[inline]
pub(crate) fn both<'a, T: Send, const N: usize>(
    &'a self,
    first: T,
    argument_2: (usize, [u8; N]),
    argument_3: impl Send + 'a,
) -> other::ScopeFn<
    (T, usize),
    impl ::core::future::Future<Output = Result<(), Report>> + ::core::marker::Send,
>
where
    T: Display,
{
    other::scope_fn(async move |
            provide: other::Provide<(T, usize)>,
        | -> Result<(), Report> {
            let mut first = first;
            let argument_2 = argument_2;
            let (left, _) = argument_2;
            let argument_3 = argument_3;
            let _ = argument_3;
            first.prepare();
            #[allow(unused_variables, unused_mut)]
            let ((mut first, _), outcome) = provide.provide((first, left + 1)).await;
            let _ = outcome;
            Ok(())
        })
        .called("both")
}

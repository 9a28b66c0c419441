#[inline]
pub(crate) fn both<'a, T: Send, const N: usize>(
    &'a self,
    first: T,
    __withal_argument_2: (usize, [u8; N]),
    __withal_argument_3: impl Send + 'a,
) -> other::ScopeFn<
    (T, usize),
    impl ::core::future::Future<Output = Result<(), Report>> + ::core::marker::Send,
>
where
    T: Display,
{
    other::scope_fn(async move |
            __withal_provide: other::Provide<(T, usize)>,
        | -> Result<(), Report> {
            if false {
                return other::__private::never::<Result<(), Report>>();
            }
            {
                let mut first = first;
                let __withal_argument_2 = __withal_argument_2;
                let (left, _) = __withal_argument_2;
                let __withal_argument_3 = __withal_argument_3;
                let _ = __withal_argument_3;
                first.prepare();
                let ((mut first, _), __withal_outcome) = __withal_provide
                    .provide((first, left + 1))
                    .await;
                let _ = &mut first;
                let _ = __withal_outcome;
                Ok(())
            }
        })
        .called("both")
}

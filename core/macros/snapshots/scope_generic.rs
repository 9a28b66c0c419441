#[inline]
#[withal::scope(yields = (T, usize), crate = "other")]
pub(crate) async fn both<'a, T: Send, const N: usize>(
    &'a self,
    mut first: T,
    (left, _): (usize, [u8; N]),
    _: impl Send + 'a,
) -> Result<(), Report>
where
    T: Display,
{
    first.prepare();
    yield_!((first, left + 1));
    Ok(())
}

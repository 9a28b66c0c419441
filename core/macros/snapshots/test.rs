/// On each runtime.
#[withal::test(tokio, smol, timeout = Duration::from_secs(5))]
#[should_panic]
#[allow(deprecated)]
#[expect(unused_variables)]
#[cfg_attr(miri, ignore)]
async fn works<R: Runtime>(rt: R) {
    panic!("{rt:?}");
}

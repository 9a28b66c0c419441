/// On each runtime.
#[withal::test(tokio, smol, timeout = Duration::from_secs(5))]
#[should_panic]
async fn works<R: Runtime>(rt: R) {
    panic!("{rt:?}");
}

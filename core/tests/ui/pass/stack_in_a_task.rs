//! A stack and its leases go into tasks, fields and boxes, with scopes of all kinds in it.

use std::pin::Pin;

use withal_core::{
    Entered, ExitStack, Member, Outcome, Propagate, Recover, Report, ScopeExt, acquire, suppress,
    sync,
};

fn spawn<F: Future<Output: Send> + Send + 'static>(future: F) -> F::Output {
    withal_testing::block_on(future)
}

struct Service {
    stack: ExitStack,
}

impl Service {
    async fn open() -> Result<Self, Report> {
        let stack = ExitStack::new();
        let mut list = stack.enter(list()).await?;
        list.push(1);
        let other = stack.push(2, async |_, _| ());
        std::future::ready(()).await;
        drop((list, other));
        Ok(Self { stack })
    }
}

fn list()
-> impl Member<Part = Vec<u8>, Error = Report, Verdict = Propagate, Held: 'static, Rest: 'static> {
    acquire(async || Ok(Vec::new())).release(async |_, _| Ok(()))
}

async fn add<'s, S>(
    stack: &'s ExitStack<Recover>,
    scope: S,
) -> Result<Entered<'s, S::Part, Recover>, S::Error>
where
    S: Member<Held: 'static, Part: 'static, Rest: 'static>,
    Recover: From<S::Verdict>,
{
    stack.enter(scope).await
}

type Sent<T> = Pin<Box<dyn Future<Output = T> + Send>>;

fn boxed() -> Sent<Result<Option<usize>, Report>> {
    Box::pin(ExitStack::recovering().with(async |stack| {
        let Ok(name) = add(stack, sync(String::from("name"))).await;
        let Ok(_) = add(stack, suppress::<std::fmt::Error>()).await;
        let inner = add(stack, ExitStack::new()).await?;
        let deep = inner.enter(list().named("deep")).await?;
        std::future::ready(()).await;
        Ok(name.len() + deep.len())
    }))
}

fn main() {
    let closed = spawn(async {
        let service = Service::open().await?;
        std::future::ready(()).await;
        service.stack.close(Outcome::Success).await
    });
    assert!(closed.is_ok());
    assert_eq!(spawn(boxed()).unwrap(), Some(4));
}

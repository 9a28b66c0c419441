//! `self` cannot be there again under its name.

struct Pool;

impl Pool {
    #[withal::scope(yields = Pool)]
    async fn whole(self) -> Result<(), withal::Never> {
        yield_!(self);
        Ok(())
    }

    #[withal::scope(yields = (Pool, u8))]
    async fn pair(self) -> Result<(), withal::Never> {
        yield_!((self, 1));
        Ok(())
    }
}

fn main() {
    drop((Pool.whole(), Pool.pair()));
}

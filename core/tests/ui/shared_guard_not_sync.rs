use std::cell::Cell;
use withal_core::{shared, sync};

fn main() {
    let _counter = shared(|| sync(Cell::new(1)));
}

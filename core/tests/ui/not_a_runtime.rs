use withal_core::Runtime;

fn start<R: Runtime>(_: &R) {}

fn main() {
    start(&());
}

use withal_core::Ready;

fn serve(ready: Ready<u16>) {
    ready.ready(80);
    ready.ready(81);
}

fn main() {}

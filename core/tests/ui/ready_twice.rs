use withal_core::TaskReady;

fn serve(ready: TaskReady<u16>) {
    ready.ready(80);
    ready.ready(81);
}

fn main() {}

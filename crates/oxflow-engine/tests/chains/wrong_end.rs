use oxflow_engine::{Pipeline, branch};

fn main() {
    let open = branch::<u64>("open").serialize();
    let _ = Pipeline::source("numbers", "in").parse::<u64>().broadcast("all", [open]);
}

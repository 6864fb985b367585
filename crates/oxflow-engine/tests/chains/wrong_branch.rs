use oxflow_engine::{Pipeline, branch};

fn main() {
    let texts = branch::<String>("texts").serialize().sink("out", "texts");
    let _ = Pipeline::source("numbers", "in").parse::<u64>().broadcast("all", [texts]);
}

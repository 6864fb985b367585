use oxflow_engine::Pipeline;

fn main() {
    let _ = Pipeline::source("numbers", "in").serialize();
}

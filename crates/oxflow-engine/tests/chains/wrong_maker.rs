use oxflow_engine::Pipeline;

fn main() {
    let _ = Pipeline::source("numbers", "in").parse::<u64>().filter_by(|| 4);
}

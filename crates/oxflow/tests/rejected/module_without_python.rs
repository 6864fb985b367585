oxflow::module!(my_steps);

fn main() {}

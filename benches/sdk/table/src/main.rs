//! What a message costs on its way through the tables of a module: decoded, given to functions, encoded.
//!
//! `sdk-table MESSAGES BATCH ROUNDS` reads JSON Lines and prints a line a way: its name, and for each round, in which all ways take
//! turns, nanoseconds of this thread's CPU time a message.

#[path = "../../steps/src/readings.rs"]
mod readings;
mod runtime;

use std::error::Error;

use oxflow::abi::Codec;
use runtime::{Function, Way};

fn main() -> Result<(), Box<dyn Error>> {
    let [_, path, batch, rounds] = <[String; 4]>::try_from(std::env::args().collect::<Vec<_>>())
        .map_err(|_| "usage: sdk-table MESSAGES BATCH ROUNDS")?;
    let (batch, rounds): (usize, usize) = (batch.parse()?, rounds.parse()?);
    let text = std::fs::read(path)?;
    let json: Vec<Vec<u8>> =
        text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect();
    let [owned, lent] = ["judge", "judge_lent"].map(Function::named);
    let again = Function::named("judge_again");
    let msgpack = runtime::transcoded(&owned, &json);
    let ways = [
        Way { name: "JSON, owned", codec: Codec::Json, functions: vec![owned], messages: &json },
        Way { name: "JSON, borrowed", codec: Codec::Json, functions: vec![lent], messages: &json },
        Way { name: "JSON, borrowed, two steps", codec: Codec::Json, functions: vec![lent, again], messages: &json },
        Way { name: "msgpack, owned", codec: Codec::MsgPack, functions: vec![owned], messages: &msgpack },
        Way { name: "msgpack, borrowed", codec: Codec::MsgPack, functions: vec![lent], messages: &msgpack },
    ];
    let mut costs: Vec<Vec<f64>> = vec![Vec::new(); ways.len()];
    for _ in 0..rounds {
        for (way, costs) in ways.iter().zip(&mut costs) {
            costs.push(way.cost(batch));
        }
    }
    for (way, costs) in ways.iter().zip(&costs) {
        let costs: Vec<String> = costs.iter().map(|cost| format!("{cost:.1}")).collect();
        println!("{}\t{}", way.name, costs.join("\t"));
    }
    Ok(())
}

//! The work as a plain loop over the types of the steps: what Rust alone can do on one thread.
//!
//! `streams-loop INPUT OUTPUT`; without `OUTPUT` what it makes is thrown away.

#[path = "../../steps/src/event.rs"]
mod event;

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write, sink};

use event::{Enriched, Event};

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args().skip(1);
    let input = paths.next().ok_or("usage: streams-loop INPUT [OUTPUT]")?;
    let output: Box<dyn Write> = match paths.next() {
        Some(path) => Box::new(File::create(path)?),
        None => Box::new(sink()),
    };
    let mut input = BufReader::with_capacity(1 << 20, File::open(input)?);
    let mut output = BufWriter::with_capacity(1 << 20, output);
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let event: Event = serde_json::from_slice(&line)?;
        if event.active {
            serde_json::to_writer(&mut output, &Enriched::from(event))?;
            output.write_all(b"\n")?;
        }
        line.clear();
    }
    output.flush()?;
    Ok(())
}

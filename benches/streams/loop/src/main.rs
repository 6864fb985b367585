//! The work as a plain loop over the types of the steps: what Rust alone can do on one thread.
//!
//! `streams-loop owned|borrowed INPUT OUTPUT`; without `OUTPUT` what it makes is thrown away.

#[path = "../../steps/src/borrowed.rs"]
mod borrowed;
#[path = "../../steps/src/event.rs"]
mod event;

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write, sink};

use borrowed::{BorrowedEnriched, BorrowedEvent};
use event::{Enriched, Event};

const USAGE: &str = "usage: streams-loop owned|borrowed INPUT [OUTPUT]";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let work = match arguments.next().as_deref() {
        Some("owned") => owned,
        Some("borrowed") => borrowed,
        _ => return Err(USAGE.into()),
    };
    let input = arguments.next().ok_or(USAGE)?;
    let output: Box<dyn Write> = match arguments.next() {
        Some(path) => Box::new(File::create(path)?),
        None => Box::new(sink()),
    };
    let mut input = BufReader::with_capacity(1 << 20, File::open(input)?);
    let mut output = BufWriter::with_capacity(1 << 20, output);
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        work(&line, &mut output)?;
        line.clear();
    }
    output.flush()?;
    Ok(())
}

fn owned(line: &[u8], output: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let event: Event = serde_json::from_slice(line)?;
    if event.active {
        serde_json::to_writer(&mut *output, &Enriched::from(event))?;
        output.write_all(b"\n")?;
    }
    Ok(())
}

fn borrowed(line: &[u8], output: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let event: BorrowedEvent<'_> = serde_json::from_slice(line)?;
    if event.active {
        serde_json::to_writer(&mut *output, &BorrowedEnriched::from(event))?;
        output.write_all(b"\n")?;
    }
    Ok(())
}

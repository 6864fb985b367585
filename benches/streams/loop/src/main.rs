//! The metrics pipeline as a plain loop over the types of the example: what Rust alone can do on one thread.
//!
//! `streams-loop INPUT OUTPUT`

#[path = "../../../../examples/metrics/steps/src/metric.rs"]
mod metric;
#[path = "../../../../examples/metrics/steps/src/name.rs"]
mod name;

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};

use metric::{IngestMetric, TransformedIngestMetric};
use name::MetricName;

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args().skip(1);
    let (Some(input), Some(output)) = (paths.next(), paths.next()) else {
        return Err("usage: streams-loop INPUT OUTPUT".into());
    };
    let mut input = BufReader::with_capacity(1 << 20, File::open(input)?);
    let mut output = BufWriter::with_capacity(1 << 20, File::create(output)?);
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let metric: IngestMetric = serde_json::from_slice(&line)?;
        if metric.metric_type == "c" {
            let MetricName { use_case, unit } = metric.name.parse()?;
            serde_json::to_writer(&mut output, &TransformedIngestMetric::new(metric, use_case, unit))?;
            output.write_all(b"\n")?;
        }
        line.clear();
    }
    output.flush()?;
    Ok(())
}

//! Sends the records of `log` to the runtime.

use super::Host;
use super::draft::{Draft, Site};
use crate::abi::host::{CURRENT, Recorded};
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::sync::atomic::{AtomicBool, Ordering};

struct Forward;

/// Whether the logger of this library is ours.
static INSTALLED: AtomicBool = AtomicBool::new(false);

pub(super) fn install(host: Host) {
    match log::set_logger(&Forward) {
        Ok(()) => {
            INSTALLED.store(true, Ordering::Relaxed);
            refresh(host);
        }
        Err(_) => {
            Draft::with(
                |draft| draft.message(&format_args!("this extension has a logger of its own: its records stay there")),
                |draft| draft.entry(OWN, |entry| host.log(entry, CURRENT)),
            );
        }
    }
}

const OWN: Site<'static> = Site {
    level: 2,
    lasting: true,
    name: "",
    target: "oxflow::log",
    module: None,
    file: Some(file!()),
    line: Some(line!()),
};

pub(super) fn refresh(host: Host) {
    if !INSTALLED.load(Ordering::Relaxed) {
        return;
    }
    log::set_max_level(match host.max_level(Recorded::Event) {
        0 => LevelFilter::Off,
        1 => LevelFilter::Error,
        2 => LevelFilter::Warn,
        3 => LevelFilter::Info,
        4 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    });
}

fn number(level: Level) -> u32 {
    match level {
        Level::Error => 1,
        Level::Warn => 2,
        Level::Info => 3,
        Level::Debug => 4,
        Level::Trace => 5,
    }
}

impl Log for Forward {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        Host::get().is_some_and(|host| host.enabled(Recorded::Event, number(metadata.level()), metadata.target()))
    }

    fn log(&self, record: &Record<'_>) {
        let Some(host) = Host::get().filter(|_| self.enabled(record.metadata())) else { return };
        let site = Site {
            level: number(record.level()),
            lasting: false,
            name: "",
            target: record.target(),
            module: record.module_path(),
            file: record.file(),
            line: record.line(),
        };
        let write = |draft: &mut Draft| draft.message(record.args());
        Draft::with(write, |draft| draft.entry(site, |entry| host.log(entry, CURRENT)));
    }

    fn flush(&self) {}
}

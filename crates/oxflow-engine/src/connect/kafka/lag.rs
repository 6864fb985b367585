//! Asks the brokers now and then how far a topic goes and how far the group has come.
//!
//! A client of its own asks, which is no member of the group: it blocks nothing, and it is answered, or not, whatever the lanes and
//! the member do. The member's own figures stand still when it fetches nothing, which is just when they matter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::Offset;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;

use super::client;
use super::context::{Alone, Context};
use super::group::Shared;
use crate::config::OffsetReset;
use crate::connect::{Extent, Standing};

/// How often it asks.
const ASKS: Duration = Duration::from_secs(5);
/// When it asks first.
const FIRST: Duration = Duration::from_millis(500);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

type Client = BaseConsumer<Context<Alone>>;

/// What was answered last.
pub(super) struct Lag(Arc<Answers>);

struct Answers {
    state: Mutex<State>,
    closed: Condvar,
}

#[derive(Default)]
struct State {
    closing: bool,
    /// When the question was asked that is not answered.
    asked: Option<Instant>,
    extents: BTreeMap<u32, Extent>,
}

impl Lag {
    /// Asks from now on about the partitions that the member has. Where no client can be had nothing is known.
    pub(super) fn start(group: &Arc<Shared>) -> Self {
        let answers = Arc::new(Answers { state: Mutex::default(), closed: Condvar::new() });
        let (asks, group) = (Arc::clone(&answers), Arc::clone(group));
        drop(thread::Builder::new().name("oxflow-lag".to_owned()).spawn(move || asks.ask_on(&group)));
        Self(answers)
    }

    /// What is known of the partitions that are ours.
    pub(super) fn standing(&self, stream: &Arc<str>, ours: &BTreeSet<u32>) -> Standing {
        let state = self.0.state();
        let known = state.extents.iter().filter(|(slot, _)| ours.contains(slot));
        Standing {
            stream: Arc::clone(stream),
            silent: state.asked.map_or(Duration::ZERO, |asked| asked.elapsed()),
            partitions: known.map(|(slot, extent)| (*slot, *extent)).collect(),
        }
    }
}

impl Drop for Lag {
    fn drop(&mut self) {
        // Not waited for: it may hear of this only after its patience.
        self.0.state().closing = true;
        self.0.closed.notify_all();
    }
}

impl Answers {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask_on(&self, group: &Shared) {
        let config = client::consumer(&group.settings, client::share(&group.settings, 1), None);
        // What it notes nobody reads: the run's own client tells what goes wrong.
        let context = Context::new(&Arc::default(), group.settings.oauth_token.as_ref(), Alone);
        let Ok(client) = Client::from_config_and_context(&config, context) else { return };
        let (mut wait, mut slots) = (FIRST, BTreeSet::new());
        while !self.is_closed_after(wait) {
            wait = ASKS;
            // Who has lost all of them, as a member without a broker does, goes on asking about the last.
            let owned = group.owned();
            slots = if owned.is_empty() { slots } else { owned };
            self.state().asked.get_or_insert_with(Instant::now);
            if let Ok(extents) = ask(&client, group, &slots) {
                let mut state = self.state();
                state.asked = None;
                state.extents = extents;
            }
            // What it is told of brokers, and tokens that are asked for, would pile up.
            while client.poll(Duration::ZERO).is_some() {}
        }
    }

    fn is_closed_after(&self, wait: Duration) -> bool {
        let waited = self.closed.wait_timeout_while(self.state(), wait, |state| !state.closing);
        waited.unwrap_or_else(PoisonError::into_inner).0.closing
    }
}

fn ask(client: &Client, group: &Shared, slots: &BTreeSet<u32>) -> KafkaResult<BTreeMap<u32, Extent>> {
    if slots.is_empty() {
        // That a broker answers is worth knowing, too.
        client
            .fetch_metadata(group.topics.subscription().into_iter().find(|topic| !topic.starts_with('^')), PATIENCE)?;
        return Ok(BTreeMap::new());
    }
    let ends = offsets_at(client, group, slots, Offset::End)?;
    let all = group.topics.listed(slots.iter().map(|slot| (*slot, Offset::Invalid)));
    let mut committed = known(group, &client.committed_offsets(all, PATIENCE)?);
    if committed.len() < ends.len() {
        // Where nothing is committed reading begins as the stream says.
        let begin = match group.settings.auto_offset_reset {
            OffsetReset::Earliest => offsets_at(client, group, slots, Offset::Beginning)?,
            OffsetReset::Latest => ends.clone(),
            OffsetReset::Error => BTreeMap::new(),
        };
        for (slot, offset) in begin {
            committed.entry(slot).or_insert(offset);
        }
    }
    let extent =
        |(slot, end): (&u32, &u64)| (*slot, Extent { committed: committed.get(slot).copied(), end: Some(*end) });
    Ok(ends.iter().map(extent).collect())
}

fn offsets_at(
    client: &Client,
    group: &Shared,
    slots: &BTreeSet<u32>,
    offset: Offset,
) -> KafkaResult<BTreeMap<u32, u64>> {
    let all = group.topics.listed(slots.iter().map(|slot| (*slot, offset)));
    Ok(known(group, &client.offsets_for_times(all, PATIENCE)?))
}

/// The partitions of which an offset is known.
fn known(group: &Shared, list: &rdkafka::TopicPartitionList) -> BTreeMap<u32, u64> {
    let offsets = group.topics.offsets(list).into_iter();
    offsets.filter_map(|(slot, offset)| Some((slot, u64::try_from(offset).ok()?))).collect()
}

//! Lets one at a time send and note dead letters of a topic.
//!
//! A topic knows no locks, but a broker knows who is in a group: whoever is alone in a group that nobody reads by has its turn,
//! until it leaves or has been silent for a session. Who comes looks for others after it is in, so that of two at least one sees
//! the other.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::groups::GroupInfo;

use super::client::{self, Noted};
use super::context::{Alone, Context};
use super::failed;
use super::reader::ends_the_run;
use crate::config::{GroupProtocol, KafkaStream, OffsetReset};
use crate::connect::ConnectError;

/// Begins the names of the groups.
const GROUP: &str = "oxflow-dead-letters";
/// So long somebody who was killed counts as being there. The least that brokers take, unless they are told otherwise.
const SESSION_MS: &str = "6000";
/// How long others are waited for; longer than a session.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// How long a broker may take to say who is there.
const ANSWER: Duration = Duration::from_secs(5);

type Member = BaseConsumer<Context<Alone>>;

/// A turn. It is over when this is dropped.
pub(super) struct Turn {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Who is in the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    Nobody,
    Alone,
    Others,
    /// We and others: both came at the same time.
    Together,
}

impl Turn {
    /// Waits for a turn.
    pub(super) fn take(stream: &str, settings: &KafkaStream) -> Result<Self, ConnectError> {
        let noted = Arc::new(Noted::default());
        let refused = |error: &KafkaError| failed(stream, settings, "note dead letters in", error, noted.take());
        let name = format!("oxflow-{}-{:016x}", process::id(), RandomState::new().build_hasher().finish());
        let group = format!("{GROUP}-{}", settings.topic);
        let member = connect(settings, &group, &name, &noted).map_err(|error| refused(&error))?;
        let until = Instant::now() + PATIENCE;
        loop {
            match take_part(&member, &group, &name, &settings.topic) {
                Ok(There::Alone) => {
                    return Self::keep(member)
                        .map_err(|error| ConnectError::write(stream, settings.topic.as_ref(), error));
                }
                Ok(There::Others | There::Together) if Instant::now() > until => return Err(taken(stream, settings)),
                Err(error) if ends_the_run(&error) || Instant::now() > until => return Err(refused(&error)),
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Stays in the group.
    fn keep(member: Member) -> std::io::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let stay = move || {
            while !ends.load(Ordering::Acquire) {
                drop(member.poll(LOOK));
            }
        };
        let thread = thread::Builder::new().name("oxflow-turn".to_owned()).spawn(stay)?;
        Ok(Self { over, thread: Some(thread) })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn connect(settings: &KafkaStream, group: &str, name: &str, noted: &Arc<Noted>) -> KafkaResult<Member> {
    let alone = KafkaStream {
        group: Some(group.to_owned()),
        group_protocol: GroupProtocol::Classic,
        // It reads nothing.
        auto_offset_reset: OffsetReset::Latest,
        ..settings.clone()
    };
    let mut config = client::consumer(&alone, client::share(&alone, u32::MAX), None);
    config.set("client.id", name).set("session.timeout.ms", SESSION_MS).set("heartbeat.interval.ms", "1000");
    Member::from_config_and_context(&config, Context::new(noted, settings.oauth_token.as_ref(), Alone))
}

/// Joins where nobody is, leaves where somebody else is, too, and tells who is there.
fn take_part(member: &Member, group: &str, name: &str, topic: &str) -> KafkaResult<There> {
    if let Some(Err(error)) = member.poll(LOOK)
        && ends_the_run(&error)
    {
        return Err(error);
    }
    let there = look(member, group, name)?;
    match there {
        There::Nobody => member.subscribe(&[topic])?,
        There::Together => {
            member.unsubscribe();
            // Not as long as the other one.
            thread::sleep(LOOK * u32::from(RandomState::new().build_hasher().finish().to_le_bytes()[0] % 16));
        }
        There::Alone | There::Others => {}
    }
    Ok(there)
}

fn look(member: &Member, group: &str, name: &str) -> KafkaResult<There> {
    let groups = member.client().fetch_group_list(Some(group), ANSWER)?;
    let members = groups.groups().iter().flat_map(GroupInfo::members);
    let (ours, others): (Vec<_>, Vec<_>) = members.partition(|member| member.client_id() == name);
    Ok(match (ours.is_empty(), others.is_empty()) {
        (true, true) => There::Nobody,
        (false, true) => There::Alone,
        (true, false) => There::Others,
        (false, false) => There::Together,
    })
}

fn taken(stream: &str, settings: &KafkaStream) -> ConnectError {
    ConnectError::Broker {
        stream: stream.to_owned(),
        doing: "note dead letters in",
        topic: settings.topic.clone(),
        why: "another `oxflow dead-letters` sends or drops some of it".to_owned(),
        fix: "wait until it has ended, and call this again",
    }
}

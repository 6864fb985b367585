//! What a configuration says, and what is said of a wrong one.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

use serde_json::json;

use super::*;
use crate::plan::Plan;

const FILE: &str = "oxflow.yaml";

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn load(text: &str, sets: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Config, Diagnostic> {
    let sets: Vec<_> = sets.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Config::load(text, FILE, &sets, &variables(environment))
}

fn good(text: &str, sets: &[(&str, &str)], environment: &[(&str, &str)]) -> Config {
    load(text, sets, environment).unwrap_or_else(|error| panic!("{error}"))
}

/// The whole text but its last line, which repeats the code.
#[track_caller]
fn expect_error(text: &str, sets: &[(&str, &str)], environment: &[(&str, &str)], expected: &str) {
    let error = load(text, sets, environment).unwrap_err().render();
    let (shown, _) = error.rsplit_once('\n').unwrap();
    assert_eq!(expected, shown);
}

fn lanes(config: &Config) -> Option<u32> {
    config.run.lanes.map(Bounded::get)
}

fn url(text: &str, environment: &[(&str, &str)]) -> String {
    good(&format!("streams:\n  in: {text}\n"), &[], environment).streams["in"].url.clone()
}

#[test]
fn everything_has_a_default() {
    for text in ["", "# nothing\n", "---\n", "run:\nstreams:\n", "run: {lanes: null}"] {
        assert_eq!(Config::default(), good(text, &[], &[]), "{text:?}");
    }
    let batch = Config::default().run.batch;
    assert_eq!((1024, 1_048_576, 100), (batch.messages.get(), batch.bytes.get(), batch.wait_ms.get()));
}

#[test]
fn every_setting_is_read() {
    let config = good(
        "streams: {ingest-metrics: 'file:in.jsonl', out: {url: 'file:out.jsonl'}}\n\
         steps: {transform: {on_error: skip}, enrich: {on_error: {retry: {times: 2, then: dead_letter}}}}\n\
         run: {lanes: 2, batch: {messages: 1000, bytes: 2048, wait_ms: 5}, delivery: at_least_once,\n\
           message_bytes: 4096, decompression_ratio: 20, checkpoint: here, checkpoint_ms: 50, stalled_s: 90,\n\
           transaction_timeout_ms: 5000, instance_id: one,\n\
           dead_letters: {stream: lost, max_percent: 5}}\n",
        &[],
        &[],
    );
    let expected = json!({
        "streams": {"ingest-metrics": {"url": "file:in.jsonl"}, "out": {"url": "file:out.jsonl"}},
        "steps": {
            "transform": {"on_error": "skip"},
            "enrich": {"on_error": {"retry": {"times": 2, "backoff_ms": 100, "then": "dead_letter"}}},
        },
        "run": {"lanes": 2, "batch": {"messages": 1000, "bytes": 2048, "wait_ms": 5}, "delivery": "at_least_once",
            "message_bytes": 4096, "decompression_ratio": 20, "checkpoint": "here", "checkpoint_ms": 50, "stalled_s": 90,
            "transaction_timeout_ms": 5000, "instance_id": "one",
            "dead_letters": {"stream": "lost", "max_percent": 5, "min_messages": 1000, "max_in_a_row": 100}},
    });
    assert_eq!(expected, serde_json::to_value(&config).unwrap());
    assert_eq!(config, serde_json::from_value(expected).unwrap(), "its JSON form reads back");
}

#[test]
fn the_command_goes_before_the_environment_before_the_file() {
    let file = "run: {lanes: 1}";
    let environment = [("OXFLOW__RUN__LANES", "2")];
    assert_eq!(Some(1), lanes(&good(file, &[], &[])));
    assert_eq!(Some(2), lanes(&good(file, &[], &environment)));
    assert_eq!(Some(4), lanes(&good(file, &[("run.lanes", "3"), ("run.lanes", "4")], &environment)));
}

#[test]
fn a_variable_finds_the_key_that_it_cannot_spell() {
    let config = good("streams: {Ingest-Metrics: 'file:a'}", &[], &[("OXFLOW__STREAMS__INGEST_METRICS", "file:b")]);
    assert_eq!(1, config.streams.len());
    assert_eq!("file:b", config.streams["Ingest-Metrics"].url);
}

#[test]
fn a_stream_of_a_variable_alone_is_found_by_its_real_name() {
    let config = good("", &[], &[("OXFLOW__STREAMS__INGEST_METRICS", "file:b")]);
    assert_eq!(Some("file:b"), config.stream("ingest-metrics").map(|stream| stream.url.as_str()));
    assert_eq!(None, config.stream("other"));
}

#[test]
fn a_set_makes_what_is_not_there_and_replaces_what_is_in_the_way() {
    let config = good("streams: {in: 'file:a'}", &[("streams.in.url", "file:b"), ("steps.x.on_error", "skip")], &[]);
    assert_eq!("file:b", config.streams["in"].url);
    assert_eq!(OnError::Skip, config.step("x").on_error);
    assert_eq!(OnError::Fail, config.step("y").on_error);
}

#[test]
fn variables_are_replaced_inside_texts_too() {
    assert_eq!("file:/data/in.jsonl", url("file:${ROOT}/in.jsonl", &[("ROOT", "/data")]));
    assert_eq!("file:/tmp/in.jsonl", url("file:${ROOT:-/tmp}/in.jsonl", &[("ROOT", "")]));
    assert_eq!("file:a${ROOT}$b", url("file:a$${ROOT}$b", &[]));
}

#[test]
fn a_variable_alone_is_typed_as_if_it_stood_there() {
    assert_eq!(Some(8), lanes(&good("run: {lanes: '${LANES}'}", &[], &[("LANES", "8")])));
    assert_eq!(Some(3), lanes(&good("run: {lanes: '${LANES:-3}'}", &[], &[])));
}

#[test]
fn a_variable_cannot_add_keys() {
    assert_eq!("{url: x}", url("${IN}", &[("IN", "{url: x}")]));
}

#[test]
fn what_is_overlaid_is_taken_as_it_is_and_what_it_hides_is_not_looked_up() {
    let config = good("streams: {in: '${NOWHERE}'}", &[("streams.in", "file:a$${B}")], &[]);
    assert_eq!("file:a$${B}", config.streams["in"].url);
}

#[test]
fn streams_are_of_one_cluster_if_a_broker_is_named_in_both() {
    let shares = |a: &str, b: &str| KafkaStream::new(a, "x").shares_broker_with(&KafkaStream::new(b, "y"));
    assert!(shares("a:1,b:1", "c:1, b:1"));
    assert!(!shares("a:1,b:1", "a:2,c:1"));
}

#[test]
fn a_secret_file_is_read_without_its_last_line_break() {
    let path = std::env::temp_dir().join(format!("oxflow-secret-{}", std::process::id()));
    std::fs::write(&path, "file:secret\n").unwrap();
    let read = url(&format!("'${{file:{}}}'", path.display()), &[]);
    std::fs::remove_file(&path).unwrap();
    assert_eq!("file:secret", read);
}

#[test]
fn an_unknown_key_is_told_with_what_was_meant() {
    expect_error(
        "run:\n  lane: 2\n",
        &[],
        &[],
        "error[OXF0302]: unknown key `run.lane`\n  --> oxflow.yaml:2  lane: 2\n  \
         why: `run` takes `lanes`, `batch`, `message_bytes`, `decompression_ratio`, `delivery`, `checkpoint`, `checkpoint_ms`, `transaction_timeout_ms`, `instance_id`, `dead_letters`, `stalled_s` and `endpoint`\n  fix: did you mean `lanes`?",
    );
}

#[test]
fn a_value_beyond_its_limits_is_told_with_them() {
    expect_error(
        "run:\n  lanes: 0\n",
        &[],
        &[],
        "error[OXF0303]: `run.lanes` is `0`, but must be a whole number from 1 to 256\n  --> oxflow.yaml:2  lanes: 0",
    );
    expect_error(
        "run: {batch: {bytes: many}}",
        &[],
        &[],
        "error[OXF0303]: `run.batch.bytes` is the text `many`, but must be a whole number from 1024 to 268435456\n  \
         --> oxflow.yaml:1  run: {batch: {bytes: many}}",
    );
}

#[test]
fn an_unknown_word_is_told_with_the_known_ones() {
    expect_error(
        "steps: {x: {on_error: skp}}",
        &[],
        &[],
        "error[OXF0303]: `steps.x.on_error` is `skp`, but must be `fail`, `skip`, `dead_letter` or `retry`\n  \
         --> oxflow.yaml:1  steps: {x: {on_error: skp}}\n  fix: did you mean `skip`?",
    );
}

#[test]
fn a_setting_that_stands_beside_its_word_belongs_inside() {
    expect_error(
        "steps: {x: {on_error: {retry: {times: 2}, then: skip}}}",
        &[],
        &[],
        "error[OXF0303]: `steps.x.on_error`: `then` stands beside `retry`, but belongs inside: write `{retry: {then: ...}}`\n  \
         --> oxflow.yaml:1  steps: {x: {on_error: {retry: {times: 2}, then: skip}}}",
    );
}

#[test]
fn a_map_is_set_key_by_key() {
    expect_error(
        "",
        &[("steps.x.on_error", "{retry: {times: 2}}")],
        &[],
        "error[OXF0303]: `steps.x.on_error` is `{retry: {times: 2}}`, but must be `fail`, `skip`, `dead_letter` or `retry`\n  \
         why: it is set by `--set steps.x.on_error=...`\n  \
         fix: set it key by key: `--set steps.x.on_error.KEY=VALUE`",
    );
}

#[test]
fn a_section_is_a_map() {
    expect_error(
        "run: 4",
        &[],
        &[],
        "error[OXF0303]: `run` is `4`, but must be a map with keys of `lanes`, `batch`, `message_bytes`, `decompression_ratio`, `delivery`, `checkpoint`, `checkpoint_ms`, `transaction_timeout_ms`, `instance_id`, `dead_letters`, `stalled_s` and `endpoint`\n  --> oxflow.yaml:1  run: 4",
    );
    expect_error(
        "[]",
        &[],
        &[],
        "error[OXF0303]: the configuration is a list, but must be a map with keys of `streams`, `steps`, `run` and `telemetry`\n  \
         --> oxflow.yaml:1  []",
    );
}

#[test]
fn a_stream_has_a_url() {
    let expected = "error[OXF0303]: `streams.in` has no `url`\n  --> oxflow.yaml:1  streams: {in: {}}";
    expect_error("streams: {in: {}}", &[], &[], expected);
    let expected = "error[OXF0302]: unknown key `streams.in.uri`\n  --> oxflow.yaml:1  streams: {in: {uri: x}}\n  \
                    why: `streams.in` takes `url` and `kafka`\n  fix: did you mean `url`?";
    expect_error("streams: {in: {uri: x}}", &[], &[], expected);
}

#[test]
fn an_overlay_is_named_as_its_author_knows_it() {
    expect_error(
        "",
        &[("run.lanes", "many")],
        &[],
        "error[OXF0303]: `run.lanes` is the text `many`, but must be a whole number from 1 to 256\n  \
         why: it is set by `--set run.lanes=...`",
    );
    expect_error(
        "",
        &[],
        &[("OXFLOW__RUN__LANE", "1")],
        "error[OXF0302]: unknown key `run.lane`\n  \
         why: it is set by the environment variable `OXFLOW__RUN__LANE`\n  fix: did you mean `lanes`?",
    );
}

#[test]
fn what_a_variable_holds_is_never_shown() {
    for (text, name) in [
        ("run: {lanes: '${TOKEN}'}", "TOKEN"),
        ("run: {lanes: 'a${TOKEN}'}", "TOKEN"),
        ("steps: {x: {on_error: '${TOKEN}'}}", "TOKEN"),
        ("run: {delivery: '${TOKEN}'}", "TOKEN"),
        ("run: '${TOKEN}'", "TOKEN"),
        ("", "OXFLOW__RUN__LANES"),
        ("", "OXFLOW__STEPS__X__ON_ERROR"),
    ] {
        for secret in ["hunter2", "987654321987", "-17", "true"] {
            let shown = load(text, &[], &[(name, secret)]).unwrap_err().render();
            assert!(!shown.contains(secret), "{shown}");
            assert!(shown.contains(&format!("variable `{name}`")), "{shown}");
        }
    }
}

#[test]
fn a_missing_variable_is_told_where_it_is_used() {
    expect_error(
        "streams:\n  in: file:${ROOT}/a\n",
        &[],
        &[],
        "error[OXF0304]: there is no variable `ROOT`\n  --> oxflow.yaml:2  in: file:${ROOT}/a\n  \
         fix: set it, or give a default: `${ROOT:-...}`",
    );
    let error = load("streams: {in: '${file:/nowhere/at/all}'}", &[], &[]).unwrap_err();
    assert_eq!("the secret file `/nowhere/at/all` cannot be read", error.message);
    let error = load("streams: {in: 'file:${ROOT'}", &[], &[]).unwrap_err();
    assert_eq!("a `${` is not closed", error.message);
}

#[test]
fn broken_yaml_is_told_with_its_line_and_reason() {
    expect_error(
        "run:\n  lanes: [1\n",
        &[],
        &[],
        "error[OXF0301]: the configuration cannot be read\n  --> oxflow.yaml:2  lanes: [1\n  \
         why: unclosed bracket '['",
    );
    expect_error(
        "run: {lanes: 1}\nrun: {lanes: 2}\n",
        &[],
        &[],
        "error[OXF0301]: the configuration cannot be read\n  --> oxflow.yaml:2  run: {lanes: 2}\n  \
         why: duplicate mapping key: run not allowed here",
    );
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&["a", &level.to_string(), ": &a", &level.to_string(), " [", &items, "]\n"].concat());
    }
    assert_eq!("OXF0301", load(&text, &[], &[]).unwrap_err().code.id());
}

#[test]
fn a_file_beyond_a_megabyte_or_too_deep_is_refused() {
    assert_eq!("OXF0301", load(&" ".repeat((1 << 20) + 1), &[], &[]).unwrap_err().code.id());
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    assert_eq!("OXF0301", load(&deep, &[], &[]).unwrap_err().code.id());
}

fn plan() -> Plan {
    serde_json::from_value(json!({"version": 1, "source": {"name": "metrics", "stream": "ingest"}, "steps": [
        {"name": "transform", "operation": {"serializer": {}}},
        {"name": "out", "operation": {"sink": "results"}},
    ]}))
    .unwrap()
}

#[track_caller]
fn expect_check(text: &str, expected: &[&str]) {
    let found = good(text, &[], &[]).check(&plan());
    let found: Vec<_> = found.iter().map(|one| format!("{} {}", one.code, one.message)).collect();
    assert_eq!(expected, found);
}

#[test]
fn a_configuration_fits_its_pipeline() {
    let streams = "streams: {ingest: 'null:', results: 'null:'}\n";
    expect_check(&format!("{streams}steps: {{transform: {{on_error: skip}}}}"), &[]);
    expect_check(
        &format!("{streams}steps: {{transfrom: {{}}}}"),
        &["OXF0305 `steps.transfrom` is for a step that the pipeline does not have"],
    );
    expect_check("streams: {ingest: 'null:'}", &["OXF0401 stream `results` is not bound"]);
    expect_check(
        "streams: {ingset: 'null:', results: 'null:'}",
        &[
            "OXF0305 `streams.ingset` is for a stream that the pipeline does not have",
            "OXF0401 stream `ingest` is not bound",
        ],
    );
}

#[test]
fn dead_letters_have_a_stream_of_their_own() {
    let posting = "steps: {transform: {on_error: dead_letter}}";
    let streams = |more: &str| format!("streams: {{ingest: 'null:', results: 'null:'{more}}}\n{posting}\n");
    expect_check(&streams(", dead-letters: 'null:'"), &[]);
    expect_check(&streams(""), &["OXF0401 stream `dead-letters` is not bound"]);
    expect_check(
        &(streams("") + "run: {dead_letters: {stream: results}}"),
        &["OXF0303 `run.dead_letters.stream` is `results`, a stream of the pipeline"],
    );
    expect_check("streams: {ingest: 'null:', results: 'null:', dead-letters: 'null:'}", &[]);
}

#[test]
fn only_functions_are_called_again() {
    expect_check(
        "streams: {ingest: 'null:', results: 'null:'}\nsteps: {transform: {on_error: {retry: {}}}}",
        &["OXF0303 `steps.transform.on_error` is `retry`, but `transform` calls no function"],
    );
}

#[test]
fn a_topic_has_what_its_promises_hang_on() {
    let kafka = |more: &str| {
        format!("streams: {{ingest: {{kafka: {{bootstrap_servers: 'a:1', topic: t{more}}}}}, results: 'null:'}}")
    };
    expect_check(&kafka(", group: g, properties: {linger.ms: 20, socket.keepalive.enable: true}"), &[]);
    expect_check(&kafka(""), &["OXF0303 stream `ingest` is a source in Kafka without a group"]);
    expect_check(
        &kafka(", group: g, properties: {acks: 1}"),
        &["OXF0303 `streams.ingest.kafka.properties` sets `acks`, which is not to be set"],
    );
    expect_check(
        "streams: {ingest: 'kafka://a:1/t', results: 'kafka://a:1/u'}",
        &["OXF0303 stream `ingest` is a source in Kafka without a group"],
    );
}

#[test]
fn a_property_is_never_shown_and_comes_through_as_it_was() {
    let text = "streams: {in: {kafka: {bootstrap_servers: 'a:1', topic: t, properties: {sasl.password: '${PASSWORD}', linger.ms: 5}}}}";
    let config = good(text, &[], &[("PASSWORD", "hunter2")]);
    assert!(!format!("{config:?}").contains("hunter2"));
    let again: Config = serde_json::from_value(serde_json::to_value(&config).unwrap()).unwrap();
    assert_eq!(config, again);
    let kafka = again.streams["in"].kafka.as_ref().unwrap();
    assert_eq!(("hunter2", "5"), (kafka.properties["sasl.password"].reveal(), kafka.properties["linger.ms"].reveal()));
}

#[test]
fn the_pause_before_a_retry_doubles_up_to_a_minute() {
    let retry = Retry { backoff_ms: Bounded::new::<500>(), ..Retry::default() };
    let millis = [1, 2, 3, 8, 100].map(|attempt| retry.backoff(attempt).as_millis());
    assert_eq!([500, 1000, 2000, 60_000, 60_000], millis);
}

#[test]
fn the_schema_names_every_key_with_its_meaning() {
    let schema = schema();
    assert_eq!("Configuration of oxflow", schema["title"]);
    assert_eq!(json!(false), schema["additionalProperties"]);
    let lanes = &schema["$defs"]["RunConfig"]["properties"]["lanes"];
    assert!(lanes["description"].as_str().unwrap().starts_with("Number of lanes"), "{lanes}");
    assert_eq!(json!("file:in.jsonl"), schema["properties"]["streams"]["examples"][0]["ingest-metrics"]);
}

//! Requests against a server of this test, which is a thread a connection.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail in the place where it finds a fault"
)]

mod server;

use std::collections::VecDeque;
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use oxflow_http::{Addresses, Client, Done, FetchError, Fetching, Limits, Request};
use server::Server;

const LONG: Duration = Duration::from_secs(20);

fn post(url: String, body: &'static [u8]) -> Request {
    Request { method: "POST".into(), body: body.into(), ..Request::get(url) }
}

fn all(fetching: &Fetching, requests: impl IntoIterator<Item = Request>) -> Vec<Done> {
    let mut requests: VecDeque<_> = requests.into_iter().enumerate().collect();
    let mut done = Vec::new();
    loop {
        fetching.submit(&mut requests).unwrap();
        if requests.is_empty() {
            fetching.close().unwrap();
        }
        let taken = fetching.take(LONG).unwrap();
        done.extend(taken.done);
        if taken.ended {
            done.sort_by_key(|done| done.index);
            return done;
        }
    }
}

#[test]
fn a_request_gets_its_response() {
    let server = Server::start();
    let request = Request { headers: vec![("X-Mine".into(), "7".into())], ..post(server.url("/echo?a=b"), b"hello") };
    let response = Client::new().unwrap().fetch(request, Limits::default()).unwrap();
    assert_eq!((200, server.url("/echo?a=b")), (response.status, response.url.clone()));
    let seen = String::from_utf8(response.body.to_vec()).unwrap().to_lowercase();
    for line in
        ["post /echo?a=b http/1.1", &format!("host: {}", server.authority()), "x-mine: 7", "user-agent: oxflow/"]
    {
        assert!(seen.contains(line), "{seen}");
    }
    assert!(seen.ends_with("\r\n\r\nhello"), "{seen}");
    assert_eq!(Some("text/plain"), response.header("Content-Type"));
}

#[test]
fn many_requests_share_connections_and_each_has_its_own_outcome() {
    let server = Server::start();
    let fetching = Client::new().unwrap().start(10, Limits::default()).unwrap();
    let url = |index: usize| match index % 10 {
        3 => server.url("/status/500"),
        5 => "no url".to_owned(),
        7 => "http://127.0.0.1:1/".to_owned(),
        _ => server.url(&format!("/echo?{index}")),
    };
    let done = all(&fetching, (0..2000).map(|index| Request::get(url(index))));
    assert_eq!(2000, done.len());
    for (index, done) in done.iter().enumerate() {
        assert_eq!(index, done.index);
        match (index % 10, &done.result) {
            (3, Ok(response)) => assert_eq!(500, response.status),
            (5, Err(FetchError::Invalid { .. })) => assert_eq!(0, done.attempts),
            (7, Err(FetchError::Connect { .. })) => {}
            (_, Ok(response)) => {
                assert!(String::from_utf8_lossy(&response.body).contains(&format!("GET /echo?{index} ")));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(server.connections() <= 10, "{}", server.connections());
}

#[test]
fn no_more_are_under_way_than_may_be() {
    let server = Server::start();
    let fetching = Client::new().unwrap().start(4, Limits::default()).unwrap();
    let begun = Instant::now();
    all(&fetching, (0..40).map(|_| Request::get(server.url("/slow/20"))));
    assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
    assert_eq!(4, server.most.load(Ordering::SeqCst));
}

#[test]
fn there_is_room_for_a_bounded_number() {
    let server = Server::start();
    let fetching = Client::new().unwrap().start(2, Limits::default()).unwrap();
    let mut requests: VecDeque<_> = (0..10_000).map(|index| (index, Request::get(server.url("/echo")))).collect();
    fetching.submit(&mut requests).unwrap();
    let room = 10_000 - requests.len();
    assert_eq!(260, room);
    fetching.submit(&mut requests).unwrap();
    assert_eq!((0, 10_000 - room), (fetching.room(), requests.len()), "what is done and not taken has its room still");
    let mut taken = 0;
    while taken < room {
        taken += fetching.take(LONG).unwrap().done.len();
    }
    assert_eq!((room, room), (taken, fetching.room()));
}

#[test]
fn that_all_is_over_is_told_at_once_however_often_one_asks() {
    let server = Server::start();
    let fetching = Client::new().unwrap().start(2, Limits::default()).unwrap();
    assert_eq!(3, all(&fetching, (0..3).map(|_| Request::get(server.url("/echo")))).len());
    let begun = Instant::now();
    assert!(fetching.take(LONG).unwrap().ended);
    assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
}

#[test]
fn limits_hold() {
    let server = Server::start();
    let client = Client::new().unwrap();
    let get = |path: &str, limits: Limits| client.fetch(Request::get(server.url(path)), limits);
    let limits = Limits::default;
    let late = get("/slow/5000", Limits { timeout: Duration::from_millis(80), ..limits() });
    assert!(matches!(late, Err(FetchError::Timeout { .. })), "{late:?}");
    let late = get("/drip", Limits { timeout: Duration::from_millis(150), ..limits() });
    assert!(matches!(late, Err(FetchError::Timeout { .. })), "{late:?}");
    for path in ["/large/1000", "/chunked/1000"] {
        let large = get(path, Limits { body_bytes: 999, ..limits() });
        assert!(matches!(large, Err(FetchError::TooLarge { limit: 999 })), "{large:?}");
        assert_eq!(vec![b'x'; 1000], get(path, Limits { body_bytes: 1000, ..limits() }).unwrap().body);
    }
    let inside = get("/echo", Limits { addresses: Addresses::Public, ..limits() });
    assert!(matches!(inside, Err(FetchError::Private { .. })), "{inside:?}");
    let broken = get("/garbage", limits());
    assert!(matches!(broken, Err(FetchError::Protocol { .. })), "{broken:?}");
    let cut = get("/cut", limits());
    assert!(matches!(cut, Err(FetchError::Protocol { .. })), "{cut:?}");
}

#[test]
fn redirects_are_followed_as_far_as_allowed_and_tell_no_secret() {
    let (server, other) = (Server::start(), Server::start());
    let client = Client::new().unwrap();
    let secret = |url| Request { headers: vec![("Authorization".into(), "secret".into())], ..Request::get(url) };
    let limits = Limits::default;
    let response = client.fetch(secret(server.url("/to?/echo")), limits()).unwrap();
    assert_eq!(server.url("/echo"), response.url);
    assert!(String::from_utf8_lossy(&response.body).contains("secret"));
    let response = client.fetch(secret(server.url(&format!("/to?{}", other.url("/echo")))), limits()).unwrap();
    assert!(!String::from_utf8_lossy(&response.body).contains("secret"));
    let endless = client.fetch(Request::get(server.url("/loop")), limits());
    assert!(matches!(endless, Err(FetchError::Redirects { limit: 5 })), "{endless:?}");
    let kept = client.fetch(Request::get(server.url("/loop")), Limits { redirects: 0, ..limits() }).unwrap();
    assert_eq!(302, kept.status);
    assert_eq!(302, client.fetch(post(server.url("/to?/echo"), b""), limits()).unwrap().status);
}

#[test]
fn what_failed_is_repeated_as_often_as_allowed() {
    let server = Server::start();
    let limits = |retries| Limits { retries, backoff: Duration::from_millis(5), ..Limits::default() };
    let client = Client::new().unwrap();
    let tried = |path: &str, retries, method: &str| {
        let request = Request { method: method.into(), ..Request::get(server.url(path)) };
        let done = all(&client.start(1, limits(retries)).unwrap(), [request]).remove(0);
        (done.attempts, done.result.unwrap().status)
    };
    assert_eq!((3, 200), tried("/fails/2/a", 5, "GET"));
    assert_eq!((2, 503), tried("/fails/2/b", 1, "GET"));
    assert_eq!((1, 503), tried("/fails/2/c", 5, "POST"));
}

#[test]
fn a_connection_that_the_server_closed_meanwhile_costs_nothing() {
    let server = Server::start();
    let client = Client::new().unwrap();
    for _ in 0..5 {
        assert_eq!(200, client.fetch(Request::get(server.url("/then-close")), Limits::default()).unwrap().status);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(200, client.fetch(post(server.url("/echo"), b"x"), Limits::default()).unwrap().status);
    }
}

#[test]
fn what_is_given_up_says_so_at_once() {
    let server = Server::start();
    let fetching = Client::new().unwrap().start(2, Limits::default()).unwrap();
    let mut requests = (0..10).map(|index| (index, Request::get(server.url("/slow/20000")))).collect();
    fetching.submit(&mut requests).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let begun = Instant::now();
    fetching.cancel();
    let mut done = Vec::new();
    loop {
        let taken = fetching.take(LONG).unwrap();
        done.extend(taken.done);
        if taken.ended {
            break;
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(10, done.iter().filter(|done| matches!(done.result, Err(FetchError::Cancelled))).count());
}

#[test]
fn a_client_that_is_gone_ends_its_thread_and_its_connections() {
    let server = Server::start();
    let client = Client::new().unwrap();
    client.fetch(Request::get(server.url("/echo")), Limits::default()).unwrap();
    assert_eq!(1, server.open.load(Ordering::SeqCst));
    drop(client);
    let begun = Instant::now();
    while server.open.load(Ordering::SeqCst) > 0 {
        assert!(begun.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn secure_servers_are_known_by_their_roots() {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(key.cert.der().clone()).unwrap();
    server::serve_tls(listener, &key);
    let response = Client::trusting(roots).unwrap().fetch(Request::get(url.clone()), Limits::default()).unwrap();
    assert_eq!("secure", response.body);
    let strange = Client::new().unwrap().fetch(Request::get(url), Limits::default());
    assert!(matches!(strange, Err(FetchError::Tls { .. })), "{strange:?}");
}

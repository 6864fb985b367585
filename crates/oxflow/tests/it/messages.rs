//! A message in the hands of a user.

use oxflow::Message;

#[test]
fn a_message_from_nowhere_is_empty() {
    let message = Message::new(());
    assert_eq!((None, 0, 0), (message.key(), message.headers().len(), message.timestamp()));
    let origin = message.origin();
    assert_eq!(("", 0, 0), (origin.stream(), origin.partition(), origin.offset()));
}

#[test]
fn taking_the_payload_leaves_the_metadata() {
    let (payload, rest) = Message::new(1).with_key("k").with_timestamp(5).take();
    let message = rest.map(|()| payload + 1);
    assert_eq!((2, Some(b"k".as_slice()), 5), (*message.payload(), message.key(), message.timestamp()));
    assert_eq!(None, message.without_key().key());
}

#[test]
fn headers_keep_order_and_repetition() {
    let message = Message::new(()).with_headers([("b", "1"), ("a", "2"), ("b", "3")]);
    let expected: [(&str, &[u8]); 3] = [("b", b"1"), ("a", b"2"), ("b", b"3")];
    assert!(message.headers().eq(expected));
}

#[test]
fn a_message_goes_to_other_threads() {
    fn sends<T: Send>() {}
    sends::<Message<Vec<u8>>>();
}

//! The headers of a message. Their names need not be UTF-8, which the safe interface of the client takes for granted: it
//! panics.
#![allow(unsafe_code)]

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::slice;

use rdkafka::bindings::{rd_kafka_header_get_all, rd_kafka_headers_t, rd_kafka_message_headers, rd_kafka_resp_err_t};
use rdkafka::message::BorrowedMessage;

/// Names and values, in order. What is no UTF-8 in a name is replaced; a value that is null is empty.
pub(super) fn headers<'m>(message: &'m BorrowedMessage<'_>) -> Vec<(Cow<'m, str>, &'m [u8])> {
    let mut headers: *mut rd_kafka_headers_t = ptr::null_mut();
    // SAFETY: the message is alive; the headers that are given stay its own.
    let answer = unsafe { rd_kafka_message_headers(message.ptr(), &raw mut headers) };
    if answer != rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Vec::new();
    }
    (0..).map_while(|index| header(message, headers, index)).collect()
}

fn header<'m>(
    _owner: &'m BorrowedMessage<'_>,
    headers: *mut rd_kafka_headers_t,
    index: usize,
) -> Option<(Cow<'m, str>, &'m [u8])> {
    let mut name: *const c_char = ptr::null();
    let mut value: *const c_void = ptr::null();
    let mut size = 0;
    // SAFETY: `headers` are the owner's. An index beyond the last is an answer.
    let answer = unsafe { rd_kafka_header_get_all(headers, index, &raw mut name, &raw mut value, &raw mut size) };
    if answer != rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return None;
    }
    // SAFETY: the name ends in a zero, and lives as long as the message.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    // SAFETY: the value has that size, and lives as long as the message.
    let value = if value.is_null() { &[] } else { unsafe { slice::from_raw_parts(value.cast::<u8>(), size) } };
    Some((name, value))
}

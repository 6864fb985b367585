"""Traces, metrics and logs with `pytracingx`; the page on migration shows them beside those of oxflow."""

import logging

import pytracingx as ptx
from pytracingx.logging import SLSLoggingHandler

sink = ptx.TraceSink(endpoint="http://127.0.0.1:4317", sampler="parent_based_traceid_ratio", sampler_arg=0.5)
ptx.init(ptx.Config(service_name="shop", sinks=[sink], console_output=False))
orders = ptx.get_meter("cart").counter("orders")
logger = ptx.get_logger("cart")
logging.getLogger("mail").addHandler(SLSLoggingHandler())

headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
with ptx.extract_headers(headers), ptx.start_span("checkout", kind="server", attributes={"user.id": "u1"}) as span:
    orders.add(1, attributes={"sku": "abc"})
    logger.info("checkout done", attributes={"sku": "abc"})
    logging.getLogger("mail").warning("sent a receipt")
    span.set_attribute("amount", 12.34)
    span.set_status("ok")
    sent: dict[str, str] = {}
    ptx.inject_headers(sent)
    print(span.trace_id(), sent["traceparent"].split("-")[1], span.is_recording())
ptx.force_flush()
ptx.shutdown()

"""A real Apache Kafka for tests: one node in KRaft mode, from Maven Central's jars, in its own folder and on its own ports.

It needs a JDK and, the first time, Maven: the jars stay in `~/.cache/oxflow/kafka`. A child of the tests, which ends it.
"""

from __future__ import annotations

import base64
import fcntl
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from certificates import Certificates

if TYPE_CHECKING:
    import signal

VERSION = "4.3.1"
JARS = Path.home() / ".cache/oxflow/kafka" / VERSION
# Beside the broker: a log binding.
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>broker</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version></dependency>
</dependencies></project>
"""
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{behind},CONTROLLER://127.0.0.1:{controller},\
TLS://127.0.0.1:{tls},EXPIRED://127.0.0.1:{expired},SASL://127.0.0.1:{sasl}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{proxy},\
TLS://127.0.0.1:{tls},EXPIRED://127.0.0.1:{expired},SASL://127.0.0.1:{sasl}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,EXPIRED:SSL,SASL:SASL_SSL
ssl.keystore.type=PEM
ssl.truststore.type=PEM
listener.name.tls.ssl.keystore.location={folder}/server.pem
listener.name.tls.ssl.truststore.location={folder}/ca.pem
listener.name.tls.ssl.client.auth=required
listener.name.expired.ssl.keystore.location={folder}/expired.pem
listener.name.sasl.ssl.keystore.location={folder}/server.pem
listener.name.sasl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_metrics="{password}";
listener.name.sasl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
inter.broker.listener.name=PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
default.replication.factor=1
min.insync.replicas=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.min.heartbeat.interval.ms=500
group.consumer.session.timeout.ms=3000
group.consumer.heartbeat.interval.ms=1000
num.network.threads=2
num.io.threads=4
background.threads=2
log.cleaner.dedupe.buffer.size=8388608
"""
LOGGING = """
rootLogger.level=WARN
rootLogger.appenderRef.o.ref=O
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=INFO
appender.o.type=Console
appender.o.name=O
appender.o.layout.type=PatternLayout
appender.o.layout.pattern=[%d] %p %m (%c)%n
"""
READY = "Kafka Server started"
USER, PASSWORD = "metrics", "hunter2-and-more"


def free_ports(count: int) -> list[int]:
    """Find ports that nobody listens on, by holding them all at once."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def resolve() -> Path:
    """Bring the jars here, once for all checkouts."""
    JARS.mkdir(parents=True, exist_ok=True)
    with (JARS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (JARS / "complete").exists():
            (JARS / "pom.xml").write_text(POM, encoding="utf-8")
            copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={JARS}/jars"]
            subprocess.run(["mvn", "-q", "-B", "-f", str(JARS / "pom.xml"), *copy], check=True)
            (JARS / "complete").touch()
    return JARS / "jars"


class Broker:
    """One broker. It keeps its data when it is stopped or killed, until its folder goes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        port, controller, behind, proxy, tls, expired, sasl = free_ports(7)
        self.address = f"127.0.0.1:{port}"
        # Wants a certificate of its clients; has one itself that is out of date; wants a name and a password, or a token.
        self.tls, self.expired, self.sasl = (f"127.0.0.1:{number}" for number in (tls, expired, sasl))
        self.certificates = Certificates(folder)
        # Who comes in here is told by the broker to come by the proxy.
        self.behind_proxy = f"127.0.0.1:{behind}"
        self.proxy = f"127.0.0.1:{proxy}"
        self._process: subprocess.Popen[bytes] | None = None
        self._java = ["java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"]
        self._java += [f"-Dlog4j2.configurationFile={folder}/log4j2.properties", "-cp", f"{resolve()}/*"]
        text = PROPERTIES.format(
            port=port, controller=controller, behind=behind, proxy=proxy, tls=tls, expired=expired, sasl=sasl,
            folder=folder, password=PASSWORD,
        )  # fmt: skip
        self._properties = folder / "server.properties"
        self._properties.write_text(text, encoding="utf-8")
        (folder / "log4j2.properties").write_text(LOGGING, encoding="utf-8")
        cluster = base64.urlsafe_b64encode(b"A" + os.urandom(15)).decode().rstrip("=")
        form = [*self._java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._properties)]
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            form += ["--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]"]
        subprocess.run(form, check=True, capture_output=True)

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = self._folder / "server.log"
        with log.open("wb") as output:
            command = [*self._java, "kafka.Kafka", str(self._properties)]
            self._process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        until = time.monotonic() + 120
        while READY not in log.read_text(encoding="utf-8"):
            assert self._process.poll() is None, f"the broker ended: {log.read_text(encoding='utf-8')[-2000:]}"
            assert time.monotonic() < until, "the broker did not start in two minutes"
            time.sleep(0.05)

    def codec(self, topic: str) -> int:
        """How the first batch of a topic's first partition is compressed, by the number that the protocol has for it."""
        batch = (self._folder / "data" / f"{topic}-0" / "00000000000000000000.log").read_bytes()
        # After the offset, length, epoch, version and sum.
        return batch[22] & 7

    def end(self, number: signal.Signals) -> None:
        """End it by a signal and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

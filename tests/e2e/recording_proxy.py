"""Stands between one agent and its collector, ends its TLS, and keeps every byte that it sends.

The collector's own journal holds only what it stores; an enrolment, a question and the headers of
a request are told nobody. So the requests are taken off the wire, as they were written. The proxy
can do so because the test owns all the files: it shows the collector's server certificate to the
agent and, once there is one, the agent's certificate to the collector. What it keeps is what the
agent wrote; what it passes on differs in the port of the Host header, which the collector checks.
"""
import contextlib
import os
import socket
import ssl
import threading

from frames import decode_frame, decompress, payload
from support import free_port

FRAMES_PATH = b"/v1/frames"


def requests_in(stream):
    """The HTTP requests of one connection: (method, path, head, body) of each."""
    out = []
    while stream:
        head, separator, rest = stream.partition(b"\r\n\r\n")
        if not separator:
            raise ValueError(f"no whole request: {stream[:200]!r}")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"transfer-encoding":
                raise ValueError(f"a body without a length: {head!r}")
            if name.lower() == b"content-length":
                length = int(value)
        method, path, _ = head.split(b"\r\n", 1)[0].split(b" ")
        out.append((method, path, head, rest[:length]))
        stream = rest[length:]
    return out


def layers_of(request):
    """A request as it was sent and, for a frame, all that is packed in it."""
    _, path, head, body = request
    layers = [head + b"\r\n\r\n" + body]
    if path == FRAMES_PATH:
        envelope, bodies = decode_frame(body)
        layers += [payload(envelope), *map(decompress, bodies)]
    return b"\n".join(layers)


class RecordingProxy:
    """Serves from construction to close(), in threads of the test."""

    def __init__(self, collector, agent_state):
        self._collector, self._state = collector, agent_state
        self._streams, self._lock, self._closed = [], threading.Lock(), False
        port = free_port()
        self.url = f"https://127.0.0.1:{port}"
        self._server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server.minimum_version = ssl.TLSVersion.TLSv1_3
        self._server.load_cert_chain(os.path.join(collector.data, "server.crt"),
                                     os.path.join(collector.data, "server.key"))
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def requests(self):
        """Every request so far, connection by connection."""
        with self._lock:
            streams = [bytes(stream) for stream in self._streams]
        return [request for stream in streams for request in requests_in(stream)]

    def _accept(self):
        while not self._closed:
            with contextlib.suppress(OSError):
                raw, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(raw,), daemon=True).start()

    def _to_collector(self):
        context = ssl.create_default_context(
            cafile=os.path.join(self._collector.data, "authority.crt"))
        certificate = os.path.join(self._state, "tls.crt")
        if os.path.exists(certificate):
            context.load_cert_chain(certificate, os.path.join(self._state, "tls.key"))
        raw = socket.create_connection(("127.0.0.1", self._collector.port), 20)
        raw.settimeout(None)
        return context.wrap_socket(raw, server_hostname="127.0.0.1")

    def _relay(self, raw):
        stream = bytearray()
        with self._lock:
            self._streams.append(stream)
        with contextlib.suppress(OSError), raw, \
                self._server.wrap_socket(raw, server_side=True) as agent, \
                self._to_collector() as collector:
            back = threading.Thread(target=self._answers, args=(collector, agent), daemon=True)
            back.start()
            while data := agent.recv(1 << 16):
                with self._lock:
                    stream += data
                # a head comes in one piece: the agent writes it at once, and it fits a TLS record
                collector.sendall(data.replace(b"Host: %s\r\n" % self.url[8:].encode(),
                                               b"Host: 127.0.0.1:%d\r\n" % self._collector.port))
            with contextlib.suppress(OSError):
                collector.shutdown(socket.SHUT_RDWR)
            back.join(20)

    @staticmethod
    def _answers(collector, agent):
        with contextlib.suppress(OSError):
            while data := collector.recv(1 << 16):
                agent.sendall(data)
        with contextlib.suppress(OSError):
            agent.shutdown(socket.SHUT_RDWR)

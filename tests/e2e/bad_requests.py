"""The 32 hostile requests of ../shared/data/vectors/http against both listeners of the running collector."""
import json
import os
import socket
import ssl

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared", "data", "vectors",
                      "http")
PATIENCE_SECONDS = 20


def answer_to(port, request):
    """All that comes back; b"" when the connection is closed without a word."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # who answers is not in question here
    out = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as plain:
        with context.wrap_socket(plain) as connection:
            try:
                connection.sendall(request)
                # Nothing more comes of what is half a request; SSLSocket's own would end TLS as well.
                socket.socket.shutdown(connection, socket.SHUT_WR)
                while piece := connection.recv(65536):
                    out += piece
            except TimeoutError:
                raise AssertionError("the connection is kept open") from None
            except OSError:
                pass  # closed while we wrote: refused
    return out


def hostile_requests(world, report):
    """What must be refused gets 400 or nothing; no request gets two answers; the next is served."""
    if not os.path.exists(os.path.join(FOLDER, "index.json")):
        # Not a skip of what this machine could show: a clone alone has no such folder.
        report.output.step("skipped requests: ../shared/data/vectors/http is not here")
        return
    with open(os.path.join(FOLDER, "index.json"), encoding="utf-8") as file:
        vectors = json.load(file)
    with open(os.path.join(world.collector.data, "listening.json"), encoding="ascii") as file:
        ports = json.load(file)
    for name in ("agents", "people"):
        problems = []
        for vector in vectors:
            with open(os.path.join(FOLDER, vector["file"]), "rb") as file:
                answer = answer_to(ports[name], file.read().replace(b"Host: x\r\n", b"Host: 127.0.0.1\r\n", 1))
            answers = answer.count(b"HTTP/1.1 ")
            refused = not answer or answer.startswith(b"HTTP/1.1 400 ")
            if answers > 1 or (vector["expect"] == "refuse" and not refused):
                problems.append(f"{vector['file']} ({vector['name']}): {answer[:200]!r}")
        if len(vectors) != 32:
            problems.append(f"{len(vectors)} vectors, not 32")
        good = answer_to(ports[name], b"GET /no/such/path HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        if not good.startswith(b"HTTP/1.1 4") or good.startswith(b"HTTP/1.1 400"):
            problems.append(f"an ordinary request afterwards: {good[:200]!r}")
        report.check(f"requests: 32 hostile ones to the listener for {name}", "\n".join(problems[:5]))

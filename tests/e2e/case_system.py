#!/usr/bin/python3
"""A small case system with the fault of 2023, as its own program.

    case_system.py --folder DIR --socket DIR --portal URL --mode fault|repaired|failures-only

Receives messages over HTTP, saves them with a pool of workers to a real PostgreSQL, tells the
portal, and writes a trace. Three ways of working:

  fault          tells the portal 'mottatt' when the message arrives, before it is saved, and
                 swallows the save that failed; now and then at INFO or WARN, now and then without a
                 word (an empty catch around the statements)
  repaired       tells 'mottatt' after the commit, tries again some times, then tells 'feilet': the
                 portal prints the message and posts it
  failures-only  as fault, but the trace holds failures only, as many products' logs do

What it really did goes to truth.jsonl beside the trace: the tests read it, no agent does. Ports and
process id stand in ready.json. Loopback only.
"""
import argparse
import http.server
import json
import os
import queue
import random
import signal
import threading
import time
import urllib.request

from case_store import CaseStore
from npgsql_words import SaveFailed
from trace_noise import Noise
from trace_writer import TraceWriter

MODES = ("fault", "repaired", "failures-only")
WORKERS = 6


class CaseSystem:
    """Everything the program does, without the HTTP around it."""

    def __init__(self, folder, socket, database, portal, mode, seed, rotate_bytes):
        self.folder, self.portal = folder, portal
        self.settings = {"mode": mode, "lock_timeout_ms": 150, "statement_timeout_ms": 2000,
                         "tries": 3, "retry_ms": 200, "silent_share": 0.2}
        self.trace = TraceWriter(os.path.join(folder, "Integrasjon.log"), rotate_bytes)
        self.store = CaseStore(socket, database)
        self.random = random.Random(seed)
        self.noise = Noise(self.trace, folder, seed, lambda: self.settings["mode"])
        self._truth = open(os.path.join(folder, "truth.jsonl"), "ab", buffering=0)  # pylint: disable=consider-using-with
        self._lock = threading.Lock()
        self._queue = queue.Queue()
        self._stop = threading.Event()
        self._received = self._done = 0
        self._numbers = list(range(31, 9, -1))  # log4net thread numbers of receivers, reused
        self._workers = [threading.Thread(target=self._work, args=(40 + n,), daemon=True)
                         for n in range(WORKERS)]

    def start(self):
        self.trace.write(1, "INFO", "Program", "Fagsystem startet, versjon 4.2.1")
        for worker in self._workers:
            worker.start()
        self.noise.start()

    def stop(self):
        """Finishes what is in flight; the queue's rest stays unsaved, as when a service stops."""
        self._stop.set()
        for worker in self._workers:
            self._queue.put(None)
        for worker in self._workers:
            worker.join(10)
        self.noise.stop()
        if self.settings["mode"] != "failures-only":
            self.trace.write(1, "INFO", "Program", "Fagsystem stopper")
        self.trace.close()

    def state(self):
        with self._lock:
            return {"received": self._received, "done": self._done,
                    "in_flight": self._received - self._done, "pid": os.getpid()}

    def truth(self, **event):
        """One line of what really happened."""
        with self._lock:
            self._truth.write((json.dumps(event) + "\n").encode())

    # --- receiving ----------------------------------------------------------------------------

    def receive(self, message):
        """Called by the HTTP thread; answers before anything is saved, as a queue consumer does."""
        mode = self.settings["mode"]
        message_id = message["bekymringsmeldingId"]
        with self._lock:
            self._received += 1
            thread = self._numbers.pop()
        try:
            if mode != "failures-only":
                transport = (f" transport={message['transportId']}"
                             if message.get("transportId") else "")
                client = f" klient={message['klientId']}" if message.get("klientId") else ""
                ms = self.trace.write(
                    thread, "INFO", "Innboks",
                    f"Mottatt melding {message_id} skjema={message['skjemaType']} "
                    f"bydel={message['bydel']}{transport} avsender={message['avsender']['navn']}, "
                    f"{message['avsender']['telefon']}{client}")
                self.noise.around_message(thread, message)
            else:
                ms = time.time_ns() // 1_000_000
            self.truth(event="received", id=message_id, mode=mode, ms=ms)
            if mode != "repaired":
                self._tell_portal(thread, message_id, "mottatt", mode)
        finally:
            with self._lock:
                self._numbers.append(thread)
        self._queue.put((mode, message))

    def _tell_portal(self, thread, message_id, word, mode):
        body = json.dumps({"bekymringsmeldingId": message_id, "type": word}).encode()
        request = urllib.request.Request(self.portal + "/kvittering", data=body, method="POST",
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()
        ms = time.time_ns() // 1_000_000
        if mode != "failures-only":
            if word == "mottatt":
                ms = self.trace.write(thread, "INFO", "Kvittering",
                                      f"Sendte kvittering mottatt for melding {message_id}")
            else:
                ms = self.trace.write(thread, "WARN", "Kvittering",
                                      f"Sendte feilet for melding {message_id}, skrives ut og "
                                      "sendes som brev")
        self.truth(event=word, id=message_id, ms=ms)

    # --- saving -------------------------------------------------------------------------------

    def _work(self, thread):
        while True:
            item = self._queue.get()
            if item is None or self._stop.is_set():
                return
            try:
                self._handle(thread, *item)
            except OSError as error:  # the portal is away: nothing of this message is told
                self.trace.write(thread, "ERROR", "Kvittering", f"Portalen svarer ikke: {error}")
            with self._lock:
                self._done += 1

    def _handle(self, thread, mode, message):
        message_id = message["bekymringsmeldingId"]
        talk = mode != "failures-only"
        tries = self.settings["tries"] if mode == "repaired" else 1
        stored = False
        for attempt in range(1, tries + 1):
            if talk:
                self.trace.write(thread, "DEBUG", "Lagring",
                                 f"Starter lagring av melding {message_id} forsøk {attempt}")
                self.noise.while_saving(thread, message)
            stored = self._attempt(thread, mode, message, attempt)
            if stored:
                break
            if attempt < tries:
                self.trace.write(thread, "WARN", "Lagring",
                                 f"Prøver på nytt om {self.settings['retry_ms']} ms")
                self._stop.wait(self.settings["retry_ms"] / 1000)
        if mode == "repaired":
            self._tell_portal(thread, message_id, "mottatt" if stored else "feilet", mode)
        if talk:
            self.trace.write(thread, "INFO", "Lagring", f"Ferdig med melding {message_id}")

    def _attempt(self, thread, mode, message, attempt):
        """One attempt and its record in the trace. True when the commit was answered."""
        message_id = message["bekymringsmeldingId"]
        try:
            number = self.store.save(message, self.settings["lock_timeout_ms"],
                                     self.settings["statement_timeout_ms"])
        except SaveFailed as failure:
            logged = self._log_failure(thread, mode, message_id, failure)
            self.truth(event="attempt", id=message_id, attempt=attempt, where=failure.where,
                       answered=not failure.commit_unanswered, sqlstate=failure.sqlstate, logged=logged)
            return False
        ms = time.time_ns() // 1_000_000
        if mode != "failures-only":
            ms = self.trace.write(thread, "INFO", "Lagring",
                                  f"Melding {message_id} er lagret (journalpost {number})")
        self.truth(event="stored", id=message_id, attempt=attempt, ms=ms)
        return True

    def _log_failure(self, thread, mode, message_id, failure):
        """The failure's record, which names no message. False when it was swallowed unsaid."""
        level = "ERROR"
        if mode == "fault":
            with self._lock:
                dice, level_dice = self.random.random(), self.random.random()
            # The empty catch stands around the statements; the commit's own catch always speaks.
            if failure.where != "commit" and dice < self.settings["silent_share"]:
                return False
            level = "ERROR" if level_dice < 0.6 else "WARN" if level_dice < 0.8 else "INFO"
        self.trace.write(thread, level, "Lagring", "Uventet feil under lagring", failure.lines())
        if mode == "failures-only":
            self.trace.write(thread, "ERROR", "Innboks",
                             f"Behandling av melding {message_id} feilet")
        return True


class Handler(http.server.BaseHTTPRequestHandler):
    """POST /meldinger, /innstillinger, /roter; GET /tilstand."""

    protocol_version = "HTTP/1.1"
    system = None

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def _answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):  # pylint: disable=invalid-name
        self._answer(200, self.system.state())

    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        value = json.loads(body) if body else {}
        if self.path == "/meldinger":
            self.system.receive(value)
            self._answer(202, {})
        elif self.path == "/innstillinger":
            self.system.settings.update(value)
            self._answer(200, self.system.settings)
        elif self.path == "/roter":
            self._answer(200, {"file": self.system.trace.rotate()})
        else:
            self._answer(404, {})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--database", default="fagsystem")
    parser.add_argument("--portal", required=True)
    parser.add_argument("--mode", choices=MODES, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rotate-bytes", type=int, default=0)
    options = parser.parse_args()
    system = CaseSystem(options.folder, options.socket, options.database, options.portal,
                        options.mode, options.seed, options.rotate_bytes)
    Handler.system = system
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    system.start()
    ready = os.path.join(options.folder, "ready.json")
    with open(ready + ".new", "w", encoding="ascii") as file:
        json.dump({"port": server.server_address[1], "pid": os.getpid()}, file)
    os.rename(ready + ".new", ready)
    server.serve_forever(poll_interval=0.05)
    system.stop()
    os.unlink(ready)


if __name__ == "__main__":
    main()

"""The portal: sends messages, keeps receipts, exports its CSV, purges. A clock of its own.

It stands for what the municipality's administrator sees: rows without personal data. Its clock runs
a little off the case system's, as clocks do, and its export writes times in each of the ways the
portals' texts show (DOMAIN.md 1.3), some of them in whole seconds.
"""
import csv
import datetime
import http.server
import io
import json
import threading
import time
import urllib.request
import uuid
import zoneinfo

from people import People

OSLO = zoneinfo.ZoneInfo("Europe/Oslo")
COLUMNS = ["bekymringsmeldingId", "innsendt", "bekreftet", "skjemaType", "kanal", "bydelRessursId",
           "bydelsnavn", "fiksOrgId", "fraFagsystem"]
KEPT_DAYS = 30  # what a case system's message sent after 2 June 2023 is kept for
DISTRICT_NAMES = ["Sentrum", "Nordbyen", "Østmarka", "Vågen", "Åsen", "Sørlia", "Ytre fjord", "Øya"]


def written_time(ms, form):
    """A time as a portal may write it; forms 2 and 3 have whole seconds."""
    local = datetime.datetime.fromtimestamp(ms / 1000, OSLO)
    return [local.isoformat(timespec="milliseconds"),
            local.replace(tzinfo=None).isoformat(timespec="milliseconds"),
            local.replace(tzinfo=None).isoformat(timespec="seconds"),
            f"{local:%d.%m.%Y %H:%M:%S}", str(ms)][form % 5]


class _Handler(http.server.BaseHTTPRequestHandler):
    """The case system's receipts: POST /kvittering."""

    protocol_version = "HTTP/1.1"
    portal = None

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def do_POST(self):  # pylint: disable=invalid-name
        value = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.portal.take_receipt(value["bekymringsmeldingId"], value["type"])
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Portal:
    """Runs its receipt endpoint in threads of the test; use it as a context manager."""

    def __init__(self, seed, clock_skew_ms=300):
        self.people = People(seed)
        self.clock_skew_ms = clock_skew_ms
        self._lock = threading.Lock()
        self.rows = {}      # message id -> row
        self._content = {}  # message id -> message, until it is purged
        handler = type("Handler", (_Handler,), {"portal": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever,
                                        kwargs={"poll_interval": 0.05}, daemon=True)
        self.first_sent = None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def now_ms(self):
        return time.time_ns() // 1_000_000 + self.clock_skew_ms

    # --- sending ------------------------------------------------------------------------------

    def send(self, case_system_url, tenant, **changes):
        """One message, over HTTP. Returns its id; `changes` replace fields of the content."""
        message = dict(self.people.message(), bekymringsmeldingId=self.people.message_id(),
                       transportId=self.people.transport_id(), klientId=self.people.client_id())
        message.update(changes)
        now = self.now_ms()
        message_id = message["bekymringsmeldingId"]
        with self._lock:
            self.first_sent = self.first_sent or now
            self._content[message_id] = message
            self.rows[message_id] = {
                "tenant": tenant, "sent": now, "confirmed": None, "printed": None,
                "form": message["skjemaType"], "district": int(message["bydel"]),
                "time_form": len(self.rows)}
        self._post(case_system_url + "/meldinger", message)
        return message_id

    def send_many(self, case_system_url, tenant, count, senders=4, each=None):
        """`count` messages from several senders at once. Returns the ids."""
        ids, errors = [], []
        numbers = iter(range(count))
        lock = threading.Lock()
        def sender():
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                try:
                    message_id = self.send(case_system_url, tenant,
                                           **(each(number) if each else {}))
                    with lock:
                        ids.append(message_id)
                except Exception as error:  # pylint: disable=broad-except
                    errors.append(error)
                    return
        threads = [threading.Thread(target=sender) for _ in range(min(senders, count))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return ids

    @staticmethod
    def _post(url, value):
        request = urllib.request.Request(url, data=json.dumps(value).encode(), method="POST",
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()

    def take_receipt(self, message_id, word):
        """'mottatt' confirms; 'feilet' sends the message to print."""
        with self._lock:
            row = self.rows[message_id]
            row["confirmed" if word == "mottatt" else "printed"] = self.now_ms()

    # --- what the administrator gets ----------------------------------------------------------

    def export_csv(self, path, tenant):
        """The tenant's rows; returns the interval of sending that they cover, in ms."""
        with self._lock:
            rows = [(i, dict(r)) for i, r in self.rows.items() if r["tenant"] == tenant]
            until = self.now_ms()
        out = io.StringIO()
        writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for message_id, row in rows:
            confirmed = row["confirmed"]
            writer.writerow([
                message_id, written_time(row["sent"], row["time_form"]),
                written_time(confirmed, row["time_form"]) if confirmed else "",
                row["form"], "Print" if row["printed"] else "Fagsystem",
                uuid.uuid5(uuid.NAMESPACE_OID, f"bydel-{row['district']}"),
                DISTRICT_NAMES[row["district"]], uuid.uuid5(uuid.NAMESPACE_OID, tenant), "false"])
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(out.getvalue())
        return (self.first_sent or until) - 1000, until

    def purge_deadline(self, message_id):
        """When the content goes: KEPT_DAYS after the receipt, the earlier of days of 24 hours and
        days by the clocks in Norway. None: not receipted, so never."""
        with self._lock:
            confirmed = self.rows[message_id]["confirmed"]
        if not confirmed:
            return None
        kept = datetime.timedelta(days=KEPT_DAYS)
        local = datetime.datetime.fromtimestamp(confirmed / 1000, OSLO)
        by_clocks = (local.replace(tzinfo=None) + kept).replace(tzinfo=OSLO)
        return min(confirmed + int(kept.total_seconds()) * 1000,
                   round(by_clocks.timestamp() * 1000))

    def purge(self, now_ms):
        """Deletes the content of confirmed messages past their time; the rows stay, as in 2023."""
        deadlines = {i: self.purge_deadline(i) for i in self.rows}
        with self._lock:
            gone = [i for i, deadline in deadlines.items()
                    if deadline and deadline <= now_ms and i in self._content]
            for message_id in gone:
                del self._content[message_id]
        return gone

    def still_has(self, message_id):
        with self._lock:
            return message_id in self._content

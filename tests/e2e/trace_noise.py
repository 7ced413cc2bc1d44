"""What else stands in a real trace: lines at every level, and personal data all over it.

Real systems log the text of what they handle, look people up by number, print lists, and fail at
things that have nothing to do with saving. None of it may leave the house, and none of it may be
taken for a step in a message's life. The values it invents go to planted.jsonl for the privacy
test.
"""
import json
import os
import random
import threading

from people import People

SMTP = ["System.Net.Mail.SmtpException: Failure sending mail.",
        " ---> System.Net.WebException: Unable to connect to the remote server",
        "   at System.Net.Mail.SmtpClient.Send(MailMessage message)"]


def failed_search(person):
    """A search that ran out of time: a database error, but a read, so no message is harmed."""
    return ["Npgsql.PostgresException (0x80004005): 57014: canceling statement due to statement "
            "timeout", f"   spørring: SELECT * FROM person WHERE fnr = '{person['fnr']}' OR "
            f"navn = '{person['navn']}' OR adresse = '{person['adresse']}' OR "
            f"telefon = '{person['telefon']}'",
            "   at Npgsql.NpgsqlCommand.ExecuteReader(CommandBehavior behavior)",
            "   at Fagsystem.Soek.Personsoek.Finn(String tekst)"]


class Noise:
    """Writes lines now and then from threads of its own, and around each message."""

    def __init__(self, trace, folder, seed, mode):
        self._trace, self._mode = trace, mode
        self._random = random.Random(seed + 77)
        self._people = People(seed + 78)
        self._planted = open(os.path.join(folder, "planted.jsonl"), "a", encoding="utf-8")  # pylint: disable=consider-using-with
        self._written = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join(5)
        self._planted.close()

    def _person(self):
        with self._lock:
            person = self._people.person()
            values = list(self._people.planted.items())
            for value, kind in values[self._written:]:
                self._planted.write(json.dumps({"value": value, "kind": kind}) + "\n")
            self._written = len(values)
            self._planted.flush()
            return person

    def _run(self):
        number = -1
        while not self._stop.wait(0.25):
            person, number = self._person(), number + 1
            kinds = [
                ("DEBUG", "Puls", "kø=0 i arbeid=2 minne=412MB", ()),
                ("INFO", "Planlegger", "Jobb PurgeTemp ferdig på 12 ms", ()),
                ("INFO", "Bruker", f"Saksbehandler {person['navn']} ({person['epost']}) logget inn "
                 f"fra 10.20.3.4, sesjon {person['guid']}", ()),
                ("WARN", "Sertifikat", "Virksomhetssertifikatet utløper om 43 dager", ()),
                ("ERROR", "Epost", f"Kunne ikke varsle {person['epost']}, bruker {person['guid']}", SMTP),
                ("ERROR", "Soek", f"Søk etter {person['fnr_skrevet']} feilet",
                 failed_search(person)),
                ("DEBUG", "Folkeregister", f"Oppslag {person['fnr']} -> {person['navn']}, "
                 f"{person['adresse']}, tlf {person['telefon']}", ()),
            ]
            # Each once, so that a short run has all of them; then as it comes.
            level, logger, text, more = (kinds[number] if number < len(kinds)
                                         else self._random.choice(kinds))
            if self._mode() != "failures-only" or level == "ERROR":
                self._trace.write(4, level, logger, text, more)

    def around_message(self, thread, message):
        """The receiver's own chatter, next to the id."""
        child = message["barn"]
        self._trace.write(thread, "DEBUG", "Innboks", f"Innhold: {message['melding']}")
        self._trace.write(thread, "TRACE", "Innboks",
                          f"Barn {child['navn']} fnr={child['fnr_skrevet']} person={child['guid']} "
                          f"tlf={child['telefon']} {child['epost']}")

    def while_saving(self, thread, message):
        """The worker's chatter between the start of a save and its end."""
        child = message["barn"]
        self._trace.write(thread, "DEBUG", "Lagring",
                          f"INSERT INTO barn VALUES ('{child['fnr']}', '{child['navn']}', "
                          f"'{child['adresse']}')")

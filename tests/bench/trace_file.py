"""A trace of the assumed case system for benchmarks: the same bytes on every machine.

One in 500 lines says something of a message, as in a program that mostly talks of itself; one in
ten of those is a failure with a stack trace. Each signal is on one line that SIGNALS_PATTERN
matches, so that grep's count of lines and the agent's count of facts are the same number.
"""
import random

SIGNALS_PATTERN = (r"Mottatt melding [0-9a-f-]{36} skjema=|Melding [0-9a-f-]{36} er lagret|"
                   r"Sendte kvittering mottatt for melding [0-9a-f-]{36}|"
                   r"^Npgsql\.PostgresException \(0x80004005\): [0-9A-Z]{5}: ")

NOISE = [
    "DEBUG Oppslag - Hentet 14 rader fra kodeverk på 3 ms",
    "INFO  Bakgrunn - Jobb 'Rydd mellomlager' er ferdig, 0 filer slettet",
    "DEBUG Økt - Fornyet økt for saksbehandler, utløper om 20 minutter",
    "INFO  Dokument - Dokument 2023/48812 er åpnet for lesing",
    "WARN  Oppslag - Svar fra folkeregisteret tok 812 ms",
    "DEBUG Planlegger - Neste kjøring om 60 sekunder",
]


def uuid(generator):
    text = f"{generator.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def life(generator, fails):
    """The lines of one message, without time stamps; continuation lines have no thread."""
    thread = generator.randrange(2, 40)
    message = uuid(generator)
    lines = [(thread, f"INFO  Innboks - Mottatt melding {message} skjema=PRIVAT bydel=03 avsender=Skole"),
             (thread, f"DEBUG Lagring - Starter lagring av melding {message} forsøk 1")]
    if fails:
        lines += [(thread, "ERROR Lagring - Uventet feil under lagring"),
                  (None, "Npgsql.PostgresException (0x80004005): 55P03: canceling statement due to lock timeout"),
                  (None, "   at Npgsql.Internal.NpgsqlConnector.ReadMessageLong(Boolean async)"),
                  (None, "   at Npgsql.NpgsqlCommand.ExecuteNonQuery(Boolean async)")]
    else:
        lines += [(thread, f"INFO  Lagring - Melding {message} er lagret (journalpost 2023/1234)"),
                  (thread, f"INFO  Kvittering - Sendte kvittering mottatt for melding {message}")]
    return lines + [(thread, f"INFO  Lagring - Ferdig med melding {message}")]


def write_trace(path, size, noise=2000):
    """Writes at least `size` bytes, `noise` quiet lines before each message's life; returns how many."""
    generator = random.Random(2023)
    ms = 8 * 3600 * 1000
    written = 0
    with open(path, "wb", buffering=1 << 20) as file:
        while written < size:
            lines = [(generator.randrange(2, 40), generator.choice(NOISE)) for _ in range(noise)]
            lines += life(generator, generator.randrange(10) == 0)
            block = []
            for thread, text in lines:
                ms += generator.randrange(3)
                if thread is None:
                    block.append(text)
                    continue
                day, rest = divmod(ms, 86_400_000)
                clock = (f"2023-02-{1 + day:02d} {rest // 3_600_000:02d}:{rest // 60_000 % 60:02d}:"
                         f"{rest // 1000 % 60:02d},{rest % 1000:03d}")
                block.append(f"{clock} [{thread}] {text}")
            written += file.write(("\n".join(block) + "\n").encode())
    return written

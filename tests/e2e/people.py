"""Invented people and numbers: the personal data that must never leave the house.

Everything is computed. A valid Norwegian birth number could be somebody's, so those made here
belong to nobody alive: birth years 2032-2039 with individual numbers 500-999, which the register
gives to children not yet born. The kinds of numbers and of phones are those of DOMAIN.md 4.4, the
combinations among them; FH-numbers and DUF-numbers are random by design, and so are phones. Names
are put together from words nobody is called by.

Every value is handed to `planted`, so that the privacy test knows what to look for.
"""
import random
import threading
import uuid

GIVEN = ["Prøvine", "Åsfrid", "Testulf", "Bjørnhild", "Synnøyve", "Kårvald", "Ødgunn", "Æsmund"]
FAMILY = ["Eksempelvik", "Prøvedal", "Skyggeli", "Øyeblikk", "Påfunnsen", "Ærligsmo", "Tenkestad"]
STREETS = ["Oppdiktveien", "Prøvestien", "Øvre Tenkegate", "Håpets plass", "Ås allé"]
PLACES = ["4899 PRØVEBYGD", "0899 TENKESTAD", "5999 ØYEBLIKK"]
# The register's own marks; "month65" is said of test numbers and has no public source.
MONTH_ADDED = {"h": 40, "d_h": 40, "month65": 65, "tenor": 80, "d_tenor": 80}
KINDS = ("birth", "d", "h", "d_h", "fh", "tenor", "d_tenor", "month65", "rule2032", "bad_check",
         "duf")
K1 = (3, 7, 6, 1, 8, 9, 4, 5, 2)
K2 = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def _control(digits, weights):
    rest = sum(d * w for d, w in zip(digits, weights)) % 11
    return 0 if rest == 0 else 11 - rest


def _with_controls(nine):
    """The number with its two control digits, or None where a control digit would be ten."""
    first = _control(nine, K1)
    if first == 10:
        return None
    second = _control(nine + [first], K2)
    if second == 10:
        return None
    return "".join(map(str, nine + [first, second]))


def _with_controls_2032(nine, rng):
    """By the rule of 2032: the first control digit may leave remainder 0, 1, 2 or 3."""
    total = sum(d * w for d, w in zip(nine, K1)) % 11
    for base in rng.sample((12, 13, 14), 3):
        first = base - total
        first = first - 11 if first > 10 else first
        if first == 10:
            continue
        second = _control(nine + [first], K2)
        if second != 10:
            return "".join(map(str, nine + [first, second]))
    return None


def identity_number(kind, rng):
    """One number of a kind: those of KINDS."""
    while True:
        day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(32, 39)
        individual = rng.randint(500, 999)
        day += 40 if kind in ("d", "d_h", "d_tenor") else 0
        month += MONTH_ADDED.get(kind, 0)
        if kind == "duf":
            return f"20{rng.randint(32, 39)}{rng.randint(0, 99999999):08d}"
        if kind == "fh":
            nine = [rng.choice((8, 9))] + [rng.randint(0, 9) for _ in range(8)]
        else:
            nine = [int(c) for c in f"{day:02d}{month:02d}{year:02d}{individual:03d}"]
        number = _with_controls_2032(nine, rng) if kind == "rule2032" else _with_controls(nine)
        if number and kind == "bad_check":
            number = number[:10] + str((int(number[10]) + 1) % 10)
        if number:
            return number


PHONES = ("mobile", "landline", "eight hundred", "machine", "twelve digits")


def phone_number(kind, rng):
    """One phone number of a kind, and the ways people write it."""
    def digits(count):
        return "".join(str(rng.randint(0, 9)) for _ in range(count))
    number = {"mobile": rng.choice("49") + digits(7),
              "landline": rng.choice(("2", "3", "6", "7")) + digits(7)
                          if rng.random() < 0.6 else f"5{rng.randint(0, 7)}" + digits(6),
              "eight hundred": "8" + digits(7), "machine": "59" + digits(6),
              "twelve digits": "58" + digits(10)}[kind]
    pairs = " ".join(number[i:i + 2] for i in range(0, len(number), 2))
    threes = f"{number[:3]} {number[3:5]} {number[5:]}"
    return number, [number, pairs, threes, f"+47 {threes}", f"+47{number}", f"0047{number}",
                    f"0047 {pairs}"]


def written_forms(number):
    """How people write eleven digits."""
    if len(number) != 11:
        return [number]
    return [number, f"{number[:6]} {number[6:]}", f"{number[:6]}-{number[6:]}",
            f"{number[:2]}.{number[2:4]}.{number[4:6]} {number[6:]}"]


class People:
    """Makes persons and remembers every value in `planted` (value -> kind)."""

    def __init__(self, seed):
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.planted = {}

    def _plant(self, kind, value):
        self.planted[value] = kind
        return value

    def person(self):
        """A person with a name, a number of some kind, an address, a phone, an e-mail, a GUID."""
        with self._lock:
            rng = self._random
            given, family = rng.choice(GIVEN), rng.choice(FAMILY)
            tag = rng.choice("ABCDEFGHIJKLMNOPRSTUVW") + rng.choice("aeiouyæøå") + rng.choice("klmnrst")
            name = self._plant("name", f"{given} {tag}{family.lower()}")
            self._plant("name", name.split()[1])
            kind = rng.choice(KINDS)
            number = identity_number(kind, rng)
            for form in written_forms(number):
                self._plant(f"identity number ({kind})", form)
            street = f"{rng.choice(STREETS)} {rng.randint(1, 198)}{rng.choice('ABCD')}"
            address = self._plant("address", f"{street}, {rng.choice(PLACES)}")
            self._plant("address", street)
            phone_kind = rng.choice(PHONES)
            phone, ways = phone_number(phone_kind, rng)
            written = rng.choice(ways)
            self._plant(f"phone ({phone_kind})", phone)
            self._plant(f"phone ({phone_kind})", written)
            mail = self._plant("e-mail", f"{tag.lower()}.{rng.randint(10, 9999)}@post.eksempel.example")
            guid = self._guid(rng)
            return {"navn": name, "fnr": number, "fnr_skrevet": rng.choice(written_forms(number)),
                    "adresse": address, "telefon": written, "epost": mail, "guid": guid}

    def _guid(self, rng):
        """A person's key in some register: not version 4, or version 4 but never the portal's."""
        raw = uuid.UUID(int=rng.getrandbits(128))
        version = rng.choice((1, 3, 5, 4, None))
        text = str(uuid.UUID(int=raw.int, version=version) if version else
                   uuid.UUID(int=raw.int & ~(0xf << 76) | (7 << 76)))
        return self._plant("person GUID", text)

    def transport_id(self):
        """Fiks IO's id of one sending: it may leave as a keyed hash only."""
        with self._lock:
            value = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
            return self._plant("transport id", value)

    def client_id(self):
        """The sender's own id of a message: likewise."""
        with self._lock:
            value = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
            return self._plant("client id", value)

    def message_id(self):
        """The portal's id: the one reference that leaves as it is, and so never planted."""
        with self._lock:
            return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def message(self):
        """What a worried neighbour writes: free text of many lines, full of what must stay."""
        child, sender = self.person(), self.person()
        with self._lock:
            rng = self._random
            text = (f"Jeg er bekymret for {child['navn']} ({child['fnr_skrevet']}).\n"
                    f"Bor i {child['adresse']}.\n\n"
                    f"Ring meg på {sender['telefon']} eller {sender['epost']}.\n"
                    f"    Hilsen {sender['navn']}\n"
                    "Lagring av tilliten feilet. Uventet? ERROR i hverdagen, rollback av alt.")
            return {"bekymringsmeldingId": None, "skjemaType": rng.choice(("PRIVAT", "OFFENTLIG")),
                    "bydel": f"{rng.randint(0, 7):02d}", "barn": child, "avsender": sender,
                    "melding": text, "vedlegg_bytes": rng.randint(2000, 9000)}

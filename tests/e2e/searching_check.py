"""The search itself, tried on rows: what it must find and what it must leave alone."""
import base64

from searching import Needles

PLANTED = {"91234567": "phone", "Åse Prøvedal": "name", "01023412345": "number",
           "ase.1234@post.example": "e-mail"}
ROWS = [  # (bytes, is it found)
    (b'"tlf":"91234567"', True),
    (b"tlf 91234567.", True),
    (b"a91234567", False),
    (b"191234567 ", False),
    (b"912345678", False),
    (b"1790102341234599", True),
    ("navn=Åse Prøvedal,".encode(), True),
    ("Åse Prøvedahl".encode(), False),
    (b'"\\u00c5se Pr\\u00f8vedal"', True),
    ("Åse Prøvedal".encode().hex().encode(), True),
    ("Åse Prøvedal".encode().hex().upper().encode(), True),
    ("Åse Prøvedal".encode("utf-16-le"), True),
    ("Åse Prøvedal".encode("utf-16-be"), True),
    (b"ASE.1234@POST.EXAMPLE", True),
] + [(base64.b64encode(b"x" * n + "Åse Prøvedal".encode() + b"y" * m), True)
     for n in range(3) for m in range(3)]
# A short number stands alone or is part of a longer one, whatever is around it and in whatever form.
ROWS += [(form(b"." * n + before + b"91234567" + after + b"." * m), not before.isalnum()
          and not after.isalnum())
         for form in (base64.b64encode, base64.urlsafe_b64encode, lambda raw: raw.hex().encode(),
                      lambda raw: raw.decode().encode("utf-16-le"),
                      lambda raw: raw.decode().encode("utf-16-be"))
         for n in range(4) for m in range(4)
         for before in (b"", b":", b"17", b"a") for after in (b"", b",", b"0", b"z")]
# A neighbour in value shares all bits but the last two with it: in one alignment its Base64 agrees.
ROWS += [(form(b"." * n + before + near + after), False)
         for form in (base64.b64encode, base64.urlsafe_b64encode) for n in range(3)
         for near in (b"91234566", b"91234565", b"Q1234567", b"q1234567") for before in (b"", b":", b"17")
         for after in (b"", b".", b"42")]
# What ends before the value's last bits do is told: nobody can say that it was another.
ROWS += [(base64.b64encode(b"." * n + b"91234567").rstrip(b"="), True) for n in range(3)]


def problems():
    """Rows that come out wrong."""
    needles = Needles(PLANTED)
    return [f"{row!r}: found {needles.find(row)}, expected {'something' if found else 'nothing'}"
            for row, found in ROWS if bool(needles.find(row)) != found]

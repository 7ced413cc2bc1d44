"""Statements and facts as they lie in the collector's database, decoded by other code than ours.

An independent reader (Python's JSON and Base64, libzstd through ctypes) so that a test never trusts
the product's own decoder. It reads the database of a running collector without writing to it.
"""
import base64
import ctypes
import ctypes.util
import json
import sqlite3
import struct

_ZSTD_CONTENTSIZE_MAX = 64 * 1024 * 1024


def _library():
    zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    zstd.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p,
                                     ctypes.c_size_t]
    zstd.ZSTD_compress.restype = ctypes.c_size_t
    zstd.ZSTD_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p,
                                   ctypes.c_size_t, ctypes.c_int]
    zstd.ZSTD_compressBound.restype = ctypes.c_size_t
    zstd.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
    zstd.ZSTD_isError.argtypes = [ctypes.c_size_t]
    zstd.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
    zstd.ZSTD_getFrameContentSize.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    return zstd


_zstd = _library()


def decompress(packed):
    size = _zstd.ZSTD_getFrameContentSize(packed, len(packed))
    if size > _ZSTD_CONTENTSIZE_MAX:
        size = _ZSTD_CONTENTSIZE_MAX
    out = ctypes.create_string_buffer(max(1, size))
    written = _zstd.ZSTD_decompress(out, size, packed, len(packed))
    if _zstd.ZSTD_isError(written):
        raise ValueError("not a zstd frame")
    return out.raw[:written]


def compress(plain, level=3):
    bound = _zstd.ZSTD_compressBound(len(plain))
    out = ctypes.create_string_buffer(bound)
    written = _zstd.ZSTD_compress(out, bound, plain, len(plain), level)
    if _zstd.ZSTD_isError(written):
        raise ValueError("cannot compress")
    return out.raw[:written]


def payload(envelope):
    """The statement's JSON text inside a DSSE envelope."""
    return base64.b64decode(json.loads(envelope)["payload"])


def encode_frame(envelope, bodies):
    """common/summary/frame.h: "MVF1" u32 envelope u32 count { u32 body }, big-endian."""
    out = b"MVF1" + struct.pack(">I", len(envelope)) + envelope + struct.pack(">I", len(bodies))
    for body in bodies:
        out += struct.pack(">I", len(body)) + body
    return out


def decode_frame(frame):
    """The envelope and the bodies of what encode_frame writes."""
    if frame[:4] != b"MVF1":
        raise ValueError("no frame")
    parts, at = [], 4
    def take():
        nonlocal at
        (length,) = struct.unpack_from(">I", frame, at)
        at += 4 + length
        return frame[at - length:at]
    parts.append(take())
    (count,) = struct.unpack_from(">I", frame, at)
    at += 4
    parts += [take() for _ in range(count)]
    if at != len(frame):
        raise ValueError(f"{len(frame) - at} bytes beside the frame")
    return parts[0], parts[1:]


class LedgerRow:
    """One stored statement with its bodies."""

    def __init__(self, tenant, index, agent, sequence, envelope, bodies):
        self.tenant, self.index, self.agent, self.sequence = tenant, index, agent, sequence
        self.envelope, self.packed_bodies = envelope, bodies

    def statement(self):
        return json.loads(payload(self.envelope))

    def bodies(self):
        return [json.loads(decompress(b)) for b in self.packed_bodies]

    def frame(self):
        return encode_frame(self.envelope, self.packed_bodies)


def ledger(database_path, tenant_name=None):
    """Every stored statement, in the tenant's order."""
    connection = sqlite3.connect(f"file:{database_path}?mode=ro", uri=True, timeout=10)
    try:
        rows = connection.execute(
            "SELECT l.tenant, l.idx, l.agent, l.sequence, l.envelope FROM ledger l JOIN tenants t "
            "ON t.tenant = l.tenant WHERE ?1 IS NULL OR t.name = ?1 ORDER BY l.tenant, l.idx",
            (tenant_name,)).fetchall()
        out = []
        for tenant, index, agent, sequence, envelope in rows:
            bodies = [b[0] for b in connection.execute(
                "SELECT packed FROM bodies WHERE tenant = ? AND idx = ? ORDER BY position",
                (tenant, index))]
            envelope = envelope.encode() if isinstance(envelope, str) else envelope
            out.append(LedgerRow(tenant, index, agent, sequence, envelope, bodies))
        return out
    finally:
        connection.close()


def facts(rows):
    """The facts of some rows: by id, the highest revision; and the ids said with two contents."""
    by_id, conflicts = {}, []
    for row in rows:
        for body in row.bodies():
            for fact in body["facts"]:
                key = (row.agent, fact["id"])
                known = by_id.get(key)
                if known is None or fact["revision"] > known["revision"]:
                    by_id[key] = fact
                elif fact["revision"] == known["revision"] and fact != known:
                    conflicts.append((known, fact))
    return list(by_id.values()), conflicts

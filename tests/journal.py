"""The records of a journal, as bytes: to leave some out, or to damage them."""
import ctypes
import dataclasses
import pathlib
import struct

HEADER = struct.Struct("<8sIIdQ")  # magic, version, byte order, one third, length of the settings
HEAD = struct.Struct("<IIQQiiiiIiQ")  # magic, kind, length, checksum of the rows, P, repeat, repeats, N, name, step, checksum


@dataclasses.dataclass
class Record:
    begin: int
    data: bytes
    name: str
    repeat: int
    n_train: tuple


def padded(length):
    return (length + 7) // 8 * 8


def read(path):
    """The header's bytes, and the records."""
    content = pathlib.Path(path).read_bytes()
    at = HEADER.size + padded(HEADER.unpack_from(content)[4]) + 8
    header, records = content[:at], []
    while at < len(content):
        _, _, length, _, _, repeat, _, n, name, _, _ = HEAD.unpack_from(content, at)
        body = at + HEAD.size
        n_train = struct.unpack_from("<" + n * "i4x", content, body + padded(name))  # behind each, its outcome
        records.append(Record(at, content[at : at + length], content[body : body + name].decode(), repeat, n_train))
        at += length
    return header, records


def header(settings):
    """That of a journal with these settings."""
    text = settings.encode() + b"\0"
    begin = HEADER.pack(b"RIDGELES", 7, 0x01020304, 1 / 3, len(text)) + text.ljust(padded(len(text)), b"\0")
    return begin + struct.pack("<Q", checksum(begin))


def checksum(content):
    """XXH3, by the library that the program uses."""
    function = ctypes.CDLL("libxxhash.so.0").XXH3_64bits
    function.restype, function.argtypes = ctypes.c_uint64, (ctypes.c_char_p, ctypes.c_size_t)
    return function(content, len(content))


def keep(path, to, wanted):
    """Writes a journal of the records for which wanted(record) holds; returns how many of how many."""
    header, records = read(path)
    kept = [record for record in records if wanted(record)]
    pathlib.Path(to).write_bytes(header + b"".join(record.data for record in kept))
    return len(kept), len(records)


def damage(path, offset, length=64):
    """Other bytes at this offset of the file."""
    with open(path, "r+b") as file:
        file.seek(offset)
        old = file.read(length)
        file.seek(offset)
        file.write(bytes(byte ^ 0x5A for byte in old))

"""The records of a journal, as bytes: to leave some out, or to damage them."""
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

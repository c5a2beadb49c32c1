#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads documents and writes them again with implementations that nobody here wrote: transit-python2, msgpack (PyPI).

Lines of "FORMAT HEX" come in; for each a line of HEX goes out, or "error: …". FORMAT is transit-json,
transit-json-verbose, transit-msgpack or sente-msgpack. Where a library is missing the only line is "skip: …".
"""
import io
import sys

try:
    import msgpack
    from transit.reader import Reader
    from transit.writer import Writer
except ImportError as missing:
    print(f"skip: {missing.name} is not installed (pip install transit-python2 msgpack)")
    sys.exit(0)

PROTOCOLS = {"transit-json": "json", "transit-json-verbose": "json_verbose", "transit-msgpack": "msgpack"}


class Pairs(list):
    """A map as it stands in the bytes, keys that come twice included."""


def transit(protocol, document):
    if protocol == "msgpack":
        value = Reader("msgpack").read(io.BytesIO(document))
        output = io.BytesIO()
    else:
        value = Reader("json").read(io.StringIO(document.decode("utf-8")))
        output = io.StringIO()
    Writer(output, protocol).write(value)
    written = output.getvalue()
    return written if isinstance(written, bytes) else written.encode("utf-8")


def pack(packer, value):
    """Packs a value whose extensions are left as they are."""
    if isinstance(value, Pairs):
        packer.pack_map_header(len(value))
        for key, item in value:
            pack(packer, key)
            pack(packer, item)
    elif isinstance(value, list):
        packer.pack_array_header(len(value))
        for item in value:
            pack(packer, item)
    else:
        packer.pack(value)


def packed(document):
    value = msgpack.unpackb(document, object_pairs_hook=Pairs, strict_map_key=False)
    packer = msgpack.Packer(autoreset=False)
    pack(packer, value)
    return packer.bytes()


def main():
    for line in sys.stdin:
        name, _, document = line.strip().partition(" ")
        try:
            document = bytes.fromhex(document)
            written = packed(document) if name == "sente-msgpack" else transit(PROTOCOLS[name], document)
            print(written.hex(), flush=False)
        except Exception as error:  # whatever a library throws is an answer
            print(f"error: {type(error).__name__}: {error}".replace("\n", " "))


main()

# SPDX-License-Identifier: Apache-2.0
"""Transit by transit-python2, Sente's MessagePack by msgpack (PyPI); the latter leaves extensions as they are."""
import io


def each(folder, function):
    """Writes beside each document what the function makes of it; one that it refuses has nothing beside it."""
    for path in folder.glob("*.in"):
        try:
            path.with_suffix(".out").write_bytes(function(path.read_bytes()))
        except Exception as error:  # whatever a library throws is a refusal
            print(f"{path.name}: {type(error).__name__}: {error}")


def transit(protocol):
    def oracle(folder):
        try:
            from transit.reader import Reader
            from transit.writer import Writer
        except ImportError as missing:
            return f"skipped, {missing.name} is not installed (pip install transit-python2)"

        def again(document):
            if protocol == "msgpack":
                value, output = Reader("msgpack").read(io.BytesIO(document)), io.BytesIO()
            else:
                value, output = Reader("json").read(io.StringIO(document.decode("utf-8"))), io.StringIO()
            Writer(output, protocol).write(value)
            written = output.getvalue()
            return written if isinstance(written, bytes) else written.encode("utf-8")

        each(folder, again)
        return "transit-python2"

    return oracle


class Pairs(list):
    """A map as it stands in the bytes, keys that come twice included."""


def pack(packer, value):
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


def sente(folder):
    try:
        import msgpack
    except ImportError:
        return "skipped, msgpack is not installed (pip install msgpack)"

    def again(document):
        packer = msgpack.Packer(autoreset=False)
        pack(packer, msgpack.unpackb(document, object_pairs_hook=Pairs, strict_map_key=False))
        return packer.bytes()

    each(folder, again)
    return f"msgpack {'.'.join(map(str, msgpack.version))}"


ORACLES = {
    "transit-json": transit("json"),
    "transit-json-verbose": transit("json_verbose"),
    "transit-msgpack": transit("msgpack"),
    "sente-msgpack": sente,
}

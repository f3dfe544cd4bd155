"""A 64-bit Mach-O file, as a Mac's loader would see it: what it loads, what it shows, what it lacks, whether its signature is right.
Standard library only."""
import dataclasses
import hashlib
import struct

ARM64, BUNDLE, DYLIB = 0x0100000C, 8, 6
LOAD = (0x0C, 0x80000018, 0x8000001F)  # LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB
SYMTAB, INSTALL_NAME, RPATH, SIGNATURE, VERSION, DYLD_INFO, TRIE = 0x02, 0x0D, 0x8000001C, 0x1D, 0x32, (0x22, 0x80000022), 0x80000033
LOOKED_UP = 0xFE  # the library of a name that is looked for in all that is loaded


@dataclasses.dataclass
class MachO:
    cpu: int
    kind: int
    libraries: list = dataclasses.field(default_factory=list)
    rpaths: list = dataclasses.field(default_factory=list)
    install_name: str = ""
    oldest: tuple = ()                                       # macOS that it says it runs on
    exports: list = dataclasses.field(default_factory=list)  # names that dlsym finds
    lacks: list = dataclasses.field(default_factory=list)    # (name, library; None: whoever has it)
    signature: str = "it is not signed"                      # "": signed, and every page has its hash


def text_at(data, at):
    return data[at:data.index(b"\0", at)].decode()


def number_at(data, at):
    """ULEB128: the number, and what is behind it."""
    number = shift = 0
    while True:
        byte = data[at]
        number, shift, at = number | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return number, at


def exported(trie, at=0, name=""):
    """Names in the trie of exports, which is what dlsym goes by."""
    size, at = number_at(trie, at)
    names = [name] if size else []
    at += size
    edges, at = trie[at], at + 1
    for _ in range(edges):
        part = text_at(trie, at)
        child, at = number_at(trie, at + len(part) + 1)
        names += exported(trie, child, name + part)
    return names


def lacking(data, symbols, count, texts, libraries):
    for i in range(count):
        at, kind, _, more, _ = struct.unpack_from("<IBBHQ", data, symbols + 16 * i)
        if kind & 0xE0 == 0 and kind & 0x0F == 1:  # no debugger's; undefined, external
            library = more >> 8
            yield text_at(data, texts + at), None if library == LOOKED_UP else libraries[library - 1]


def wrong_signature(data, at):
    """What is wrong with it; ""."""
    magic, _, count = struct.unpack_from(">3I", data, at)
    places = [struct.unpack_from(">2I", data, at + 12 + 8 * i) for i in range(count)]
    codes = [at + place for kind, place in places if kind == 0]
    if magic != 0xFADE0CC0 or not codes:
        return "its signature has no code directory"
    code = codes[0]
    hashes, pages, limit, kind, page = (struct.unpack_from(form, data, code + place)[0] for form, place in
                                        ((">I", 16), (">I", 28), (">I", 32), ("B", 37), ("B", 39)))
    page = 1 << page
    if kind != 2 or limit != at or pages != -(-limit // page):
        return f"its signature is of {limit} bytes by hash {kind}; {at} by SHA-256 are wanted"
    for i in range(pages):
        found = hashlib.sha256(data[i * page:min((i + 1) * page, limit)]).digest()
        if found != data[code + hashes + 32 * i:code + hashes + 32 * (i + 1)]:
            return f"page {i} is not the one that was signed"
    return ""


def read(data):
    """ValueError: it is no such file."""
    if data[:4] != b"\xcf\xfa\xed\xfe":
        raise ValueError("no 64-bit Mach-O file")
    cpu, _, kind, count = struct.unpack_from("<4I", data, 4)
    file, at, symbols = MachO(cpu, kind), 32, None
    for _ in range(count):
        command, size, first, second, third, fourth = struct.unpack_from("<6I", data, at)
        if command in LOAD:
            file.libraries.append(text_at(data, at + first))
        elif command == INSTALL_NAME:
            file.install_name = text_at(data, at + first)
        elif command == RPATH:
            file.rpaths.append(text_at(data, at + first))
        elif command == VERSION:
            file.oldest = (second >> 16, second >> 8 & 0xFF)
        elif command == SYMTAB:
            symbols = (first, second, third)
        elif command == SIGNATURE:
            file.signature = wrong_signature(data, first)
        elif command == TRIE and second:
            file.exports = exported(data[first:first + second])
        elif command in DYLD_INFO and struct.unpack_from("<I", data, at + 44)[0]:
            start, length = struct.unpack_from("<2I", data, at + 40)
            file.exports = exported(data[start:start + length])
        at += size
    if symbols:
        file.lacks = list(lacking(data, *symbols, file.libraries))
    return file

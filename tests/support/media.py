"""Pictures and music with nothing in them but what they tell of themselves."""

import math
import struct
import zlib


def tiff(latitude: tuple[int, int, int], longitude: tuple[int, int, int], north: str = "N", east: str = "E") -> bytes:
    """EXIF with a place, in degrees, minutes and seconds."""

    def entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
        return struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")

    def rationals(values: tuple[int, int, int]) -> bytes:
        return b"".join(struct.pack("<II", value, 1) for value in values)

    gps = 26
    data = gps + 2 + 4 * 12 + 4
    entries = [
        entry(1, 2, 2, north.encode()),
        entry(2, 5, 3, struct.pack("<I", data)),
        entry(3, 2, 2, east.encode()),
        entry(4, 5, 3, struct.pack("<I", data + 24)),
    ]
    head = b"II*\0" + struct.pack("<I", 8)
    first = struct.pack("<H", 1) + entry(0x8825, 4, 1, struct.pack("<I", gps)) + struct.pack("<I", 0)
    second = struct.pack("<H", 4) + b"".join(entries) + struct.pack("<I", 0)
    return head + first + second + rationals(latitude) + rationals(longitude)


def jpeg(exif: bytes) -> bytes:
    """A JPEG without a picture."""
    segment = b"Exif\0\0" + exif
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + b"\xff\xd9"


def mp3(artist: str, album: str, title: str) -> bytes:
    """ID3v2.4 and a frame of silence."""
    frames = b""
    for name, text in (("TPE1", artist), ("TALB", album), ("TIT2", title)):
        value = b"\x03" + text.encode()
        frames += name.encode() + struct.pack(">I", len(value)) + b"\0\0" + value
    size = len(frames)
    synchsafe = bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127])
    return b"ID3\x04\0\0" + synchsafe + frames + b"\xff\xfb\x90\0" + b"\0" * 413


def comments(artist: str, album: str, title: str) -> bytes:
    """A Vorbis comment."""
    fields = [f"ARTIST={artist}", f"ALBUM={album}", f"TITLE={title}"]
    packed = b"".join(struct.pack("<I", len(field.encode())) + field.encode() for field in fields)
    return struct.pack("<I", 4) + b"test" + struct.pack("<I", len(fields)) + packed


def flac(artist: str, album: str, title: str) -> bytes:
    """STREAMINFO, comments, and no sound."""
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + b"\x0a\xc4\x42\xf0" + bytes(4) + bytes(16)
    block = comments(artist, album, title)
    return b"fLaC\0" + len(info).to_bytes(3, "big") + info + b"\x84" + len(block).to_bytes(3, "big") + block


def m4a(artist: str, album: str, title: str) -> bytes:
    """The boxes that iTunes writes its tags into."""

    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content) + 8) + kind + content

    names = {b"\xa9ART": artist, b"\xa9alb": album, b"\xa9nam": title}
    items = b"".join(
        box(name, box(b"data", struct.pack(">II", 1, 0) + text.encode())) for name, text in names.items()
    )
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    meta = box(b"meta", bytes(4) + handler + box(b"ilst", items))
    moov = box(b"moov", box(b"mvhd", bytes(100)) + box(b"udta", meta))
    return box(b"ftyp", b"M4A \0\0\0\0M4A mp42isom") + moov + box(b"mdat", bytes(16))


def ogg(artist: str, album: str, title: str) -> bytes:
    """The first pages of an Opus stream."""
    table = []
    for byte in range(256):
        crc = byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7) & 0xFFFFFFFF if crc & 0x80000000 else crc << 1
        table.append(crc)

    def page(kind: int, number: int, packet: bytes) -> bytes:
        lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
        header = struct.pack("<4sBBqIII", b"OggS", 0, kind, 0, 7, number, 0) + bytes([len(lacing)]) + lacing
        crc = 0
        for byte in header + packet:
            crc = (crc << 8 & 0xFFFFFFFF) ^ table[crc >> 24 ^ byte]
        return header[:22] + struct.pack("<I", crc) + header[26:] + packet

    head = b"OpusHead\x01\x02" + struct.pack("<HIhB", 312, 48_000, 0, 0)
    return page(2, 0, head) + page(0, 1, b"OpusTags" + comments(artist, album, title)) + page(4, 2, b"\xfc\xff\xfe")


def song(seconds: int) -> bytes:
    """An MP3 of silence, as long as that."""
    frame = b"\xff\xfb\x90\0" + b"\0" * 413
    return frame * (seconds * 44_100 // 1_152 + 1)


def wav(seconds: int) -> bytes:
    """A tone of 440 Hz: 8 bits, 8 kHz, one channel."""
    samples = bytes(128 + round(40 * math.sin(2 * math.pi * 440 * at / 8_000)) for at in range(8_000 * seconds))
    kind = struct.pack("<IHHIIHH", 16, 1, 1, 8_000, 8_000, 1, 8)
    body = b"WAVEfmt " + kind + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def png(colour: tuple[int, int, int], side: int = 64) -> bytes:
    """A square of one colour."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = (b"\0" + bytes(colour) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def pdf(colour: tuple[int, int, int]) -> bytes:
    """A page of one colour."""
    drawing = "{} {} {} rg 0 0 300 300 re f".format(*(value / 255 for value in colour)).encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<<>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawing), drawing),
    ]
    text, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(text))
        text += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return text + table + b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(text)

"""Mutated files, the same for the same seed, and a bounded process of its own to open them in."""

import faulthandler
import json
import os
import resource
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

SECONDS_A_CASE = 20
SPARE_BYTES = 3 * 2**30
MARK = "-- case "  # on stderr, between what the libraries below write there
INTERESTING = (0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)


# Mutations: bytes and a generator in, bytes out.


def flip_bits(data, rng):
    """Flip 1 to 64 bits anywhere."""
    return _flip(data, rng, 0, len(data))


def flip_bits_of_header(data, rng):
    """Flip 1 to 64 bits of the first 512 bytes."""
    return _flip(data, rng, 0, min(512, len(data)))


def _flip(data, rng, start, stop):
    mutated = np.frombuffer(data, np.uint8).copy()
    n_bits = int(rng.choice([1, 2, 4, 16, 64]))
    np.bitwise_xor.at(
        mutated, rng.integers(start, stop, n_bits), 1 << rng.integers(0, 8, n_bits, np.uint8)
    )
    return mutated.tobytes()


def overwrite_numbers(data, rng):
    """Put numbers that programs stumble over at 1 to 4 places, mostly in the header."""
    mutated = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        kind = str(rng.choice(["<B", "<H", ">H", "<I", ">I", "<Q"]))
        n_bytes = struct.calcsize(kind)
        end = min(len(data), 256) if rng.random() < 0.7 else len(data)
        number = int(rng.choice(INTERESTING)) % 256**n_bytes
        struct.pack_into(kind, mutated, int(rng.integers(0, max(1, end - n_bytes))), number)
    return bytes(mutated)


def truncate(data, rng):
    """Keep the beginning."""
    return data[: int(len(data) * rng.random() ** 2)]


def remove_block(data, rng):
    """Take bytes out of the middle."""
    start, stop = _span(data, rng)
    return data[:start] + data[stop:]


def repeat_block(data, rng):
    """Repeat bytes of the middle, up to 50 times."""
    start, stop = _span(data, rng)
    return data[:stop] + data[start:stop] * int(rng.integers(1, 50)) + data[stop:]


def _span(data, rng):
    start, stop = np.sort(rng.integers(0, len(data) + 1, 2))
    return int(start), int(min(stop, start + 4096))


def put_noise(data, rng):
    """Put random bytes in place of a block."""
    start, stop = _span(data, rng)
    return data[:start] + rng.bytes(stop - start) + data[stop:]


def append_noise(data, rng):
    """Put random bytes behind the end."""
    return data + rng.bytes(int(rng.integers(1, 5000)))


def splice(data, rng, other):
    """Put the beginning of one file before the end of another: wrong headers."""
    n_head = int(rng.choice([2, 4, 8, 16, 64, len(data) // 2]))
    return data[:n_head] + other[n_head:]


GENERAL = (
    flip_bits, flip_bits, flip_bits_of_header, flip_bits_of_header, overwrite_numbers,
    overwrite_numbers, truncate, remove_block, repeat_block, put_noise, append_noise, splice,
)  # fmt: skip


def mutate(data, rng, others, extra=()):
    """Mutate a file.

    Parameters
    ----------
    data : bytes
        The file.
    rng : numpy.random.Generator
        Decides everything.
    others : list of bytes
        Files whose ends may be put behind its beginning.
    extra : tuple of callable
        Mutations of its format, drawn as often as the general ones.

    Returns
    -------
    tuple of (str, bytes)
        Name of the mutation, and what came of it.
    """
    mutations = extra if extra and rng.random() < 0.5 else GENERAL
    mutation = mutations[int(rng.integers(len(mutations)))]
    more = (others[int(rng.integers(len(others)))],) if mutation is splice else ()
    return mutation.__name__, mutation(data, rng, *more)


# Mutations that keep a format's checksums right, so that they get past them.


def split_png(data):
    """Return the chunks of a PNG as ``[kind, data]``."""
    chunks, place = [], 8
    while place + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        chunks.append([data[place + 4 : place + 8], data[place + 8 : place + 8 + length]])
        place += length + 12
    return chunks


def join_png(chunks):
    """Write chunks with right lengths and checksums."""
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def mutate_png_chunk(data, rng):
    """Mutate one chunk of a PNG and mend its checksum."""
    chunks = split_png(data)
    chunk = chunks[int(rng.integers(len(chunks)))]
    how = (flip_bits, overwrite_numbers, truncate)[int(rng.integers(3))]
    if len(chunk[1]) >= 8:
        chunk[1] = how(chunk[1], rng)
    return join_png(chunks)


def shuffle_png_chunks(data, rng):
    """Repeat, drop and reorder the chunks behind the header, or put in others."""
    first, *chunks = split_png(data)
    kinds = [b"tRNS", b"PLTE", b"acTL", b"fcTL", b"iCCP", b"zTXt", b"eXIf", b"IHDR", b"IEND"]
    kind = kinds[int(rng.integers(len(kinds)))]
    chunks.append([kind, rng.bytes(int(rng.integers(0, 40)))])
    chosen = rng.integers(0, len(chunks), int(rng.integers(1, len(chunks) + 2)))
    return join_png([first, *(chunks[int(number)] for number in chosen), [b"IEND", b""]])


def claim_png_size(data, rng):
    """Give a PNG's header other sides, depth or colour type, with a right checksum."""
    chunks = split_png(data)
    header = bytearray(chunks[0][1])
    where = int(rng.choice([0, 4, 8, 9, 12]))
    if where < 8:
        struct.pack_into(">I", header, where, int(rng.choice([1, 7, 100, 8192, 60_000, 2**31 - 1])))
    else:
        header[where] = int(rng.choice([0, 1, 2, 3, 4, 6, 8, 16, 255]))
    chunks[0][1] = bytes(header)
    return join_png(chunks)


def inflate_png(data, rng):
    """Put a bomb in place of the pixels or of a text: 64 MiB that compress to 64 KiB."""
    chunks = split_png(data)
    bomb = zlib.compress(bytes(2**26), 1)
    if rng.random() < 0.5:
        return join_png([chunks[0], [b"IDAT", bomb], [b"IEND", b""]])
    kind = (b"zTXt", b"iCCP")[int(rng.integers(2))]
    return join_png([chunks[0], [kind, b"name\0\0" + bomb], *chunks[1:]])


def mutate_tiff_tag(data, rng):
    """Give one tag of a TIFF another number, type, count or value."""
    if data[2:4] not in (b"*\0", b"\0*"):
        return flip_bits_of_header(data, rng)
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    mutated = bytearray(data)
    (n_entries,) = struct.unpack_from(order + "H", data, start)
    entry = start + 2 + 12 * int(rng.integers(n_entries))
    field = int(rng.choice([0, 2, 4, 8, 8]))
    if field < 4:
        known = [256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 322, 323, 324, 325, 339]
        number = int(rng.choice(known)) if field == 0 else int(rng.integers(0, 20))
        struct.pack_into(order + "H", mutated, entry + field, number)
    else:
        number = int(rng.choice([*INTERESTING, 8, 32946, 34892, 50000]))
        struct.pack_into(order + "I", mutated, entry + field, number)
    return bytes(mutated)


def mutate_jpeg_segment(data, rng):
    """Mutate a marker, a length or the inside of one segment of a JPEG."""
    places, place = [], 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        places.append(place)
        if data[place + 1] == 0xDA:
            break
        place += 2 + struct.unpack_from(">H", data, place + 2)[0]
    mutated, place = bytearray(data), places[int(rng.integers(len(places)))]
    where = place + int(rng.choice([1, 2, 3, *range(4, 24)]))
    mutated[min(where, len(data) - 1)] = int(rng.choice([0, 1, 8, 16, 127, 192, 218, 255]))
    return bytes(mutated)


# A process of its own.


def guard(numbers, attempt, *, seconds=SECONDS_A_CASE, spare_bytes=SPARE_BYTES):
    """Try cases in this process, and write what came of each to stdout, a line of JSON each.

    Parameters
    ----------
    numbers : iterable of int
        The cases.
    attempt : callable
        ``attempt(number)`` returns a dict; whatever it raises ends the process.
    seconds : float
        A case that takes longer ends the process, wherever it is stuck, and says where.
    spare_bytes : int
        More memory than the process has now is given so much of, and no more.
    """
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + spare_bytes, in_use + spare_bytes))
    before = None
    for number in numbers:
        print(f"\n{number} ", end="", flush=True)
        print(f"\n{MARK}{number}", file=sys.stderr, flush=True)
        faulthandler.dump_traceback_later(seconds, exit=True)
        begun = time.perf_counter()
        found = attempt(number)
        found["seconds"] = round(time.perf_counter() - begun, 4)
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps(found), end="", flush=True)
        before = before or held()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print("\n" + json.dumps({"before": before, "after": held(), "peak_mb": peak}), flush=True)


def held():
    """Count what this process holds: descriptors, threads, megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),  # noqa: PTH208
        "threads": threading.active_count(),
        "megabytes": pages * resource.getpagesize() // 2**20,
    }


def run_guarded(script, n_cases, *arguments, crashes_allowed=0):
    """Run cases in child processes; one that dies is told, and the next goes on behind it.

    Parameters
    ----------
    script : path-like
        Called with the first case, the case behind the last, and `arguments`; it calls
        :func:`guard`.
    n_cases : int
        How many.
    crashes_allowed : int
        After more than so many it ends.

    Returns
    -------
    cases : dict of int to dict
        What came of each case.
    crashes : list of (int, int, str)
        Case, exit status and the end of what the process said.
    totals : list of dict
        What each process held before and after, and its peak.
    """
    cases, crashes, totals, start = {}, [], [], 0
    while start < n_cases and len(crashes) <= crashes_allowed:
        command = [sys.executable, str(script), str(start), str(n_cases), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
        said = _said_by_case(done.stderr)
        for line in filter(None, done.stdout.split("\n")):
            if line.startswith("{"):
                totals.append(json.loads(line))
                continue
            number, _, found = line.partition(" ")
            start = int(number) + 1
            if found:
                cases[start - 1] = {**json.loads(found), "said": said.get(start - 1, "")}
        if done.returncode == 0:
            break
        crashes.append((start - 1, done.returncode, said.get(start - 1, done.stderr)[-3000:]))
    return cases, crashes, totals


def _said_by_case(stderr):
    parts = (part.partition("\n") for part in stderr.split(MARK)[1:])
    return {int(number): said.strip() for number, _, said in parts}


def show(cases, crashes, totals):
    """Print a summary, for who runs a script by hand."""
    print(Counter(each["outcome"] for each in cases.values()))
    pairs = Counter((each["kind"], each["outcome"]) for each in cases.values())
    print(sorted(pairs.items()))
    slowest = sorted(cases.items(), key=lambda item: -item[1]["seconds"])[:3]
    print("slowest:", slowest)
    print("wrote to stderr:", Counter(each["kind"] for each in cases.values() if each["said"]))
    print("totals:", totals)
    print("crashes:", *((*crash[:2], crash[2][-400:]) for crash in crashes), sep="\n")


# Tests of the mutations themselves.


@pytest.fixture(scope="module")
def a_png():
    rows = b"\0" + bytes(30)
    header = struct.pack(">IIBBBBB", 10, 10, 8, 2, 0, 0, 0)
    return join_png([[b"IHDR", header], [b"IDAT", zlib.compress(rows * 10)], [b"IEND", b""]])


def test_the_same_seed_gives_the_same_bytes(a_png):
    extra = (mutate_png_chunk, shuffle_png_chunks, claim_png_size)

    def drawn(seed):
        rng = np.random.default_rng(seed)
        return [mutate(a_png, rng, [a_png[::-1]], extra) for _ in range(200)]

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)
    names = Counter(name for name, _ in drawn(3))
    assert set(names) == {each.__name__ for each in (*GENERAL, *extra)}
    assert np.mean([mutated != a_png for _, mutated in drawn(3)]) > 0.9


def test_checksums_are_mended(a_png):
    rng = np.random.default_rng(0)
    for mutation in (mutate_png_chunk, shuffle_png_chunks, claim_png_size):
        for _ in range(20):
            mutated = mutation(a_png, rng)
            assert join_png(split_png(mutated)) == mutated


DYING = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_fuzz_mutations import guard

def attempt(number):
    if number == 2:
        os.abort()
    if number == 4:
        while True:
            pass
    if number == 6:
        bytes(2**34)
    return {{"outcome": "fine", "kind": "none"}}

guard(range(int(sys.argv[1]), int(sys.argv[2])), attempt, seconds=0.5)
"""


def test_a_process_that_dies_hangs_or_gorges_is_told(tmp_path):
    script = tmp_path / "dying.py"
    script.write_text(DYING)
    cases, crashes, totals = run_guarded(script, 9, crashes_allowed=5)
    assert sorted(cases) == [0, 1, 3, 5, 7, 8]
    assert [number for number, _, _ in crashes] == [2, 4, 6]
    assert "Timeout" in crashes[1][2]
    assert "MemoryError" in crashes[2][2]
    assert len(totals) == 1

"""docs/write-a-client.md, run: its pieces in order against the real server, what they print, what its client finds."""

import contextlib
import hashlib
import io
import itertools
import re
import shutil
import types

import pytest
import vectors
from running import ROOT, Server, changed, spoilt

PAGE = ROOT / "docs/write-a-client.md"
USUAL, SECOND = "127.0.0.1:50051", "127.0.0.1:50052"


def pieces():
    """Line, code and, if something is shown below it, output of every piece of Python."""
    text = PAGE.read_text()
    found = re.finditer(r"^```python\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", text, re.MULTILINE | re.DOTALL)
    for piece in found:
        yield text.count("\n", 0, piece.start(1)), piece[1], piece[2]


@pytest.fixture(scope="module")
def page(vectors_server):
    """The page as a module, with what each piece shows and what it printed."""
    module, printed = types.ModuleType("write_a_client"), []
    with Server(vectors.DATASET) as second, contextlib.chdir(ROOT):
        addresses = {USUAL: vectors_server.address, SECOND: second.address}
        for line, code, shown in pieces():
            for usual, real in addresses.items():
                code = code.replace(f'"{usual}"', repr(real))
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile("\n" * line + code, str(PAGE), "exec"), module.__dict__)
            printed.append((line, shown or "", output.getvalue()))
        module.printed = printed
        yield module


def is_shown(line, shown):
    """Whether a line is what the page shows; dots there stand for any end of a line."""
    start, dots, _ = shown.partition("…")
    return line.startswith(start) if dots else line == shown


def test_every_piece_prints_what_stands_below_it(page):
    assert len(page.printed) > 15
    for line, shown, printed in page.printed:
        shown, printed = shown.splitlines(), printed.splitlines()
        same = len(shown) == len(printed) and all(map(is_shown, printed, shown))
        assert same, f"line {line} of the page prints\n" + "\n".join(printed)


@pytest.mark.parametrize("case", vectors.BATCHES, ids=lambda case: case["name"])
def test_its_client_gets_the_batches_of_the_vectors(page, vectors_server, case):
    batches = page.Batches([vectors_server.address], vectors.request(case))
    assert [vectors.found(batch) for batch in batches] == case["batches"]


@pytest.mark.parametrize("case", vectors.PARTS, ids=lambda case: case["name"])
def test_its_assembler_finds_the_damage_of_the_vectors(page, case):
    assembler, found, error = page.Assembler(case["most_bytes"]), [], None
    try:
        for part in vectors.parts(case):
            if batch := assembler.push(part):
                assert not batch.payload.size or batch.payload.ctypes.data % 64 == 0
                found.append(vectors.found(batch))
    except page.Broken as broken:
        error = broken.kind
    assert (found, error) == (case["batches"], case["error"])


def long(page):
    """A request of more than fits in the buffers on the way, so that a stream is cut in its middle."""
    return page.altered(delivery={"dtype": "DTYPE_FP32", "count": 300, "part_bytes": 1 << 20})


def hashes(batches):
    return [hashlib.sha256(batch.payload).hexdigest() for batch in batches]


def test_its_client_loses_no_batch_when_the_server_is_killed_during_a_pause(page, vectors_server):
    whole = hashes(page.Batches([vectors_server.address], long(page)))
    with Server(vectors.DATASET) as mortal:
        batches = page.Batches([mortal.address], long(page))
        first, channel = hashes(itertools.islice(batches, 5)), batches.channel
        mortal.kill()
        batches.patience.since -= 1000  # the trainer paused for longer than the client would wait
        with Server(vectors.DATASET, mortal.address) as again:
            assert first + hashes(batches) == whole
            assert batches.channel is not channel, "nothing was cut off"
            assert again.stop() == 0


def test_its_client_refuses_to_go_on_with_other_data(page, tmp_path):
    other = shutil.copytree(vectors.DATASET, tmp_path / "dataset")
    lines = (other / "train.jsonl").read_text().splitlines()
    (other / "train.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    with Server(vectors.DATASET) as mortal:
        batches = page.Batches([mortal.address], long(page))
        next(batches)
        mortal.kill()
        with Server(other, mortal.address) as server:
            with pytest.raises(page.Refused, match="FAILED_PRECONDITION"):
                list(batches)
            with pytest.raises(page.Refused, match="FAILED_PRECONDITION"):  # before the first batch too
                next(page.Batches([server.address], page.request, described=batches.described))


def test_its_leases_of_a_dead_replica_go_to_the_others(page, vectors_server):
    whole = hashes(page.Batches([vectors_server.address], long(page)))
    with Server(vectors.DATASET) as mortal:
        batches = page.leased([mortal.address, vectors_server.address], long(page), 30)
        first = hashes(itertools.islice(batches, 5))
        mortal.kill()
        assert first + hashes(batches) == whole


def test_a_refusal_is_raised_at_once_and_an_unreachable_address_after_a_while(page, vectors_server, tmp_path):
    wrong = page.altered()
    wrong.spec.global_batch_size = 0
    with pytest.raises(page.Refused, match="INVALID_ARGUMENT: .*global_batch_size"):
        page.Batches([vectors_server.address], wrong, retry_for=1e9)
    with pytest.raises(page.Unreachable, match="nobody"):
        page.Batches([f"unix:{tmp_path}/nobody"], page.request, retry_for=0.2)


def between(page, monkeypatch, change):
    """Lets `change` make others of the parts of each stream, by the stream's number; returns the streams."""
    streams, real = [], page.connect

    def connect(address):
        channel, service = real(address)
        return channel, changed(service, change, streams)

    monkeypatch.setattr(page, "connect", connect)
    monkeypatch.setattr(page.time, "sleep", lambda seconds: None)
    return streams


def test_damage_and_an_early_end_cost_no_batch_until_it_is_no_chance(page, vectors_server, monkeypatch):
    case = vectors.BATCHES[0]
    with monkeypatch.context() as patch:
        streams = between(page, patch, lambda n, parts: spoilt(parts) if n < 5 else itertools.islice(parts, 10))
        batches = page.Batches([vectors_server.address], vectors.request(case))
        assert [vectors.found(batch) for batch in batches] == case["batches"]
        assert len(streams) > 5
    streams = between(page, monkeypatch, lambda n, parts: spoilt(parts))
    with pytest.raises(page.Broken, match="payload_checksum"):
        next(page.Batches([vectors_server.address], vectors.request(case)))
    assert len(streams) == 5

"""What is wrong is an exception of a small hierarchy, whose message says what was found and what was expected."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from conftest import DATASET, PHOTOGRAPHS, Process

import feedline
from feedline import Loader, ops


@pytest.mark.parametrize(
    ("kwargs", "error", "words"),
    [
        (dict(pipeline=[ops.HorizontalFlip(p=2)]), feedline.InvalidRequestError, ["horizontal_flip.p", "2", "0 to 1"]),
        (dict(pipeline="imagenet"), feedline.NotFoundError, ["imagenet", "imagenet-train"]),
        (dict(split="test"), feedline.NotFoundError, ["test", "train"]),
        (dict(dataset="cats"), feedline.NotFoundError, ["cats", "demo"]),
        (dict(pipeline="tutorial", rank=3, world_size=2), feedline.InvalidRequestError, ["rank", "3"]),
        (dict(pipeline="tutorial", global_batch_size=9, rank=0, world_size=2), feedline.InvalidRequestError, ["8", "10"]),
        (dict(pipeline="tutorial", seed=-1), feedline.InvalidRequestError, ["-1"]),
        (dict(pipeline="tutorial", targets=["boxes"]), feedline.InvalidRequestError, ["boxes"]),
        (dict(pipeline="tutorial", order="random"), feedline.InvalidRequestError, ["random", "shuffled"]),
    ],
)
def test_a_refusal_says_what_and_why(server, kwargs, error, words):
    for target in (server.address, PHOTOGRAPHS):
        with pytest.raises(error) as raised:
            next(iter(Loader(target, **({} if "global_batch_size" in kwargs else {"batch_size": 8}), **kwargs)))
        assert isinstance(raised.value, feedline.FeedlineError)
        for word in words:
            assert word in str(raised.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Loader("nowhere"), "no folder here, and no address"),
        (lambda: Loader("127.0.0.1:1", batch_size=1, global_batch_size=1), "both given"),
        (lambda: Loader("127.0.0.1:1", rank=1), "belong together"),
        (lambda: Loader("127.0.0.1:1", dtype="float64"), "expected uint8, float16, bfloat16 or float32"),
        (lambda: Loader("127.0.0.1:1", pipeline=3), "pipeline is a int"),
        (lambda: len(Loader("127.0.0.1:1", retry_for=-1.0)), "retry_for is -1"),
        (lambda: len(Loader(PHOTOGRAPHS, store="disk")), "expected encoded, decoded or auto"),
        (lambda: len(Loader(PHOTOGRAPHS, memory_budget="much")), "memory_budget"),
        (lambda: len(Loader(PHOTOGRAPHS, spec={"batch": 3}, batch_size=2)), "unknown field `batch`"),
    ],
)
def test_a_wrong_argument_is_named(make, words):
    with pytest.raises(feedline.InvalidRequestError, match=words):
        make()


def test_a_wrong_file_is_named(tmp_path):
    with pytest.raises(feedline.NotFoundError, match="missing.toml"):
        Loader(PHOTOGRAPHS, pipeline=tmp_path / "missing.toml")
    (tmp_path / "wrong.toml").write_text("ops = [{ flip = {} }]\n")
    with pytest.raises(feedline.InvalidRequestError, match="flip"):
        Loader(PHOTOGRAPHS, pipeline=tmp_path / "wrong.toml")
    with pytest.raises(feedline.DatasetError):
        len(Loader(tmp_path))


def test_nobody_there_is_said_after_the_time_that_was_given():
    with pytest.raises(feedline.UnreachableError, match="no answer from 127.0.0.1:9 for"):
        len(Loader("127.0.0.1:9", retry_for=0.2))


def damaged(folder: pathlib.Path) -> pathlib.Path:
    for name in ("a", "b", "c"):
        (folder / "cat").mkdir(exist_ok=True, parents=True)
        shutil.copy(next((PHOTOGRAPHS / "cat").glob("*.jpg")), folder / "cat" / f"{name}.jpg")
    whole = (folder / "cat" / "b.jpg").read_bytes()
    (folder / "cat" / "b.jpg").write_bytes(whole[: len(whole) // 2])
    return folder


def test_a_damaged_sample_raises_or_is_replaced_and_warned_of(tmp_path):
    kwargs = dict(pipeline=[ops.Resize(16, 16)], batch_size=3, order="sequential")
    folder = damaged(tmp_path / "set")
    with pytest.raises(feedline.DamagedSampleError, match=r"cat/b\.jpg"):
        list(Loader(folder, **kwargs))
    with pytest.warns(feedline.DamagedSampleWarning, match="sample 1 is damaged"):
        (batch,) = Loader(folder, bad_samples="substitute", **kwargs)
    (found,) = batch.substitutions
    assert (found.row, found.damaged) == (1, 1) and found.substitute in (0, 2)
    assert (batch["image"][1] == batch["image"][found.substitute]).all()


def test_a_pipeline_of_albumentations_is_taken_or_refused_whole():
    albumentations = pytest.importorskip("albumentations")
    compose = albumentations.Compose([albumentations.HorizontalFlip(p=1.0), albumentations.VerticalFlip(p=1.0)])
    loader = Loader(DATASET, pipeline=[ops.HorizontalFlip(p=1), ops.VerticalFlip(p=1), ops.Resize(8, 8)], batch_size=4)
    assert loader._spec["pipeline"]["ops"][:2] == Loader(DATASET, pipeline=compose)._spec["pipeline"]["ops"]


def test_ctrl_c_interrupts_a_wait():
    # A shell's background jobs ignore the signal, and hand that on to their children.
    program = """
import feedline, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    print("ready", flush=True)
    len(feedline.Loader("127.0.0.1:9", retry_for=600.0))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=300)
    assert (out, process.returncode) == ("interrupted\n", 0)


def test_the_command_line_is_the_whole_one():
    run = subprocess.run([sys.executable, "-m", "feedline", "--version"], stdout=subprocess.PIPE, text=True, check=True)
    assert run.stdout.strip() == f"feedline {feedline.__version__}"
    wrong = subprocess.run([sys.executable, "-m", "feedline", "serve", "--threads", "x"], stderr=subprocess.PIPE, text=True)
    assert wrong.returncode == 2 and "--threads" in wrong.stderr
    inspected = subprocess.run(
        [sys.executable, "-m", "feedline", "inspect", str(PHOTOGRAPHS)], stdout=subprocess.PIPE, text=True, check=True
    )
    assert "astronaut" in inspected.stdout


def test_a_server_in_this_process_serves_and_stops():
    with feedline.serve(PHOTOGRAPHS) as server:
        loader = Loader(server.address, pipeline=[ops.Resize(16, 16)], batch_size=32)
        assert len(list(loader)) == 3
        loader.close()
        taken = server.address
        with pytest.raises(feedline.ServerError, match="can't listen on"):
            feedline.serve(PHOTOGRAPHS, listen=taken)
    with pytest.raises(feedline.UnreachableError):
        len(Loader(taken, retry_for=0.1))
    assert server.stop()
    with feedline.serve({"photographs": PHOTOGRAPHS, "vectors": DATASET}) as server:
        loader = Loader(server.address, dataset="vectors", pipeline=[ops.Resize(16, 16)], batch_size=8)
        assert loader.describe()["samples"] == 24


def test_a_sheet_is_a_picture_with_captions(tmp_path):
    loader = Loader(PHOTOGRAPHS, pipeline=[ops.RandomResizedCrop(48), ops.ToFloat(), ops.Normalize()], batch_size=12)
    before = loader._step
    sheet = loader.show(9)
    assert sheet.pixels.shape == (3 * 50 - 2, 3 * 50 - 2, 3) and len(sheet.captions) == 9
    assert set(sheet.captions) <= set(loader.describe()["classes"]) and loader._step == before
    sheet.save(tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    (read,) = Loader(folder_of(tmp_path), pipeline="none", batch_size=1, dtype="uint8", layout="nhwc", last_batch="short")
    assert (read["image"][0] == sheet.pixels).all()


def folder_of(folder: pathlib.Path) -> pathlib.Path:
    (folder / "read" / "sheet").mkdir(parents=True)
    shutil.copy(folder / "sheet.png", folder / "read" / "sheet")
    return folder / "read"


def test_memory_does_not_grow_with_epochs():
    """A page is counted when it is touched, so what leaks shows in the resident size."""
    resource = pathlib.Path("/proc/self/statm")
    if not resource.exists():
        pytest.skip("needs /proc")

    def resident() -> int:
        return int(resource.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    # A process of its own: what the server's allocator keeps is not ours.
    server = Process(DATASET)
    loader = Loader(server.address, pipeline=[ops.Resize(64, 64)], batch_size=8)
    for _ in range(20):
        list(loader)
    grown = []
    for _ in range(6):
        before = resident()
        for _ in range(100):
            for batch in loader:
                np.asarray(batch["image"]).sum()
        grown.append(resident() - before)
    # 300 batches of 0.4 MB went through each time, 118 MB. What leaks grows every time; an allocator takes some megabytes now and then,
    # and in all no more than a thirtieth of what went through.
    assert min(grown) < 1 << 20 and sum(grown) < 24 << 20, grown
    loader.close()
    assert server.stop() == 0

"""One iteration is one epoch, the bytes are those of the command line, and a state is where the next batch stands."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
from conftest import DATASET, PHOTOGRAPHS, Process, digest, steps

import feedline
from feedline import Loader, ops

# 96 photographs in batches of 20: five steps, the last of 16 rows.
SMALL = [ops.RandomResizedCrop(32), ops.HorizontalFlip()]
SPEC = dict(pipeline=SMALL, batch_size=20, seed=7, last_batch="short")


def loader(server, **kwargs) -> Loader:
    return Loader(server.address, **{**SPEC, **kwargs})


def test_the_bytes_are_those_of_pull(server, tmp_path):
    pipeline = tmp_path / "small.toml"
    pipeline.write_text("ops = [{ random_resized_crop = { height = 32, width = 32 } }, { horizontal_flip = {} }]\n")
    command = [sys.executable, "-m", "feedline", "pull", server.address, "--pipeline", pipeline, "--json", "--epochs", "2"]
    command += ["--batch-size", "20", "--seed", "7", "--last-batch", "short", "--log", "error"]
    pulled = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True).stdout
    pulled = [json.loads(line) for line in pulled.splitlines()]
    ours = loader(server)
    batches = [*ours, *ours]
    assert [digest(batch) for batch in batches] == [line["sha256"] for line in pulled]
    assert [batch.samples.tolist() for batch in batches] == [line["samples"] for line in pulled]
    assert [batch["label"].tolist() for batch in batches] == [line["labels"] for line in pulled]
    assert steps(loader(server, pipeline=pipeline)) == steps(loader(server))


def test_a_folder_gives_the_same_bytes_without_a_server(server):
    assert steps(Loader(PHOTOGRAPHS, **SPEC)) == steps(loader(server))
    assert steps(Loader(str(PHOTOGRAPHS), **SPEC, threads=1)) == steps(loader(server))


def test_each_iteration_is_the_next_epoch_and_len_its_steps(server):
    ours = loader(server)
    assert len(ours) == 5
    first, second = steps(ours), steps(ours)
    assert [(epoch, step) for epoch, step, _ in first + second] == [(e, s) for e in (0, 1) for s in range(5)]
    assert first != second
    ours.set_epoch(1)
    assert steps(ours) == second
    ours.set_epoch(0)
    assert steps(ours) == first
    assert len(ours) == 5 and ours.epoch == 1


def test_breaking_off_and_iterating_again_begins_the_next_epoch(server):
    ours = loader(server)
    for batch in ours:
        if batch.step == 2:
            break
    assert [(epoch, step) for epoch, step, _ in steps(ours)] == [(1, step) for step in range(5)]
    iterator = iter(ours)
    assert ours.epoch == 2
    assert next(iterator).epoch == 2
    assert next(iter(ours)).epoch == 3
    # The older iterator is over: its place was left.
    assert list(iterator) == []


def test_epochs_are_the_end(server):
    ours = loader(server, epochs=2)
    assert len(steps(ours)) == len(steps(ours)) == 5
    assert steps(ours) == []


def test_arrays_are_views_that_can_be_written_and_outlive_the_batch(server):
    batch = next(iter(loader(server, dtype="uint8", layout="nhwc")))
    image, label = batch["image"], batch["label"]
    assert list(batch) == ["image", "label"] and len(batch) == 2
    assert image.dtype == np.uint8 and image.shape == (20, 32, 32, 3) and label.dtype == np.int64
    assert image.ctypes.data % 64 == 0 and label.ctypes.data % 64 == 0
    assert np.shares_memory(image, batch.payload) and image.flags.writeable
    before = image.copy()
    image[0] = 255 - image[0]
    assert (batch["image"][0] == 255 - before[0]).all()
    del batch
    assert (image[1:] == before[1:]).all()
    assert np.from_dlpack(image).shape == image.shape


def test_dtypes_agree_with_one_another(server):
    made = {dtype: next(iter(loader(server, dtype=dtype))) for dtype in ("float32", "float16", "bfloat16", "uint8")}
    exact = made["float32"]["image"]
    assert exact.dtype == np.float32 and (made["uint8"]["image"] == exact).all()
    assert (made["float16"]["image"] == exact.astype(np.float16)).all()
    bits = made["bfloat16"]["image"].view(np.uint16).astype(np.uint32) << 16
    assert np.abs(bits.view(np.float32) - exact).max() <= 0.5
    assert made["float16"].timings.made_ns > 0 and made["uint8"].global_rows == 20


def test_the_state_after_every_batch_gives_the_next_one_in_a_fresh_process(server):
    ours = loader(server)
    whole, states = [], []
    for batch in [*ours, *ours]:
        whole.append((batch.epoch, batch.step, digest(batch)))
    ours = loader(server)
    for _ in range(6):
        iterator = iter(ours)
        for batch in iterator:
            states.append(ours.state_dict())
        if len(states) >= 10:
            break
    program = """
import hashlib, json, sys
from feedline import Loader, ops
address, states = json.loads(sys.argv[1])
for state in states:
    loader = Loader(address, pipeline=[ops.RandomResizedCrop(32), ops.HorizontalFlip()], batch_size=20, seed=7, last_batch="short")
    loader.load_state_dict(state)
    batch = next(iter(loader))
    print(json.dumps([batch.epoch, batch.step, hashlib.sha256(batch.payload).hexdigest()]))
"""
    resumed = []
    for state in states[:9]:
        run = subprocess.run(
            [sys.executable, "-c", program, json.dumps([server.address, [state]])], stdout=subprocess.PIPE, text=True, check=True
        )
        resumed += [tuple(json.loads(line)) for line in run.stdout.splitlines()]
    assert resumed == whole[1:10]


def test_a_state_goes_on_with_another_number_of_ranks_and_back(server):
    def job(world_size, states, batches):
        """Rows of the global batches that all ranks get together, and the states after them."""
        loaders = [loader(server, batch_size=None, rank=rank, world_size=world_size) for rank in range(world_size)]
        for ours, state in zip(loaders, states):
            ours.load_state_dict(state)
        iterators = [iter(ours) for ours in loaders]
        rows = [np.concatenate(parts) for parts in zip(*[[next(i)["image"] for _ in range(batches)] for i in iterators])]
        return rows, [ours.state_dict() for ours in loaders]

    alone = list(loader(server))
    four = [loader(server, batch_size=5, rank=rank, world_size=4) for rank in range(4)]
    iterators = [iter(ours) for ours in four]
    rows = [np.concatenate([next(iterator)["image"] for iterator in iterators])]
    states = [ours.state_dict() for ours in four]
    more, states = job(2, states[:2], 2)
    rows += more
    more, states = job(4, [states[0]] * 4, 2)
    rows += more
    assert len(rows) == len(alone)
    for mine, whole in zip(rows, alone):
        assert (mine == whole["image"]).all()


def test_a_batch_size_that_contradicts_a_state_is_refused_and_the_right_one_named(server):
    state = loader(server).state_dict()
    with pytest.raises(feedline.MismatchError, match=r"global batch of 24 rows over 2 ranks, the state has 20: batch_size=10 fits"):
        loader(server, batch_size=12, rank=0, world_size=2).load_state_dict(state)
    other = loader(server, seed=8)
    other.load_state_dict(state)
    with pytest.raises(feedline.MismatchError, match="fingerprint"):
        next(iter(other))


def test_a_killed_server_costs_time_and_no_batch():
    spec = dict(SPEC, batch_size=2, prefetch_bytes=0)
    first = Process(PHOTOGRAPHS)
    whole = steps(Loader(first.address, **spec))
    ours = Loader(first.address, **spec, ahead=1)
    iterator, got = iter(ours), []
    for _ in range(5):
        batch = next(iterator)
        got.append((batch.epoch, batch.step, digest(batch)))
    first.kill()
    second = Process(PHOTOGRAPHS, listen=first.address)
    for batch in iterator:
        got.append((batch.epoch, batch.step, digest(batch)))
    assert got == whole
    ours.close()
    assert second.stop() == 0


def test_of_several_replicas_another_one_goes_on():
    servers = [Process(PHOTOGRAPHS), Process(PHOTOGRAPHS)]
    spec = dict(SPEC, batch_size=2, prefetch_bytes=0, ahead=1)
    whole = steps(Loader(servers[0].address, **spec))
    ours = Loader([server.address for server in servers], **spec)
    iterator, got = iter(ours), []
    for _ in range(5):
        batch = next(iterator)
        got.append((batch.epoch, batch.step, digest(batch)))
    servers[0].kill()
    for batch in iterator:
        got.append((batch.epoch, batch.step, digest(batch)))
    assert got == whole and ours.reconnects > 0
    ours.close()
    assert servers[1].stop() == 0


def test_batches_by_shared_memory_are_those_of_the_wire_and_stay_as_they_are(server):
    large = dict(pipeline=[ops.RandomResizedCrop(160)], dtype="float32")  # 6 MB a batch
    by_wire = steps(loader(server, **large, shared_memory=False))
    batches = list(loader(server, **large))
    # Held all together, and only now looked at.
    assert [(batch.epoch, batch.step, digest(batch)) for batch in batches] == by_wire
    before = digest(batches[1])
    batches[0]["image"][:] = 0
    assert digest(batches[1]) == before and digest(batches[0]) != by_wire[0][2]


def test_eight_loaders_at_once_get_the_same(server):
    expected, results = steps(loader(server)), [None] * 8

    def run(index):
        results[index] = steps(loader(server))

    threads = [threading.Thread(target=run, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 8


def test_ranks_come_from_the_environment(server, monkeypatch):
    whole = next(iter(loader(server)))["image"]
    parts = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", "2")
        parts.append(next(iter(loader(server, batch_size=10)))["image"])
    assert (np.concatenate(parts) == whole).all()
    monkeypatch.setenv("RANK", "first")
    with pytest.raises(feedline.InvalidRequestError, match="RANK='first'"):
        len(loader(server, batch_size=10))


def test_an_evaluation_over_ranks_sees_every_sample_once(server):
    """The recipe of the documentation: `wrap`, and the repeated rows left out."""
    seen = []
    for rank in range(3):
        ours = loader(server, batch_size=7, rank=rank, world_size=3, order="sequential", last_batch="wrap")
        batches = list(ours)
        assert len(batches) == len(ours) == 5
        for batch in batches:
            own = np.ones(len(batch["label"]), bool)
            own[batch.wrapped_rows] = False
            seen += batch.samples[own].tolist()
    assert sorted(seen) == list(range(96))


def test_slices_are_disjoint_and_whole(server):
    parts = [loader(server, split=split) for split in ("train[:80%]", "train[80%:]")]
    samples = [[index for batch in part for index in batch.samples] for part in parts]
    assert sorted(samples[0] + samples[1]) == list(range(96)) and len(samples[1]) > 10


def test_mixing_and_views_and_boxes_come_through(server):
    mixed = next(iter(loader(server, mixing=ops.Mixing(ops.CutMix(), label_smoothing=0.1))))
    assert mixed["label"].dtype == np.float32 and mixed["label"].shape == (20, 6)
    assert np.allclose(mixed["label"].sum(1), 1)
    viewed = next(iter(loader(server, views=2)))
    assert viewed.views() == 2 and viewed["image"].shape[0] == 40 and viewed["label"].shape == (20,)
    predictions = np.arange(80, dtype=np.float32).reshape(40, 2)
    assert (feedline.tta.average(predictions, viewed.views())[0] == [1, 2]).all()
    boxes = next(iter(Loader(DATASET, pipeline=[ops.Resize(32, 32)], batch_size=12, targets=["boxes"], order="sequential")))
    offsets = boxes["box_offsets"]
    assert boxes["boxes"].shape == (offsets[-1], 4) and np.diff(offsets).max() == 2


def test_images_decoded_at_a_fraction_of_their_size_are_other_ones_near_the_same(server):
    crop = dict(pipeline=[ops.RandomResizedCrop(32)], dtype="uint8")
    whole, scaled = (next(iter(loader(server, **crop, scaled_decode=on))) for on in (None, True))
    apart = np.abs(whole["image"].astype(int) - scaled["image"])
    assert 0 < apart.mean() < 4 and whole.samples.tolist() == scaled.samples.tolist()
    with pytest.raises(feedline.InvalidRequestError, match="spec.decode.scaled is true"):
        loader(server, pipeline=[ops.CenterCrop(32, 32)], scaled_decode=True).describe()


def test_repeat_gives_the_first_batch_again_and_again(server):
    iterator = iter(loader(server, repeat=True))
    batches = [next(iterator) for _ in range(4)]
    assert len({digest(batch) for batch in batches}) == 1
    assert [batch.repeated for batch in batches] == [False, True, True, True]


def test_a_loader_is_pickled_without_its_connection(server):
    ours = loader(server)
    next(iter(ours))
    copy = pickle.loads(pickle.dumps(ours))
    assert copy.state_dict() == ours.state_dict()
    copy.load_state_dict(ours.state_dict())
    assert next(iter(copy)).step == 1


def test_an_open_loader_refuses_after_a_fork_and_a_closed_one_opens(server):
    expected = steps(loader(server))
    opened = loader(server)
    iterator = iter(opened)
    next(iterator)

    def in_child(work) -> str:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                text = work()
            except BaseException as error:
                text = f"{type(error).__name__}: {error}"
            os.write(writing, text.encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            text = pipe.read().decode()
        os.waitpid(child, 0)
        return text

    assert in_child(lambda: str(next(iterator).step)).startswith("ForkError: this was opened in process")
    assert in_child(lambda: str(steps(loader(server)) == expected)) == "True"
    assert next(iterator).step == 1
    folder = Loader(PHOTOGRAPHS, **SPEC)
    assert steps(folder) == expected
    assert in_child(lambda: str(len(list(folder)))).startswith("ForkError")
    assert in_child(lambda: str(steps(Loader(PHOTOGRAPHS, **SPEC)) == expected)) == "True"

"""torch: the same images as the server's own floats, and a stock DataLoader around a loader gives the same batches in order."""

from __future__ import annotations

import pytest
from conftest import PHOTOGRAPHS, steps

from feedline import Loader, ops

torch = pytest.importorskip("torch")

from feedline.torch import DataLoader, IterableDataset  # noqa: E402

OPS = [ops.RandomResizedCrop(32), ops.ToFloat(), ops.Normalize()]
SPEC = dict(pipeline=OPS, batch_size=16, seed=3)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_images_are_normalised_on_the_device_as_by_the_server(server, memory_format):
    ours = DataLoader(server.address, **SPEC, memory_format=memory_format)
    own = Loader(server.address, **SPEC)
    assert len(ours) == len(own) == 6
    for (images, targets), batch in zip(ours, own):
        assert images.shape == (16, 3, 32, 32) and images.dtype == torch.float32
        assert images.is_contiguous(memory_format=memory_format)
        assert (images - torch.from_numpy(batch["image"])).abs().max() <= 1e-6
        assert (targets == torch.from_numpy(batch["label"])).all()
    assert ours.loader._delivery["dtype"] == "uint8"


def test_mixup_is_not_rounded_unless_told_to(server):
    for uint8, dtype in [(None, "fp32"), (True, "uint8")]:
        ours = DataLoader(server.address, **SPEC, mixing=ops.MixUp(alpha=1.0), uint8=uint8)
        images, targets = next(iter(ours))
        assert ours.loader._delivery["dtype"] == dtype and targets.shape == (16, 6) and images.dtype == torch.float32
    floats = DataLoader(server.address, **{**SPEC, "pipeline": [ops.RandomResizedCrop(32), ops.ToFloat(), ops.Gamma()]})
    next(iter(floats))
    assert floats.loader._delivery["dtype"] == "fp32"


def test_batches_become_tensors_without_a_copy(server):
    for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.uint8):
        batch = next(iter(Loader(server.address, **SPEC, dtype=dtype)))
        tensors = batch.to_torch()
        assert tensors["image"].dtype == dtype and tensors["label"].dtype == torch.int64
        assert tensors["image"].data_ptr() == batch.payload.ctypes.data
    assert torch.from_dlpack(batch["image"]).shape == (16, 3, 32, 32)


@pytest.mark.parametrize(("workers", "context"), [(0, None), (2, "fork"), (2, "spawn"), (3, "forkserver")])
@pytest.mark.parametrize("folder", [False, True])
def test_a_stock_dataloader_gives_the_same_batches_in_the_same_order(server, workers, context, folder):
    own = list(Loader(server.address, **SPEC))
    dataset = IterableDataset(Loader(PHOTOGRAPHS if folder else server.address, **SPEC))
    loader = torch.utils.data.DataLoader(dataset, batch_size=None, num_workers=workers, multiprocessing_context=context)
    got = list(loader)
    assert len(got) == len(own)
    for tensors, batch in zip(got, own):
        assert (tensors["image"] == torch.from_numpy(batch["image"])).all()
        assert (tensors["label"] == torch.from_numpy(batch["label"])).all()


def test_persistent_workers_go_on_with_the_next_epoch(server):
    own = Loader(server.address, **SPEC)
    epochs = [[batch["image"].copy() for batch in own] for _ in range(2)]
    dataset = IterableDataset(Loader(server.address, **SPEC))
    loader = torch.utils.data.DataLoader(dataset, batch_size=None, num_workers=2, persistent_workers=True)
    for epoch in epochs:
        got = [tensors["image"] for tensors in loader]
        assert len(got) == len(epoch) and all((a == torch.from_numpy(b)).all() for a, b in zip(got, epoch))


def test_state_goes_through_the_torch_loader(server):
    ours = DataLoader(server.address, **SPEC)
    iterator = iter(ours)
    next(iterator), next(iterator)
    state = torch.utils.data.default_convert(ours.state_dict())
    again = DataLoader(server.address, **SPEC)
    again.load_state_dict(state)
    assert (next(iter(again))[0] == next(iterator)[0]).all()
    assert len(steps(ours.loader)) == 6

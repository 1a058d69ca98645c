"""`indices` are torch's Subset: those samples and no others, in their order, and mistakes are told when the loader is made."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import PHOTOGRAPHS, digest, steps

from feedline import InvalidRequestError, Loader, MismatchError, ops

LIST = [90, 3, 17, 4, 0, 95, 16]
SPEC = dict(pipeline=[ops.Resize(16, 16)], batch_size=3, order="sequential")


def samples(loader) -> list[int]:
    return [sample for batch in loader for sample in batch.samples.tolist()]


def test_only_those_samples_come_in_their_order(server):
    ours = Loader(server.address, **SPEC, indices=LIST)
    assert len(ours) == 3 and samples(ours) == samples(ours) == LIST
    assert ours.describe()["samples"] == len(LIST)
    shuffled = Loader(server.address, **{**SPEC, "order": "shuffled"}, last_batch="short", indices=LIST)
    first, second = samples(shuffled), samples(shuffled)
    assert sorted(first) == sorted(second) == sorted(LIST) and first != second
    assert steps(Loader(PHOTOGRAPHS, **SPEC, indices=LIST)) == steps(Loader(server.address, **SPEC, indices=LIST))


@pytest.mark.parametrize(
    "indices",
    [tuple(LIST), np.array(LIST), np.array(LIST, np.uint8), iter(LIST), dict.fromkeys(LIST), (int(x) for x in LIST)],
    ids=["tuple", "int64", "uint8", "iterator", "keys", "generator"],
)
def test_any_iterable_of_whole_numbers_is_a_list(server, indices):
    assert samples(Loader(server.address, **SPEC, indices=indices)) == LIST


def test_a_range_and_a_mask_of_numpy(server):
    assert samples(Loader(server.address, **SPEC, indices=range(95, -1, -7))) == list(range(95, -1, -7))
    mask = np.arange(96) % 10 == 3
    assert samples(Loader(server.address, **SPEC, indices=np.flatnonzero(mask))) == list(range(3, 96, 10))


def test_a_subset_of_torch_and_its_tensors(server):
    torch = pytest.importorskip("torch")
    subset = torch.utils.data.Subset(range(96), LIST)
    for indices in (subset.indices, torch.tensor(LIST)):
        assert samples(Loader(server.address, **SPEC, indices=indices)) == LIST
    with pytest.raises(InvalidRequestError, match="indices is a Subset, expected .* the `indices` of a torch Subset"):
        Loader(server.address, **SPEC, indices=subset)


@pytest.mark.parametrize(
    ("indices", "says"),
    [
        ([], "indices is empty, expected at least one sample, or None"),
        (np.arange(96) < 3, "a mask of bools, expected .*flatnonzero"),
        ([3, -1, 4], r"indices\[1\] is -1, expected a sample's index in the split, 0 to"),
        ([2**32], r"indices\[0\] is 4294967296"),
        ([2**70], "indices is object of shape"),
        ([1.0, 2.0], r"indices is float64 of shape \(2,\), expected whole numbers"),
        ([[1, 2], [3, 4]], r"of shape \(2, 2\)"),
        ([[1, 2], [3]], "indices: .* expected whole numbers"),
        (["3", "4"], "expected whole numbers"),
        ("list.txt", "indices is a str"),
        (7, "indices is a int"),
    ],
)
def test_what_is_no_list_is_refused_when_the_loader_is_made(indices, says):
    with pytest.raises(InvalidRequestError, match=says):
        Loader("127.0.0.1:1", **SPEC, indices=indices)


@pytest.mark.parametrize("local", [False, True])
def test_what_does_not_fit_the_split_is_refused_when_it_is_opened(server, local):
    target = PHOTOGRAPHS if local else server.address
    for indices, split, says in [
        ([3, 17, 3], None, r"subset\.indices\[2\] is 3, expected each sample once: it is indices\[0\] already"),
        ([3, 96], None, r"subset\.indices\[1\] is 96, expected 0 to 95"),
        ([3, 17], "train[:80%]", "beside a subset"),
    ]:
        with pytest.raises(InvalidRequestError, match=says):
            Loader(target, split, **SPEC, indices=indices).describe()


def test_a_state_is_of_its_list(server):
    ours = Loader(server.address, **SPEC, indices=LIST)
    batches = [digest(batch) for batch in ours]
    ours.set_epoch(0)
    next(iter(ours))
    state = ours.state_dict()
    again = Loader(server.address, **SPEC, indices=LIST)
    again.load_state_dict(state)
    assert [digest(batch) for batch in again] == batches[1:]
    other = Loader(server.address, **SPEC, indices=sorted(LIST))
    other.load_state_dict(state)
    with pytest.raises(MismatchError, match="another loader spec"):
        next(iter(other))


def test_a_file_of_a_spec_has_a_list_and_the_argument_overrides_it(server, tmp_path):
    spec = tmp_path / "spec.toml"
    spec.write_text("[subset]\nindices = [5, 2, 9]\n")
    assert samples(Loader(server.address, **SPEC, spec=spec)) == [5, 2, 9]
    assert samples(Loader(server.address, **SPEC, spec=spec, indices=LIST)) == LIST
    with pytest.raises(InvalidRequestError, match="expected at least one sample, or no subset"):
        Loader(server.address, **SPEC, spec={"subset": {"indices": []}}).describe()

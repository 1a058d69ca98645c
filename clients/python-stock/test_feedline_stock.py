"""The stock client against the real server: batches are those that `feedline pull` gets, to the byte.

`make python` generates the messages and runs this.
"""

import hashlib
import json
import shutil
import subprocess

import grpc
import numpy as np
import pytest
from feedline.v1 import pipeline_pb2, service_pb2, service_pb2_grpc, spec_pb2
from feedline_stock import Loader, mean_of_views
from google.protobuf import json_format
from running import FEEDLINE, ROOT, Server

SAMPLES, CLASSES = 96, 6


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The bundled photographs, one folder per class."""
    folder = tmp_path_factory.mktemp("data") / "photographs"
    shutil.copytree(ROOT / "assets/demo", folder, ignore=shutil.ignore_patterns("*.md", "*.py", "LICENSE*"))
    return folder


@pytest.fixture(scope="session")
def server(folder):
    with Server(folder) as server:
        yield server
        assert server.stop() == 0, "a drained server ends well"


def spec(pipeline="imagenet-train", rows=40, **fields):
    pipeline = pipeline_pb2.Pipeline(name=pipeline) if isinstance(pipeline, str) else pipeline
    fields = {"seed": 7, "last_batch": spec_pb2.LAST_BATCH_SHORT} | fields
    return spec_pb2.LoaderSpec(pipeline=pipeline, global_batch_size=rows, **fields)


def delivery(count=3, epoch=0, step=0, **fields):
    return spec_pb2.Delivery(count=count, start=spec_pb2.Cursor(epoch=epoch, step=step), **fields)


def small(**fields):
    """A spec that is quick to make: 32x32."""
    ops = [
        pipeline_pb2.Op(random_resized_crop=pipeline_pb2.RandomResizedCrop(height=32, width=32)),
        pipeline_pb2.Op(horizontal_flip=pipeline_pb2.HorizontalFlip()),
    ]
    return spec(pipeline_pb2.Pipeline(ops=ops), **fields)


def pulled(server, *arguments):
    """What `feedline pull --json` prints for each batch."""
    command = [FEEDLINE, "--log", "warn", "pull", server.address, "--json", "--global-batch-size", "40", "--seed", "7"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def sha256(batch):
    return hashlib.sha256(batch.payload).hexdigest()


def streamed(server, spec, delivery, **fields):
    return list(Loader(server.address, spec, delivery=delivery, **fields).batches())


MIXINGS = {
    "none": None,
    "cutmix": spec_pb2.Mixing(cutmix=spec_pb2.CutMix()),
    "mixup": spec_pb2.Mixing(mixup=spec_pb2.MixUp()),
}


@pytest.mark.parametrize("dtype", ["u8", "f16", "bf16", "f32"])
@pytest.mark.parametrize("mix", MIXINGS)
def test_an_epoch_equals_what_our_own_client_gets(server, dtype, mix):
    mixing = MIXINGS[mix]
    names = {"u8": "UINT8", "f16": "FP16", "bf16": "BF16", "f32": "FP32"}
    wanted = spec_pb2.Dtype.Value(f"DTYPE_{names[dtype]}")
    batches = streamed(server, spec(mixing=mixing), delivery(dtype=wanted))
    lines = pulled(
        server, "--pipeline", "imagenet-train", "--dtype", dtype, "--mix", mix, "--last-batch", "short", "--epochs", "1"
    )
    assert [sha256(batch) for batch in batches] == [line["sha256"] for line in lines]
    assert [batch.samples.tolist() for batch in batches] == [line["samples"] for line in lines]
    assert sorted(sample for batch in batches for sample in batch.samples) == list(range(SAMPLES))
    for batch, line in zip(batches, lines, strict=True):
        image, label = batch.tensor("image"), batch.tensor("label")
        rows = len(line["labels"])
        assert image.shape == (rows, 3, 224, 224) and image.ctypes.data % 64 == 0 and label.ctypes.data % 64 == 0
        if mixing:
            assert label.dtype == np.float32 and label.shape == (rows, CLASSES)
            np.testing.assert_allclose(label.sum(1), 1, rtol=1e-6)
            assert ((label > 0) & (label < 1)).any(), "no label is mixed"
        else:
            assert label.tolist() == line["labels"]


def test_a_stream_resumes_at_any_step_from_a_cursor_kept_as_json(server):
    whole = [sha256(batch) for batch in streamed(server, small(), delivery(count=9))]
    batches = Loader(server.address, small(), delivery=delivery(count=9)).batches()
    first = [next(batches) for _ in range(4)]
    batches.close()
    kept = json_format.MessageToJson(first[-1].header.next)
    cursor = json_format.Parse(kept, spec_pb2.Cursor())
    assert (cursor.epoch, cursor.step) == (1, 1), "three steps per epoch"
    loader = Loader(server.address, small(), delivery=spec_pb2.Delivery(count=5))
    rest = [sha256(batch) for batch in loader.batches(cursor)]
    assert [sha256(batch) for batch in first] + rest == whole


def test_a_server_that_is_killed_and_started_again_costs_no_batch(folder, server):
    # Far more than fits in the buffers on the way, so that the stream is cut in its middle.
    wanted = {"spec": spec("imagenet-eval"), "delivery": delivery(count=15)}
    whole = [sha256(batch) for batch in streamed(server, **wanted)]
    with Server(folder) as mortal:
        batches = Loader(mortal.address, **wanted).batches(retry_for=120)
        hashes = [sha256(next(batches)) for _ in range(2)]
        mortal.kill()
        with Server(folder, mortal.address) as again:
            hashes += [sha256(batch) for batch in batches]
            assert again.stop() == 0
    assert hashes == whole


def test_eight_bits_and_the_normalization_described_give_the_values_of_floats(server):
    loader = Loader(server.address, spec(), delivery=delivery(dtype=spec_pb2.DTYPE_UINT8))
    left = loader.describe().normalization
    pairs = zip(loader.batches(), streamed(server, spec(), delivery()), strict=True)
    mean, std = (np.array(x, np.float32).reshape(1, 3, 1, 1) for x in (left.mean, left.std))
    for bytes_, floats in pairs:
        image = bytes_.tensor("image")
        assert image.dtype == np.uint8
        normalized = (image * np.float32(left.scale) - mean) / std
        np.testing.assert_allclose(normalized, floats.tensor("image"), rtol=0, atol=1e-6)


def test_views_of_a_sample_are_rows_of_a_tensor_and_their_predictions_are_averaged(server):
    resize = pipeline_pb2.Op(resize=pipeline_pb2.Resize(height=32, width=32))
    flips = spec_pb2.Views(groups=[spec_pb2.ViewGroup(test_time=spec_pb2.TEST_TIME_FLIP)])
    asked = spec(pipeline_pb2.Pipeline(ops=[resize]), views=flips)
    (batch,) = streamed(server, asked, delivery(count=1, layout=spec_pb2.LAYOUT_NHWC))
    (views,) = [tensor.views for tensor in batch.header.tensors if tensor.name == "image"]
    image = batch.tensor("image")
    assert (views, image.shape, batch.tensor("label").shape) == (2, (80, 32, 32, 3), (40,))
    np.testing.assert_array_equal(image[0::2], image[1::2, :, ::-1])
    averaged = mean_of_views(image.mean(axis=(1, 2)), views)
    np.testing.assert_allclose(averaged, image[0::2].mean(axis=(1, 2)), rtol=1e-5)
    with pytest.raises(ValueError, match="multiple of 2 views"):
        mean_of_views(image[:79], views)


def test_a_batch_of_many_megabytes_arrives_under_the_default_limits(server):
    wanted = {"spec": spec(rows=SAMPLES), "delivery": delivery(count=1)}
    (batch,) = streamed(server, **wanted)
    assert batch.payload.nbytes > 50 << 20
    with grpc.insecure_channel(server.address) as channel:
        request = service_pb2.StreamRequest(contract_revision=1, **wanted)
        parts = list(service_pb2_grpc.FeedlineServiceStub(channel).Stream(request))
    assert max(part.ByteSize() for part in parts) < 4 << 20
    assert all(len(part.data) <= 1 << 20 for part in parts)


def test_describe_says_what_arrives(server):
    loader = Loader(server.address, spec(), delivery=delivery(count=1))
    described = loader.describe()
    (batch,) = loader.batches()
    assert (described.samples, described.steps_per_epoch, described.rows) == (SAMPLES, 3, 40)
    assert list(described.tensors) == list(batch.header.tensors)
    assert described.payload_bytes == batch.header.payload_bytes
    assert described.spec_fingerprint == batch.header.next.spec_fingerprint
    assert described.spec.dataset_fingerprint == batch.header.next.dataset_fingerprint
    assert len(described.classes) == CLASSES


WRONG = pipeline_pb2.Pipeline(ops=[pipeline_pb2.Op(horizontal_flip=pipeline_pb2.HorizontalFlip(p=1.5))])
FOREIGN = spec_pb2.Cursor(spec_fingerprint="0" * 32)


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"spec": spec(rows=0)}, "INVALID_ARGUMENT", "global_batch_size"),
        ({"spec": spec(WRONG)}, "INVALID_ARGUMENT", "pipeline.ops[0].horizontal_flip.p is 1.5"),
        ({"spec": spec("imagenet-trian")}, "NOT_FOUND", "imagenet-trian"),
        ({"spec": spec(dataset="dogs")}, "NOT_FOUND", "photographs"),
        ({"spec": spec(), "delivery": spec_pb2.Delivery(start=FOREIGN)}, "FAILED_PRECONDITION", "fingerprint"),
        ({"spec": spec(), "contract_revision": 1000}, "UNIMPLEMENTED", "contract_revision is 1000"),
    ],
)
def test_a_bad_request_is_refused_at_once_with_its_reason(server, fields, code, message):
    loader = Loader(server.address, fields["spec"], delivery=fields.get("delivery"))
    loader.request.contract_revision = fields.get("contract_revision", 1)
    with pytest.raises(grpc.RpcError) as refused:
        next(loader.batches())
    assert refused.value.code() == grpc.StatusCode[code]
    assert message in refused.value.details()
    assert ("feedline-status", "final") in [(key, value) for key, value in refused.value.trailing_metadata()]

"""The stock client gets the batches of tests/data/vectors, and finds the damage that is in its messages."""

import itertools

import feedline_stock
import grpc
import pytest
import vectors
from feedline.v1 import spec_pb2
from feedline_stock import Damaged, Loader, assemble
from running import changed, spoilt


def case_name(case):
    return case["name"]


@pytest.mark.parametrize("case", vectors.BATCHES, ids=case_name)
def test_the_batches_are_those_of_the_vectors(vectors_server, case):
    assert [vectors.found(batch) for batch in loader_of(vectors_server, case).batches()] == case["batches"]


@pytest.mark.parametrize("case", vectors.PARTS, ids=case_name)
def test_damage_is_found_where_it_is(case):
    found, error = [], None
    try:
        for batch in assemble(vectors.parts(case), case["most_bytes"]):
            assert not batch.payload.size or batch.payload.ctypes.data % 64 == 0
            found.append(vectors.found(batch))
    except Damaged as damage:
        error = damage.kind
    assert (found, error) == (case["batches"], case["error"])


def loader_of(server, case):
    asked = vectors.request(case)
    return Loader(server.address, asked.spec, placement=asked.placement, delivery=asked.delivery)


def between(monkeypatch, change):
    """Lets `change` make others of the parts of each stream, by the stream's number; returns the streams."""
    streams, real = [], feedline_stock.service_pb2_grpc.FeedlineServiceStub

    def stub(channel):
        return changed(real(channel), change, streams)

    monkeypatch.setattr(feedline_stock.service_pb2_grpc, "FeedlineServiceStub", stub)
    monkeypatch.setattr(feedline_stock.time, "sleep", lambda seconds: None)
    return streams


def test_damaged_messages_and_streams_that_end_early_cost_no_batch(vectors_server, monkeypatch):
    case = vectors.BATCHES[0]
    # Four streams of damaged parts, then streams that end after ten parts.
    streams = between(monkeypatch, lambda n, parts: spoilt(parts) if n < 5 else itertools.islice(parts, 10))
    assert [vectors.found(batch) for batch in loader_of(vectors_server, case).batches()] == case["batches"]
    assert len(streams) > 5


def test_damage_again_and_again_ends_the_stream(vectors_server, monkeypatch):
    streams = between(monkeypatch, lambda n, parts: spoilt(parts))
    with pytest.raises(Damaged, match="CRC32C") as damage:
        next(loader_of(vectors_server, vectors.BATCHES[0]).batches())
    assert (damage.value.kind, len(streams)) == ("payload_checksum", 5)


def test_a_batch_that_was_not_asked_for_is_seen(vectors_server, monkeypatch):
    # Without the first batch, the second is sound, but not the one asked for.
    def late(_, parts):
        begun = 0
        for part in parts:
            begun += bool(part.header)
            if begun > 1:
                yield part

    between(monkeypatch, late)
    with pytest.raises(Damaged, match="0:1 came, expected 0:0") as damage:
        next(loader_of(vectors_server, vectors.BATCHES[0]).batches())
    assert damage.value.kind == "cursor"


def test_a_server_that_is_not_there_is_an_error_after_a_while(tmp_path):
    loader = Loader(f"unix:{tmp_path}/nobody", spec_pb2.LoaderSpec(global_batch_size=1))
    with pytest.raises(grpc.RpcError, match="nobody") as error:
        next(loader.batches(retry_for=0.2))
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE

"""The stock client gets the batches of tests/data/vectors, and finds the damage that is in its messages."""

import itertools

import feedline_stock
import grpc
import pytest
import vectors
from feedline.v1 import spec_pb2
from feedline_stock import Damaged, Loader, assemble


def case_name(case):
    return case["name"]


@pytest.mark.parametrize("case", vectors.BATCHES, ids=case_name)
def test_the_batches_are_those_of_the_vectors(vectors_server, case):
    asked = vectors.request(case)
    loader = Loader(vectors_server.address, asked.spec, placement=asked.placement, delivery=asked.delivery)
    assert [vectors.found(batch) for batch in loader.batches()] == case["batches"]


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


class Proxy:
    """Stands between the client and its connection, and hands on what `change` makes of the parts of each stream."""

    def __init__(self, monkeypatch, change):
        self.streams, self.change, real = 0, change, feedline_stock.service_pb2_grpc.FeedlineServiceStub
        proxy = self

        class Stub:
            def __init__(self, channel):
                self.real = real(channel)
                self.Describe = self.real.Describe

            def Stream(self, request):
                proxy.streams += 1
                return Call(self.real.Stream(request))

        class Call:
            def __init__(self, call):
                self.call, self.cancel = call, call.cancel

            def __iter__(self):
                return iter(proxy.change(self.call, proxy.streams))

        monkeypatch.setattr(feedline_stock.service_pb2_grpc, "FeedlineServiceStub", Stub)
        monkeypatch.setattr(feedline_stock.time, "sleep", lambda seconds: None)


def damaged_at(number):
    def change(parts, _stream):
        for index, part in enumerate(parts):
            if index == number:
                part.data = bytes(len(part.data))
            yield part

    return change


def loader_of(server, case):
    asked = vectors.request(case)
    return Loader(server.address, asked.spec, placement=asked.placement, delivery=asked.delivery)


def test_a_damaged_message_and_a_stream_that_ends_early_cost_no_batch(vectors_server, monkeypatch):
    case = vectors.BATCHES[0]
    # The first two streams have a damaged part each, the next two end after ten parts.
    proxy = Proxy(
        monkeypatch,
        lambda parts, stream: damaged_at(8)(parts, stream) if stream < 3 else itertools.islice(parts, 10),
    )
    batches = loader_of(vectors_server, case).batches()
    assert [vectors.found(batch) for batch in batches] == case["batches"]
    assert proxy.streams > 2


def test_damage_again_and_again_ends_the_stream(vectors_server, monkeypatch):
    proxy = Proxy(monkeypatch, damaged_at(0))
    with pytest.raises(Damaged, match="CRC32C") as damage:
        next(loader_of(vectors_server, vectors.BATCHES[0]).batches())
    assert (damage.value.kind, proxy.streams) == ("payload_checksum", 5)


def test_a_batch_that_was_not_asked_for_is_seen(vectors_server, monkeypatch):
    # Without the first batch, the second is sound, but not the one asked for.
    def late(parts, _stream):
        begun = 0
        for part in parts:
            begun += bool(part.header)
            if begun > 1:
                yield part

    Proxy(monkeypatch, late)
    with pytest.raises(Damaged, match="0:1 came, expected 0:0") as damage:
        next(loader_of(vectors_server, vectors.BATCHES[0]).batches())
    assert damage.value.kind == "cursor"


def test_a_server_that_is_not_there_is_an_error_after_a_while(tmp_path):
    loader = Loader(f"unix:{tmp_path}/nobody", spec_pb2.LoaderSpec(global_batch_size=1))
    with pytest.raises(grpc.RpcError, match="nobody") as error:
        next(loader.batches(retry_for=0.2))
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE

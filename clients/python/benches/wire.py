"""How fast batches reach Python, side by side in one run: this package over the wire and by shared memory, a plain loop of grpcio over the
same stream, and what is left of a Python thread's speed meanwhile.

    python clients/python/benches/wire.py ADDRESS [--generated FOLDER]

ADDRESS is a server of images; it sends one batch again and again (`repeat`), so that it makes nothing. FOLDER has the contract as
`python -m grpc_tools.protoc` makes it; without it grpcio is left out. Each measurement is a process of its own; medians of three.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import threading
import time

ROWS, SIDE = 64, 224
BATCHES = 400
PACED_BYTES_PER_S = 200e6


def loader(address: str, shared_memory: bool = False):
    from feedline import Loader, ops

    return Loader(
        address,
        pipeline=[ops.RandomResizedCrop(SIDE)],
        batch_size=ROWS,
        dtype="uint8",
        layout="nhwc",
        repeat=True,
        ahead=4,
        shared_memory=shared_memory,
    )


def of_feedline(address: str, shared_memory: bool = False):
    repeating = loader(address, shared_memory)
    while True:
        for batch in repeating:
            yield batch["image"]


def of_grpcio(address: str):
    import grpc
    import numpy as np
    from feedline.v1 import batch_pb2, geometry_pb2, pipeline_pb2, service_pb2, service_pb2_grpc, spec_pb2

    op = pipeline_pb2.Op(random_resized_crop=geometry_pb2.RandomResizedCrop(height=SIDE, width=SIDE))
    request = service_pb2.StreamRequest(
        contract_revision=1,
        spec=spec_pb2.LoaderSpec(pipeline=pipeline_pb2.Pipeline(ops=[op]), global_batch_size=ROWS),
        delivery=spec_pb2.Delivery(dtype=spec_pb2.DTYPE_UINT8, layout=spec_pb2.LAYOUT_NHWC, repeat=True),
    )
    for part in service_pb2_grpc.FeedlineServiceStub(grpc.insecure_channel(address)).Stream(request):
        if part.header:
            header = batch_pb2.BatchHeader.FromString(part.header)
            payload = np.empty(header.payload_bytes, np.uint8)
        end = part.offset + len(part.data)
        payload[part.offset : end] = np.frombuffer(part.data, np.uint8)
        if end == header.payload_bytes:
            tensor = header.tensors[0]
            yield payload[tensor.offset : tensor.offset + tensor.bytes].reshape(tensor.shape)


def throughput(images) -> dict[str, float]:
    """GB/s of images, and CPU seconds of this process per GB."""
    next(images)
    cpu, start, got = usage(), time.perf_counter(), 0
    for _ in range(BATCHES):
        got += next(images).nbytes
    return {"gb_per_s": got / (time.perf_counter() - start) / 1e9, "cpu_s_per_gb": (usage() - cpu) / got * 1e9}


def usage() -> float:
    found = resource.getrusage(resource.RUSAGE_SELF)
    return found.ru_utime + found.ru_stime


def counted(seconds: float) -> int:
    end, count = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        count += 1
    return count


def free_interpreter(address: str) -> dict[str, float]:
    """What a counting thread keeps of its speed while another one takes batches at a paced rate."""
    alone, stop, taken = counted(2), threading.Event(), [0]

    def take() -> None:
        images, start = of_feedline(address), time.perf_counter()
        for image in images:
            taken[0] += image.nbytes
            if stop.wait(max(0.0, start + taken[0] / PACED_BYTES_PER_S - time.perf_counter())):
                return

    thread = threading.Thread(target=take)
    thread.start()
    while not taken[0]:
        time.sleep(0.001)
    before, start = taken[0], time.perf_counter()
    together = counted(4) / 2
    rate = (taken[0] - before) / (time.perf_counter() - start)
    stop.set()
    thread.join()
    return {"kept": together / alone, "paced_mb_per_s": rate / 1e6}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("address")
    arguments.add_argument("--generated")
    arguments.add_argument("--only", choices=["feedline", "shared-memory", "grpcio", "interpreter"])
    given = arguments.parse_args()
    if given.only == "grpcio":
        sys.path.insert(0, given.generated)
        print(json.dumps(throughput(of_grpcio(given.address))))
    elif given.only == "feedline":
        print(json.dumps(throughput(of_feedline(given.address))))
    elif given.only == "shared-memory":
        print(json.dumps(throughput(of_feedline(given.address, shared_memory=True))))
    elif given.only == "interpreter":
        print(json.dumps(free_interpreter(given.address)))
    else:
        runs: dict[str, list[dict[str, float]]] = {}
        for _ in range(3):
            for what in ["feedline", "shared-memory", *(["grpcio"] if given.generated else []), "interpreter"]:
                command = [sys.executable, __file__, *sys.argv[1:], "--only", what]
                out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
                runs.setdefault(what, []).append(json.loads(out))
        for what, found in runs.items():
            print(what, {name: round(statistics.median(run[name] for run in found), 3) for name in found[0]})


if __name__ == "__main__":
    main()

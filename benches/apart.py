"""Measures what `make bench` does not: many clients of one server, by the processor time and memory of its process. Linux only.

    cargo build --release --workspace --all-features --bins
    python benches/images.py DIR        # or `make bench`, which leaves them in target/bench/images
    python benches/apart.py [together ranks idle peak] [--feedline target/release/feedline] [--images target/bench/images/imagefolder]

`together`: eight clients that start together and want the same batches, against one. `ranks`: a thousand clients with ranks of their own,
six of ten slow, against ten: from second 20 on, when connections have been made and memory has been touched, and over all. `idle`: memory
of a client that asks for nothing. `peak`: the most memory with ten clients. Starts servers of its own on loopback, and ends them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time
from typing import Any

FORM = ["--dtype", "u8", "--layout", "nhwc"]
TRAIN = ["--pipeline", "imagenet-train", *FORM]
# Batches of 1.5 MiB, the same for all clients: more than a client's window of 1 MiB, so that the server comes to rest at once. It would fill
# a thousand windows with small ones for half a minute.
IDLE_PIPELINE = 'ops = [{ resize = { height = 128, width = 128 } }]\n'
TOGETHER_BATCHES = 62
TOGETHER_ROUNDS = 5
BYTES_PER_BATCH = 64 * 224 * 224 * 3
# What the wire alone takes: docs/benchmarks.md.
WIRE_S_PER_GB = 0.24
MIB = 2**20


class Server:
    """A server of a folder, from when it listens on until it is left; with `decoded`, once all images are."""

    def __init__(self, feedline: pathlib.Path, images: pathlib.Path, store: str) -> None:
        self.feedline = feedline
        command = [feedline, "serve", images, "--store", store, "--threads", "2", "--max-sessions", "1100"]
        command += ["--listen", "127.0.0.1:0", "--log", "info", "--log-format", "json"]
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise SystemExit("apart.py: the server did not begin to listen")
        self.address = line.split()[-1]
        if store == "decoded":
            self.until_still()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)
        self.log.close()

    def until_still(self) -> None:
        """Waits until it has nothing to do: half a second without work."""
        before = -1.0
        while (now := sum(self.seconds())) > before + 0.02:
            before = now
            time.sleep(0.5)

    def seconds(self) -> tuple[float, float]:
        """Processor time of its workers, and of all other threads."""
        workers = others = 0.0
        for thread in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            name, fields = (thread / "stat").read_text().split("(", 1)[1].rsplit(") ", 1)
            spent = sum(map(int, fields.split()[11:13])) / os.sysconf("SC_CLK_TCK")
            if name.startswith("worker-"):
                workers += spent
            else:
                others += spent
        return workers, others

    def memory(self) -> int:
        """Bytes now, counted page by page: the kernel's quick count is off by up to a hundred MiB."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("Rss:"))

    def peak_memory(self) -> int:
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))

    def logged(self, message: str) -> dict[str, Any]:
        self.log.seek(0)
        lines = [json.loads(line) for line in self.log.read().splitlines() if line.startswith("{")]
        return next(line for line in lines if line["message"] == message)

    def load(self, *flags: object) -> subprocess.Popen[str]:
        command = [self.feedline, "loadtest", self.address, "--json", "--log", "error", *flags]
        return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)


def figures(load: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = load.communicate()
    if load.returncode != 0:
        raise SystemExit(f"apart.py: the load test failed: {out.strip()[-300:]}")
    return json.loads(out.strip().rpartition("\n")[2])


def together(feedline: pathlib.Path, images: pathlib.Path) -> None:
    making, whole, wire = [], [], []
    for _ in range(TOGETHER_ROUNDS):
        spent = {}
        for clients in (1, 8):
            with Server(feedline, images, "encoded") as server:
                before = server.seconds()
                command = [feedline, "pull", server.address, *TRAIN, "--no-shared-memory", "--count", TOGETHER_BATCHES, "--log", "error"]
                pulls = [subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL) for _ in range(clients)]
                if any([pull.wait() for pull in pulls]):
                    raise SystemExit("apart.py: a client failed")
                spent[clients] = [now - then for now, then in zip(server.seconds(), before)]
        gigabytes = TOGETHER_BATCHES * BYTES_PER_BATCH / 1e9
        making.append(spent[8][0] / spent[1][0])
        whole.append((sum(spent[8]) - 7 * gigabytes * WIRE_S_PER_GB) / sum(spent[1]))
        wire.append(spent[8][1] / gigabytes / 8)
    for name, ratios in [("workers' time of 8 clients to that of 1", making), (f"all time, less {WIRE_S_PER_GB} s per GB for 7 more", whole)]:
        print(f"together: {name}: {statistics.median(ratios):.2f} ({', '.join(f'{ratio:.2f}' for ratio in ratios)})")
    print(f"together: time of all other threads, s per GB to 8 clients: {statistics.median(wire):.2f}")


def ranks(feedline: pathlib.Path, images: pathlib.Path) -> None:
    flags = ["--ranks", "distinct", "--batch-size", 4, *TRAIN, "--slow", 0.6, "--slow-think", 2000, "--prefetch", "2MiB"]
    with Server(feedline, images, "decoded") as server:
        for clients in (10, 100, 1000):
            found = figures(server.load("--clients", clients, "--duration", 80, "--ramp", 3, "--warm-up", 20, *flags))
            fairness = [kind["fairness"] for kind in found["kinds"] if kind["kind"] == "fast"]
            print(
                f"ranks: {clients} clients: {found['images_per_s']:.0f} images/s from second 20 on, "
                f"{found['images'] / found['seconds']:.0f} of all the time, without a batch: {found['clients_without_batch']}, "
                f"fairness {fairness}, errors {found['errors']}; server {server.memory() / MIB:.0f} MiB"
            )
        limit = server.logged("memory, at most")["memory_limit_bytes"]
        print(f"ranks: most memory {server.peak_memory() / MIB:.0f} MiB, announced {int(limit) / MIB:.0f} MiB")


def idle(feedline: pathlib.Path, images: pathlib.Path) -> None:
    memory = {}
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as pipeline:
        pipeline.write(IDLE_PIPELINE)
        pipeline.flush()
        for clients in (10, 1000):
            with Server(feedline, images, "encoded") as server:
                flags = ["--pipeline", pipeline.name, *FORM, "--batch-size", 32, "--ranks", "shared", "--prefetch", "1KiB"]
                flags += ["--slow", 1, "--slow-think", 600_000, "--ramp", 5, "--duration", 25]
                load = server.load("--clients", clients, *flags)
                time.sleep(10)
                server.until_still()
                memory[clients] = server.memory()
                if load.poll() is not None:
                    raise SystemExit("apart.py: the server did not come to rest while its clients were there")
                if figures(load)["clients_without_batch"]:
                    raise SystemExit("apart.py: not every client had a batch")
    print(f"idle: {(memory[1000] - memory[10]) / 990 / 1024:.0f} KiB a client")


def peak(feedline: pathlib.Path, images: pathlib.Path) -> None:
    for store, way in itertools.product(("encoded", "decoded"), ([], ["--shared-memory"])):
        with Server(feedline, images, store) as server:
            flags = ["--clients", 10, "--ranks", "distinct", "--batch-size", 16, "--pipeline", "imagenet-train", "--prefetch", "16MiB"]
            figures(server.load(*flags, *way, "--duration", 10))
            bound = server.logged("memory, at most")
            most = f"{server.peak_memory() / MIB:.0f} MiB with 10 clients {' '.join(way)}"
            print(f"peak: --store {store}: {most}; {bound['datasets']}, decoded {bound['decoded']}")


ALL = {"together": together, "ranks": ranks, "idle": idle, "peak": peak}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("what", nargs="*", metavar="WHAT", help=f"some of {', '.join(ALL)} [default: all]")
    arguments.add_argument("--feedline", type=pathlib.Path, metavar="FILE", default=pathlib.Path("target/release/feedline"))
    arguments.add_argument("--images", type=pathlib.Path, metavar="DIR", default=pathlib.Path("target/bench/images/imagefolder"))
    given = arguments.parse_args()
    unknown = [name for name in given.what if name not in ALL]
    if unknown:
        arguments.error(f"{unknown[0]!r} can't be measured, expected some of {', '.join(ALL)}")
    for path, what in [(given.feedline, "no program; cargo build --release makes it"), (given.images, "no folder; benches/images.py makes one")]:
        if not path.exists():
            arguments.error(f"{path} is {what}")
    for name in given.what or ALL:
        ALL[name](given.feedline, given.images)


if __name__ == "__main__":
    main()

"""Lets clients of a server come and go for a while: every epoch must have the bytes of the first one, and memory must not grow.

    cargo build --release --workspace --all-features --bins
    python benches/soak.py [--minutes 20] [--feedline target/release/feedline] [--images assets/demo]

Starts a server of its own on loopback, and ends it. Clients, six at a time, read an epoch of one of several specs; one in four is killed
on the way, and one in four stops in the middle and goes on from its cursor, as a training that was restarted. Exits with 1 if a hash was
wrong, a client failed, or the server's memory was more than 10 % (and 32 MiB) above what it was after the first fifth.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pathlib
import random
import signal
import statistics
import subprocess
import sys
import threading
import time

SPECS: dict[str, list[str]] = {
    "train": ["--pipeline", "imagenet-train", "--batch-size", "8"],
    "train-u8": ["--pipeline", "imagenet-train", "--batch-size", "16", "--dtype", "u8", "--layout", "nhwc"],
    "tutorial": ["--pipeline", "tutorial", "--batch-size", "8", "--layout", "nhwc", "--seed", "3"],
    "cutmix": ["--pipeline", "imagenet-train", "--batch-size", "16", "--dtype", "f16", "--mix", "cutmix"],
    "rank-1-of-3": ["--pipeline", "imagenet-train", "--batch-size", "4", "--world-size", "3", "--rank", "1"],
}
CLIENTS = 6
# How often the server's memory is looked at.
SAMPLE_S = 5


class Soak:
    def __init__(self, feedline: pathlib.Path, images: pathlib.Path, minutes: float) -> None:
        self.feedline, self.until = feedline, time.monotonic() + 60 * minutes
        self.lock, self.failures, self.counts = threading.Lock(), [], {"epochs": 0, "resumed": 0, "killed": 0}
        command = [feedline, "serve", images, "--store", "encoded", "--threads", "2", "--listen", "127.0.0.1:0", "--log", "error"]
        self.server = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        line = self.server.stdout.readline()
        if not line.startswith("listening on "):
            raise SystemExit("soak.py: the server did not begin to listen")
        self.address = line.split()[-1]

    def lines(self, rng: random.Random, spec: str, *more: str, kill_after: float | None = None) -> list[str] | None:
        """What `pull` prints of each batch; nothing of one that was killed."""
        by = rng.choice([[], ["--no-shared-memory"]])
        command = [self.feedline, "pull", self.address, *SPECS[spec], *by, "--json", "--log", "error", *more]
        client = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, err = client.communicate(timeout=kill_after or 300)
        except subprocess.TimeoutExpired:
            client.kill()
            client.communicate()
            if kill_after is None:
                raise RuntimeError(f"{spec}: no end after 300 s") from None
            return None
        if client.returncode != 0:
            raise RuntimeError(f"{spec}: exit status {client.returncode}: {err.strip()}")
        return out.splitlines()

    def epoch(self, rng: random.Random, spec: str, number: int) -> list[str]:
        return self.lines(rng, spec, "--start", f"{number}:0", "--epochs", "1") or []

    def client(self, seed: int, expected: dict[tuple[str, int], str]) -> None:
        rng = random.Random(seed)
        while time.monotonic() < self.until and not self.failures:
            spec, number = rng.choice(list(expected))
            what = rng.choice(["epochs", "epochs", "resumed", "killed"])
            try:
                if what == "killed":
                    self.lines(rng, spec, "--epochs", "50", kill_after=rng.uniform(0.05, 1.5))
                elif what == "resumed":
                    count = rng.randint(1, 3)
                    first = self.lines(rng, spec, "--start", f"{number}:0", "--count", str(count)) or []
                    rest = self.lines(rng, spec, "--start", f"{number}:{count}", "--epochs", "1") or []
                    found = [line for line in [*first, *rest] if json.loads(line)["epoch"] == number]
                    self.check(spec, number, found, expected)
                else:
                    self.check(spec, number, self.epoch(rng, spec, number), expected)
            except (RuntimeError, json.JSONDecodeError) as error:
                self.failures.append(str(error))
            with self.lock:
                self.counts[what] += 1

    def check(self, spec: str, number: int, lines: list[str], expected: dict[tuple[str, int], str]) -> None:
        if hashed(lines) != expected[spec, number]:
            self.failures.append(f"{spec}, epoch {number}: other batches than at first")

    def memory(self) -> int:
        status = pathlib.Path(f"/proc/{self.server.pid}/status").read_text()
        return next(1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))

    def run(self) -> int:
        rng = random.Random(CLIENTS)
        expected = {(spec, number): hashed(self.epoch(rng, spec, number)) for spec in SPECS for number in range(3)}
        threads = [threading.Thread(target=self.client, args=(seed, expected)) for seed in range(CLIENTS)]
        started, memory = time.monotonic(), []
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            memory.append((time.monotonic() - started, self.memory()))
            time.sleep(SAMPLE_S)
        fifth = [bytes_ for second, bytes_ in memory if second <= (self.until - started) / 5]
        last = [bytes_ for second, bytes_ in memory if second >= 4 * (self.until - started) / 5]
        early, late, most = max(fifth), statistics.median(last), max(bytes_ for _, bytes_ in memory)
        if late > 1.1 * early + (32 << 20):
            self.failures.append(f"memory grew from {early / 2**20:.0f} to {late / 2**20:.0f} MiB")
        counted = ", ".join(f"{count} {what}" for what, count in self.counts.items())
        verdict = "a failure" if self.failures else f"{len(expected)} epochs of {len(SPECS)} specs had the same bytes every time"
        print(f"{(time.monotonic() - started) / 60:.1f} minutes: {counted}; {verdict}")
        print(f"memory of the server: {early / 2**20:.0f} MiB at most in the first fifth, {late / 2**20:.0f} in the last, {most / 2**20:.0f} at most")
        for failure in self.failures:
            print(f"error: {failure}", file=sys.stderr)
        return 1 if self.failures else 0

    def end(self) -> None:
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(timeout=60)


def hashed(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest() if lines else "nothing"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("--minutes", type=float, default=20)
    arguments.add_argument("--feedline", type=pathlib.Path, default=pathlib.Path("target/release/feedline"))
    arguments.add_argument("--images", type=pathlib.Path, default=pathlib.Path("assets/demo"))
    given = arguments.parse_args()
    if not given.feedline.exists():
        arguments.error(f"no {given.feedline}: cargo build --release --workspace --all-features --bins")
    soak = Soak(given.feedline, given.images, given.minutes)
    try:
        return soak.run()
    finally:
        soak.end()


if __name__ == "__main__":
    sys.exit(main())

"""Measures feedline beside its peers, on the same images, in turn, with two workers each, and writes docs/benchmarks.md.

    python benches/images.py target/bench/images && pip install -r benches/peers.txt && cargo build --release --all-features
    python benches/compare.py [--quick] [--rounds N] [--seconds S] [--images DIR] [--only NAME ...]

`make bench` does all of it, in about 25 minutes; the machine should have nothing else to do. Every run is a process of its own, a figure the
median of the rounds. `--images` takes what benches/images.py made, or any folder of images, which leaves out what needs large and
tiny ones. `--quick` and `--only` print their figures and write nothing. What was measured is kept in a file (`--results`), from which
`python benches/report.py FILE` writes the page again.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import pathlib
import platform
import signal
import subprocess
import sys
import tempfile
from typing import Any

import peers
import report

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
U8 = ["--dtype", "u8", "--layout", "nhwc"]
TUTORIAL = ["--pipeline", "tutorial", "--layout", "nhwc"]
TINY_PIPELINE = """
ops = [
  { random_crop = { height = 32, width = 32, padding = 4 } },
  { horizontal_flip = {} },
  { to_float = {} },
  { normalize = {} },
]
"""
# Ours, by the name of the figure: folder of images, store, and what `feedline bench` or `pull` is told besides.
IN_PROCESS: dict[str, tuple[str, str, list[str]]] = {
    "train": ("imagefolder", "encoded", []),
    "cached": ("imagefolder", "decoded", []),
    "tutorial": ("imagefolder", "encoded", TUTORIAL),
    "tutorial-cached": ("imagefolder", "decoded", TUTORIAL),
    "large": ("large", "encoded", []),
    "large-scaled": ("large", "encoded", ["--scaled"]),
    "tiny": ("tiny", "decoded", U8),
    "train-u8": ("imagefolder", "encoded", U8),
    "cached-u8": ("imagefolder", "decoded", U8),
}
WIRE = ["--no-shared-memory"]
SERVED: dict[str, tuple[str, list[str]]] = {
    "served": ("encoded", []),
    "served-wire": ("encoded", WIRE),
    "served-cached": ("decoded", []),
    "served-cached-wire": ("decoded", WIRE),
}
# What is measured in turn: figures of ours, and the pipeline that all or some of the peers run.
GROUPS: dict[str, tuple[list[str], str, list[str]]] = {
    name: ([name], name, [peer for peer in peers.PEERS if peer != "tfservice"])
    for name in ["train", "cached", "tutorial", "tutorial-cached", "tiny"]
} | {
    "large": (["large", "large-scaled"], "large", [peer for peer in peers.PEERS if peer != "tfservice"]),
    "served": (["train-u8", "served", "served-wire"], "train", ["tfservice"]),
    "served-cached": (["cached-u8", "served-cached", "served-cached-wire"], "cached", ["tfservice"]),
}
# Much longer than any run takes; one that hangs is ended and reported.
TIMEOUT_S = 600
# Batches of the first stream, which tells the time to the first batch and how many the measured one has to ask for.
FIRST_BATCHES = 20

Figures = dict[str, Any]


class Failed(Exception):
    """A run that gave no figure, with the reason."""


def run(command: list[Any], seconds: float = TIMEOUT_S) -> tuple[str, str]:
    """What a command printed on standard output and on standard error. It has a process group of its own, which ends with it."""
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, err = process.communicate(timeout=seconds)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise Failed(f"no end after {seconds:.0f} s") from error
        raise
    if process.returncode != 0:
        raise Failed(last_line(err) or f"exit status {process.returncode}")
    return out, err


def last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def in_process(feedline: pathlib.Path, folders: dict[str, pathlib.Path], name: str, seconds: float) -> Figures:
    folder, store, flags = IN_PROCESS[name]
    batch = peers.BATCH.get(name, peers.BATCH["train"])
    command = [feedline, "bench", folders[folder], "--json", "--log", "error", "--seconds", seconds, "--store", store]
    command += ["--threads", peers.WORKERS, "--batch-size", batch, *flags]
    with tempfile.TemporaryDirectory() as scratch:
        if name == "tiny":
            pipeline = pathlib.Path(scratch) / "tiny.toml"
            pipeline.write_text(TINY_PIPELINE)
            command += ["--pipeline", pipeline]
        figures = json.loads(last_line(run(command)[0]))
    kept = {key: figures[key] for key in ["images_per_s", "decode_only_images_per_s"]}
    return kept | {"memory_bytes": figures["peak_memory_bytes"]}


def served(feedline: pathlib.Path, folder: pathlib.Path, name: str, seconds: float) -> Figures:
    """A server, and a client that reads from it, both on the same cores."""
    store, flags = SERVED[name]
    command = [feedline, "serve", folder, "--store", store, "--threads", peers.WORKERS, "--listen", "127.0.0.1:0"]
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(
            list(map(str, [*command, "--log", "error"])), stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
        try:
            listening = server.stdout.readline()
            if not listening.startswith("listening on "):
                log.seek(0)
                raise Failed(last_line(log.read()) or "the server did not begin to listen")
            address = listening.split()[-1]
            first = pulled(feedline, address, FIRST_BATCHES, flags)
            count = math.ceil(first["images_per_s"] * seconds / peers.BATCH["train"])
            figures = pulled(feedline, address, max(count, FIRST_BATCHES), flags)
            return figures | {"first_batch_s": first["first_batch_s"], "memory_bytes": peak_memory(server.pid)}
        finally:
            server.terminate()
            try:
                server.wait(timeout=60)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def pulled(feedline: pathlib.Path, address: str, batches: int, flags: list[str]) -> Figures:
    command = [feedline, "pull", address, "--pipeline", "imagenet-train", *U8, *flags]
    command += ["--count", batches, "--log-format", "json"]
    lines = [json.loads(line) for line in run(command)[1].splitlines() if line.startswith("{")]
    done = next((line for line in lines if line["message"] == "done"), None)
    if done is None:
        raise Failed("pull did not say what it read")
    # As with the peers, the clock begins when the first batch is there.
    rate = (done["images"] - peers.BATCH["train"]) / (done["seconds"] - done["first_batch_s"])
    return {"images_per_s": rate, "first_batch_s": done["first_batch_s"]}


def peak_memory(process: int) -> int:
    """The most memory that a process has had, in bytes; 0 where the system does not tell."""
    try:
        lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def of_peer(peer: str, pipeline: str, folder: pathlib.Path, seconds: float) -> Figures:
    script = ROOT / "benches" / "peers.py"
    out, _ = run([sys.executable, script, peer, pipeline, "--data", folder, "--seconds", seconds])
    return json.loads(last_line(out))


def folders_of(images: pathlib.Path) -> dict[str, pathlib.Path]:
    """Folders by their names; a folder that benches/images.py did not make is the `imagefolder`."""
    if not images.is_dir():
        raise SystemExit(f"compare.py: {images} is no folder; benches/images.py makes one")
    found = {name: images / name for name in ["imagefolder", "large", "tiny"] if (images / name).is_dir()}
    return found if "imagefolder" in found else {"imagefolder": images}


def measure(given: argparse.Namespace, names: list[str], folders: dict[str, pathlib.Path]) -> tuple[list[Figures], dict[str, str]]:
    """All runs, and why what is missing is missing."""
    runs, left_out = [], {}
    for group in names:
        ours, pipeline, others = GROUPS[group]
        folder = IN_PROCESS[pipeline][0]
        if folder not in folders:
            left_out[group] = f"no folder {folder} in the images"
            print(f"{group}: left out: {left_out[group]}", flush=True)
            continue
        # Large images come slowly: more of them are waited for.
        seconds = given.seconds * (2 if group == "large" else 1)
        for turn in range(given.rounds):
            for name in ours:
                if name in SERVED:
                    make = lambda name=name: served(given.feedline, folders[folder], name, seconds)  # noqa: E731
                else:
                    make = lambda name=name: in_process(given.feedline, folders, name, seconds)  # noqa: E731
                runs += one("feedline", name, turn, make, left_out)
            for peer in others:
                if pipeline in peers.PEERS[peer][2] and f"{peer} {pipeline}" not in left_out:
                    make = lambda peer=peer: of_peer(peer, pipeline, folders[folder], seconds)  # noqa: E731
                    runs += one(peer, pipeline, turn, make, left_out)
    return runs, left_out


def one(who: str, name: str, turn: int, make: Any, left_out: dict[str, str]) -> list[Figures]:
    try:
        figures = make()
    except Failed as error:
        if who == "feedline":
            raise SystemExit(f"compare.py: feedline, {name}: {error}") from error
        left_out[f"{who} {name}"] = str(error)
        print(f"{turn + 1} {name:16} {who:16} left out: {error}", flush=True)
        return []
    print(f"{turn + 1} {name:16} {who:16} {figures['images_per_s']:10.0f} images/s", flush=True)
    return [figures | {"who": who, "name": name}]


def processor() -> str:
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("--quick", action="store_true", help="one round of two seconds; write nothing")
    arguments.add_argument("--rounds", type=int, default=3, help="turns of ours and theirs [default: 3]")
    arguments.add_argument("--seconds", type=float, default=5.0, help="how long each run measures [default: 5]")
    arguments.add_argument("--images", type=pathlib.Path, metavar="DIR", default=TARGET / "bench" / "images")
    arguments.add_argument("--only", nargs="+", choices=GROUPS, help="measure these; write nothing")
    arguments.add_argument("--feedline", type=pathlib.Path, metavar="FILE", default=TARGET / "release" / "feedline")
    arguments.add_argument("--results", type=pathlib.Path, metavar="FILE", default=TARGET / "bench" / "results.json")
    given = arguments.parse_args()
    if given.quick:
        given.rounds, given.seconds = 1, 2.0
    if given.rounds < 1 or given.seconds <= 0:
        arguments.error("--rounds and --seconds are above 0")
    if not given.feedline.is_file():
        arguments.error(f"no {given.feedline}: cargo build --release --all-features")
    runs, left_out = measure(given, given.only or list(GROUPS), folders_of(given.images))
    results = {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "feedline": run([given.feedline, "--version"])[0].split()[-1],
        "python": platform.python_version(),
        "rounds": given.rounds,
        "seconds": given.seconds,
        "runs": runs,
        "left_out": left_out,
    }
    print("\n" + "\n".join(report.tables(results)))
    if not (given.quick or given.only):
        given.results.parent.mkdir(parents=True, exist_ok=True)
        given.results.write_text(json.dumps(results, indent=1) + "\n")
        report.write(results)


if __name__ == "__main__":
    main()

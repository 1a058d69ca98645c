"""Writes docs/benchmarks.md and its plot from what benches/compare.py has measured.

    python benches/report.py FILE
"""

from __future__ import annotations

import json
import pathlib
import statistics
import sys
from typing import Any, NamedTuple

DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"
PAGE, PLOT = DOCS / "benchmarks.md", DOCS / "benchmarks.svg"

NAMES = {
    "feedline": "feedline",
    "torchvision": "torch DataLoader, torchvision v2",
    "albumentations": "torch DataLoader, albumentations",
    "grain": "Grain, albumentations",
    "tfdata": "tf.data",
    "tfservice": "tf.data service",
    "dali": "DALI, CPU only",
}
PIPELINES = ["train", "cached", "tutorial", "tutorial-cached", "large", "tiny"]

PEER, DECODING, OURS, RATE, FIRST = range(5)


class Goal(NamedTuple):
    """What a figure of ours is held against."""

    kind: int
    # Name of a figure, peer and pipeline, or images per second.
    of: Any
    # Least ratio of ours to it; with FIRST the most seconds.
    least: float


ROWS: list[tuple[str, str, list[Goal]]] = [
    ("`imagenet-train`, decoded in every epoch", "train", [Goal(PEER, "train", 1.6), Goal(DECODING, "train", 0.8)]),
    ("`imagenet-train` from decoded images", "cached", [Goal(PEER, "cached", 4)]),
    (
        "`tutorial`, decoded in every epoch",
        "tutorial",
        [Goal(PEER, ("tfdata", "tutorial"), 1.05), Goal(DECODING, "tutorial", 0.9)],
    ),
    ("`tutorial` from decoded images", "tutorial-cached", [Goal(PEER, "tutorial-cached", 4)]),
    (
        "server and client, 8 bits, decoded in every epoch",
        "served",
        [Goal(OURS, "train-u8", 0.9), Goal(PEER, ("tfservice", "train"), 2.2)],
    ),
    ("server and client, 8 bits, from decoded images", "served-cached", [Goal(PEER, ("tfservice", "cached"), 5)]),
    ("the first of these over the wire (`pull --no-shared-memory`)", "served-wire", [Goal(PEER, ("tfservice", "train"), 2.2)]),
    ("the second over the wire", "served-cached-wire", [Goal(PEER, ("tfservice", "cached"), 5)]),
    ("large images, `imagenet-train`", "large", [Goal(PEER, "large", 1.3)]),
    ("the same with scaled decoding", "large-scaled", [Goal(PEER, "large", 2)]),
    (
        "tiny images from decoded ones, 8 bits",
        "tiny",
        [Goal(RATE, 400_000, 1), Goal(PEER, ("torchvision", "tiny"), 10)],
    ),
    ("first batch of a new server's first stream", "served", [Goal(FIRST, None, 0.5)]),
]

HAND_BEGIN, HAND_END = "<!-- By hand: begin -->", "<!-- By hand: end -->"
HAND = "Not measured yet: wire, load, memory, start, growth, profiles and soak."

WORK = """## What each does

All have two workers and the same images, which the system has in its file cache; feedline holds them encoded in memory. Batches are of 64
rows, 16 with `tutorial` and `large`, 256 with `tiny`. In short:

- `train` decodes an image, cuts a random resized crop of 224 (area 0.08 to 1, aspect 3:4 to 4:3), flips half of them, changes brightness,
  contrast and saturation by factors of 0.6 to 1.4, and normalises to f32. `cached` is the same from decoded images in memory, and
  `large` the same on photographs of two megapixels and more.
- `tutorial` decodes, resizes to 224 without antialiasing, divides by 255, flips half of them, adds up to 0.2 of brightness, clips; f32, NHWC.
  `tutorial-cached` is the same from decoded images.
- `tiny` takes decoded images of 32x32: padding of 4, a random crop, a flip, normalising.

| who | decodes | resizes | colour | order | where it does less than we do |
|---|---|---|---|---|---|
| feedline | the window that is cut, in `train` and `large`; all of a file is read once, for damage | antialiased in `train` | factors | all of an epoch shuffled | |
| torchvision v2 | the whole image | antialiased in `train`, on 8 bits | factors; `tutorial` multiplies brightness | all shuffled | `tutorial` resizes to 8 bits |
| albumentations | the whole image, by OpenCV | linear, never antialiased | factors, by tables | all shuffled | no antialiasing; `tutorial` resizes to 8 bits |
| Grain | as albumentations, in two threads | as albumentations | as albumentations | all shuffled | as albumentations |
| tf.data | only the window that is cut, in `train` and `large` | never antialiased | brightness added, not multiplied | `cached`: by a buffer of four batches | no antialiasing, that buffer |
| tf.data service | as tf.data | as tf.data | as tf.data | as tf.data | as tf.data |
| DALI | only the window that is cut, in `train` and `large` | antialiased in `train` | factors, as one matrix | by a buffer of 1,024 | that buffer |

- *Scaled decoding* ([formats.md](formats.md#scaled-decoding)) is off unless asked for: other pixels. DALI and tf.data decode windows at their
  full size; no peer here reduces.
- *Types.* Peers give f32, NCHW from `train`, `cached`, `large` and `tiny` (TensorFlow: NHWC). So does feedline in `train`, `cached` and `large`.
  Where a row says 8 bits, feedline gives u8 in NHWC and the normalisation is left to the client: no conversion in `tiny`, and a quarter of the
  bytes over the wire, while tf.data service sends f32 and torch makes f32.
- *Processes.* torch has two worker processes; Grain, tf.data, DALI and `feedline bench` two threads in the process that consumes. The two
  services have a server and a client on the same cores. Those of feedline share memory, as its clients do with a server on their own host;
  where a row says so they have the wire alone, as clients on other hosts. tf.data service goes over loopback, uncompressed.
- *Nobody uses the batches.* With a trainer on the same cores all of these are slower.
- *First batch.* Of feedline: from the client's start of its connection to a server that holds its images. Of the peers: from the making of the
  loader, imports done.
- *Memory* is the peak of feedline's process; of the peers what they hold while they are measured, with all
  their processes, shared pages once. feedline's has the encoded images, and both have the decoded ones where they are kept.
- *Left out by design.* DALI has no cache of decoded images on the CPU. tf.data service is measured where feedline is served.
"""


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def medians(results: dict[str, Any]) -> dict[tuple[str, str], dict[str, float]]:
    """Who and name of the figure, to the medians of the rounds."""
    runs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for run in results["runs"]:
        runs.setdefault((run["who"], run["name"]), []).append(run)
    return {
        key: {
            name: statistics.median(run[name] for run in found)
            for name, value in found[0].items()
            if isinstance(value, int | float)
        }
        for key, found in runs.items()
    }


def held_against(figures: dict, goal: Goal) -> tuple[str, float] | None:
    """Name and images per second of what a figure of ours is compared with; nothing if it was not measured."""
    if goal.kind == RATE:
        return f"{goal.of:,} images/s", goal.of
    if goal.kind == PEER and isinstance(goal.of, str):
        peers = {key: value["images_per_s"] for key, value in figures.items() if key[0] != "feedline" and key[1] == goal.of}
        if not peers:
            return None
        best = max(peers, key=peers.__getitem__)
        return f"best peer: {NAMES[best[0]]}", peers[best]
    key = goal.of if goal.kind == PEER else ("feedline", goal.of)
    if key not in figures:
        return None
    if goal.kind == PEER:
        return NAMES[key[0]], figures[key]["images_per_s"]
    if goal.kind == DECODING:
        return "decoding alone", figures[key]["decode_only_images_per_s"]
    return "the same in one process", figures[key]["images_per_s"]


def targets(figures: dict) -> list[str]:
    lines = ["| what | feedline, images/s | held against | its images/s | ratio | target | |", "|---|---|---|---|---|---|---|"]
    for what, name, goals in ROWS:
        ours = figures.get(("feedline", name))
        for goal in goals:
            if goal.kind == FIRST:
                measured = f"{ours['first_batch_s']:.3f} s" if ours else "not measured"
                verdict = "" if not ours else "met" if ours["first_batch_s"] <= goal.least else "missed"
                lines.append(f"| {what} | {measured} | | | | at most {goal.least} s | {verdict} |")
                continue
            other = held_against(figures, goal) if ours else None
            if not other:
                measured = number(ours["images_per_s"]) if ours else "not measured"
                lines.append(f"| {what} | {measured} | | not measured | | at least {goal.least} | |")
                continue
            ratio = ours["images_per_s"] / other[1]
            verdict = "met" if ratio >= goal.least else "missed"
            rate = number(ours["images_per_s"])
            lines.append(
                f"| {what} | {rate} | {other[0]} | {number(other[1])} | {ratio:.2f} | at least {goal.least} | {verdict} |"
            )
    return lines


def matrix(figures: dict) -> list[str]:
    """Images per second of all by pipeline."""
    lines = ["| images/s | " + " | ".join(PIPELINES) + " |", "|---" * (len(PIPELINES) + 1) + "|"]
    for who, label in NAMES.items():
        cells = [figures.get((who, name), {}).get("images_per_s") for name in PIPELINES]
        if any(cells):
            lines.append(f"| {label} | " + " | ".join(number(cell) if cell else "" for cell in cells) + " |")
    return lines


def beside(figures: dict) -> list[str]:
    """Time to the first batch, and memory."""
    lines = ["| who | first batch of `train`, s | memory in `train`, MB | memory in `cached`, MB |", "|---|---|---|---|"]
    for who, label in NAMES.items():
        train, cached = [figures.get((who, name), {}) for name in ["train", "cached"]]
        first = figures.get((who, "served"), train).get("first_batch_s")
        memory = [found.get("memory_bytes") for found in [train, cached]]
        if train or cached:
            cells = [f"{first:.2f}" if first else "", *(number(bytes_ / 1e6) if bytes_ else "" for bytes_ in memory)]
            lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return lines


def wins(figures: dict) -> str:
    """Where a peer is faster than we are."""
    found = [
        f"{NAMES[who]} in `{name}` ({number(value['images_per_s'])} to {number(figures['feedline', name]['images_per_s'])})"
        for (who, name), value in figures.items()
        if who != "feedline" and value["images_per_s"] > figures.get(("feedline", name), {}).get("images_per_s", float("inf"))
    ]
    return f"Faster than feedline: {', '.join(found)}." if found else "No peer is faster than feedline in any of these."


def tables(results: dict[str, Any]) -> list[str]:
    figures = medians(results)
    missing = [f"- {what}: {reason}" for what, reason in results["left_out"].items()]
    lines = ["## Targets", "", *targets(figures), "", "## All peers", "", *matrix(figures), "", wins(figures), "", *beside(figures)]
    return lines + (["", "Not measured:", "", *missing] if missing else [])


def by_hand() -> str:
    """What was measured and written by hand stays."""
    text = PAGE.read_text() if PAGE.exists() else ""
    _, begun, rest = text.partition(HAND_BEGIN)
    kept, ended, _ = rest.partition(HAND_END)
    return kept.strip() if begun and ended else HAND


def page(results: dict[str, Any]) -> str:
    versions = {name: found for run in results["runs"] for name, found in run.get("versions", {}).items()}
    listed = ", ".join(f"{name} {found}" for name, found in sorted(versions.items()))
    lines = [
        "<!-- Written by benches/compare.py, but for the part by hand -->",
        "# Benchmarks",
        "",
        "feedline beside other loaders, on the same images and the same cores, in turn. `make bench` measures it again.",
        "",
        f"{results['date']}, {results['processor']}, {results['cores']} cores, {results['memory_bytes'] / 2**30:.0f} GiB of memory, "
        f"{results['system']}. Each run",
        f"is a process of its own and measures for {results['seconds']:g} s (`large`: {2 * results['seconds']:g} s); figures are medians of "
        f"{results['rounds']} rounds. Ratios travel better than figures.",
        f"feedline {results['feedline']}, Python {results['python']}, {listed}.",
        "",
        "![Images per second by pipeline and loader](benchmarks.svg)",
        "",
        *tables(results),
        "",
        HAND_BEGIN,
        by_hand(),
        HAND_END,
        "",
        WORK,
    ]
    return "\n".join(lines)


def plot(results: dict[str, Any]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    # Text as text and no date or chance: the same figures give the same small file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "feedline", "font.size": 8})
    from matplotlib import pyplot

    figures = medians(results)
    shown = [name for name in PIPELINES if ("feedline", name) in figures]
    canvas, places = pyplot.subplots(1, len(shown), figsize=(2.1 * len(shown), 2.6), squeeze=False)
    for axes, name in zip(places[0], shown):
        bars = [(label, figures[who, name]["images_per_s"]) for who, label in NAMES.items() if (who, name) in figures]
        bars.sort(key=lambda bar: bar[1])
        colours = ["#c0392b" if label == "feedline" else "#9aa5b1" for label, _ in bars]
        drawn = axes.barh([label.replace(", ", ",\n") for label, _ in bars], [rate for _, rate in bars], color=colours)
        axes.bar_label(drawn, [number(rate) for _, rate in bars], padding=2, fontsize=7)
        axes.set_title(name)
        axes.set_xticks([])
        axes.margins(x=0.35)
        axes.tick_params(axis="y", length=0, labelsize=6)
        for side in ["top", "right", "bottom"]:
            axes.spines[side].set_visible(False)
    canvas.supxlabel("images/s, two workers", fontsize=8)
    canvas.tight_layout()
    canvas.savefig(PLOT, metadata={"Date": None})
    pyplot.close(canvas)


def write(results: dict[str, Any]) -> None:
    plot(results)
    PAGE.write_text(page(results))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python benches/report.py FILE")
    write(json.loads(pathlib.Path(sys.argv[1]).read_text()))

"""One run of another loader, as its documentation writes it, over a folder of images: one line of JSON.

    python benches/peers.py PEER PIPELINE --data DIR --seconds S

`python benches/peers.py --list` has the peers and their pipelines. Counted are the images that the consumer has got in hand, as numpy or
torch; batches before the steady state are not. Needs benches/peers.txt; a peer whose package is missing says so and ends with 1.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import pathlib
import time
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
# Everything here is measured on the processor.
os.environ["CUDA_VISIBLE_DEVICES"] = ""

Items = list[tuple[str, int]]

WORKERS = 2
SIDE, TINY_SIDE, TINY_PADDING = 224, 32, 4
AREA, ASPECT, FACTOR = (0.08, 1.0), (3 / 4, 4 / 3), (0.6, 1.4)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Batches made ahead, for each worker or altogether, as the peer counts them.
AHEAD = 4
BATCH = {"train": 64, "cached": 64, "large": 16, "large-scaled": 16, "tutorial": 16, "tutorial-cached": 16, "tiny": 256}
SUFFIXES = {".jpg", ".jpeg", ".png"}


def listing(folder: pathlib.Path) -> Items:
    """Images with the number of their class; a folder without classes has one."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir()) or [folder]
    items = [
        (str(path), number)
        for number, name in enumerate(classes)
        for path in sorted(name.iterdir())
        if path.suffix.lower() in SUFFIXES
    ]
    if not items:
        raise SystemExit(f"peers.py: no images in {folder}, neither of its own nor in folders of classes")
    return items


def of_torch(items: Items, pipeline: str, read: Callable, transform: Callable) -> Iterator:
    """A DataLoader over a map-style dataset. Its workers are forks, so that decoded images are there once for all of them."""
    import torch
    from torch.utils.data import DataLoader, Dataset

    torch.set_num_threads(1)
    decoded = [read(path) for path, _ in items] if "cached" in pipeline or pipeline == "tiny" else None

    class Images(Dataset):
        def __len__(self) -> int:
            return len(items)

        def __getitem__(self, index: int):
            path, label = items[index]
            return transform(read(path) if decoded is None else decoded[index]), label

    loader = DataLoader(
        Images(),
        BATCH[pipeline],
        shuffle=True,
        num_workers=WORKERS,
        prefetch_factor=AHEAD,
        persistent_workers=True,
        drop_last=True,
        multiprocessing_context="fork",
    )
    while True:
        yield from loader


def torchvision(items: Items, pipeline: str) -> Iterator:
    import torch
    from torchvision.io import ImageReadMode, decode_image
    from torchvision.transforms import v2

    floats = v2.ToDtype(torch.float32, scale=True)
    if "tutorial" in pipeline:
        steps = [
            v2.Resize((SIDE, SIDE), antialias=False),
            floats,
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(brightness=0.2),
            v2.Lambda(lambda image: image.permute(1, 2, 0).contiguous()),
        ]
    elif pipeline == "tiny":
        steps = [
            v2.RandomCrop(TINY_SIDE, padding=TINY_PADDING),
            v2.RandomHorizontalFlip(),
            floats,
            v2.Normalize(MEAN, STD),
        ]
    else:
        steps = [
            v2.RandomResizedCrop(SIDE, antialias=True),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(0.4, 0.4, 0.4),
            floats,
            v2.Normalize(MEAN, STD),
        ]
    return of_torch(items, pipeline, lambda path: decode_image(path, ImageReadMode.RGB), v2.Compose(steps))


def by_opencv(path: str):
    import cv2

    return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)


def of_albumentations(pipeline: str) -> Callable:
    """An image to an array of floats, in the layout of the pipeline."""
    import albumentations as A
    import cv2
    import numpy as np

    # Threads of OpenCV on top of the loader's own would only be in each other's way.
    cv2.setNumThreads(0)
    if "tutorial" in pipeline:
        brightness = A.RandomBrightnessContrast((-0.2, 0.2), (0, 0), p=1)
        compose = A.Compose([A.Resize(SIDE, SIDE), A.ToFloat(255), A.HorizontalFlip(p=0.5), brightness])
        return lambda image: compose(image=image)["image"]
    compose = A.Compose(
        [
            A.RandomResizedCrop((SIDE, SIDE), scale=AREA, ratio=ASPECT),
            A.HorizontalFlip(p=0.5),
            A.ColorJitter(FACTOR, FACTOR, FACTOR, (0, 0), p=1),
            A.Normalize(MEAN, STD),
        ]
    )
    return lambda image: np.ascontiguousarray(compose(image=image)["image"].transpose(2, 0, 1))


def albumentations(items: Items, pipeline: str) -> Iterator:
    import torch

    transform = of_albumentations(pipeline)
    return of_torch(items, pipeline, by_opencv, lambda image: torch.from_numpy(transform(image)))


def grain(items: Items, pipeline: str) -> Iterator:
    import grain as package

    transform = of_albumentations(pipeline)
    decoded = [by_opencv(path) for path, _ in items] if "cached" in pipeline else None

    def load(index: int):
        path, label = items[index]
        return transform(by_opencv(path) if decoded is None else decoded[index]), label

    rows = package.MapDataset.range(len(items)).shuffle(seed=1).repeat().map(load)
    ahead = AHEAD * BATCH[pipeline]
    read = package.ReadOptions(num_threads=WORKERS, prefetch_buffer_size=ahead)
    return iter(rows.to_iter_dataset(read).batch(BATCH[pipeline], drop_remainder=True))


def of_tensorflow(items: Items, pipeline: str):
    """The dataset of tf.data, with two threads for all of its maps."""
    import tensorflow as tf

    def window(shape):
        start, size, _ = tf.image.sample_distorted_bounding_box(
            shape,
            tf.zeros([1, 0, 4]),
            min_object_covered=0.0,
            area_range=AREA,
            aspect_ratio_range=ASPECT,
            use_image_if_no_bounding_boxes=True,
        )
        return start[0], start[1], size[0], size[1]

    def augmented(image):
        image = tf.image.resize(image, [SIDE, SIDE]) / 255.0
        image = tf.image.random_flip_left_right(image)
        image = tf.image.random_brightness(image, 0.4)
        image = tf.image.random_contrast(image, *FACTOR)
        image = tf.image.random_saturation(image, *FACTOR)
        return (tf.clip_by_value(image, 0.0, 1.0) - MEAN) / STD

    def tutorial(image):
        image = tf.image.random_flip_left_right(tf.image.resize(image, [SIDE, SIDE]) / 255.0)
        return tf.clip_by_value(tf.image.random_brightness(image, 0.2), 0.0, 1.0)

    def decode(path, label):
        return tf.image.decode_jpeg(tf.io.read_file(path), channels=3), label

    def decode_window(path, label):
        data = tf.io.read_file(path)
        box = tf.stack(window(tf.image.extract_jpeg_shape(data)))
        return augmented(tf.image.decode_and_crop_jpeg(data, box, channels=3)), label

    def cut(image, label):
        return augmented(tf.image.crop_to_bounding_box(image, *window(tf.shape(image)))), label

    paths, labels = map(list, zip(*items))
    rows = tf.data.Dataset.from_tensor_slices((paths, labels))
    if "cached" in pipeline:
        rows = rows.map(decode, WORKERS).cache().shuffle(AHEAD * BATCH[pipeline])
    else:
        rows = rows.shuffle(len(items))
    if pipeline == "tutorial":
        rows = rows.map(decode, WORKERS)
    of_image = (lambda image, label: (tutorial(image), label)) if "tutorial" in pipeline else cut
    rows = rows.map(decode_window if pipeline in ["train", "large"] else of_image, WORKERS)
    options = tf.data.Options()
    options.threading.private_threadpool_size = WORKERS
    options.deterministic = False
    # Repeated before batches are made: an epoch need not fill its last one.
    return rows.repeat().batch(BATCH[pipeline], drop_remainder=True).prefetch(AHEAD).with_options(options)


def tfdata(items: Items, pipeline: str) -> Iterator:
    return of_tensorflow(items, pipeline).as_numpy_iterator()


def tfservice(items: Items, pipeline: str) -> Iterator:
    """tf.data's service: the dispatcher and its worker are a process of their own, this one only consumes."""
    import tensorflow as tf

    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    spawn.Process(target=serve_tensorflow, args=(theirs,), daemon=True).start()
    theirs.close()
    service = tf.data.experimental.service.distribute(
        processing_mode=tf.data.experimental.service.ShardingPolicy.OFF,
        service=ours.recv(),
        # On one machine compressing takes more time than it saves.
        compression=None,
        max_outstanding_requests=AHEAD,
    )
    # While this generator lives, so does our end of the pipe, and with it the server.
    yield from of_tensorflow(items, pipeline).apply(service).as_numpy_iterator()


def serve_tensorflow(pipe) -> None:
    import tensorflow as tf

    service = tf.data.experimental.service
    dispatcher = service.DispatchServer(service.DispatcherConfig(port=0))
    config = service.WorkerConfig(dispatcher_address=dispatcher.target.split("://")[1])
    worker = service.WorkerServer(config)  # noqa: F841: it serves as long as it is referred to
    pipe.send(dispatcher.target)
    pipe.poll(None)
    # Servers that are stopped wait for their clients, and those are gone.
    os._exit(0)


def dali(items: Items, pipeline: str) -> Iterator:
    from nvidia.dali import fn, math, pipeline_def, types

    files, labels = map(list, zip(*items))

    def factor():
        return fn.random.uniform(range=FACTOR)

    @pipeline_def(batch_size=BATCH[pipeline], num_threads=WORKERS, device_id=None, prefetch_queue_depth=AHEAD, seed=1)
    def rows():
        data, label = fn.readers.file(files=files, labels=labels, random_shuffle=True, initial_fill=1024)
        mirror = fn.random.coin_flip()
        if pipeline == "tutorial":
            image = fn.resize(fn.decoders.image(data), size=(SIDE, SIDE), antialias=False)
            image = fn.flip(image, horizontal=mirror) / 255.0
            shift = fn.random.uniform(range=(-0.2, 0.2))
            return math.clamp(fn.brightness(image, brightness_shift=shift, dtype=types.FLOAT), 0.0, 1.0), label
        image = fn.decoders.image_random_crop(data, random_area=AREA, random_aspect_ratio=ASPECT)
        image = fn.resize(image, size=(SIDE, SIDE), antialias=True)
        image = fn.color_twist(image, brightness=factor(), contrast=factor(), saturation=factor())
        mean, std = ([255 * value for value in values] for values in [MEAN, STD])
        image = fn.crop_mirror_normalize(image, dtype=types.FLOAT, output_layout="CHW", mirror=mirror, mean=mean, std=std)
        return image, label

    built = rows()
    built.build()
    while True:
        images, label = built.run()
        yield images.as_array(), label.as_array()


# What a peer is, the packages whose versions matter, and its pipelines.
TRAINING = ["train", "large", "cached", "tutorial", "tutorial-cached"]
PEERS = {
    "torchvision": (torchvision, ["torch", "torchvision"], [*TRAINING, "tiny"]),
    "albumentations": (albumentations, ["torch", "albumentations", "opencv-python-headless"], TRAINING),
    "tfdata": (tfdata, ["tensorflow-cpu"], TRAINING),
    "tfservice": (tfservice, ["tensorflow-cpu"], ["train", "cached"]),
    "grain": (grain, ["grain", "albumentations", "opencv-python-headless"], TRAINING),
    "dali": (dali, ["nvidia-dali-cuda120"], ["train", "large", "tutorial"]),
}


def memory() -> int:
    """Bytes of this process and its children, pages that they share counted once; 0 where the system does not tell."""
    total, left = 0, [os.getpid()]
    try:
        while left:
            process = pathlib.Path("/proc") / str(left.pop())
            for line in (process / "smaps_rollup").read_text().splitlines():
                total += 1024 * int(line.split()[1]) if line.startswith("Pss:") else 0
            for children in process.glob("task/*/children"):
                left += map(int, children.read_text().split())
    except OSError:
        return 0
    return total


def measure(peer: str, pipeline: str, items: Items, seconds: float) -> dict[str, object]:
    make, packages, _ = PEERS[peer]
    begun = time.perf_counter()
    batches = make(items, pipeline)
    image = next(batches)[0]
    first = time.perf_counter() - begun
    # Queues are full by then, and a cache that the first epoch fills.
    warm = 2 * AHEAD * WORKERS
    if pipeline.endswith("cached") and peer.startswith("tf"):
        warm += len(items) // BATCH[pipeline]
    for _ in range(warm):
        next(batches)
    bytes_before, images, start = memory(), 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        image, label = next(batches)
        images += len(label)
    return {
        "peer": peer,
        "pipeline": pipeline,
        "images_per_s": images / passed,
        "first_batch_s": first,
        "memory_bytes": max(bytes_before, memory()),
        "shape": list(image.shape),
        "dtype": str(image.dtype),
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("peer", nargs="?", choices=PEERS)
    arguments.add_argument("pipeline", nargs="?", choices=BATCH)
    arguments.add_argument("--data", type=pathlib.Path, metavar="DIR", help="folder of images, or of a folder per class")
    arguments.add_argument("--seconds", type=float, default=5.0, help="how long to measure [default: 5]")
    arguments.add_argument("--list", action="store_true", help="print the peers and their pipelines")
    given = arguments.parse_args()
    if given.list:
        print("\n".join(f"{name}: {', '.join(pipelines)}" for name, (_, _, pipelines) in PEERS.items()))
        return
    if not (given.peer and given.pipeline and given.data):
        arguments.error("PEER, PIPELINE and --data are needed")
    if given.pipeline not in PEERS[given.peer][2]:
        arguments.error(f"{given.peer} has no pipeline {given.pipeline}, only {', '.join(PEERS[given.peer][2])}")
    try:
        line = measure(given.peer, given.pipeline, listing(given.data), given.seconds)
    except (ImportError, importlib.metadata.PackageNotFoundError) as error:
        raise SystemExit(f"peers.py: {given.peer} is not installed ({error}); see benches/peers.txt") from error
    print(json.dumps(line), flush=True)
    # Loaders leave processes and threads that would go on making batches, into whatever is measured next.
    for child in multiprocessing.active_children():
        child.kill()
        child.join()
    os._exit(0)


if __name__ == "__main__":
    main()

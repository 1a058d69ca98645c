"""Two processes of PyTorch's DistributedDataParallel, fed by one server: disjoint shards of every global batch, and equally many steps.

    python examples/torch_ddp.py --quick                                          # starts a server and torchrun by itself
    torchrun --nproc-per-node 2 examples/torch_ddp.py --address 127.0.0.1:50051   # what that comes to
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import digits
import feedline
from feedline import ops
from feedline.torch import Normalize

PIPELINE = [
    ops.Affine(rotate=[-10, 10], scale=[0.9, 1.1], p=1.0),
    ops.ToFloat(),
    ops.Normalize(mean=[0.5] * 3, std=[0.5] * 3),
]


def main() -> None:
    args = arguments()
    if "RANK" in os.environ:
        train(args)
        return
    # One server for all ranks. In earnest it runs on machines of its own: `feedline serve FOLDER`.
    with feedline.serve(digits.folder()) as server:
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={args.processes}"]
        options = ["--address", server.address, "--epochs", str(args.epochs), "--global-batch-size", str(args.global_batch_size)]
        sys.exit(subprocess.run([*torchrun, __file__, *options], env={**os.environ, "OMP_NUM_THREADS": "1"}).returncode)


def train(args: argparse.Namespace) -> None:
    dist.init_process_group("gloo")
    rank, world_size = dist.get_rank(), dist.get_world_size()
    torch.manual_seed(0)
    # Rank and world size are those of the process group.
    loader = feedline.Loader(
        args.address, pipeline=PIPELINE, global_batch_size=args.global_batch_size, dtype="uint8", seed=1, name=f"rank {rank}", job="ddp"
    )
    description = loader.describe()
    normalize = Normalize(description)
    model = DistributedDataParallel(network(len(description["classes"])))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    criterion = nn.CrossEntropyLoss()

    for epoch in range(args.epochs):
        seen: list[int] = []
        total = 0.0
        for batch in loader:
            tensors = batch.to_torch()
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(model(normalize(tensors["image"])), tensors["label"])
            loss.backward()
            optimizer.step()
            seen.extend(batch.samples.tolist())
            total += loss.item()
        steps = check_shards(seen, description, world_size, len(loader))
        if rank == 0:
            print(f"epoch {epoch}: {steps} steps on each of {world_size} ranks, no sample twice, loss of rank 0 {total / steps:.4f}")
    weights = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    others = [torch.empty_like(weights) for _ in range(world_size)]
    dist.all_gather(others, weights)
    assert all(torch.equal(weights, other) for other in others), "the ranks' weights differ"
    if rank == 0:
        print("all ranks have the same weights")
    loader.close()
    # No rank leaves while another one still talks.
    dist.barrier()
    dist.destroy_process_group()
    # DistributedDataParallel never lets go of the group (torch 2.15), and gloo's threads, running while the interpreter takes its
    # libraries down, abort it in one run of some thirty, after all is done. So nothing is taken down.
    sys.stdout.flush()
    os._exit(0)


def check_shards(seen: list[int], description: dict[str, object], world_size: int, steps: int) -> int:
    """Whether the ranks together saw no sample twice, and as many as full global batches hold. Returns the steps of an epoch."""
    everywhere: list[list[int]] = [[] for _ in range(world_size)]
    dist.all_gather_object(everywhere, seen)
    counts = {len(samples) for samples in everywhere}
    assert counts == {steps * int(description["rows"])}, f"rows of the ranks: {[len(samples) for samples in everywhere]}"
    together = [sample for samples in everywhere for sample in samples]
    assert len(set(together)) == len(together), "two ranks had the same sample"
    return steps


def network(classes: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 16, 128), nn.ReLU(), nn.Linear(128, classes),
    )  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", help="of the server, under torchrun")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--global-batch-size", type=int, default=64)
    parser.add_argument("--quick", action="store_true", help="two epochs")
    args = parser.parse_args()
    if args.quick:
        args.epochs = 2
    return args


if __name__ == "__main__":
    main()

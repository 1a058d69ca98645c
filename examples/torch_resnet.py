"""ResNet-18 in PyTorch, with checkpoints in mid-epoch: a training that is killed goes on to the same losses, to the bit.

    python examples/torch_resnet.py                                   # handwritten digits, read in this process
    python examples/torch_resnet.py --data 127.0.0.1:50051            # any server's dataset
    python examples/torch_resnet.py --check-resume --plot losses.png  # one training whole, one killed and resumed, and compared

Run it again after it was killed, with the same `--checkpoint`, and it goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import torch
from torch import nn
from torchvision.models import resnet18

import digits
from feedline import ops
from feedline.torch import DataLoader

NORMALIZE = [ops.ToFloat(), ops.Normalize(mean=[0.5] * 3, std=[0.5] * 3)]
TRAIN = [
    ops.Resize(27, 27),
    ops.Affine(rotate=[-10, 10], scale=[0.9, 1.1], p=1.0),
    ops.RandomCrop(24, 24),
    *NORMALIZE,
]
EVALUATE = [ops.Resize(24, 24), *NORMALIZE]


def main() -> None:
    args = arguments()
    if args.check_resume:
        check_resume(args)
    else:
        train(args)


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    torch.use_deterministic_algorithms(True)
    loader = DataLoader(args.data, "train", pipeline=TRAIN, batch_size=args.batch_size, seed=args.seed, device=args.device)
    evaluation = DataLoader(
        args.data, "validation", pipeline=EVALUATE, order="sequential", batch_size=250, device=args.device
    )
    steps = len(loader) * args.epochs
    model = resnet18(num_classes=len(loader.loader.describe()["classes"])).to(args.device)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.lr, total_steps=steps)
    criterion = nn.CrossEntropyLoss()
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule, "loader": loader}
    losses: list[float] = []

    if args.checkpoint.exists():
        checkpoint = torch.load(args.checkpoint, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(checkpoint[name])
        losses = checkpoint["losses"]
        print(f"goes on after step {len(losses)} of {steps}")

    for epoch in range(loader.loader.epoch, args.epochs):
        model.train()
        for images, targets in loader:
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(model(images), targets)
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            if len(losses) % args.every == 0 or len(losses) == steps:
                # The loader's state counts this batch, and none of those that are on their way.
                save(args.checkpoint, {"losses": losses, **{name: part.state_dict() for name, part in parts.items()}})
            if len(losses) == args.kill_after:
                os.kill(os.getpid(), signal.SIGKILL)
        print(f"epoch {epoch}: loss {sum(losses[-len(loader) :]) / len(loader):.4f}, accuracy {accuracy(model, evaluation):.4f}")
    if args.losses:
        args.losses.write_text(json.dumps(losses))


@torch.no_grad()
def accuracy(model: nn.Module, loader: DataLoader) -> float:
    """Share of right answers."""
    model.eval()
    right = rows = 0
    for images, targets in loader:
        right += int((model(images).argmax(1) == targets).sum())
        rows += len(targets)
    return right / rows


def save(path: pathlib.Path, state: dict[str, object]) -> None:
    """Writes a checkpoint so that a kill leaves either the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    torch.save(state, beside)
    os.replace(beside, path)


def check_resume(args: argparse.Namespace) -> None:
    """Trains twice, in processes of their own: once in one go, once killed between two checkpoints in mid-epoch and resumed."""
    options = [f"--{name}={getattr(args, name.replace('-', '_'))}" for name in ("data", "epochs", "batch-size", "lr", "seed", "device")]

    def run(name: str, *more: str) -> list[float] | None:
        losses = folder / f"{name}.json"
        command = [sys.executable, __file__, *options, "--checkpoint", folder / f"{name}.pt", "--losses", losses, *more]
        print(f"--- {name} {' '.join(more)}".rstrip(), flush=True)
        code = subprocess.run(command).returncode
        if code not in (0, -signal.SIGKILL):
            sys.exit(code)
        return json.loads(losses.read_text()) if losses.exists() else None

    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        whole = run("whole")
        assert whole is not None
        # Three steps after a checkpoint, in the middle of an epoch.
        kill = args.every * (len(whole) // 2 // args.every) + 3
        if run("cut", f"--every={args.every}", f"--kill-after={kill}") is not None:
            sys.exit(f"not killed after step {kill} of {len(whole)}")
        cut = run("cut", f"--every={args.every}")
    if args.plot:
        plot(args.plot, whole, cut, kill, args.every)
    differing = [step for step, (a, b) in enumerate(zip(whole, cut)) if a != b]
    if differing or len(whole) != len(cut):
        sys.exit(f"{len(whole)} losses and {len(cut)}; they differ first at step {differing[:1]}")
    print(f"killed after step {kill}, resumed from step {kill // args.every * args.every}: all {len(whole)} losses are equal to the bit")


def plot(path: pathlib.Path, whole: list[float], cut: list[float], kill: int, every: int) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    axes.plot(whole, linewidth=4, alpha=0.35, label="in one go")
    axes.plot(cut, linewidth=1, label="killed and resumed")
    axes.axvline(kill, color="black", linewidth=1, linestyle=":", label=f"killed after step {kill}, resumed from {kill // every * every}")
    axes.set(xlabel="step", ylabel="training loss", yscale="log")
    axes.legend()
    figure.savefig(path, dpi=110)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="server (HOST:PORT), or folder with train and val; default: handwritten digits")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--checkpoint", type=pathlib.Path, default=digits.FOLDER.parent / "resnet.pt")
    parser.add_argument("--every", type=int, default=25, help="steps between checkpoints")
    parser.add_argument("--losses", type=pathlib.Path, help="write the loss of every step here, as JSON")
    parser.add_argument("--kill-after", type=int, metavar="STEP", help="kill the process there, as an accident would")
    parser.add_argument("--check-resume", action="store_true", help="compare a training in one go with one that is killed")
    parser.add_argument("--plot", type=pathlib.Path, help="with --check-resume: write the loss curves here")
    parser.add_argument("--quick", action="store_true", help="one epoch, and --check-resume")
    args = parser.parse_args()
    if args.quick:
        args.epochs, args.every, args.check_resume = 1, 7, True
    args.data = args.data or str(digits.folder())
    return args


if __name__ == "__main__":
    main()

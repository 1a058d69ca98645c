"""Writes all golden files: runs every make_*.py beside it, or those named.

    python -m venv target/golden
    target/golden/bin/pip install -r tests/golden/requirements.txt
    target/golden/bin/python tests/golden/generate.py [--check] [NAME ...]

A name is that of a script without `make_` and `.py`: `colour`. With `--check` the files are written and then compared with those that
git has: it fails if any of them differs, so it proves that the committed files are those that these scripts and versions make.
"""

import argparse
import pathlib
import subprocess
import sys

import common

HERE = pathlib.Path(__file__).resolve().parent


def differing():
    """Golden files that are not as git has them."""
    roots = [common.ROOT, common.ROOT.parent / "onnx", HERE.parents[1] / "assets" / "models"]
    command = ["git", "status", "--porcelain", "--untracked-files=all", "--", *map(str, roots)]
    found = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True).stdout
    return found.splitlines()


def main():
    scripts = {path.stem.removeprefix("make_"): path for path in sorted(HERE.glob("make_*.py"))}
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(scripts)} [default: all]")
    arguments.add_argument("--check", action="store_true", help="fail if a file differs from the one that git has")
    arguments = arguments.parse_args()
    unknown = [name for name in arguments.names if name not in scripts]
    if unknown:
        raise SystemExit(f"no script of {', '.join(unknown)}; there are {', '.join(scripts)}")
    common.require(*common.PINS)
    if arguments.check and (before := differing()):
        raise SystemExit("commit or undo these first:\n" + "\n".join(before))
    if not arguments.names:
        common.clear_all()
    for name in arguments.names or scripts:
        print(f"make_{name}.py", flush=True)
        subprocess.run([sys.executable, scripts[name]], check=True)
    common.prune()
    if arguments.check and (found := differing()):
        raise SystemExit("these differ from what was committed:\n" + "\n".join(found))


if __name__ == "__main__":
    main()

"""The real server, as a process, and what may happen to its messages on the way, for the tests.

`FEEDLINE` names the program, `target/debug/feedline` unless set.
"""

import os
import pathlib
import select
import subprocess
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
FEEDLINE = os.environ.get("FEEDLINE", str(ROOT / "target/debug/feedline"))


class Server:
    """`feedline serve` of a folder, as a process."""

    def __init__(self, folder, address="127.0.0.1:0"):
        command = [FEEDLINE, "--log", "warn", "serve", str(folder), "--listen", address, "--threads", "2"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert select.select([self.process.stdout], [], [], 120)[0], "the server says nothing"
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.address = line.removeprefix("listening on ").strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """Asks it to stop; returns its exit code."""
        self.process.terminate()
        return self.process.wait(120)


def changed(service, change, streams):
    """The service with what `change(number, parts)` makes of each stream's parts; `streams` collects its streams."""

    def stream(request):
        streams.append(service.Stream(request))
        return Changed(streams[-1], change(len(streams), streams[-1]))

    return types.SimpleNamespace(Describe=service.Describe, Stream=stream)


class Changed:
    """A call with other parts."""

    def __init__(self, call, parts):
        self.cancel, self.parts = call.cancel, parts

    def __iter__(self):
        return self.parts


def spoilt(parts):
    """Parts whose bytes are zeros."""
    for part in parts:
        part.data = bytes(len(part.data))
        yield part

"""The test sets the time of day of a process that it started, so that no test waits for a year."""

import os
import pathlib
import shutil
import struct
import subprocess

import pytest


class ShiftedClock:
    """`environment` is for the process. `advance()` takes effect at once."""

    def __init__(self, folder):
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            pytest.skip("there is no C compiler to build the clock with")
        folder.mkdir(parents=True, exist_ok=True)
        library = folder / "shifted_clock.so"
        source = pathlib.Path(__file__).with_name("shifted_clock.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True)
        self.file, self.seconds = folder / "ahead", 0
        self.file.write_bytes(struct.pack("=q", 0))
        sanitizers = os.environ.get("ASAN_OPTIONS", "")
        self.environment = {**os.environ, "LD_PRELOAD": str(library), "CLOISTER_TEST_CLOCK": str(self.file),
                            "ASAN_OPTIONS": (sanitizers + ":" if sanitizers else "") + "verify_asan_link_order=0"}

    def advance(self, seconds):
        self.seconds += seconds
        with open(self.file, "r+b") as file:
            file.write(struct.pack("=q", self.seconds))

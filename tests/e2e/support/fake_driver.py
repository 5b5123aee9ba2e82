"""A driver library of the tests' own in place of NVIDIA's: the program loads it as it would load the real one. What it
does stands in a folder and can be changed while the program runs; tests/gpu/fake_driver.h says what there is."""

import os

from support.node import BINARY

LIBRARY = BINARY.parent / "libfake_nvml.so"


class FakeDriver:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        (folder / "seed").write_bytes(b"S" * 32)
        self.set()

    def set(self, **settings):
        """Replaces the settings in one step; none: one simulated GPU, everything as it should be."""
        text = "".join(f"{name}={value}\n" for name, value in settings.items())
        (self.folder / "settings.new").write_text(text)
        os.replace(self.folder / "settings.new", self.folder / "settings")

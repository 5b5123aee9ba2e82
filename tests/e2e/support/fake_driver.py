"""A driver library of the tests in place of NVIDIA's, which the program loads in the same way. A folder describes its behaviour and can be
changed while the program runs. tests/gpu/fake_driver.h lists the settings."""

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
        """Replaces the settings in one step. Without settings there is one simulated GPU without faults."""
        text = "".join(f"{name}={value}\n" for name, value in settings.items())
        (self.folder / "settings.new").write_text(text)
        os.replace(self.folder / "settings.new", self.folder / "settings")

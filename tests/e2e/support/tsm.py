"""A folder that behaves as the kernel's configfs-tsm. A folder made in it gets the attributes of a report, and report data written there
becomes a quote. The kernel does this within a call; here a thread does it a moment later. Until then `outblob` is an empty pipe, which
tells its reader to try again."""

import os
import threading


class FakeTsm:
    def __init__(self, root, quote):
        """`quote(report_data)` returns the bytes of outblob."""
        self.root = root
        self.quote = quote
        self.reports = 0
        self._entries = {}
        self._stop = threading.Event()
        root.mkdir()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.wait(0.002):
            for entry in self.root.iterdir():
                if entry not in self._entries:
                    self._make(entry)
                elif self._entries[entry] is not None and (entry / "inblob").stat().st_size == 64:
                    self._answer(entry)

    def _put(self, path, data):
        new = path.with_name(path.name + ".new")
        new.write_bytes(data)
        new.rename(path)

    def _make(self, entry):
        self._put(entry / "generation", b"0\n")
        self._put(entry / "inblob", b"")
        os.mkfifo(entry / "outblob")
        self._entries[entry] = os.open(entry / "outblob", os.O_RDWR | os.O_NONBLOCK)
        self._put(entry / "provider", b"tdx_guest\n")

    def _answer(self, entry):
        quote = self.quote((entry / "inblob").read_bytes())
        self._put(entry / "generation", b"1\n")
        self.reports += 1
        self._put(entry / "outblob", quote)
        os.close(self._entries[entry])
        self._entries[entry] = None

    def close(self):
        self._stop.set()
        self._thread.join(10)

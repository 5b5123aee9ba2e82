"""The parts that the end-to-end tests share: processes, raw sockets, and evidence parsed by hand."""

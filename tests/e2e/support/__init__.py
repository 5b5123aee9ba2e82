"""What the end-to-end tests share: processes, raw sockets, evidence read by hand."""

"""A second real OpenAI server, from PyPI: `second_server.py MODEL PORT`. It is another build of another version of llama.cpp than the
pinned one, with its own HTTP server, headers and order of members. No server of another family was found that serves text from a CPU,
comes as a wheel and needs no gigabytes."""

import signal
import sys

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.hostnames = ["127.0.0.1"]
params.port = int(sys.argv[2])
params.n_ctx = 4096
params.n_parallel = 2
server = xllamacpp.Server(params)
signal.pause()

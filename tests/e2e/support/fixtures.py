"""The fixtures of the tests in tests/e2e and tests/attacks. They start the real program: the one that CLOISTER_BINARY names, else
build/release/cloister."""

import os
import pathlib

import openai
import pytest

from support import node as node_module
from support.agent import Agent
from support.between import Between
from support.node import Node, ROOT
from support.vectors import Vectors

TOKEN = "token-of-the-tests-0123456789"


def pytest_configure(config):
    if not os.access(node_module.BINARY, os.X_OK):
        pytest.exit(f"{node_module.BINARY} is not there: run ./run build", returncode=1)
    node_module.raise_descriptor_limit()
    # tests/e2e and tests/attacks both bring this function, so it runs twice.
    shares_its_tests = getattr(config.option, "dist", "no") != "no" and not hasattr(config, "workerinput")
    if node_module.DSTACK and "dstack" not in node_module.SIMULATED and not shares_its_tests:
        agent = Agent()
        node_module.SIMULATED[:2] = ["--tee", "dstack", "--tee-socket", str(agent.socket)]
        config.add_cleanup(agent.close)


def pytest_collection_modifyitems(items):
    for item in items:
        if {"llama", "llama_client", "model_file", "second"} & set(item.fixturenames):
            item.add_marker(pytest.mark.llama)


@pytest.fixture(scope="session")
def vectors_folder():
    """The recorded evidence (support/vectors.py). A test that asks for a missing file is skipped, and fails where everything has to run."""
    return Vectors()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("nodes")


@pytest.fixture
def start(tmp_path):
    """start(*arguments) starts a node of the test's own, which is stopped at the test's end."""
    nodes = []

    def start_node(*arguments, **options):
        nodes.append(Node(tmp_path / f"node{len(nodes)}", *arguments, **options))
        return nodes[-1]

    yield start_node
    for node in nodes:
        node.kill()


def session_node(folder, name, *arguments, headers=None, **options):
    node = Node(folder / name, *arguments, **options)
    yield node
    alive = node.alive()
    if alive:
        # No request may be left behind, whatever the tests did to the node.
        node_module.wait_until(lambda: node.metric("cloister_inference_running", headers) == 0, 5, "every request ends")
    status = node.stop()
    assert alive, f"the {name} node ended by itself with {status}: {node.log[-4000:]}"
    assert status == 0, f"the {name} node ended with {status} on SIGTERM: {node.log[-4000:]}"


@pytest.fixture(scope="session")
def echo(folder):
    yield from session_node(folder, "echo", "--engine", "echo")


@pytest.fixture
def between(echo):
    """between(meddle) returns the URL of a server that changes the replies of the echo node."""
    servers = []

    def start(meddle):
        servers.append(Between(echo, meddle))
        return servers[-1].url

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def agent():
    """The simulated dstack guest agent, which all tests share and none stops."""
    agent = Agent()
    yield agent
    status, log = agent.stop(), agent.log
    agent.close()
    assert status == 0, log


@pytest.fixture(scope="session")
def dstack_echo(folder, agent):
    """A node that reaches its TEE through the agent's socket."""
    arguments = ("--engine", "echo", "--tee", "dstack", "--tee-socket", agent.socket)
    yield from session_node(folder, "dstack", *arguments, simulated=False)


@pytest.fixture(params=["in process", "dstack socket"])
def attested(request):
    """The same simulated platform, reached in both ways."""
    return request.getfixturevalue({"in process": "echo", "dstack socket": "dstack_echo"}[request.param])


@pytest.fixture(scope="session")
def slow_echo(folder):
    """A node that sends 200 tokens a reply, one every 20 ms: four seconds a reply."""
    yield from session_node(folder, "slow", "--engine", "echo", "--echo-token-gap-ms", 20, "--echo-tokens", 200)


@pytest.fixture(scope="session")
def locked(folder):
    """A node that needs a token and knows two owners."""
    tokens = folder / "tokens"
    tokens.write_text(f"# the tests' tokens\n{TOKEN}\n{TOKEN}-of-another\n")
    headers = {"authorization": f"Bearer {TOKEN}"}
    yield from session_node(folder, "locked", "--engine", "echo", "--api-key-file", tokens, headers=headers)


@pytest.fixture(scope="session")
def tls(folder):
    yield from session_node(folder, "tls", "--engine", "echo", "--tls", "self-signed")


@pytest.fixture(scope="session")
def model_file():
    name = os.environ.get("CLOISTER_MODEL")
    found = [pathlib.Path(name)] if name else sorted((ROOT / ".cache/model").glob("*.gguf"))
    if not found or not found[0].is_file():
        pytest.fail("the default model is not there: run tools/fetch model")
    return found[0]


@pytest.fixture(scope="session")
def llama(folder, model_file):
    yield from session_node(folder, "llama", "--model", model_file, "--parallel", 8, "--context", 2048)


def client_of(node, **options):
    # The SDK does not retry, so that a failure is seen.
    options = {"api_key": "unused", "max_retries": 0, "timeout": 60, **options}
    return openai.OpenAI(base_url=node.url + "/v1", **options)


@pytest.fixture(scope="session")
def echo_client(echo):
    with client_of(echo) as client:
        yield client


@pytest.fixture(scope="session")
def llama_client(llama):
    with client_of(llama) as client:
        yield client

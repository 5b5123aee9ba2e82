"""The result of `cmake --install` is enough for another user. The program runs, and a C program compiles against the library with the flags
of pkg-config and verifies a report."""

import json
import os
import shutil
import subprocess
import time

import httpx
import pytest

from support.node import BINARY, ROOT

pytestmark = pytest.mark.fast
BUILD = BINARY.parent
NONCE = "5a" * 32


def missing(what):
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)


def install(component, prefix):
    subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix, "--component", component], check=True, capture_output=True)
    return prefix


def files_of(prefix):
    return {str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()}


@pytest.fixture(scope="module")
def verifier(tmp_path_factory):
    if not list(BUILD.glob("libcloister_verify.so*")) or not (BUILD / "cmake_install.cmake").is_file():
        missing(f"{BUILD} holds no library to install: build the target cloister_abi")
    return install("verifier", tmp_path_factory.mktemp("verifier"))


def test_the_verifier_alone(verifier):
    assert files_of(verifier) == {"lib/libcloister_verify.so", "lib/libcloister_verify.so.3", "lib/pkgconfig/cloister_verify.pc",
                                  "include/cloister/cloister.h", "include/cloister/verifier.h"}


def test_the_program_alone(tmp_path):
    prefix = install("program", tmp_path)
    assert files_of(prefix) == {"bin/cloister"}
    shown = subprocess.run([prefix / "bin/cloister", "--version"], capture_output=True, text=True, timeout=20)
    assert shown.returncode == 0 and shown.stdout.strip(), shown.stderr


def pkg_config(prefix, *arguments):
    environment = os.environ | {"PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
    done = subprocess.run(["pkg-config", *arguments, "cloister_verify"], env=environment, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.own_seed   # the last configuration in a shared platform's register is another node's
def test_a_c_program_against_it(verifier, tmp_path, echo):
    # The tree is moved: no installed file may point to the first folder.
    prefix = tmp_path / "elsewhere"
    shutil.copytree(verifier, prefix, symlinks=True)
    example = tmp_path / "verify_report"
    subprocess.run(["cc", "-std=c99", "-Wall", "-Werror", ROOT / "examples/c/verify_report.c", "-o", example,
                    *pkg_config(prefix, "--cflags", "--libs")], check=True, timeout=60)
    policy, report = tmp_path / "policy.toml", tmp_path / "report.json"
    policy.write_text("accept_simulator = true\n")
    report.write_bytes(httpx.get(echo.url + "/v1/attestation/report", params={"nonce": NONCE}).content)
    assert json.loads(report.read_text())["request_nonce"] == NONCE

    def judge(nonce):
        return subprocess.run([example, report, "-", nonce, str(int(time.time())), policy], env={"LD_LIBRARY_PATH": str(prefix / "lib")},
                              capture_output=True, text=True, timeout=20)

    accepted = judge(NONCE)
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    assert judge("11" * 32).returncode == 1


def test_its_version_is_the_programs(verifier):
    assert pkg_config(verifier, "--modversion")[0] in subprocess.run([BINARY, "--version"], capture_output=True, text=True).stdout

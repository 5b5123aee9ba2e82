# Thin verbs; ./run and ./test do the work.
.PHONY: all test fast e2e fmt lint bench clean

all:
	@./run build

test:
	@./test

fast:
	@./test fast

e2e:
	@./test e2e

fmt:
	@tools/setup test lint
	@tools/check_format --fix

# The checks of ./test that need no build, and clang-tidy over what differs from BASE (make lint BASE=HEAD~5): it reads
# build/release/compile_commands.json and takes some ten seconds a file.
BASE ?= $(shell git rev-parse --verify --quiet origin/main || echo HEAD~1)
lint: all
	@tools/setup test lint
	@tools/check_layers
	@tools/check_comments
	@tools/check_format
	@tools/check_scripts
	@git diff --name-only --diff-filter=d $(BASE) -- 'src/*.cc' 'apps/*.cc' | \
		xargs -r -P "$$(nproc)" -n 4 clang-tidy-14 -p build/release --quiet --extra-arg=-Wno-unknown-warning-option

bench:
	@tools/setup run bench
	@bench/run

clean:
	@rm -rf build

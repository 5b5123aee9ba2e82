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
	@git clang-format-14 --binary clang-format-14 $(BASE) -- '*.h' '*.cc'

# Checks what differs from BASE (make lint BASE=HEAD~5). clang-tidy reads build/release/compile_commands.json and takes
# some ten seconds a file; shellcheck checks the scripts.
BASE ?= $(shell git rev-parse --verify --quiet origin/main || echo HEAD~1)
lint: all
	@tools/setup test lint
	@tools/check_layers
	@tools/check_comments
	@git clang-format-14 --binary clang-format-14 --diff $(BASE) -- '*.h' '*.cc' | tee /dev/stderr | grep -q '^diff' && exit 1 || true
	@tools/check_scripts
	@git diff --name-only --diff-filter=d $(BASE) -- 'src/*.cc' 'apps/*.cc' | \
		xargs -r -P "$$(nproc)" -n 4 clang-tidy-14 -p build/release --quiet --extra-arg=-Wno-unknown-warning-option

bench:
	@tools/setup run bench
	@bench/run

clean:
	@rm -rf build

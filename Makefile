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
	@tools/setup lint
	@git ls-files '*.h' '*.cc' | xargs clang-format-14 -i

# clang-tidy reads build/release/compile_commands.json; the scripts go through shellcheck.
lint: all
	@tools/setup lint
	@tools/check_layers
	@git ls-files '*.h' '*.cc' | xargs clang-format-14 --dry-run --Werror
	@shellcheck -x run test .ci/run tools/setup tools/fetch tools/engine tools/common.sh
	@git ls-files 'src/*.cc' 'apps/*.cc' | xargs -P "$$(nproc)" -n 4 clang-tidy-14 -p build/release --quiet

bench:
	@tools/setup run bench
	@bench/run

clean:
	@rm -rf build

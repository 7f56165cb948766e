# Every target installs what it needs and is missing (tools/packages.txt), configures and builds.
# `make help` lists them. CMakePresets.json has the kinds of builds; each lives in build/PRESET.

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
SOAK_MINUTES ?= 60
BENCH ?=
export CMAKE_BUILD_PARALLEL_LEVEL = $(JOBS)

.PHONY: help build demo test bench soak fuzz format tidy generate clean
.DEFAULT_GOAL := help

help: ## List the targets
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

build: ## Build build/release/fairlead
	tools/install-packages build
	cmake --preset release
	cmake --build --preset release --target fairlead

demo: ## Start a throw-away cluster with sample data and the proxy, in the foreground
	tools/install-packages build demo
	cmake --preset release
	cmake --build --preset release --target fairlead
	build/release/fairlead demo

test: ## Check style and layers, then run all tests, with and without sanitizers
	tools/install-packages build test
	tools/test

bench: ## Compare with PgBouncer, side by side; BENCH="--only cpu-simple" for less (bench/README.md)
	tools/install-packages build bench
	cmake --preset release
	cmake --build --preset release --target fairlead bench
	bench/run build/release $(BENCH)

soak: ## Run the long forms of the tests for SOAK_MINUTES (60), again and again
	tools/install-packages build test
	cmake --preset release
	cmake --build --preset release --target fairlead
	tests/soak/run build/release --minutes $(SOAK_MINUTES)

fuzz: ## Run each fuzzer for FUZZ_SECONDS (60)
	tools/install-packages build test
	cmake --preset fuzz
	tools/fuzz $(FUZZ_SECONDS)

format: ## Format every C++ file
	tools/install-packages test
	tools/format

tidy: ## Compile every file by itself, run clang-tidy over everything, and the style checks with their warnings
	tools/install-packages build test
	tools/layers.py
	tools/tidy.py --warnings
	cmake --preset tidy
	cmake --build --preset tidy
	tools/clang-tidy --all

generate: ## Write the generated documents anew: etc/fairlead.toml, docs/CONFIG.md, docs/FAILOVER.md, docs/RULES.md
	tools/install-packages build
	cmake --preset dev
	cmake --build --preset dev --target config_test core_test
	FAIRLEAD_REGENERATE=1 build/dev/src/config/config_test --gtest_filter='Reference.*'
	FAIRLEAD_REGENERATE=1 build/dev/src/core/core_test --gtest_filter='LossTable.*'
	tools/rules.py

clean: ## Remove every build
	rm -rf build

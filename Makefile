# `make test` runs every check of this repository and installs what it needs for that by itself, below target/.
#
#   FRAMEWORKS=none make test    without the checks that need a machine-learning framework, and 15 GB of disk
#   PYTHON=python3.12 make test  another Python for the clients
#   CPP_JOBS=4 make cpp          compile C++ four files at a time: each takes up to 1 GB

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
FRAMEWORKS ?= all
CPP_JOBS ?= 1
TARGET := $(or $(CARGO_TARGET_DIR),target)
VENV := $(TARGET)/python-stock/venv
PACKAGE := $(TARGET)/python
FRAMEWORKS_VENV := $(TARGET)/frameworks/venv
BENCH := $(TARGET)/bench
# GB: what is installed, and what is downloaded until it is. (pip keeps 3 GB more in its cache.)
FRAMEWORKS_DISK := 15
GENERATED := $(TARGET)/python-stock/generated
TYPESCRIPT := $(TARGET)/typescript/clients/typescript
SKIPPED := $(TARGET)/skipped
CPP := $(TARGET)/cpp
CPP_PACKAGES := cmake g++ libgrpc++-dev libgtest-dev libisal-dev libprotobuf-dev libssl-dev make pkgconf protobuf-compiler \
	protobuf-compiler-grpc
PROTOS := $(sort $(wildcard proto/feedline/v1/*.proto))
GO_OUT := $(abspath $(TARGET))/go
GO_PACKAGE := github.com/feedline/feedline/clients/go
GO_TOOLS := google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12 google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2 \
	honnef.co/go/tools/cmd/staticcheck@v0.8.2
# Nothing of Go's is left outside of target/, and all of it can be removed.
GO := env GOPATH=$(GO_OUT)/path GOMODCACHE=$(GO_OUT)/mod GOCACHE=$(GO_OUT)/cache GOBIN=$(GO_OUT)/bin \
	STATICCHECK_CACHE=$(GO_OUT)/staticcheck GOFLAGS='$(GOFLAGS) -modcacherw' FEEDLINE="$(abspath $(TARGET))/debug/feedline"

# One workspace, one set of features (all of them), the dev profile throughout: clippy and doc share what they check, tests,
# examples and the clients' tests what they build, and nothing is built twice.
export CARGO_TERM_COLOR ?= auto

# step NAME begins a timed step, done ends it; skip REASON says aloud what is left out and ends the recipe well.
define STEPS
step() { printf '\n=== %s\n' "$$1"; name=$$1; begun=$$SECONDS; }; \
done_() { printf '=== %s: ok, %d s\n' "$$name" "$$((SECONDS - begun))"; }; \
skip() { mkdir -p $(TARGET); printf 'skipped: %s\n' "$$*" | tee -a $(SKIPPED); exit 0; };
endef

.PHONY: help test begin format lint rust examples bench-smoke python package wheel java go go-generated go-code typescript cpp cpp-packages frameworks doc end fmt bench bench-ops clean-venv

help: ## Show this.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## Run every check, one after the other.
	@begun=$$SECONDS; \
	for target in begin format lint rust examples bench-smoke python package wheel java go typescript cpp frameworks doc end; do $(MAKE) $$target; done; \
	printf '=== all of it: %d s\n' "$$((SECONDS - begun))"

begin:
	@rm -f $(SKIPPED)
	@command -v cargo > /dev/null || { echo 'error: no cargo; Rust is installed from https://rustup.rs' >&2; exit 1; }
	@cargo --version

format: ## Check the format of the code.
	@$(STEPS) step 'cargo fmt --check'; \
	cargo fmt --version > /dev/null 2>&1 || rustup component add rustfmt || skip 'cargo fmt: no rustfmt'; \
	cargo fmt --all --check; done_

lint: ## Check the code with clippy; warnings are errors.
	@$(STEPS) step 'cargo clippy'; \
	cargo clippy --version > /dev/null 2>&1 || rustup component add clippy || skip 'cargo clippy: no clippy'; \
	cargo clippy --workspace --all-targets --all-features -- -D warnings; done_

rust: ## Run the tests of the Rust code.
	@$(STEPS) step 'cargo test'; cargo test --workspace --all-features; done_

# Built by `cargo test`: run as they are.
examples: ## Run the examples.
	@$(STEPS) step 'examples'; cargo build --workspace --all-features --examples; \
	for source in examples/*.rs; do [[ -e $$source ]] || continue; \
		echo "--- $$source"; $(TARGET)/debug/examples/$$(basename $$source .rs); done; done_

# In the dev profile: whether it runs, not how fast.
bench-smoke:
	@$(STEPS) step 'benches/plan.rs runs'; cargo test --workspace --all-features --bench plan; done_

python: ## Run the stock Python client against the server.
	@$(STEPS) step 'stock Python client'; \
	command -v $(PYTHON) > /dev/null || skip 'stock Python client: no $(PYTHON)'; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || skip 'stock Python client: $(PYTHON) is older than 3.11'; \
	$(MAKE) $(VENV)/installed; \
	rm -rf $(GENERATED); mkdir -p $(GENERATED); \
	$(VENV)/bin/python -m grpc_tools.protoc -I proto --python_out $(GENERATED) --grpc_python_out $(GENERATED) $(PROTOS); \
	cargo build --workspace --all-features --bins; \
	FEEDLINE="$(abspath $(TARGET))/debug/feedline" PYTHONPATH="$(GENERATED):clients/python-stock" PYTHONDONTWRITEBYTECODE=1 \
		$(VENV)/bin/python -m pytest -q -p no:cacheprovider clients/python-stock; done_

# Debian and Ubuntu keep the venv module in a package of its own.
$(VENV)/installed: clients/python-stock/requirements.txt
	@rm -rf $(VENV)
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { [[ $$(id -u) == 0 ]] && command -v apt-get > /dev/null \
		&& apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y python3-venv; }
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install -q --disable-pip-version-check -r $<
	@touch $@

# The wheel is built as the rest is, in the dev profile; `pip install ./clients/python` builds it in the release profile.
package: ## Build the Python package and run its tests.
	@$(STEPS) step 'Python package'; \
	command -v $(PYTHON) > /dev/null || skip 'Python package: no $(PYTHON)'; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || skip 'Python package: $(PYTHON) is older than 3.10'; \
	$(MAKE) wheel; \
	$(PACKAGE)/venv/bin/python -m pip install -q --disable-pip-version-check --force-reinstall --no-deps $(PACKAGE)/wheels/*.whl; \
	(cd clients/python; "$(abspath $(PACKAGE))/venv/bin/mypy" --cache-dir "$(abspath $(PACKAGE))/mypy"); \
	PYTHONDONTWRITEBYTECODE=1 $(PACKAGE)/venv/bin/python -m pytest -q -p no:cacheprovider clients/python; done_

wheel: $(PACKAGE)/venv/installed
	@rm -rf $(PACKAGE)/wheels
	@$(PACKAGE)/venv/bin/maturin build -q --profile dev --all-features -m clients/python/Cargo.toml \
		-i "$(abspath $(PACKAGE))/venv/bin/python" --out $(PACKAGE)/wheels

$(PACKAGE)/venv/installed: clients/python/tests/requirements.txt
	@rm -rf $(PACKAGE)/venv
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { [[ $$(id -u) == 0 ]] && command -v apt-get > /dev/null \
		&& apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y python3-venv; }
	@$(PYTHON) -m venv $(PACKAGE)/venv
	@$(PACKAGE)/venv/bin/python -m pip install -q --disable-pip-version-check -r $<
	@touch $@

java: ## Check the Java client and run it against the server.
	@$(STEPS) step 'Java client'; \
	has() { command -v javac > /dev/null && command -v mvn > /dev/null; }; \
	has || { [[ $$(id -u) == 0 ]] && command -v apt-get > /dev/null && apt-get update -q \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -q -y default-jdk-headless maven; } || skip 'Java client: no JDK or no Maven'; \
	version=$$(javac -version 2>&1 | sed -E 's/^javac ([0-9]+).*/\1/'); \
	(( version >= 17 )) || skip "Java client: JDK $$version is older than 17"; \
	cargo build --workspace --all-features --bins; \
	FEEDLINE="$(abspath $(TARGET))/debug/feedline" \
		mvn -B -ntp -f clients/java/pom.xml -DbuildDirectory="$(abspath $(TARGET))/java" verify; done_

go: ## Check the Go client and run it against the server.
	@$(STEPS) step 'Go client'; \
	command -v go > /dev/null || skip 'Go client: no go'; \
	(cd clients/go; $(GO) go list -m > /dev/null) || skip 'Go client: go is older than clients/go/go.mod wants'; \
	$(MAKE) $(GO_OUT)/tools go-generated; \
	cargo build --workspace --all-features --bins; \
	cd clients/go; \
	unformatted=$$(gofmt -l .); [[ -z $$unformatted ]] || { printf 'not formatted: %s\n' $$unformatted >&2; exit 1; }; \
	$(GO) go vet ./...; $(GO) $(GO_OUT)/bin/staticcheck ./...; $(GO) go test -race -count=1 -timeout 3m ./...; done_

go-generated:
	@$(STEPS) \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || skip 'generated code of the Go client: no Python of 3.11 for protoc'; \
	$(MAKE) $(GO_OUT)/generated; \
	diff -r $(GO_OUT)/generated/feedlinev1 clients/go/feedlinev1 \
		|| { echo 'error: clients/go/feedlinev1 is not what proto gives; make go-code writes it' >&2; exit 1; }

go-code: $(GO_OUT)/generated ## Write the generated code of the Go client anew.
	rm -rf clients/go/feedlinev1
	cp -r $(GO_OUT)/generated/feedlinev1 clients/go

# protoc comes from the package grpcio-tools. The contract names no Go package: these options do.
$(GO_OUT)/generated: $(PROTOS) $(GO_OUT)/tools $(VENV)/installed
	@rm -rf $@; mkdir -p $@
	@PATH="$(GO_OUT)/bin:$$PATH" $(VENV)/bin/python -m grpc_tools.protoc -I proto --go_out $@ --go-grpc_out $@ $(PROTOS) \
		$(foreach plugin,go go-grpc,--$(plugin)_opt module=$(GO_PACKAGE) \
			$(foreach proto,$(PROTOS:proto/%=%),--$(plugin)_opt M$(proto)=$(GO_PACKAGE)/feedlinev1))
	@touch $@

# This file has their versions.
$(GO_OUT)/tools: Makefile
	@mkdir -p $(GO_OUT)
	@for tool in $(GO_TOOLS); do $(GO) go install $$tool; done

# Works on a copy below target/, with what it reads beside it as in the repository: npm installs into the folder of a package.
typescript: ## Check the TypeScript client and run it against the server.
	@$(STEPS) step 'TypeScript client'; \
	command -v npm > /dev/null || { [[ $$(id -u) == 0 ]] && command -v apt-get > /dev/null \
		&& apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y nodejs npm; } || skip 'TypeScript client: no npm'; \
	node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' \
		|| skip "TypeScript client: node $$(node --version) is older than 20.19"; \
	$(MAKE) $(TYPESCRIPT)/installed; \
	rm -rf $(TYPESCRIPT)/{src,test,examples,dist,build} $(TARGET)/typescript/{proto,tests}; \
	mkdir -p $(TARGET)/typescript/tests/data; \
	cp -r clients/typescript/{src,test,examples,README.md,*.js,*.json,*.yaml,.prettier*} $(TYPESCRIPT); \
	cp -r proto $(TARGET)/typescript; cp -r tests/data/vectors $(TARGET)/typescript/tests/data; \
	for script in generate build build:tests check; do (cd $(TYPESCRIPT) && npm run -s $$script); done; \
	cargo build --workspace --all-features --bins; \
	export FEEDLINE="$(abspath $(TARGET))/debug/feedline"; cd $(TYPESCRIPT); npm test -s; done_

$(TYPESCRIPT)/installed: clients/typescript/package.json clients/typescript/package-lock.json
	@mkdir -p $(@D); cp $^ $(@D)
	@cd $(@D) && npm ci --loglevel error --no-audit --no-fund --ignore-scripts --cache $(abspath $(TARGET))/typescript/npm
	@touch $@

# The example is built from what was installed, as a user's program would be.
cpp: ## Run the C++ client against the server.
	@$(STEPS) step 'C++ client'; \
	$(MAKE) cpp-packages || skip 'C++ client: not all there of $(CPP_PACKAGES)'; \
	printf '#include <span>\nstd::span<int> x;\n' | c++ -std=c++20 -x c++ -fsyntax-only - || skip 'C++ client: no C++20'; \
	cmake -S clients/cpp -B $(CPP)/build -DCMAKE_BUILD_TYPE=Release -DFEEDLINE_WERROR=ON \
		-DCMAKE_INSTALL_PREFIX="$(abspath $(CPP))/prefix"; \
	cmake --build $(CPP)/build --parallel $(CPP_JOBS); \
	cargo build --workspace --all-features --bins; \
	export FEEDLINE="$(abspath $(TARGET))/debug/feedline"; \
	ctest --test-dir $(CPP)/build --output-on-failure; \
	cmake --install $(CPP)/build > /dev/null; \
	cmake -S clients/cpp/example -B $(CPP)/example -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$(abspath $(CPP))/prefix"; \
	cmake --build $(CPP)/example; \
	exec 3< <(exec "$$FEEDLINE" --log warn serve tests/data/vectors/dataset --listen 127.0.0.1:0); \
	trap "kill $$!" EXIT; read -r _ _ address <&3; $(CPP)/example/print "$$address" 3; done_

# By name on Debian and Ubuntu; elsewhere the commands stand for the libraries beside them.
cpp-packages:
	@if command -v dpkg-query apt-get > /dev/null; then \
		missing=$$({ dpkg-query -W -f '$${db:Status-Status}\n' $(CPP_PACKAGES) 2>&1 || true; } | grep -vx installed || true); \
		[[ -z $$missing ]] || { [[ $$(id -u) == 0 ]] \
			&& apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(CPP_PACKAGES); }; \
	else command -v cmake c++ protoc grpc_cpp_plugin > /dev/null; fi

# The examples learn from images that scikit-learn ships.
frameworks: ## Run the Python package with PyTorch, TensorFlow and JAX, and the examples of training.
	@$(STEPS) step 'frameworks'; \
	[[ '$(FRAMEWORKS)' != none ]] || skip 'frameworks: FRAMEWORKS=none (feedline.torch, .tf and .jax, and the examples of training)'; \
	command -v $(PYTHON) > /dev/null || skip 'frameworks: no $(PYTHON)'; \
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| skip 'frameworks: $(PYTHON) is not 3.11 to 3.13, for which there are packages of all'; \
	mkdir -p $(TARGET); free=$$(df -Pk $(TARGET) | awk 'NR == 2 { print int($$4 / 1e6) }'); \
	[[ -e $(FRAMEWORKS_VENV)/installed || $$free -ge $(FRAMEWORKS_DISK) ]] \
		|| skip "frameworks: $$free GB free below $(TARGET), where installing them takes $(FRAMEWORKS_DISK)"; \
	$(MAKE) $(FRAMEWORKS_VENV)/installed wheel; \
	$(FRAMEWORKS_VENV)/bin/python -m pip install -q --disable-pip-version-check --force-reinstall --no-deps $(PACKAGE)/wheels/*.whl; \
	export PYTHONDONTWRITEBYTECODE=1; \
	for tests in torch tf jax errors indices; do \
		$(FRAMEWORKS_VENV)/bin/python -m pytest -q -p no:cacheprovider clients/python/tests/test_$$tests.py; done; \
	for example in torch_resnet keras_augmentation torch_ddp jax_loop; do \
		echo "--- examples/$$example.py --quick"; $(FRAMEWORKS_VENV)/bin/python examples/$$example.py --quick; done; done_

$(FRAMEWORKS_VENV)/installed: clients/python/tests/frameworks.txt clients/python/tests/requirements.txt
	@echo 'installing PyTorch, TensorFlow and JAX below $(@D), once: a download of 3 GB, and 8 GB on the disk, with the CUDA libraries'
	@echo 'that torch brings (about 1.5 GB where it comes without them); FRAMEWORKS=none leaves them out'
	@rm -rf $(@D)
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { [[ $$(id -u) == 0 ]] && command -v apt-get > /dev/null \
		&& apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y python3-venv; }
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install -q --disable-pip-version-check $(patsubst %,-r %,$^)
	@touch $@

doc: ## Build the documentation; broken links are errors.
	@$(STEPS) step 'cargo doc'; RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --workspace --all-features; done_

end:
	@if [[ -s $(SKIPPED) ]]; then echo; cat $(SKIPPED); else printf '\nnothing was skipped\n'; fi

fmt: ## Format the code.
	cargo fmt --all

# BENCH_FLAGS=--quick tries it out in some minutes and writes nothing.
bench: $(BENCH)/venv/installed ## Measure feedline beside its peers and write docs/benchmarks.md: 25 minutes of a quiet machine.
	@$(STEPS) step 'benchmarks'; \
	cargo build --release --workspace --all-features --bins; \
	$(BENCH)/venv/bin/python benches/images.py $(BENCH)/images; \
	PYTHONDONTWRITEBYTECODE=1 $(BENCH)/venv/bin/python benches/compare.py --feedline $(TARGET)/release/feedline \
		--images $(BENCH)/images --results $(BENCH)/results.json $(BENCH_FLAGS); done_

# One by one where they can't be installed together: what fails is named here, and again where it would be measured.
$(BENCH)/venv/installed: benches/peers.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo 'error: $(PYTHON) is not there, or not 3.11 to 3.13, for which there are packages of all peers' >&2; exit 1; }
	@echo 'installing the peers of the benchmark below $(@D), once: a download of 4 GB, and 10 GB on the disk, with the CUDA libraries'
	@echo 'that torch and DALI bring'
	@rm -rf $(@D)
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { [[ $$(id -u) == 0 ]] && command -v apt-get > /dev/null \
		&& apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y python3-venv; }
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install -q --disable-pip-version-check -r $< \
		|| while read -r package; do [[ -z $$package || $$package == \#* ]] \
			|| $(@D)/bin/python -m pip install -q --disable-pip-version-check "$$package" < /dev/null \
			|| echo "not installed, and left out of the benchmark: $$package"; done < $<
	@touch $@

bench-ops: ## Measure ops and plan, in the release profile.
	cargo bench --all-features --bench plan --bench ops

clean-venv: ## Remove the Python packages that were installed.
	rm -rf $(TARGET)/python-stock $(PACKAGE) $(TARGET)/frameworks $(BENCH)/venv

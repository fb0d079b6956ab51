# Kết Nối. Needs Go and nothing else, but for tests: they want PostgreSQL too, and install it where they can. "make"
# alone lists the targets.

GO      ?= go
BINARY  := bin/ketnoi
# gin's MessagePack codec is left out: nobody here speaks it. Debug symbols too, which makes a first build a fifth faster;
# stack traces stay readable.
TAGS    := nomsgpack
FLAGS   := -tags $(TAGS) -gcflags=all=-dwarf=false
LDFLAGS := -s -w
# Exit code 3 says loudly that there is no PostgreSQL to be had; all other tests run then.
WITH_POSTGRES = address=$$(.ci/postgres) || [ $$? = 3 ] || exit 1; KETNOI_TEST_POSTGRES="$$address"
# The same for a browser: without one, tests of pages are skipped.
WITH_BROWSER = browser=$$(.ci/browser) || [ $$? = 3 ] || exit 1; KETNOI_TEST_BROWSER="$$browser"
LINT    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.DEFAULT_GOAL := help
.PHONY: help demo build test race lint bench bench-store bench-ingest kills eval clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: build ## build, load the demo corpus, print one explained recommendation, serve
	@./$(BINARY) demo

build: ## build bin/ketnoi, a static binary
	@echo "building $(BINARY) (the first build also fetches and compiles the libraries; about a minute)"
	@CGO_ENABLED=0 GOGC=400 $(GO) build $(FLAGS) -ldflags '$(LDFLAGS)' -o $(BINARY) ./cmd/ketnoi

test: ## run all tests
	@echo "running all tests (the first run also fetches and compiles the libraries; some minutes)"
	@$(WITH_BROWSER); export KETNOI_TEST_BROWSER; $(WITH_POSTGRES) CGO_ENABLED=0 $(GO) test $(FLAGS) ./...

race: ## run all tests under the race detector (needs a C compiler)
	@$(WITH_BROWSER); export KETNOI_TEST_BROWSER; $(WITH_POSTGRES) $(GO) test -race -timeout 20m -tags $(TAGS) ./...

lint: ## check formatting, vet, and the linters with the dependency rule
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }
	$(GO) vet -tags $(TAGS) ./...
	$(GO) run $(LINT) run --build-tags $(TAGS)

bench: ## time the index beside a plain loop, the bare memory and chromem-go
	cd engine/index/peers && $(GO) run .

bench-store: ## time the PostgreSQL store beside raw pgvector and a bare copy (some minutes; see docs/scaling.md for a million)
	@.ci/postgres > /dev/null && $(GO) run -tags $(TAGS) ./engine/store/postgres/bench

bench-ingest: build ## embed by a provider with a set latency: rate, memory, 200 kills, a provider that fails (some minutes)
	@$(GO) run -tags $(TAGS) ./ingest/bench -what rate,down,kills && $(GO) run -tags $(TAGS) ./ingest/bench -what memory -latency 20ms -batch 256 -concurrency 8

kills: ## kill the writer, then the server, 200 times each, and count what is lost
	@.ci/postgres > /dev/null && $(GO) run -tags $(TAGS) ./engine/store/postgres/kills

eval: build ## measure the ranking on the demo corpus, with ablations, both directions and a report (lab/report.html)
	@./$(BINARY) demo --once > /dev/null
	@./$(BINARY) --store sqlite:ketnoi-demo.db eval --topics eval/demo/problems.jsonl --qrels eval/demo/qrels.txt --want expert,technology --weights default --weights bm25 --ablate --back --out lab

clean: ## remove what was built and the demo's store
	rm -rf bin lab ketnoi-demo.db ketnoi-demo.db-wal ketnoi-demo.db-shm

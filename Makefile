# Causeway. `make` alone lists the targets. CI runs `make check test` and nothing
# that you cannot.

GO       ?= go
PKG      ?= ./...
ARGS     ?=
TESTARGS ?=
BENCH    ?= .
FUZZTIME ?= 10s
FROM     ?=
PGBIN    ?=
OUT      ?= bin/causeway
SIGNKEY  ?=

# What is built, vetted and linted has the flags of what is published, so all of it is
# compiled once; tests, which the race detector watches, are compiled once more.
export GOFLAGS := $(strip $(shell $(GO) env GOFLAGS) -trimpath)
tools build check clients chart: export CGO_ENABLED = 0

# Not in go.mod: the linter's dependencies are not ours.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
# Rules of gosec that are not asked: names that sound like secrets (G101, G117), errors
# of Close (G104), conversions whose bounds were checked (G115), programs and files that
# the operator names (G204, G304), chance that nobody may profit from guessing (G404).
NOTASKED := G101,G104,G115,G117,G204,G304,G404
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
GOVULNDB    ?= https://vuln.go.dev

TOOLS := bin/tools
# With a database beside it; PGBIN=dir picks one of several PostgreSQL versions.
PGRUN = $(TOOLS)/pgrun $(if $(PGBIN),-bin $(PGBIN))

# The race detector needs cgo, and go env says 0 where there is no C compiler. It
# watches our code and what calls it back; inside SQLite, which is C made into Go,
# inside hashes and what reads migrations there is nothing of ours to find, and it would cost three times
# as long as all the rest.
WATCH = -race -gcflags='modernc.org/...=-race=false' -gcflags='golang.org/x/crypto/...=-race=false' -gcflags='github.com/pressly/goose/...=-race=false'
RACE  = $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),$(WATCH))

# In CI a skip is a failure, and a result of an earlier run is no result.
ifeq ($(CI),true)
SKIPCHECK = $(TOOLS)/skipcheck -strict -o bin/test.json --
COUNT     = -count=1
else
SKIPCHECK = $(TOOLS)/skipcheck -o bin/test.json --
endif

# What tests need from npm: the JavaScript clients, and what judges whether everybody
# can use the pages. bin/npm keeps it for the next run, and make clean leaves it.
# Without a network it is left out, which CI does not take.
NPM   = $(shell command -v npm 2>/dev/null)
NPMCI = npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries=1 --loglevel=error --cache $(CURDIR)/bin/npm
NONPM = $(if $(filter true,$(CI)),exit 1,{ rm -rf node_modules; echo "npm could not install what $$PWD needs: it is left out"; })
WITHNPM = $(if $(NPM),@cd $(1) && { $(NPMCI) || $(NONPM); },@echo 'no npm: $(1) is left out; install the Debian packages nodejs and npm')

# What takes longest begins first, or one processor waits for it at the end.
LONG = $(if $(filter ./...,$(PKG)),./portal ./gateway ./internal/sitetest)

# A package waits for a browser, a peer or a database for a third of its time: one more
# than there are processors keeps them busy. make check has vetted what is tested.
BESIDE = -p $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1))) -vet=off

# Modules of their own; a narrowed run leaves them out.
CLIENTS = $(if $(filter ./...,$(PKG)),clients)

# The date is the commit's: the same commit gives the same bytes.
PKGVERSION = causeway/internal/version
VERSION = $(shell git describe --tags --always --dirty 2>/dev/null)
COMMIT  = $(shell git rev-parse --verify -q HEAD 2>/dev/null)
DATE    = $(shell TZ=UTC0 git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null)
LDFLAGS = -s -w -buildid= -X $(PKGVERSION).Version=$(VERSION) -X $(PKGVERSION).Commit=$(COMMIT) -X $(PKGVERSION).Date=$(DATE)

.DEFAULT_GOAL := help
.PHONY: help build run test axe clients chart check vuln sbom release race fuzz bench soak requirements screenshots docs cover clean tools

help: ## list the targets
	@echo 'Causeway: make <target> [VARIABLE=value]'
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'PKG=./oauth/... narrows test, race, fuzz, bench, soak and cover; TESTARGS="-run Device" adds to go test.'

build: ## build bin/causeway: static, reproducible
	$(GO) build -buildvcs=false -ldflags '$(LDFLAGS)' -o $(OUT) ./cmd/causeway

run: build ## run two associated sites here; ARGS="--listen-base 9443" passes flags
	@exec bin/causeway dev $(ARGS)

test: tools axe $(CLIENTS) ## run every test on SQLite and PostgreSQL, with the race detector where there is a C compiler
	@$(if $(RACE),,echo 'no C compiler: the race detector is left out; install the Debian package gcc')
	$(PGRUN) -- $(SKIPCHECK) $(RACE) $(COUNT) $(BESIDE) -timeout 30m $(TESTARGS) $(LONG) $(PKG)

axe: ## install what judges whether everybody can use the portal's pages
	$(call WITHNPM,internal/browsertest/js)

clients: build ## run client libraries of others, unmodified, against the binary
	$(call WITHNPM,internal/clients/js)
	cd internal/clients && CAUSEWAY=$(CURDIR)/bin/causeway $(GO) test -count=1 -timeout 5m ./...

chart: build ## render the Helm chart and hold it against the types of Kubernetes
	cd internal/chart && CAUSEWAY=$(CURDIR)/bin/causeway $(GO) test -count=1 -timeout 5m ./...

check: tools ## gofmt, go vet, tidy and verified go.mod, staticcheck, gosec, licences, minimum versions
	@echo 'gofmt -l .'; files=$$(gofmt -l .) || exit 1; \
	if [ -n "$$files" ]; then echo "$$files"; echo 'not formatted: run gofmt -w on these files'; exit 1; fi
	$(GO) vet ./...
	$(GO) mod tidy -diff
	$(GO) mod verify
	$(GO) run $(STATICCHECK) ./...
	cd internal/tools/gosec && $(GO) build -o ../../../$(TOOLS)/gosec . && $(GO) vet . && $(GO) mod tidy -diff
	$(TOOLS)/gosec -skip $(NOTASKED) ./...
	$(TOOLS)/supply check
	cd internal/clients && $(GO) vet ./... && $(GO) mod tidy -diff

vuln: ## look for known vulnerabilities that our code reaches; needs the Go vulnerability database, GOVULNDB
	@curl -fsS --max-time 20 -o /dev/null '$(GOVULNDB)/index/db.json' || { \
	echo 'the vulnerability database $(GOVULNDB) cannot be reached from here: NOTHING WAS EXAMINED'; exit 1; }
	GOVULNDB='$(GOVULNDB)' $(GO) run $(GOVULNCHECK) ./...

sbom: build tools ## list what is in bin/causeway, as CycloneDX, into bin/causeway.cdx.json
	$(TOOLS)/supply sbom bin/causeway '$(VERSION)' >bin/causeway.cdx.json

release: tools ## build what is published into dist/, twice to compare; SIGNKEY=file signs it with an SSH key
	SIGNKEY='$(SIGNKEY)' .ci/release

race: tools axe ## run the tests twice, shuffled, with the race detector; fails without a C compiler
	$(PGRUN) -- env CGO_ENABLED=1 $(SKIPCHECK) $(WATCH) -shuffle=on -count=2 -timeout 40m $(TESTARGS) $(PKG)

# Without -fuzzminimizetime most time goes into making inputs smaller that found something new.
fuzz: tools ## run every fuzz target for FUZZTIME (10s) each
	@$(GO) test -list '^Fuzz' $(PKG) >bin/fuzz.list || { cat bin/fuzz.list; exit 1; }
	@awk '/^Fuzz/ { names[++n] = $$1 } $$1 == "ok" { for (i = 1; i <= n; i++) print $$2, names[i]; n = 0 }' bin/fuzz.list >bin/fuzz.targets
	@[ -s bin/fuzz.targets ] || echo 'no fuzz targets in $(PKG)'
	@set -e; while read -r pkg name; do \
		echo "$(GO) test -fuzz ^$$name\$$ -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$pkg" </dev/null; \
	done <bin/fuzz.targets

bench: tools ## run the benchmarks, with the collector set as in deploy/ and a PostgreSQL that writes durably; BENCH=regexp narrows them, CAUSEWAY_SCALE=10000 makes Scale's large site that large
	GOGC=400 $(PGRUN) -durable -- $(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 30m $(TESTARGS) $(PKG)

soak: tools ## run the Soak tests with their long counts, on a PostgreSQL that writes durably
	CAUSEWAY_SOAK=1 $(PGRUN) -durable -- $(GO) test -v -run Soak -count=1 -timeout 60m $(TESTARGS) $(PKG)

requirements: tools ## run the tests and print requirement, result, tests; FROM=bin/test.json reads the last make test
	$(if $(FROM),,$(PGRUN) -- )$(TOOLS)/requirements $(if $(FROM),-from $(FROM)) $(ARGS)

screenshots: ## draw the portal's main pages into docs/images, with Chromium
	CAUSEWAY_SCREENSHOTS=$(CURDIR)/docs/images $(GO) test -count=1 -run '^TestScreenshots$$' ./portal

docs: build ## write docs/cli.md anew, and man pages of every command into bin/man
	bin/causeway docs reference >docs/cli.md
	bin/causeway docs man bin/man

cover: tools ## measure coverage of all packages by all tests, into bin/cover.html
	$(PGRUN) -- $(SKIPCHECK) -timeout 20m -coverpkg=./... -coverprofile=bin/cover.out $(TESTARGS) $(PKG)
	$(GO) tool cover -html=bin/cover.out -o bin/cover.html
	@$(GO) tool cover -func=bin/cover.out | tail -n 1

clean: ## remove what the other targets made; what npm fetched stays
	@mkdir -p bin
	find bin -mindepth 1 -maxdepth 1 ! -name npm -exec rm -rf {} +

tools:
	@mkdir -p $(TOOLS)
	@$(GO) build -o $(TOOLS)/ ./internal/tools/pgrun ./internal/tools/requirements ./internal/tools/skipcheck ./internal/tools/supply

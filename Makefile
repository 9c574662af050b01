# Everything from a fresh machine. `make help` lists the targets; the commands behind them are `cli/redis-ha.js --help`.
.DEFAULT_GOAL := help
REDIS_HA := node cli/redis-ha.js
ENSURE := @workshop/scripts/ensure-program.sh

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.PHONY: up
up: node_modules ## Deploy stack dev with a real `pulumi up` (CONTEXT=… REGISTRY=…, else kind, else an embedded cluster)
	$(REDIS_HA) stack up

.PHONY: down
down: node_modules ## Destroy stack dev; its volumes stay for the next `make up`
	$(REDIS_HA) stack down

.PHONY: local
local: node_modules ## Run the whole topology as processes of this machine, until Ctrl-C
	$(ENSURE) redis-server redis-server redis-tools
	$(REDIS_HA) local up

.PHONY: test
test: node_modules ## Run all checks and tests; ends with "N passed, N failed"
	$(ENSURE) redis-server redis-server redis-tools
	$(ENSURE) haproxy haproxy || true
	$(ENSURE) ip iproute2 || true
	$(ENSURE) nft nftables || true
	$(ENSURE) chromium chromium || true
	$(ENSURE) promtool prometheus || true
	node_modules/.bin/node test/run.ts

.PHONY: bench
bench: node_modules ## Measure the proxy beside HAProxy and no proxy (about 6 minutes)
	$(ENSURE) redis-server redis-server redis-tools
	$(ENSURE) haproxy haproxy
	$(REDIS_HA) bench

.PHONY: release
release: node_modules ## Check, pack and tag the version of package.json; pushes nothing (ARGS=--dry-run, ARGS=--help)
	node_modules/.bin/node workshop/scripts/release.ts $(ARGS)

# The lockfile decides: a changed one installs anew. Install scripts stay off; the two packages that need theirs are named.
node_modules: package-lock.json
	@workshop/scripts/install-packages.sh

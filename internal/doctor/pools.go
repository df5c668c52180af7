package doctor

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"causeway/federation/gossip"
	"causeway/internal/config"
)

// poolKey finds the keys of a running cell among its metrics.
var poolKey = regexp.MustCompile(`(?m)^causeway_gossip_key_info\{fingerprint="([0-9a-f]+)",pool="(\w+)",primary="(\w+)"\} 1$`)

// pools looks whether the cell that runs here gossips with the keys that are in the
// files, and whether the members to join through can be reached.
func (e *examination) pools(ctx context.Context, c *config.Config) {
	metrics, err := operations(ctx, c, "/metrics")
	if err != nil {
		e.skip("gossip", "The running cell does not tell about its pools: %v", err)
		return
	}
	if c.Gossip == nil && c.Cells == nil {
		e.ok("gossip", "The site does not gossip: sites are known by their associations alone.")
	}
	if g := c.Gossip; g != nil {
		e.pool(ctx, "sites", "gossip.key_file", g.KeyFile, g.Seeds, metrics)
	}
	if p := c.Cells; p != nil {
		e.pool(ctx, "cells", "cells.key_file", p.KeyFile, p.Seeds, metrics)
	}
}

func (e *examination) pool(ctx context.Context, pool, setting, file string, seeds []string, metrics string) {
	text, err := os.ReadFile(filepath.Clean(file))
	if err == nil {
		var keys [][]byte
		if keys, err = gossip.ParseKeys(text); err == nil {
			e.poolKeys(pool, file, keys, metrics)
		}
	}
	if err != nil {
		e.fail("gossip", advice{"A cell does not start, and a reload keeps the old keys.", "causeway gossip keygen makes a key; all members of a pool have the same."}, "The keys of %s cannot be read: %v", setting, err)
	}
	var silent []string
	for _, s := range seeds {
		if reach(ctx, s) != nil {
			silent = append(silent, s)
		}
	}
	if len(seeds) > 0 && len(silent) == len(seeds) {
		e.warn("gossip", advice{"A cell that starts now finds nobody by gossip; associated sites are still reached where they were last.", "Let TCP and UDP through to the port, or name members that live."},
			"None of the members to join the pool of %s through can be reached: %v", pool, silent)
	}
}

func (e *examination) poolKeys(pool, file string, keys [][]byte, metrics string) {
	var inUse, inFile []string
	primary := ""
	for _, m := range poolKey.FindAllStringSubmatch(metrics, -1) {
		if m[2] != pool {
			continue
		}
		inUse = append(inUse, m[1])
		if m[3] == "true" {
			primary = m[1]
		}
	}
	for _, k := range keys {
		inFile = append(inFile, gossip.Fingerprint(k))
	}
	switch {
	case primary == inFile[0]:
		e.ok("gossip", "The cell gossips in the pool of %s with the keys in %s.", pool, file)
	case slices.Contains(inUse, inFile[0]):
		e.warn("gossip", stale, "The cell encrypts in the pool of %s with another key than the first in %s.", pool, file)
	default:
		e.fail("gossip", stale, "The cell gossips in the pool of %s with key %s; %s begins with %s.", pool, primary, file, inFile[0])
	}
}

var stale = advice{
	"Members with different keys do not hear each other: sites that move are not found, changes arrive late.",
	"Compare causeway gossip fingerprints at all members; SIGHUP has a cell read the file again.",
}

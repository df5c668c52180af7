package ratelimit

import (
	"net/netip"
	"slices"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// knownAccounts bounds the accounts whose sources are remembered; who has not
	// logged in for longest gives way. A source is 32 bytes.
	knownAccounts = 50_000
	// knownSources bounds the sources of one: one person cannot make the cell
	// forget others by coming from ever more addresses.
	knownSources = 8
)

// known remembers where accounts have logged in from, until the process ends.
type known struct {
	mu       sync.Mutex
	accounts *lru.LRU[string, []netip.Prefix] // the latest source last
}

func newKnown(accounts int) *known {
	l, _ := lru.NewLRU[string, []netip.Prefix](max(1, accounts), nil) // fails for sizes below one
	return &known{accounts: l}
}

func (k *known) has(account string, addr netip.Addr) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	sources, _ := k.accounts.Peek(account) // strangers who ask must not keep it
	return slices.Contains(sources, SourceOf(addr))
}

func (k *known) note(account string, addr netip.Addr) {
	source := SourceOf(addr)
	if !source.IsValid() { // all invalid addresses are one
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	before, _ := k.accounts.Peek(account)
	sources := make([]netip.Prefix, 0, knownSources)
	for _, s := range before {
		if s != source {
			sources = append(sources, s)
		}
	}
	if len(sources) == knownSources {
		sources = slices.Delete(sources, 0, 1)
	}
	k.accounts.Add(account, append(sources, source))
}

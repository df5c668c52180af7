package services

import (
	"context"
	"net/netip"
)

// AddressRules say where instances and their hooks may be. The provider alone names
// them, and still a name can lead to this host itself, or to where a cloud tells
// its secrets.
type AddressRules struct {
	// PlainHTTP allows http beside https.
	PlainHTTP bool
	// Allow judges an address after its name was resolved; nil allows none.
	Allow func(ctx context.Context, a netip.Addr) bool
}

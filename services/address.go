package services

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// AddressRules say where instances and their hooks may be. The provider alone names
// them, and still a name can lead to this host itself, or to where a cloud tells
// its secrets.
type AddressRules struct {
	// PlainHTTP allows http beside https.
	PlainHTTP bool
	// Allow judges an address; nil allows none.
	Allow func(ctx context.Context, a netip.Addr) bool
	// Networks are what Allow was made of, for people to read; none is public addresses.
	Networks []netip.Prefix
}

// ErrAddress is why a connection was not made.
var ErrAddress = errors.New("the address is in a network that the configuration does not allow")

func (r AddressRules) allows(a netip.Addr) bool {
	return r.Allow != nil && r.Allow(context.Background(), a)
}

// Dialer judges each address when the connection is made, after its name was
// resolved: a name that was well when it was set may lead elsewhere by now.
func (r AddressRules) Dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{
		Timeout: timeout, KeepAlive: 30 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !r.allows(to.Addr()) {
				return ErrAddress
			}
			return nil
		},
	}
}

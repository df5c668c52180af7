package gossip

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/memberlist"

	"causeway/federation/peer"
	"causeway/tenants"
)

// Config of a [Gossip].
type Config struct {
	Pool
	// Federation names the pool: members of another federation are not heard.
	Federation string
	Site       tenants.SiteID
	// Cell is this process's name among those of the site, the same after a restart.
	Cell string
	// PeerAddr is where peers connect to this cell: what gossip is for.
	PeerAddr string
	// Root is this site's root key; it signs what this cell says, whenever it says
	// something new.
	Root func() *ecdsa.PrivateKey
	// Trusted gives the root keys of an associated site, none of any other. It is
	// called under locks and must answer from memory.
	Trusted func(tenants.SiteID) peer.Keys
	// OnChange, if set, is told from a goroutine of ours that candidates may have
	// changed; several changes can be one call.
	OnChange func()
	// OnHint, if set, is told from the same goroutine what an associated site says
	// it has; see [Hint].
	OnHint  func(Hint)
	Now     func() time.Time
	Profile Profile // empty is WAN
}

// Profile is how patient failure detection is, and how hurried are news.
type Profile string

const (
	WAN   Profile = "wan"   // finds failures within a minute, for sites far apart
	LAN   Profile = "lan"   // within seconds, for sites side by side
	Local Profile = "local" // LAN whose news and goodbyes do not wait, for sites of one machine
)

// Hint is what a site says of itself in passing: signed, and still only worth a
// question. The numbers a site hints only grow.
type Hint struct {
	Site      tenants.SiteID
	BundleSeq uint64 // of its bundle of keys
	Head      int64  // sequence that its journal has reached
}

// label sets federations apart, and pools between sites from any within one.
func (c Config) label() string { return "cw-wan/" + c.Federation }

func (c Config) validate() error {
	errs := []error{c.Pool.validate()}
	check := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New("gossip: "+what))
		}
	}
	_, err := tenants.ParseUUID(string(c.Site))
	check(err == nil, "the site id is not a UUID")
	check(c.Federation != "" && len(c.label()) <= memberlist.LabelMaxSize, "the federation needs a name, of at most 200 bytes")
	check(c.Cell != "", "the cell needs a name")
	check(c.Root != nil && c.Root() != nil && c.Root().Curve == elliptic.P256(), "the root key must be P-256")
	check(c.Trusted != nil && c.Now != nil, "Trusted and Now are required")
	check(peer.CheckAddr(c.PeerAddr) == nil && len(c.PeerAddr) <= maxAddr, fmt.Sprintf("PeerAddr must be host:port of at most %d bytes", maxAddr))
	return errors.Join(errs...)
}

func (c Config) profile() *memberlist.Config {
	switch c.Profile {
	case LAN:
		return memberlist.DefaultLANConfig()
	case Local:
		ml := memberlist.DefaultLANConfig()
		ml.GossipInterval = 20 * time.Millisecond // a goodbye takes five of them
		return ml
	default:
		return memberlist.DefaultWANConfig()
	}
}

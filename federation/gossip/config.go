package gossip

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/hashicorp/memberlist"

	"causeway/federation/peer"
	"causeway/tenants"
)

// Config of a [Gossip].
type Config struct {
	// Federation names the pool: members of another federation are not heard.
	Federation string
	Site       tenants.SiteID
	// Cell is this process's name, the same after a restart.
	Cell string
	// Listen is ip:port for UDP and TCP; port 0 chooses one. Advertise is ip:port
	// where others reach it, if not there.
	Listen, Advertise string
	// Key is the AES-256 key of the federation. Plaintext is not spoken.
	Key []byte
	// Seeds are gossip addresses of other members, host:port. It is asked again
	// at each attempt to join.
	Seeds func() []string
	// PeerAddr is where peers connect to this cell: what gossip is for.
	PeerAddr string
	// Root is this site's root key; it signs PeerAddr.
	Root *ecdsa.PrivateKey
	// Trusted gives the root keys of an associated site, none of any other. It is
	// called under locks and must answer from memory.
	Trusted func(tenants.SiteID) peer.Keys
	Log     *slog.Logger
	// OnChange, if set, is told from a goroutine of ours that candidates may have
	// changed; several changes can be one call.
	OnChange func()
	Now      func() time.Time
	// Networks allowed as addresses of members; none allows all.
	Networks []netip.Prefix
	// LAN finds failures in seconds instead of a minute, for sites side by side.
	LAN bool
	// RejoinInterval is how often absent members are looked for. 30 s.
	RejoinInterval time.Duration
	// Transport opens another network than the host's.
	Transport func(ip string, port int) (Transport, error)

	// tune lets tests hurry.
	tune func(*memberlist.Config)
}

// label sets federations apart, and pools between sites from any within one.
func (c Config) label() string { return "cw-wan/" + c.Federation }

func (c Config) validate() error {
	var errs []error
	check := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New("gossip: "+what))
		}
	}
	_, err := tenants.ParseUUID(string(c.Site))
	check(err == nil, "the site id is not a UUID")
	check(c.Federation != "" && len(c.label()) <= memberlist.LabelMaxSize, "the federation needs a name, of at most 200 bytes")
	check(c.Cell != "", "the cell needs a name")
	check(len(c.Key) == 32, "the key must be 32 bytes")
	check(c.Root != nil && c.Root.Curve == elliptic.P256(), "the root key must be P-256")
	check(c.Trusted != nil && c.Seeds != nil && c.Now != nil, "Trusted, Seeds and Now are required")
	check(peer.CheckAddr(c.PeerAddr) == nil && len(c.PeerAddr) <= maxAddr, fmt.Sprintf("PeerAddr must be host:port of at most %d bytes", maxAddr))
	_, _, err = splitIP(c.Listen)
	check(err == nil, "Listen must be ip:port")
	if c.Advertise != "" {
		_, _, err = splitIP(c.Advertise)
		check(err == nil, "Advertise must be ip:port")
	}
	return errors.Join(errs...)
}

func splitIP(addr string) (string, int, error) {
	ap, err := netip.ParseAddrPort(addr)
	return ap.Addr().String(), int(ap.Port()), err
}

// memberlist is the library's configuration.
func (c Config) memberlist(name string) *memberlist.Config {
	ml := memberlist.DefaultWANConfig()
	if c.LAN {
		ml = memberlist.DefaultLANConfig()
	}
	ml.Name = name
	ml.Label = c.label()
	ml.SecretKey = c.Key
	ml.GossipVerifyIncoming, ml.GossipVerifyOutgoing = true, true
	ml.RequireNodeNames = true
	// Signed metas do not compress: the attempt makes them larger.
	ml.EnableCompression = false
	// What gossip packets lose only push/pull repairs, and the interval grows
	// with the number of members.
	ml.PushPullInterval = 30 * time.Second
	// Nothing of ours waits 30 s for a stream, and Stop must not.
	ml.TCPTimeout = 10 * time.Second
	ml.DeadNodeReclaimTime = 30 * time.Second
	ml.LogOutput = logWriter{c.Log}
	for _, n := range c.Networks {
		_, ipnet, err := net.ParseCIDR(n.Masked().String())
		if err == nil { // a Prefix always is one
			ml.CIDRsAllowed = append(ml.CIDRsAllowed, *ipnet)
		}
	}
	if ip, port, err := splitIP(c.Advertise); err == nil {
		ml.AdvertiseAddr, ml.AdvertisePort = ip, port
	}
	if c.tune != nil {
		c.tune(ml)
	}
	return ml
}

// logWriter passes memberlist's lines on. They are about its inner life, and
// many are somebody else's text: debug only.
type logWriter struct{ log *slog.Logger }

func (w logWriter) Write(p []byte) (int, error) {
	w.log.Debug("memberlist", "line", strconv.QuoteToGraphic(string(p[:min(len(p), 512)])))
	return len(p), nil
}

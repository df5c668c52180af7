package gossip

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

// leaveTimeout is how long Stop tries to say goodbye. Without a goodbye the
// others take up to a minute to notice.
const leaveTimeout = 2 * time.Second

// Pool is where and with which keys members speak with each other.
type Pool struct {
	// Listen is ip:port for UDP and TCP; port 0 chooses one. Advertise is ip:port
	// where others reach it, if not there.
	Listen, Advertise string
	// Keys are AES-256 keys. The first encrypts, each decrypts; see [Gossip.SetKeys].
	// Plaintext is not spoken.
	Keys [][]byte
	// Seeds are gossip addresses of other members, host:port. It is asked again
	// at each attempt to join.
	Seeds func() []string
	// Networks allowed as addresses of members; none allows all.
	Networks []netip.Prefix
	// RejoinInterval is how often absent members are looked for. 30 s.
	RejoinInterval time.Duration
	// Transport opens another network than the host's.
	Transport func(ip string, port int) (Transport, error)
	Log       *slog.Logger

	// tune lets tests hurry.
	tune func(*memberlist.Config)
}

func (p *Pool) setDefaults() {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.RejoinInterval <= 0 {
		p.RejoinInterval = 30 * time.Second
	}
}

func (p *Pool) validate() error {
	errs := []error{checkKeys(p.Keys)}
	if p.Seeds == nil {
		errs = append(errs, errors.New("gossip: Seeds is required"))
	}
	if _, _, err := splitIP(p.Listen); err != nil {
		errs = append(errs, errors.New("gossip: Listen must be ip:port"))
	}
	if _, _, err := splitIP(p.Advertise); p.Advertise != "" && err != nil {
		errs = append(errs, errors.New("gossip: Advertise must be ip:port"))
	}
	return errors.Join(errs...)
}

func splitIP(addr string) (string, int, error) {
	ap, err := netip.ParseAddrPort(addr)
	return ap.Addr().String(), int(ap.Port()), err
}

// memberlist completes one of the library's profiles.
func (p *Pool) memberlist(ml *memberlist.Config, name, label string) *memberlist.Config {
	ml.Name = name
	ml.Label = label
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
	ml.LogOutput = logWriter{p.Log}
	for _, n := range p.Networks {
		_, ipnet, err := net.ParseCIDR(n.Masked().String())
		if err == nil { // a Prefix always is one
			ml.CIDRsAllowed = append(ml.CIDRsAllowed, *ipnet)
		}
	}
	if ip, port, err := splitIP(p.Advertise); err == nil {
		ml.AdvertiseAddr, ml.AdvertisePort = ip, port
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

// absence tells whom to look for: the gossip addresses of living members, and of
// those that should be there and are not.
type absence func() (living map[string]bool, gone []string)

// membership is this process's place in one pool.
type membership struct {
	pool      Pool
	keys      *keyring
	conflicts atomic.Int64
	unjoined  atomic.Int64 // attempts that reached nobody
	heard     atomic.Int64 // hints

	mu      sync.Mutex
	started bool
	list    *memberlist.Memberlist // nil before start and after Stop
	addr    string
	cancel  context.CancelFunc
	run     sync.WaitGroup
}

// start listens and begins to look for others. It does not wait for any. more
// runs until Stop. Once only: a restart is a new boot, and a new membership.
func (m *membership) start(ml *memberlist.Config, who absence, more ...func(context.Context)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started {
		return errors.New("gossip: started before")
	}
	m.started = true
	ctx, cancel := context.WithCancel(context.Background())
	list, err := m.create(ctx, ml)
	if err != nil {
		cancel()
		return err
	}
	m.list, m.addr, m.cancel = list, list.LocalNode().Address(), cancel
	m.run.Go(func() { m.joinForever(ctx, list, who) })
	for _, f := range more {
		m.run.Go(func() { f(ctx) })
	}
	return nil
}

func (m *membership) create(ctx context.Context, ml *memberlist.Config) (*memberlist.Memberlist, error) {
	ip, port, err := splitIP(m.pool.Listen)
	if err != nil {
		return nil, err
	}
	open := m.pool.Transport
	if open == nil {
		open = func(ip string, port int) (Transport, error) { return listen(ctx, ip, port, logWriter{m.pool.Log}) }
	}
	t, err := open(ip, port)
	if err != nil {
		return nil, err
	}
	ml.Keyring = m.keys.ring
	ml.Transport = t
	ml.BindAddr, ml.BindPort = ip, t.GetAutoBindPort()
	if m.pool.Advertise == "" {
		ml.AdvertisePort = ml.BindPort
	}
	if m.pool.tune != nil {
		m.pool.tune(ml)
	}
	if err := allowsSelf(t, ml); err != nil {
		return nil, errors.Join(err, t.Shutdown())
	}
	list, err := memberlist.Create(ml)
	if err != nil {
		return nil, errors.Join(err, t.Shutdown())
	}
	return list, nil
}

// allowsSelf: memberlist would refuse this cell like any other, and then panic
// where it looks itself up.
func allowsSelf(t Transport, ml *memberlist.Config) error {
	ip, _, err := t.FinalAdvertiseAddr(ml.AdvertiseAddr, ml.AdvertisePort)
	if err != nil {
		return err
	}
	return ml.IPAllowed(ip)
}

// members is the list while it runs, else nil.
func (m *membership) members() *memberlist.Memberlist {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.list
}

// Stop says goodbye and waits until nothing of ours runs any more.
func (m *membership) Stop() error {
	m.mu.Lock()
	list := m.list
	m.list = nil
	m.mu.Unlock()
	if list == nil {
		return nil
	}
	m.cancel()
	m.run.Wait()
	return errors.Join(list.Leave(leaveTimeout), list.Shutdown())
}

// Addr is where this cell's gossip is reached; empty before Start.
func (m *membership) Addr() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.addr
}

// SetKeys takes over other keys while it runs: the first encrypts from now on,
// each decrypts, and what is not among them is forgotten.
func (m *membership) SetKeys(keys [][]byte) error { return m.keys.set(keys) }

// Keys are the fingerprints of the keys, that of the one that encrypts first.
func (m *membership) Keys() []string { return m.keys.fingerprints() }

package gossip

import (
	"bytes"
	"crypto/ecdsa"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
	"go.uber.org/goleak"

	"causeway/internal/porttest"
	"causeway/tenants"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var poolKey = bytes.Repeat([]byte{7}, 32)

func signer(root *ecdsa.PrivateKey) func() *ecdsa.PrivateKey {
	return func() *ecdsa.PrivateKey { return root }
}

// hurried is a pool on loopback that finds out quickly.
func hurried() Pool {
	return Pool{
		Listen: "127.0.0.1:0", Keys: [][]byte{poolKey}, Seeds: func() []string { return nil }, RejoinInterval: 50 * time.Millisecond,
		tune: func(c *memberlist.Config) {
			c.GossipInterval, c.ProbeInterval, c.ProbeTimeout = 10*time.Millisecond, 100*time.Millisecond, 50*time.Millisecond
			c.SuspicionMult, c.SuspicionMaxTimeoutMult = 1, 1
		},
	}
}

// node is a Gossip on loopback, in a hurry.
type node struct {
	*Gossip
	changed chan struct{}
}

func start(t *testing.T, site tenants.SiteID, root *ecdsa.PrivateKey, k keys, tweak func(*Config)) *node {
	t.Helper()
	n := &node{changed: make(chan struct{}, 1)}
	cfg := Config{
		Pool: hurried(), Federation: "test", Site: site, Cell: "cell", PeerAddr: "peer.example:1",
		Root: signer(root), Trusted: k.trusted, Now: time.Now, Profile: LAN, OnChange: func() { poke(n.changed) },
	}
	if tweak != nil {
		tweak(&cfg)
	}
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Start(); err != nil {
		t.Fatal(err)
	}
	n.Gossip = g
	t.Cleanup(func() {
		if err := g.Stop(); err != nil && !strings.Contains(err.Error(), "leave broadcast") {
			t.Error(err)
		}
	})
	return n
}

// eventually waits for a condition, looking again when n changed (and now and
// then, for what is not a change).
func (n *node) eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(8 * time.Second)
	defer deadline.Stop()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for !ok() {
		select {
		case <-n.changed:
		case <-poll.C:
		case <-deadline.C:
			t.Fatalf("never: %s (candidates A %q, B %q; %+v)", what, n.Candidates(siteA), n.Candidates(siteB), n.Stats())
		}
	}
}

func (n *node) has(site tenants.SiteID, want ...string) func() bool {
	return func() bool { return slices.Equal(n.Candidates(site), want) }
}

func seeds(n *node) func(*Config) {
	return func(c *Config) { addr := n.Addr(); c.Seeds = func() []string { return []string{addr} } }
}

func with(fs ...func(*Config)) func(*Config) {
	return func(c *Config) {
		for _, f := range fs {
			f(c)
		}
	}
}

func addr(a string) func(*Config) { return func(c *Config) { c.PeerAddr = a } }

// kill ends a node like a crash: without a goodbye.
func (n *node) kill() {
	n.mu.Lock()
	list := n.list
	n.list = nil
	n.mu.Unlock()
	n.cancel()
	n.run.Wait() // without the lock: what is waited for takes it
	list.Shutdown()
}

func TestSitesFindEachOtherAndMove_R11(t *testing.T) {
	rootA, rootB := newKey(t), newKey(t)
	k := keys{siteA: rootA, siteB: rootB}
	a := start(t, siteA, rootA, k, addr("a.example:1"))
	b := start(t, siteB, rootB, k, with(seeds(a), addr("b.example:1")))
	a.eventually(t, "A knows B", a.has(siteB, "b.example:1"))
	b.eventually(t, "B knows A", b.has(siteA, "a.example:1"))

	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	a.eventually(t, "A saw B leave", func() bool { return a.Stats().Members == 0 })
	again := start(t, siteB, rootB, k, with(seeds(a), addr("b.example:2")))
	a.eventually(t, "A knows where B went", a.has(siteB, "b.example:2"))

	// After a crash nobody has said goodbye, and the new boot does not wait.
	again.kill()
	start(t, siteB, rootB, k, with(seeds(a), addr("b.example:3")))
	a.eventually(t, "A knows where B restarted", a.has(siteB, "b.example:3"))
}

// TestFalseMembersYieldNoCandidate_R11: both hold the gossip key.
func TestFalseMembersYieldNoCandidate_R11(t *testing.T) {
	rootA, rootB, rootC := newKey(t), newKey(t), newKey(t)
	k := keys{siteA: rootA, siteB: rootB}
	a := start(t, siteA, rootA, k, nil)
	start(t, siteB, newKey(t), k, with(seeds(a), addr("evil.example:1")))
	a.eventually(t, "A refused the false B", func() bool { return a.Stats().Rejected > 0 })
	start(t, siteC, rootC, keys{siteC: rootC}, with(seeds(a), addr("stranger.example:1")))
	a.eventually(t, "A met C", func() bool { return a.Stats().Members == 1 })
	if got := append(a.Candidates(siteB), a.Candidates(siteC)...); len(got) != 0 {
		t.Fatalf("candidates %q", got)
	}
	start(t, siteB, rootB, k, with(seeds(a), addr("b.example:1")))
	a.eventually(t, "the true B still gets in", a.has(siteB, "b.example:1"))
}

func TestOtherPoolsAreNotHeard_R11(t *testing.T) {
	rootA, rootB := newKey(t), newKey(t)
	k := keys{siteA: rootA, siteB: rootB}
	a := start(t, siteA, rootA, k, nil)
	for name, tweak := range map[string]func(*Config){
		"another key":        func(c *Config) { c.Keys = [][]byte{bytes.Repeat([]byte{8}, 32)} },
		"another federation": func(c *Config) { c.Federation = "other" },
		"plaintext": func(c *Config) {
			tune := c.tune
			c.tune = func(ml *memberlist.Config) { tune(ml); ml.Keyring = nil }
		},
	} {
		b := start(t, siteB, rootB, k, tweak)
		if _, err := b.list.Join([]string{"seed/" + a.Addr()}); err == nil {
			t.Errorf("%s: joined", name)
		}
	}
	if s := a.Stats(); s.Members != 0 || len(a.Candidates(siteB)) != 0 {
		t.Fatalf("%+v", s)
	}
}

// place is an address that nobody takes while a node is down, and the node there.
func place(t *testing.T) (string, func(*Config)) {
	where := fmt.Sprintf("127.0.0.1:%d", porttest.Base(t))
	return where, func(c *Config) { c.Listen = where }
}

// TestRejoin_R10_R11: a seed that comes up later, and a peer found dead, are
// looked for without anybody's hands.
func TestRejoin_R10_R11(t *testing.T) {
	rootA, rootB := newKey(t), newKey(t)
	k := keys{siteA: rootA, siteB: rootB}
	where, same := place(t)
	b := start(t, siteB, rootB, k, with(same, addr("b.example:1")))
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	a := start(t, siteA, rootA, k, func(c *Config) { c.Seeds = func() []string { return []string{where} } })
	b = start(t, siteB, rootB, k, with(same, addr("b.example:2")))
	a.eventually(t, "A found the late seed", a.has(siteB, "b.example:2"))

	b.kill()
	a.eventually(t, "A found B dead", func() bool { return a.Stats().Members == 0 })
	if !a.has(siteB, "b.example:2")() {
		t.Fatal("an address is forgotten on gossip's word")
	}
	start(t, siteB, rootB, k, with(same, addr("b.example:3")))
	a.eventually(t, "A found B again", a.has(siteB, "b.example:3"))
}

func TestRejoinOfDeadPeersNeedsNoSeed_R10_R11(t *testing.T) {
	rootA, rootB := newKey(t), newKey(t)
	k := keys{siteA: rootA, siteB: rootB}
	a := start(t, siteA, rootA, k, nil)
	_, same := place(t)
	b := start(t, siteB, rootB, k, with(same, seeds(a), addr("b.example:1")))
	a.eventually(t, "A knows B", a.has(siteB, "b.example:1"))
	b.kill()
	a.eventually(t, "A found B dead", func() bool { return a.Stats().Members == 0 })
	start(t, siteB, rootB, k, with(same, addr("b.example:2"))) // knows nobody
	a.eventually(t, "A found B again", a.has(siteB, "b.example:2"))
}

func TestConfigIsChecked_R11(t *testing.T) {
	good := Config{
		Pool:       Pool{Listen: "127.0.0.1:0", Keys: [][]byte{poolKey}, Seeds: func() []string { return nil }},
		Federation: "f", Site: siteA, Cell: "c", PeerAddr: "a:1", Root: signer(newKey(t)), Trusted: keys{}.trusted, Now: time.Now,
	}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"plaintext": func(c *Config) { c.Keys = nil }, "AES-128": func(c *Config) { c.Keys = [][]byte{poolKey[:16]} },
		"a key twice": func(c *Config) { c.Keys = [][]byte{poolKey, poolKey} }, "many keys": func(c *Config) { c.Keys = manyKeys(maxKeys + 1) },
		"no federation": func(c *Config) { c.Federation = "" }, "long federation": func(c *Config) { c.Federation = strings.Repeat("f", 250) },
		"no root": func(c *Config) { c.Root = nil }, "site": func(c *Config) { c.Site = "a" }, "cell": func(c *Config) { c.Cell = "" },
		"peer address": func(c *Config) { c.PeerAddr = "a" }, "long peer address": func(c *Config) { c.PeerAddr = strings.Repeat("a", maxAddr) + ":1" },
		"listen": func(c *Config) { c.Listen = "localhost:1" }, "advertise": func(c *Config) { c.Advertise = "x" }, "trusted": func(c *Config) { c.Trusted = nil },
	} {
		cfg := good
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	ml := good.Pool.memberlist(good.profile(), "n", good.label())
	if ml.EnableCompression || !ml.GossipVerifyIncoming || !ml.GossipVerifyOutgoing || !ml.RequireNodeNames ||
		ml.PushPullInterval != 30*time.Second || ml.DeadNodeReclaimTime != 30*time.Second || ml.Label != "cw-wan/f" || ml.ProbeInterval != 5*time.Second {
		t.Errorf("%+v", ml)
	}
}

func TestStopWhileJoining_R13(t *testing.T) {
	root := newKey(t)
	var once sync.Once
	asked := make(chan struct{})
	// An address that is not routed: connecting to it hangs or fails, either way
	// Stop must not wait for long.
	a := start(t, siteA, root, keys{}, func(c *Config) {
		c.Seeds = func() []string { once.Do(func() { close(asked) }); return []string{"192.0.2.1:1", "192.0.2.2:1"} }
	})
	<-asked
	begin := time.Now()
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Fatal(took)
	}
	if err := a.Start(); err == nil {
		t.Fatal("started twice")
	}
}

package gossip

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"causeway/tenants"
)

func TestAnnounce_R4_HintsReachAssociatedSites(t *testing.T) {
	rootA, rootB, rootC := newKey(t), newKey(t), newKey(t)
	hints := make(chan Hint, 100)
	tell := func(c *Config) { c.OnHint = func(h Hint) { hints <- h } }
	a := start(t, siteA, rootA, keys{siteB: rootB}, tell) // C is a stranger
	b := start(t, siteB, rootB, keys{siteA: rootA}, seeds(a))
	c := start(t, siteC, rootC, keys{siteA: rootA}, seeds(a))
	a.eventually(t, "A met both", func() bool { return a.Stats().Members == 2 })
	await := func(want Hint) {
		t.Helper()
		limit := time.After(8 * time.Second)
		for {
			select {
			case h := <-hints:
				if h.Site != siteB {
					t.Fatalf("a stranger hints: %+v", h)
				}
				if h == want {
					return
				}
			case <-limit:
				t.Fatalf("never told %+v", want)
			}
		}
	}
	c.Announce(9, 9)
	b.Announce(1, 70)
	await(Hint{siteB, 1, 70})
	// Many changes at once are few announcements, and the last is among them.
	before := b.said.Load().seq
	for head := range int64(500) {
		b.Announce(2, 70+head)
	}
	await(Hint{siteB, 2, 569})
	if n := b.said.Load().seq - before; n > 2 {
		t.Errorf("%d announcements of 500 changes in a moment", n)
	}
	if got := b.said.Load(); len(got.raw) > maxMeta {
		t.Errorf("%d bytes", len(got.raw))
	}
	a.eventually(t, "still a candidate", a.has(siteB, "peer.example:1"))
}

func TestAnnouncePauseGrowsWithTheFederation(t *testing.T) {
	tab := newTestTable(keys{})
	if p := tab.pause(); p != minPause {
		t.Errorf("alone: %s", p)
	}
	for i := range 299 {
		m := meta{site: siteNumber(i), boot: 1}
		tab.put(m.name(), &member{meta: m, alive: true})
	}
	if p := tab.pause(); p != 2*time.Minute {
		t.Errorf("300 sites: %s, want all of them at 2.5 a second", p)
	}
}

// TestGossipContents_I7: whatever members say, forged, replayed, cut or mixed up,
// a site's candidates are addresses that its own key has signed, nobody else's
// change with them, and a hint is nothing but a number that grew.
func TestGossipContents_I7(t *testing.T) {
	k := keys{siteB: newKey(t)}
	forger := newKey(t)
	tab := newTestTable(k)
	random := rand.New(rand.NewPCG(1, 2))
	honest := map[string]bool{}
	var highest Hint
	var heard [][]byte // to replay
	for round := range 3000 {
		m := meta{
			site: []tenants.SiteID{siteB, siteC}[random.IntN(2)], cell: newCellID(string(rune('a' + random.IntN(4)))),
			boot: uint64(random.IntN(20)), seq: uint32(random.IntN(20)), bundleSeq: uint64(random.IntN(1000)), head: random.Int64N(1 << 40),
		}
		root := k[siteB]
		switch random.IntN(4) {
		case 0: // the truth
			m.addr = "b.example:" + string(rune('1'+random.IntN(9)))
			if m.site == siteB {
				honest[m.addr] = true
			}
		default:
			root, m.addr = forger, "evil.example:1"
		}
		name, raw := m.name(), encode(t, m, root)
		if m.site == siteB && root == k[siteB] {
			highest.BundleSeq, highest.Head = max(highest.BundleSeq, m.bundleSeq), max(highest.Head, m.head)
		}
		switch random.IntN(6) {
		case 0:
			raw[random.IntN(len(raw))] ^= byte(1 + random.IntN(255))
		case 1:
			raw = raw[:random.IntN(len(raw))]
		case 2:
			if len(heard) > 0 {
				raw = heard[random.IntN(len(heard))]
			}
		}
		heard = append(heard, raw)
		if random.IntN(5) == 0 { // past memberlist's question
			tab.up(name, raw, "gossip:1")
		} else if tab.admit(name, raw) == nil {
			tab.up(name, raw, "gossip:1")
		}
		if random.IntN(4) == 0 {
			tab.down(name)
		}
		for _, addr := range tab.candidates(siteB) {
			if !honest[addr] {
				t.Fatalf("round %d: candidate %q", round, addr)
			}
		}
		if got := tab.candidates(siteC); len(got) != 0 {
			t.Fatalf("round %d: candidates of a stranger: %q", round, got)
		}
		for _, h := range tab.hinted() {
			if h.Site != siteB || h.BundleSeq > highest.BundleSeq || h.Head > highest.Head {
				t.Fatalf("round %d: hint %+v, the site said at most %+v", round, h, highest)
			}
		}
	}
	if got := tab.candidates(siteB); len(got) == 0 || !slices.ContainsFunc(got, func(a string) bool { return honest[a] }) {
		t.Error("the test has seen no truth")
	}
}

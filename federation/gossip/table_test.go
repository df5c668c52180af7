package gossip

import (
	"crypto/ecdsa"
	"fmt"
	"slices"
	"testing"

	"causeway/federation/peer"
	"causeway/tenants"
)

// keys are the associated sites.
type keys map[tenants.SiteID]*ecdsa.PrivateKey

func (k keys) trusted(site tenants.SiteID) peer.Keys {
	key, ok := k[site]
	if !ok {
		return nil
	}
	return peer.NewKeys(&key.PublicKey)
}

func newTestTable(k keys) *table { return newTable("self", label, k.trusted) }

// hear is an alive message, as memberlist hands it on.
func hear(t *testing.T, tab *table, m meta, root *ecdsa.PrivateKey) error {
	t.Helper()
	raw := encode(t, m, root)
	if err := tab.admit(m.name(), raw); err != nil {
		return err
	}
	tab.up(m.name(), raw, "gossip:"+m.addr)
	return nil
}

func siteNumber(i int) tenants.SiteID {
	return tenants.SiteID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i))
}

func wantCandidates(t *testing.T, tab *table, site tenants.SiteID, want ...string) {
	t.Helper()
	if got := tab.candidates(site); !slices.Equal(got, want) {
		t.Fatalf("candidates %q, want %q", got, want)
	}
}

func at(cell string, boot uint64, addr string) meta {
	return meta{site: siteB, cell: newCellID(cell), boot: boot, addr: addr}
}

func TestOnlySignedAddressesOfAssociatedSites_R11(t *testing.T) {
	k := keys{siteB: newKey(t)}
	tab := newTestTable(k)
	forged := at("1", 1, "evil:1")
	if err := hear(t, tab, forged, newKey(t)); err == nil {
		t.Error("a forged meta was taken in")
	}
	renamed := encode(t, at("1", 1, "west:1"), k[siteB])
	if err := tab.admit("another name", renamed); err == nil {
		t.Error("a meta under another's name was taken in")
	}
	wantCandidates(t, tab, siteB)

	stranger := meta{site: siteC, boot: 1, addr: "c:1"}
	if err := hear(t, tab, stranger, newKey(t)); err != nil {
		t.Errorf("a member of the federation was refused: %v", err)
	}
	wantCandidates(t, tab, siteC)

	if err := hear(t, tab, at("1", 1, "west:1"), k[siteB]); err != nil {
		t.Fatal(err)
	}
	wantCandidates(t, tab, siteB, "west:1")
	delete(k, siteB) // the association ends
	wantCandidates(t, tab, siteB)
	if _, rejected := tab.counts(); rejected != 2 {
		t.Errorf("%d rejected", rejected)
	}
}

// TestAssociatingLater_R11: members are known before their site is associated;
// what a stranger said must be verified then.
func TestAssociatingLater_R11(t *testing.T) {
	root := newKey(t)
	k := keys{}
	tab := newTestTable(k)
	hear(t, tab, at("1", 1, "west:1"), root)
	hear(t, tab, at("2", 9, "evil:1"), newKey(t))
	k[siteB] = root
	wantCandidates(t, tab, siteB, "west:1")
	k[siteB] = newKey(t) // and not by a key it does not have any more
	wantCandidates(t, tab, siteB)
}

// TestForgedSuccessorOfATrueEntry_R11 has the name and the boot of one that was
// verified before.
func TestForgedSuccessorOfATrueEntry_R11(t *testing.T) {
	k := keys{siteB: newKey(t)}
	tab := newTestTable(k)
	hear(t, tab, at("1", 1, "west:1"), k[siteB])
	forged := at("1", 1, "evil:1")
	forged.seq = 1
	if err := hear(t, tab, forged, newKey(t)); err == nil {
		t.Error("taken in")
	}
	wantCandidates(t, tab, siteB, "west:1")
}

func TestOldAddressesDoNotComeBack_R11(t *testing.T) {
	k := keys{siteB: newKey(t)}
	tab := newTestTable(k)
	old, restarted := at("1", 1, "old:1"), at("1", 2, "new:1")
	hear(t, tab, old, k[siteB])
	hear(t, tab, restarted, k[siteB])
	wantCandidates(t, tab, siteB, "new:1")
	tab.down(restarted.name())
	if err := hear(t, tab, old, k[siteB]); err == nil {
		t.Error("a replayed meta was taken in")
	}
	wantCandidates(t, tab, siteB, "new:1") // dead by gossip's word is a last resort
	again := restarted
	again.seq++
	again.addr = "moved:1"
	if err := hear(t, tab, again, k[siteB]); err != nil {
		t.Fatal(err)
	}
	if err := hear(t, tab, restarted, k[siteB]); err == nil {
		t.Error("a lower sequence was taken in")
	}
	wantCandidates(t, tab, siteB, "moved:1")
}

func TestLivingFirst_R11(t *testing.T) {
	k := keys{siteB: newKey(t)}
	tab := newTestTable(k)
	for i := range 3 {
		hear(t, tab, at(fmt.Sprint(i), uint64(i), fmt.Sprintf("west:%d", i+1)), k[siteB])
	}
	wantCandidates(t, tab, siteB, "west:3", "west:2", "west:1")
	tab.down(at("2", 2, "west:3").name())
	wantCandidates(t, tab, siteB, "west:2", "west:1", "west:3")
	living, gone := tab.rejoin()
	if len(living) != 2 || !slices.Equal(gone, []string{"gossip:west:3"}) {
		t.Fatal(living, gone)
	}
	delete(k, siteB)
	if _, gone := tab.rejoin(); len(gone) != 0 {
		t.Fatal("looks for members of a site that is not associated")
	}
}

func TestTableIsBounded_R11_R13(t *testing.T) {
	k := keys{siteB: newKey(t)}
	tab := newTestTable(k)
	root := newKey(t)
	for i := range maxMembers {
		m := meta{site: siteNumber(i), boot: 1, addr: "x:1"}
		tab.put(m.name(), &member{meta: m, alive: true})
	}
	if err := hear(t, tab, meta{site: siteC, boot: 1, addr: "c:1"}, root); err == nil {
		t.Error("no bound to strangers")
	}
	for i := range maxPerSite {
		if err := hear(t, tab, at(fmt.Sprint(i), 1, "west:1"), k[siteB]); err != nil {
			t.Fatalf("strangers took an associated site's room: %v", err)
		}
	}
	if err := hear(t, tab, at("one more", 1, "west:1"), k[siteB]); err == nil {
		t.Error("no bound to a site's cells")
	}
	if err := hear(t, tab, at("0", 2, "west:2"), k[siteB]); err != nil {
		t.Errorf("a cell could not restart: %v", err)
	}
	if n := len(tab.candidates(siteB)); n > maxAnswers {
		t.Errorf("%d candidates", n)
	}
	for i := range maxPerSite + 1 {
		m := meta{site: siteNumber(i), boot: 1}
		tab.down(m.name())
	}
	if err := hear(t, tab, meta{site: siteC, boot: 1, addr: "c:1"}, root); err != nil {
		t.Errorf("room is not given back: %v", err)
	}
}

// TestRestartsUnderNewNamesDoNotFillTheRoom_R11: containers have a new name at each.
func TestRestartsUnderNewNamesDoNotFillTheRoom_R11(t *testing.T) {
	k := keys{siteB: newKey(t)}
	tab := newTestTable(k)
	for i := range 3 * maxPerSite {
		m := at(fmt.Sprint("pod-", i), uint64(i+1), fmt.Sprintf("west:%d", i+1))
		if err := hear(t, tab, m, k[siteB]); err != nil {
			t.Fatalf("restart %d: %v", i, err)
		}
		if got := tab.candidates(siteB); got[0] != m.addr {
			t.Fatalf("restart %d: candidates %q", i, got)
		}
		tab.down(m.name())
		if n := len(tab.sites[siteB]); n > maxPerSite {
			t.Fatalf("%d entries", n)
		}
	}
}

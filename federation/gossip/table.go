package gossip

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"errors"
	"slices"
	"sync"

	"causeway/federation/peer"
	"causeway/tenants"
)

// Bounds on what members can make us remember. A site that is associated always
// has its room: strangers, who may all be one holder of the gossip key, cannot
// take it.
const (
	maxMembers = 4096 // beyond this only of associated sites
	maxPerSite = 32
	// maxStrangers is more: before its association nobody knows which are a site's.
	maxStrangers = 256
	maxAnswers   = 8
)

// member is one entry of the table.
type member struct {
	meta
	raw    []byte
	gossip string // address of its memberlist
	alive  bool
	// signer is the key that verified raw, nil before; unsigned are those that did
	// not. Requests ask, so no signature is checked twice.
	signer   *ecdsa.PublicKey
	unsigned peer.Keys
}

// table is our own view of the members, fed by memberlist's callbacks. Those run
// under memberlist's lock, so nothing here may call back into it.
type table struct {
	self    string
	label   string
	trusted func(tenants.SiteID) peer.Keys

	mu       sync.Mutex
	members  map[string]*member
	sites    map[tenants.SiteID]map[string]*member // the same, by site
	hints    map[tenants.SiteID]Hint               // the highest of each associated site
	untold   map[tenants.SiteID]bool               // hints that hinted has not returned
	rejected int
}

func newTable(self, label string, trusted func(tenants.SiteID) peer.Keys) *table {
	return &table{self: self, label: label, trusted: trusted,
		members: map[string]*member{}, sites: map[tenants.SiteID]map[string]*member{},
		hints: map[tenants.SiteID]Hint{}, untold: map[tenants.SiteID]bool{}}
}

func (t *table) put(name string, m *member) {
	t.members[name] = m
	if t.sites[m.site] == nil {
		t.sites[m.site] = map[string]*member{}
	}
	t.sites[m.site][name] = m
}

func (t *table) drop(name string, m *member) {
	delete(t.members, name)
	if delete(t.sites[m.site], name); len(t.sites[m.site]) == 0 {
		delete(t.sites, m.site)
	}
}

// admit judges an alive message before memberlist takes it in. What it refuses
// can neither replace a true entry nor be gossiped on by us.
func (t *table) admit(name string, raw []byte) error {
	if name == t.self {
		return nil // memberlist refutes what others say of us; a refusal would hide it
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	err := t.judge(name, raw)
	if err != nil {
		t.rejected++
	}
	return err
}

func (t *table) judge(name string, raw []byte) error {
	m, err := decode(raw)
	if err != nil {
		return err
	}
	if m.name() != name {
		return errors.New("gossip: the name is not the meta's")
	}
	known := t.members[name]
	keys := t.trusted(m.site)
	if len(keys) == 0 {
		// Members of sites that are not associated with ours still belong to the
		// federation: others need them, and they us, to pass messages on.
		if known == nil && (len(t.members) >= maxMembers || len(t.sites[m.site]) >= maxStrangers) {
			return errors.New("gossip: too many members")
		}
		return nil
	}
	if t.signer(known, raw, keys) == nil {
		return errors.New("gossip: not signed by the site's root key")
	}
	latest, cells := t.latest(m.site, m.cell)
	if latest != nil && latest.newer(m) {
		return errors.New("gossip: out of date")
	}
	if latest == nil && cells >= maxPerSite && t.longGone(m.site) == nil {
		return errors.New("gossip: too many cells of one site")
	}
	return nil
}

// signer is the key that verifies raw, nil if none does. What known holds was
// judged before: every push/pull brings the same metas again.
func (t *table) signer(known *member, raw []byte, keys peer.Keys) *ecdsa.PublicKey {
	if len(keys) == 0 {
		return nil
	}
	if known != nil && bytes.Equal(known.raw, raw) {
		if known.signer != nil && keys.Have(known.signer) {
			return known.signer
		}
		if slices.EqualFunc(known.unsigned, keys, func(a, b peer.Key) bool { return a.Equal(b.PublicKey) }) {
			return nil
		}
	}
	for _, k := range keys {
		if verify(t.label, raw, k.PublicKey) {
			return k.PublicKey
		}
	}
	return nil
}

// judged notes in m who signed it.
func (m *member) judged(signer *ecdsa.PublicKey, keys peer.Keys) {
	if m.signer = signer; signer == nil {
		m.unsigned = keys
	}
}

// latest is the newest entry of a cell that its site signed, and how many cells
// the site has.
func (t *table) latest(site tenants.SiteID, cell cellID) (newest *member, cells int) {
	for _, m := range t.sites[site] {
		if m.signer == nil {
			continue
		}
		cells++
		if m.cell == cell && (newest == nil || m.newer(newest.meta)) {
			newest = m
		}
	}
	return newest, cells
}

// up records a member that memberlist took in.
func (t *table) up(name string, raw []byte, gossip string) {
	m, err := decode(raw)
	if err != nil || name == t.self {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e := &member{meta: m, raw: bytes.Clone(raw), gossip: gossip, alive: true}
	keys := t.trusted(m.site)
	if e.judged(t.signer(t.members[name], raw, keys), keys); e.signer != nil {
		t.supersede(e)
		t.hint(e.meta)
	}
	t.put(name, e)
}

// hint keeps what a site's signed meta says it has, if that is more than before.
func (t *table) hint(m meta) {
	last, known := t.hints[m.site]
	h := Hint{Site: m.site, BundleSeq: max(last.BundleSeq, m.bundleSeq), Head: max(last.Head, m.head)}
	if h != last || !known {
		t.hints[m.site], t.untold[m.site] = h, true
	}
}

// hinted are the hints that are new since the last call.
func (t *table) hinted() []Hint {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []Hint
	for site := range t.untold {
		found = append(found, t.hints[site])
	}
	clear(t.untold)
	return found
}

// supersede drops older entries of the same cell; of a signed one only, since
// without a signature "newer" is anybody's word.
func (t *table) supersede(e *member) {
	for name, old := range t.sites[e.site] {
		if old.cell == e.cell && e.newer(old.meta) {
			t.drop(name, old)
		}
	}
	if same, cells := t.latest(e.site, e.cell); same == nil && cells >= maxPerSite {
		if old := t.longGone(e.site); old != nil {
			t.drop(old.name(), old)
		}
	}
}

// longGone is the oldest of a site's cells that are gone: where each restart has a
// new name, as in containers, they would fill the site's room.
func (t *table) longGone(site tenants.SiteID) (oldest *member) {
	for _, m := range t.sites[site] {
		if m.signer != nil && !m.alive && (oldest == nil || m.boot < oldest.boot) {
			oldest = m
		}
	}
	return oldest
}

// down records a member that left or died. One of an associated site is kept: a
// death told by gossip may be false, and its address may be all we know after a
// long partition. A stranger is forgotten.
func (t *table) down(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.members[name]
	if m == nil {
		return
	}
	if m.alive = false; m.signer == nil {
		t.drop(name, m)
	}
}

// candidates lists a site's addresses, the living and the latest first.
func (t *table) candidates(site tenants.SiteID) []string {
	keys := t.trusted(site)
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []*member
	for _, m := range t.sites[site] {
		if m.judged(t.signer(m, m.raw, keys), keys); m.signer != nil {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b *member) int {
		if a.alive != b.alive {
			if a.alive {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.boot, a.boot), bytes.Compare(a.cell[:], b.cell[:]))
	})
	var addrs []string
	for i, m := range found {
		older := slices.ContainsFunc(found[:i], func(o *member) bool { return o.cell == m.cell && o.newer(m.meta) })
		if !older && !slices.Contains(addrs, m.addr) && len(addrs) < maxAnswers {
			addrs = append(addrs, m.addr)
		}
	}
	return addrs
}

// rejoin lists the gossip addresses of living members, and those of associated
// sites' members that are gone.
func (t *table) rejoin() (living map[string]bool, gone []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	living = map[string]bool{}
	for name, m := range t.members {
		if m.alive {
			living[m.gossip] = true
		} else if len(t.trusted(m.site)) > 0 {
			gone = append(gone, m.gossip)
		} else {
			t.drop(name, m) // no longer associated
		}
	}
	for site := range t.hints {
		if len(t.trusted(site)) == 0 {
			delete(t.hints, site)
		}
	}
	slices.Sort(gone)
	return living, gone
}

func (t *table) counts() (alive, rejected int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.members {
		if m.alive {
			alive++
		}
	}
	return alive, t.rejected
}

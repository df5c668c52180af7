package contact

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"encoding/json"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/upkeep"
	"causeway/tenants"
)

const (
	west = tenants.SiteID("11111111-1111-4111-8111-111111111111")
	east = tenants.SiteID("22222222-2222-4222-8222-222222222222")
	orgW = tenants.OrgID("aaaaaaaa-0000-4000-8000-000000000001")
	orgE = tenants.OrgID("bbbbbbbb-0000-4000-8000-000000000001")
)

// memory is a site's rows, its journal and its lease, kept in memory: what is
// tested is when they change. It tells its followers at the commit.
type memory struct {
	mu        sync.Mutex
	sites     map[tenants.SiteID]federation.SiteAssociation
	orgs      map[federation.Pair]federation.OrgAssociation // of one remote site each
	names     map[tenants.OrgID]federation.Shared           // own organizations
	rows      []journal.Row
	writes    int
	holder    string
	followers []journal.Follower
	stale     bool
}

func newMemory() *memory {
	return &memory{
		sites: map[tenants.SiteID]federation.SiteAssociation{}, orgs: map[federation.Pair]federation.OrgAssociation{},
		names: map[tenants.OrgID]federation.Shared{},
	}
}

func (m *memory) View(_ context.Context, f func(federation.Reader) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return f(&memoryTx{m: m})
}

func (m *memory) InTx(_ context.Context, f func(federation.Tx) error) error {
	m.mu.Lock()
	tx := &memoryTx{m: m}
	err := f(tx)
	var fresh []journal.Row
	for _, e := range tx.entries {
		row := journal.Row{Seq: int64(len(m.rows) + 1), Entry: e}
		m.rows = append(m.rows, row)
		fresh = append(fresh, row)
	}
	m.mu.Unlock()
	m.mu.Lock()
	followers := m.followers
	m.mu.Unlock()
	for _, row := range fresh {
		for _, f := range followers {
			f.Apply(row)
		}
	}
	return err
}

func (m *memory) UseAssertion(context.Context, tenants.SiteID, string, time.Time) (bool, error) {
	panic("not asked for")
}

func (m *memory) record(e journal.Entry) {
	_ = m.InTx(context.Background(), func(tx federation.Tx) error { return tx.Record(e) })
}

func (m *memory) Fresh() bool { m.mu.Lock(); defer m.mu.Unlock(); return !m.stale }
func (m *memory) Applied() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.rows))
}

func (m *memory) WaitFor(_ context.Context, seq int64) error {
	if m.Applied() < seq {
		return journal.ErrNotFollowing
	}
	return nil
}

func (m *memory) Hold(_ context.Context, l upkeep.Lease) (upkeep.Held, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.holder == "" {
		m.holder = l.Holder
	}
	return upkeep.Held{Ours: m.holder == l.Holder, Now: time.Now()}, nil
}

func (m *memory) Keep(_ context.Context, l upkeep.Lease) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ours := m.holder == l.Holder
	if ours && l.For == 0 {
		m.holder = ""
	}
	return ours, nil
}

func (m *memory) lose(stale bool) { m.mu.Lock(); defer m.mu.Unlock(); m.stale = stale }

func (m *memory) status(site tenants.SiteID) (federation.Status, string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sites[site].Status, m.sites[site].Reason
}

func (m *memory) org(pair federation.Pair) federation.OrgAssociation {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.orgs[pair]
}

func (m *memory) written() int { m.mu.Lock(); defer m.mu.Unlock(); return m.writes }

// associate holds a site, and says so in the journal.
func (m *memory) associate(site tenants.SiteID, status federation.Status) {
	m.mu.Lock()
	m.sites[site] = federation.SiteAssociation{Site: site, Name: "other", Status: status}
	m.mu.Unlock()
	m.record(journal.Entry{Action: journal.SiteAssociated, Subject: journal.Subject{Kind: journal.KindSite, ID: string(site)}})
}

func (m *memory) dissociate(site tenants.SiteID) {
	m.mu.Lock()
	delete(m.sites, site)
	m.mu.Unlock()
	m.record(journal.Entry{Action: journal.SiteLinkRemoved, Subject: journal.Subject{Kind: journal.KindSite, ID: string(site)}})
}

// pair holds an association of organizations; absent removes it.
func (m *memory) pair(local, remote tenants.OrgID, site tenants.SiteID, held bool) {
	p, action := federation.Pair{Local: local, Remote: remote}, journal.OrgAssociated
	m.mu.Lock()
	if held {
		m.orgs[p] = federation.OrgAssociation{Local: local, Remote: remote, Site: site, RemoteName: "as posted", RemoteEnabled: true, Status: federation.Asymmetric}
	} else {
		delete(m.orgs, p)
		action = journal.OrgLinkRemoved
	}
	m.mu.Unlock()
	m.record(journal.Entry{
		Org: string(local), Action: action, Subject: journal.Subject{Kind: journal.KindOrgAssociation, ID: string(remote)},
		Detail: map[string]string{detailSite: string(site)},
	})
}

// named sets what an organization of the site itself is called.
func (m *memory) named(org tenants.OrgID, name string, enabled bool) {
	m.mu.Lock()
	m.names[org] = federation.Shared{Name: name, Enabled: enabled}
	m.mu.Unlock()
	m.record(journal.Entry{Action: journal.OrganizationUpdated, Subject: journal.Subject{Kind: journal.KindOrganization, ID: string(org)}})
}

type memoryTx struct {
	federation.Tx
	m       *memory
	entries []journal.Entry
}

func notFound() error { return problem.New(problem.NotFound, "None.") }

func (t *memoryTx) Record(e journal.Entry) error { t.entries = append(t.entries, e); return nil }

func (t *memoryTx) SiteAssociations() (list []federation.SiteAssociation, err error) {
	for _, a := range t.m.sites {
		list = append(list, a)
	}
	return list, nil
}

func (t *memoryTx) OrgAssociation(local tenants.OrgID, remote tenants.LocationID) (federation.OrgAssociation, error) {
	a, ok := t.m.orgs[federation.Pair{Local: local, Remote: remote.Org}]
	if !ok || a.Site != remote.Site {
		return a, notFound()
	}
	return a, nil
}

func (t *memoryTx) OrgAssociations(local tenants.OrgID) (list []federation.OrgAssociation, err error) {
	for p, a := range t.m.orgs {
		if p.Local == local {
			list = append(list, a)
		}
	}
	return list, nil
}

func (t *memoryTx) Organization(id tenants.OrgID) (tenants.Organization, error) {
	o, ok := t.m.names[id]
	if !ok {
		return tenants.Organization{}, notFound()
	}
	return tenants.Organization{ID: id, Name: o.Name, Enabled: o.Enabled}, nil
}

func (t *memoryTx) sorted(site tenants.SiteID, after federation.Pair, limit int) (list []federation.OrgAssociation) {
	for p, a := range t.m.orgs {
		if a.Site == site && pairText(p) > pairText(after) {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b federation.OrgAssociation) int {
		return bytes.Compare([]byte(a.Local+a.Remote), []byte(b.Local+b.Remote))
	})
	return list[:min(len(list), limit)]
}

func (t *memoryTx) AssociatedWith(site tenants.SiteID, after federation.Pair, limit int) ([]federation.OrgAssociation, error) {
	return t.sorted(site, after, limit), nil
}

func (t *memoryTx) shared(a federation.OrgAssociation) federation.Shared {
	s := t.m.names[a.Local]
	s.Pair = federation.Pair{Local: a.Local, Remote: a.Remote}
	return s
}

func (t *memoryTx) Shared(site tenants.SiteID, after federation.Pair, limit int) (list []federation.Shared, err error) {
	for _, a := range t.sorted(site, after, limit) {
		list = append(list, t.shared(a))
	}
	return list, nil
}

func (t *memoryTx) SharedBy(site tenants.SiteID, local []tenants.OrgID, limit int) (list []federation.Shared, err error) {
	for _, a := range t.sorted(site, federation.Pair{}, 1<<30) {
		if slices.Contains(local, a.Local) && len(list) < limit {
			list = append(list, t.shared(a))
		}
	}
	return list, nil
}

func (t *memoryTx) SharedPairs(site tenants.SiteID, pairs []federation.Pair) (list []federation.Shared, err error) {
	for _, a := range t.sorted(site, federation.Pair{}, 1<<30) {
		if slices.Contains(pairs, federation.Pair{Local: a.Local, Remote: a.Remote}) {
			list = append(list, t.shared(a))
		}
	}
	return list, nil
}

func (t *memoryTx) DirectSites() (list []tenants.SiteID, err error) {
	for _, a := range t.m.orgs {
		if a.Direct && !slices.Contains(list, a.Site) {
			list = append(list, a.Site)
		}
	}
	return list, nil
}

func (t *memoryTx) SetSiteStatus(site tenants.SiteID, seen federation.Status, now federation.StatusChange) (bool, error) {
	a, ok := t.m.sites[site]
	if !ok || a.Status != seen || a.Status == now.Status && a.Reason == now.Reason {
		return false, nil
	}
	a.Status, a.Reason = now.Status, now.Reason
	t.m.sites[site] = a
	t.m.writes++
	return true, nil
}

func (t *memoryTx) SetOrgStatus(local tenants.OrgID, remote tenants.LocationID, seen federation.Status, now federation.StatusChange) (bool, error) {
	a, err := t.OrgAssociation(local, remote)
	if err != nil || a.Status != seen {
		return false, nil
	}
	a.Status, a.Reason = now.Status, now.Reason
	t.m.orgs[federation.Pair{Local: local, Remote: remote.Org}] = a
	t.m.writes++
	return true, nil
}

func (t *memoryTx) SetRemote(local tenants.OrgID, remote tenants.LocationID, name string, enabled bool) (bool, error) {
	a, err := t.OrgAssociation(local, remote)
	if err != nil || a.RemoteName == name && a.RemoteEnabled == enabled {
		return false, nil
	}
	a.RemoteName, a.RemoteEnabled = name, enabled
	t.m.orgs[federation.Pair{Local: local, Remote: remote.Org}] = a
	t.m.writes++
	return true, nil
}

func (t *memoryTx) SetContact(site tenants.SiteID, at time.Time, dirSeq int64) error {
	if a, ok := t.m.sites[site]; ok {
		a.ContactedAt, a.DirSeq = at, dirSeq
		t.m.sites[site] = a
	}
	return nil
}

// cell is a site of one cell: its memory, its service, and what its link is like.
type cell struct {
	*memory
	*Service
	id   tenants.SiteID
	skew atomic.Int64
	wire func(a federation.SiteAssociation, r *http.Request) (*http.Response, error)
}

func newCell(id tenants.SiteID, tweak ...func(*Config)) *cell {
	c := &cell{memory: newMemory(), id: id}
	cfg := Config{
		Store: c.memory, Leases: c.memory, Peers: c, Journal: c.memory,
		Self: func() federation.Self { return federation.Self{ID: id, Name: "site"} }, API: Range{36, 39},
		Holder: func() string { return "cell of " + string(id) }, Now: c.now,
		Log: slog.New(slog.DiscardHandler),
	}
	for _, f := range tweak {
		f(&cfg)
	}
	c.Service = New(cfg)
	c.followers = []journal.Follower{c.Service}
	return c
}

func (c *cell) now() time.Time          { return time.Now().Add(time.Duration(c.skew.Load())) }
func (c *cell) setSkew(d time.Duration) { c.skew.Store(int64(d)) }

func (c *cell) Association(_ context.Context, site tenants.SiteID) (federation.SiteAssociation, error) {
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	a, ok := c.sites[site]
	if !ok {
		return a, notFound()
	}
	return a, nil
}

func (c *cell) Shares(_ context.Context, local tenants.OrgID, site tenants.SiteID) (bool, error) {
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	for _, a := range c.orgs {
		if a.Local == local && a.Site == site {
			return true, nil
		}
	}
	return false, nil
}

func (c *cell) Call(a federation.SiteAssociation, r *http.Request) (*http.Response, error) {
	return c.wire(a, r)
}

// start runs the cell until the test ends.
func (c *cell) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

// link is the way from one cell to another.
type link struct {
	mu   sync.Mutex
	cut  bool
	to   *cell
	from tenants.SiteID
	took time.Duration
	asks map[string]int
	// instead, if set, answers what it does not leave to the site with nil.
	instead func(*http.Request) *http.Response
}

var (
	errCut   = errors.New("nobody there")
	errAlert = &net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}
)

func connect(a, b *cell) (ab, ba *link) {
	ab, ba = &link{to: b, from: a.id, asks: map[string]int{}}, &link{to: a, from: b.id, asks: map[string]int{}}
	a.wire, b.wire = ab.call, ba.call
	return ab, ba
}

func (l *link) set(cut bool) { l.mu.Lock(); defer l.mu.Unlock(); l.cut = cut }

func (l *link) answers(f func(*http.Request) *http.Response) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.instead = f
}

func (l *link) leadTo(c *cell) { l.mu.Lock(); defer l.mu.Unlock(); l.to = c }

func (l *link) asked(path string) int { l.mu.Lock(); defer l.mu.Unlock(); return l.asks[path] }

// call is a TLS connection whose other end knows who is associated, and the other
// site's endpoints behind it.
func (l *link) call(_ federation.SiteAssociation, r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	cut, to, took := l.cut, l.to, l.took
	l.asks[r.URL.Path]++
	var made *http.Response
	if l.instead != nil {
		made = l.instead(r)
	}
	l.mu.Unlock()
	if made != nil {
		return made, nil
	}
	if cut {
		select { // silence
		case <-time.After(2 * time.Second):
		case <-r.Context().Done():
		}
		return nil, errCut
	}
	if _, err := to.Association(r.Context(), l.from); err != nil {
		return nil, errAlert
	}
	time.Sleep(took / 2)
	defer time.Sleep(took / 2)
	answer, err := serve(r, to.Service, l.from)
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	if err != nil {
		return response(problem.As(err).Code.Row().Status, nil), nil
	}
	body, err := json.Marshal(answer)
	return response(http.StatusOK, body), err
}

func serve(r *http.Request, s *Service, from tenants.SiteID) (any, error) {
	switch r.URL.Path {
	case HeartbeatPath:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		h, err := ParseHeartbeat(body)
		if err != nil {
			return nil, err
		}
		return s.Hear(r.Context(), from, h)
	case OrgsPath:
		q, err := ParseOrgQuery(r.URL.Query())
		if err != nil {
			return nil, err
		}
		return s.Orgs(r.Context(), from, q)
	default:
		since, wait, err := ParseFeedQuery(r.URL.Query())
		if err != nil {
			return nil, err
		}
		return s.Revoked(r.Context(), from, since, wait)
	}
}

func response(status int, body []byte) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}
}

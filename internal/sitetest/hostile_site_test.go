package sitetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"causeway/federation"
	"causeway/federation/assertion"
	"causeway/federation/contact"
	"causeway/federation/links"
	"causeway/federation/peer"
	"causeway/internal/httpapi"
	"causeway/internal/journal"
	"causeway/internal/site"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// hydra is the organization of the hostile site that acme at west is associated
// with.
const hydra = "hydra"

// mallory is a site of the tests' own: west holds a valid association with it, it
// has the keys that this needs, and says what it likes.
type mallory struct {
	*stage
	pair    *Pair
	west    *site.Site
	acme    tenants.OrgID // at west
	id      tenants.SiteID
	org     tenants.OrgID
	root    *ecdsa.PrivateKey
	orgKey  *ecdsa.PrivateKey
	site    *peer.Identity
	calls   *http.Client // of west's peer listener, over HTTP/2
	addr    string       // of its own peer listener
	trap    atomic.Int64 // connections to where nobody may connect
	trapped string
	// What it answers, as attacks set it.
	beat    atomic.Pointer[func(*contact.Heartbeat)]
	orgs    atomic.Pointer[contact.OrgPage]
	ended   atomic.Pointer[contact.Ended]
	bundle  atomic.Pointer[string]
	fetched atomic.Int64
	heard   atomic.Int64 // the sequence that west's question for revocations names
	fulfil  atomic.Pointer[http.HandlerFunc]
	beats   atomic.Int64
}

func newMallory(t *testing.T) *mallory {
	t.Helper()
	p := Start(t, storetest.SQLite, Adjust(quickly))
	m := &mallory{
		stage: inProcess(p), pair: p, west: p.Site("west"), acme: tenants.OrgID(bare(p.File.Site("west").Org("acme").ID)),
		id: tenants.SiteID(tenants.NewID()), org: tenants.OrgID(tenants.NewID()), root: ecKey(t), orgKey: ecKey(t),
	}
	m.orgs.Store(m.directory(hydra))
	var err error
	if m.site, err = peer.NewIdentity(m.id, func() *ecdsa.PrivateKey { return m.root }, time.Now); err != nil {
		t.Fatal(err)
	}
	m.calls = m.client(t, "h2")
	m.setTrap(t)
	m.listen(t)
	m.sign(t, m.root, uint64(time.Now().Unix()))
	rest := httptest.NewTLSServer(http.HandlerFunc(m.serveBundle))
	t.Cleanup(rest.Close)
	m.associate(t, rest)
	return m
}

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// client speaks to west's peer listener with mallory's certificate, over a
// connection of its own.
func (m *mallory) client(t *testing.T, proto string) *http.Client {
	t.Helper()
	c := m.site.ClientTLS(m.west.Self().ID, peer.NewKeys(m.west.Root()))
	c.NextProtos = []string{proto}
	tr := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: proto == "h2", MaxIdleConnsPerHost: 64}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 30 * time.Second}
}

// setTrap listens at an address outside the networks of mallory's association,
// which its bundle names all the same.
func (m *mallory) setTrap(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("no second loopback address here: ", err)
	}
	t.Cleanup(func() { l.Close() })
	m.trapped = l.Addr().String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.trap.Add(1)
			c.Close()
		}
	}()
}

// listen is where west sends heartbeats, questions and requests.
func (m *mallory) listen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.addr = l.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+contact.HeartbeatPath, m.answerHeartbeat)
	mux.HandleFunc("GET "+contact.OrgsPath, func(w http.ResponseWriter, _ *http.Request) { answer(w, m.orgs.Load()) })
	mux.HandleFunc("GET "+contact.RevocationsPath, m.answerRevocations)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if f := m.fulfil.Load(); f != nil {
			(*f)(w, r)
			return
		}
		answer(w, map[string]string{"site": "mallory"})
	})
	srv := &http.Server{Handler: mux, TLSConfig: m.site.ServerTLS(func(id tenants.SiteID) peer.Keys {
		if id != m.west.Self().ID {
			return nil
		}
		return peer.NewKeys(m.west.Root())
	})}
	go func() { _ = srv.ServeTLS(l, "", "") }() // ends with Close
	t.Cleanup(func() { srv.Close() })
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (m *mallory) heartbeat() contact.Heartbeat {
	return contact.Heartbeat{
		Site: m.id, Name: "mallory", Time: time.Now().UTC(), Head: 1, API: contact.Versions(httpapi.Versions),
		Holds: federation.StatusActive, HoldsYou: true,
	}
}

func (m *mallory) answerHeartbeat(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	h := m.heartbeat()
	if lie := m.beat.Load(); lie != nil {
		(*lie)(&h)
	}
	answer(w, h)
	m.beats.Add(1)
}

// answerRevocations tells its lie once, and then that nothing is new.
func (m *mallory) answerRevocations(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	since, wait, _ := contact.ParseFeedQuery(q)
	m.heard.Store(since)
	if lie := m.ended.Swap(nil); lie != nil {
		answer(w, lie)
		return
	}
	select {
	case <-time.After(min(wait, 200*time.Millisecond)):
	case <-r.Context().Done():
	}
	answer(w, contact.Ended{Seq: max(since, 1), List: []contact.EndedItem{}})
}

func (m *mallory) serveBundle(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == peer.BundlePath {
		_, _ = io.WriteString(w, *m.bundle.Load())
		m.fetched.Add(1)
	}
}

// sign makes the bundle. Before the one true address it names those that nobody
// may be made to connect to.
func (m *mallory) sign(t *testing.T, key *ecdsa.PrivateKey, seq uint64) {
	t.Helper()
	text, err := peer.SignBundle(key, peer.Bundle{
		Site: m.id, Name: "mallory", Seq: seq, RefreshHint: time.Hour, IssuedAt: time.Now(),
		Peer: []string{m.trapped, "10.0.0.1:443", "169.254.169.254:80", m.addr},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.bundle.Store(&text)
}

// directory is an honest one: hydra and acme are associated.
func (m *mallory) directory(name string, more ...contact.PairState) *contact.OrgPage {
	own := contact.PairState{Org: m.org, With: m.acme, Name: name, Enabled: true, Held: true}
	return &contact.OrgPage{Seq: 1, Whole: true, Pairs: append([]contact.PairState{own}, more...)}
}

// associate has west's administrators trust mallory and hydra.
func (m *mallory) associate(t *testing.T, rest *httptest.Server) {
	t.Helper()
	rootKey, err := links.EncodePublicKey(&m.root.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	orgKey, err := links.EncodePublicKey(&m.orgKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rest.Certificate().Raw}))
	change(t, m.west, journal.SiteAssociated, m.id, func(tx federation.Tx) error {
		if err := tx.PutSiteAssociation(federation.SiteAssociation{
			Site: m.id, Name: "mallory", RestEndpoint: rest.URL + "/api", BaseUIEndpoint: rest.URL, RestEndpointCertificate: certificate,
			PublicKey: rootKey, Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Status: federation.StatusActive, CreatedAt: now,
		}); err != nil {
			return err
		}
		if err := tx.PutOrgAssociation(federation.OrgAssociation{
			Local: m.acme, Remote: m.org, RemoteName: hydra, Site: m.id, PublicKey: orgKey, Direct: true,
			RemoteEnabled: true, Status: federation.StatusActive, CreatedAt: now,
		}); err != nil {
			return err
		}
		return tx.Record(journal.Entry{
			At: now, Org: string(m.acme), Actor: journal.System, Action: journal.OrgAssociated,
			Subject: journal.Subject{Kind: journal.KindOrgAssociation, ID: string(m.org), Name: hydra},
		})
	})
}

// claims are honest ones: the service account that acme has, too.
func (m *mallory) claims(method, uri string) assertion.Claims {
	return assertion.Claims{
		Issuer: m.id, Audience: m.west.Self().ID, Src: m.org, SrcName: hydra, Dst: m.acme,
		SubjectType: assertion.ServiceAccount, Subject: m.File.Account.Name, SoftwareID: m.File.Account.SoftwareID, IdP: "local",
		Session: assertion.SessionHash("one"), Method: method, RequestURI: uri, Body: assertion.Stream, IssuedAt: time.Now(),
	}
}

func (m *mallory) mint(t *testing.T, key *ecdsa.PrivateKey, c assertion.Claims) string {
	t.Helper()
	token, err := assertion.Mint(key, c)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// ask sends a request to west's peer listener. token, if any, is its assertion.
func (m *mallory) ask(t *testing.T, client *http.Client, method, uri, token, body string, header http.Header) Answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+m.west.Addr("peer")+uri, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if token != "" {
		r.Header.Set(assertion.Header, token)
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if client == m.calls && res.ProtoMajor != 2 {
		t.Fatalf("not HTTP/2: %s", res.Proto)
	}
	return Answer{res.StatusCode, res.Header, b}
}

package sitetest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"causeway/federation"
	"causeway/federation/assertion"
	"causeway/internal/journal"
)

// answers has mallory answer what west forwards to it as badly as it can. Nothing
// of that reaches the client, nothing of the client's reached it, and whoever asks
// something of west waits for nobody.
func (m *mallory) answers(t *testing.T, c *crossing) {
	ask := func(t *testing.T, f http.HandlerFunc) Answer {
		t.Helper()
		m.fulfil.Store(&f)
		return c.sample(t, http.MethodGet, "inventory", authContext, hydra)
	}
	defer m.fulfil.Store(nil)
	Eventually(t, 5*time.Second, "west forwards to mallory", func() bool {
		return c.sample(t, http.MethodGet, "inventory", authContext, hydra).Status == http.StatusOK
	})
	t.Run("I2 no credentials arrive", func(t *testing.T) {
		var arrived http.Header
		ask(t, func(_ http.ResponseWriter, r *http.Request) { arrived = r.Header.Clone() }).Want(t, http.StatusOK)
		for name, values := range arrived {
			if name == "Authorization" || name == "Cookie" || strings.Contains(strings.Join(values, " "), c.access) {
				t.Errorf("%s: %q", name, values)
			}
		}
	})
	t.Run("R10 one introduction, and a ticket for each request", func(t *testing.T) {
		introductions, tickets := map[string]bool{}, map[string]bool{}
		for range 3 { // an introduction may end between two of them
			ask(t, func(_ http.ResponseWriter, r *http.Request) {
				introduction, ticket, _ := strings.Cut(r.Header.Get(assertion.Header), "~")
				introductions[introduction], tickets[ticket] = true, true
			}).Want(t, http.StatusOK)
		}
		if len(introductions) > 2 || len(tickets) != 3 {
			t.Errorf("three requests of a session at once have %d introductions and %d tickets", len(introductions), len(tickets))
		}
	})
	t.Run("R9 what it plants", func(t *testing.T) { m.plants(t, ask) })
	t.Run("R9 a redirect elsewhere", func(t *testing.T) {
		got := ask(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://evil.example/login")
			w.WriteHeader(http.StatusFound)
		}).Want(t, http.StatusFound)
		if where := got.Header.Get("Location"); where != "" {
			t.Errorf("the client is sent to %q", where)
		}
	})
	t.Run("I8 errors of its own", func(t *testing.T) {
		for _, status := range []int{http.StatusBadGateway, http.StatusInternalServerError, http.StatusLoopDetected, http.StatusMisdirectedRequest} {
			for range 7 { // more than a breaker takes
				ask(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
			}
		}
		ask(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, "again") }).Want(t, http.StatusOK)
		c.wantSample(t, c.access, "west", "acme")
	})
	t.Run("I6 an organization that is not there any more", func(t *testing.T) { m.lostOrganization(t, ask) })
	t.Run("R9 a body without end", func(t *testing.T) { m.endless(t, c) })
	t.Run("R9 a head of a megabyte", func(t *testing.T) {
		got := ask(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Much", strings.Repeat("x", 1<<20)) })
		if got.Status < 500 || got.Header.Get("X-Much") != "" {
			t.Errorf("status %d, %d bytes of it", got.Status, len(got.Header.Get("X-Much")))
		}
		c.wantSample(t, c.access, "west", "acme")
		c.byName(t)
	})
}

// lostOrganization: a site that does not find the organization is asked about it, and
// then the client is told what is wrong instead of to come again.
func (m *mallory) lostOrganization(t *testing.T, ask func(*testing.T, http.HandlerFunc) Answer) {
	gone := m.directory(hydra)
	gone.Pairs[0].Held = false
	m.orgs.Store(gone)
	misdirected := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMisdirectedRequest) }
	first := ask(t, misdirected).Want(t, http.StatusServiceUnavailable)
	if first.Header.Get("Retry-After") == "" || !strings.Contains(string(first.Body), "not at the site that its association names") {
		t.Errorf("the client is told %s", first.Body)
	}
	Eventually(t, 5*time.Second, "the client is told that the association is incomplete", func() bool {
		return ask(t, misdirected).Status == http.StatusForbidden
	})
	m.orgs.Store(m.directory(hydra))
	change(t, m.west, journal.OrgAssociated, m.id, func(tx federation.Tx) error { // as whoever posts its data again
		return tx.Record(journal.Entry{
			At: time.Now(), Org: string(m.acme), Actor: journal.System, Action: journal.OrgAssociated,
			Subject: journal.Subject{Kind: journal.KindOrgAssociation, ID: string(m.org), Name: hydra}, Detail: map[string]string{"site": string(m.id)},
		})
	})
	Eventually(t, 10*time.Second, "requests cross again", func() bool {
		return ask(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, "here") }).Status == http.StatusOK
	})
}

func (m *mallory) plants(t *testing.T, ask func(*testing.T, http.HandlerFunc) Answer) {
	planted := []string{
		"Set-Cookie", "Authorization", accessToken, legacyToken, "X-Vmware-Vcloud-Token-Type", "Strict-Transport-Security", "Clear-Site-Data",
		"Alt-Svc", "Link", "X-Causeway-Principal", "set_cookie",
	}
	got := ask(t, func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range append(planted, "X-Causeway-Served-By") {
			w.Header()[http.CanonicalHeaderKey(name)] = []string{"planted=1"}
		}
	}).Want(t, http.StatusOK)
	for name, values := range got.Header {
		if strings.Contains(strings.Join(values, " "), "planted") {
			t.Errorf("%s: %q", name, values)
		}
	}
	// Who serves is known by the key and not by the answer.
	if served := got.Header.Get("X-Causeway-Served-By"); served != string(m.org)+"@"+string(m.id) {
		t.Errorf("served by %q", served)
	}
}

// endless: a client that has had enough ends the whole of it, at mallory, too.
func (m *mallory) endless(t *testing.T, c *crossing) {
	ended := make(chan struct{})
	var f http.HandlerFunc = func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		for chunk := make([]byte, 32<<10); r.Context().Err() == nil; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	m.fulfil.Store(&f)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Site("west").API+inventory, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = Bearer(c.access, authContext, hydra)
	res, err := c.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.CopyN(io.Discard, res.Body, 1<<20); err != nil {
		t.Fatal(err)
	}
	c.wantSample(t, c.access, "west", "acme")
	cancel()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("it goes on after the client left")
	}
}

package sitetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

// worker is an app and its administrator, who work at a site until it dies under
// their hands. Its fields are a ledger: what the site has acknowledged, and what
// was asked for without an answer, which may or may not have happened.
type worker struct {
	*Client
	number          int
	site, org, role string
	path            string // what the app calls
	elsewhere       string // an organization at the other site; "" never crosses

	admin string // the administrator's session
	names int    // accounts there were
	name  string // the account's name, asked for
	id    string // its client id, acknowledged

	device, user string // codes of the open request
	granted      bool
	granting     bool // a grant was not answered
	fetching     bool // a poll was not answered

	access, refresh string // the newest tokens
	spent           string // the refresh token before, while its successor was not shown
	revoking        bool   // a revocation was not answered

	dead []tokens // what was acknowledged as revoked
	acks atomic.Int64
}

type tokens struct{ access, refresh string }

// silence is a request without an answer.
type silence struct {
	error
	crossing bool // it may have been the other site that fell silent
}

// heard counts an answer, or says that there was none.
func (w *worker) heard(a Answer, err error) (Answer, error) {
	if err != nil {
		return a, silence{error: err}
	}
	w.acks.Add(1)
	return a, nil
}

// broken is an answer that goes back on an earlier one.
func (w *worker) broken(what string, a Answer) error {
	return fmt.Errorf("%s of %s: %s: status %d\n%s", w.name, w.org, what, a.Status, a.Body)
}

func member(a Answer, name string) string {
	var m map[string]any
	_ = json.Unmarshal(a.Body, &m)
	s, _ := m[name].(string)
	return s
}

// work does one thing after the other until stop says so or an answer stays away.
func (w *worker) work(stop func() bool) error {
	for !stop() {
		if err := w.next(); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) next() error {
	switch dice := rand.IntN(20); {
	case w.admin == "":
		return w.login()
	case w.id == "":
		return w.create()
	case w.refresh == "" && w.device == "":
		return w.ask()
	case w.refresh == "" && !w.granted:
		return w.grant()
	case w.refresh == "":
		return w.fetch()
	case dice == 0:
		return w.revoke()
	case dice < 4:
		return w.call()
	case dice < 7 && w.spent != "":
		return w.retry()
	default:
		return w.rotate()
	}
}

func (w *worker) login() error {
	a, err := w.heard(w.TryLogin(w.site, w.org))
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK {
		return w.broken("login", a)
	}
	w.admin = a.Header.Get(accessToken)
	return nil
}

func (w *worker) create() error {
	if w.name == "" {
		w.names++
		w.name = fmt.Sprintf("worker-%d-%d", w.number, w.names)
	}
	a, err := w.heard(w.TrySend(http.MethodPost, w.site, Realm(w.org)+"/register", Bearer(w.admin), map[string]string{
		"client_name": w.name, "software_id": sampleSoftware, "scope": "urn:vcloud:role:" + url.PathEscape(w.role),
	}))
	if err != nil {
		return err
	}
	if a.Status != http.StatusCreated {
		return w.broken("creating", a)
	}
	w.id = member(a, "client_id")
	return nil
}

func (w *worker) ask() error {
	a, err := w.heard(w.TryForm(w.site, w.org, "device_authorization", "client_id", w.id))
	switch {
	case err != nil:
		return err
	case a.Status == http.StatusTooManyRequests: // one worker among many at one address
		_, err = w.status()
		return err
	case a.Status != http.StatusOK:
		return w.broken("asking", a)
	}
	w.device, w.user = member(a, "device_code"), member(a, "user_code")
	return nil
}

func (w *worker) grant() error {
	unsure := w.granting
	w.granting = true
	a, err := w.heard(w.TrySend(http.MethodPost, w.site, "/cloudapi/1.0.0/deviceLookup/grant", Bearer(w.admin), map[string]string{"userCode": w.user}))
	if err != nil {
		return err
	}
	switch {
	case a.Status == http.StatusTooManyRequests: // codes that a crash had used up before count as guesses
		w.granting = unsure
		_, err = w.status()
		return err
	case a.Status != http.StatusNoContent && (a.Status != http.StatusNotFound || !unsure):
		return w.broken("granting an open request", a)
	}
	w.granted, w.granting = true, false
	return nil
}

func (w *worker) fetch() error {
	unsure := w.fetching
	w.fetching = true
	a, err := w.heard(w.TryForm(w.site, w.org, "token", "grant_type", DeviceGrant, "client_id", w.id, "device_code", w.device))
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK && (!unsure || member(a, "error") != "invalid_grant") {
		return w.broken("fetching what was granted", a)
	}
	w.device, w.granted, w.fetching = "", false, false
	w.access, w.refresh, w.spent = member(a, "access_token"), member(a, "refresh_token"), ""
	return nil
}

func (w *worker) present(token string) (Answer, error) {
	return w.heard(w.TryForm(w.site, w.org, "token", "grant_type", "refresh_token", "refresh_token", token))
}

// rotate needs no note of a lost answer: the same token gets it again. But the
// token before is a replay from the moment this one is shown.
func (w *worker) rotate() error {
	w.spent = ""
	a, err := w.present(w.refresh)
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK {
		return w.broken("refreshing", a)
	}
	w.access, w.spent, w.refresh = member(a, "access_token"), w.refresh, member(a, "refresh_token")
	return nil
}

func (w *worker) retry() error {
	a, err := w.present(w.spent)
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK || member(a, "refresh_token") != w.refresh {
		return w.broken("asking again with the spent token", a)
	}
	w.access = member(a, "access_token")
	return nil
}

func (w *worker) call() error {
	header := Bearer(w.access)
	crossing := w.elsewhere != "" && rand.IntN(2) == 0
	if crossing {
		header.Set(authContext, w.elsewhere)
	}
	a, err := w.heard(w.TrySend(http.MethodGet, w.site, w.path, header, nil))
	if err != nil {
		return silence{error: err, crossing: crossing}
	}
	// The workers' accounts exist at their own site only, so those who arrive are
	// refused; those who do not arrive are told so.
	if crossing && (a.Status == http.StatusForbidden || a.Status == http.StatusServiceUnavailable) {
		return nil
	}
	if a.Status != http.StatusOK || crossing {
		return w.broken("a call", a)
	}
	return nil
}

func (w *worker) revoke() error {
	w.revoking = true
	a, err := w.heard(w.TrySend(http.MethodPost, w.site, Accounts(w.id)+"/revoke", Bearer(w.admin), nil))
	if err != nil {
		return err
	}
	if a.Status != http.StatusNoContent {
		return w.broken("revoking", a)
	}
	w.bury()
	return nil
}

func (w *worker) bury() {
	w.dead = append(w.dead, tokens{w.access, w.refresh})
	w.access, w.refresh, w.spent, w.revoking = "", "", "", false
	if len(w.dead) == 4 { // enough for one account: the next
		w.name, w.id = "", ""
		w.dead = w.dead[2:]
	}
}

// status is the account's, "" if there is none. It notes its client id.
func (w *worker) status() (string, error) {
	a, err := w.heard(w.TrySend(http.MethodGet, w.site, Accounts("")+"?filter=name=="+w.name, Bearer(w.admin), nil))
	if err != nil {
		return "", err
	}
	var page struct {
		Values []struct{ ID, Status string }
	}
	if err := json.Unmarshal(a.Body, &page); err != nil || a.Status != http.StatusOK || len(page.Values) > 1 {
		return "", w.broken("listing", a)
	}
	if len(page.Values) == 0 {
		return "", nil
	}
	id := strings.TrimPrefix(page.Values[0].ID, "urn:vcloud:serviceAccount:")
	if w.id != "" && w.id != id {
		return "", w.broken("the account has another id", a)
	}
	w.id = id
	return page.Values[0].Status, nil
}

// audit holds a site that came back against the ledger.
func (w *worker) audit() error {
	if w.admin == "" || w.name == "" {
		return nil
	}
	known := w.id
	status, err := w.status()
	if err != nil {
		return err
	}
	if status == "" && known != "" {
		return fmt.Errorf("the account %s of %s is gone", w.name, w.org)
	}
	if err := w.auditDead(); err != nil {
		return err
	}
	if w.revoking {
		w.revoking = false
		if status != "ACTIVE" {
			w.bury()
		}
	}
	switch {
	case w.refresh != "":
		return w.auditTokens(status)
	case w.granted && !w.fetching:
		return w.fetch()
	}
	return nil
}

func (w *worker) auditTokens(status string) error {
	if status != "ACTIVE" {
		return fmt.Errorf("%s of %s holds a token and is %s", w.name, w.org, status)
	}
	a, err := w.heard(w.TrySend(http.MethodGet, w.site, w.path, Bearer(w.access), nil))
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK {
		return w.broken("a call with an acknowledged token", a)
	}
	if w.spent != "" {
		if err := w.retry(); err != nil {
			return err
		}
	}
	return w.rotate()
}

func (w *worker) auditDead() error {
	for _, d := range w.dead {
		a, err := w.present(d.refresh)
		if err != nil {
			return err
		}
		if a.Status != http.StatusBadRequest || member(a, "error") != "invalid_grant" {
			return w.broken("refreshing with a revoked token", a)
		}
		if a, err = w.heard(w.TrySend(http.MethodGet, w.site, w.path, Bearer(d.access), nil)); err != nil {
			return err
		}
		if a.Status != http.StatusUnauthorized {
			return w.broken("a call with a revoked session", a)
		}
	}
	return nil
}

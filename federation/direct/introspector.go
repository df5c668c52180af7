package direct

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"causeway/federation"
	"causeway/internal/cache"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

const (
	// believed is how long a positive answer counts when nothing is heard: the
	// longest that a revocation at home can be missed here.
	believed = 30 * time.Second
	// refusedFor keeps a client that goes on with a dead token from having its home
	// asked each time. A session that has ended stays so.
	refusedFor = 5 * time.Second
	// quiet is how long after a revocation answers count for a moment only: another
	// cell of the site that answers may be that much behind.
	quiet  = 2 * time.Second
	moment = time.Second
	// relearn is how often one site's keys are fetched at most: strangers make up
	// key ids.
	relearn = 30 * time.Second
	// keysFor is how long keys are used without asking again.
	keysFor = 5 * time.Minute
	// timeout bounds a question to another site.
	timeout = 5 * time.Second
)

// Ask sends a request of this site's own to another one, and gives the status and
// the beginning of the answer, at most limit bytes.
type Ask func(ctx context.Context, site tenants.SiteID, method, path string, body []byte, limit int64) (status int, answer []byte, err error)

// Introspector remembers what other sites said of their tokens, for seconds.
type Introspector struct {
	ask Ask
	now func() time.Time

	answers *cache.Cache[shown, said]
	mu      sync.Mutex
	sites   map[tenants.SiteID]*siteState
}

// shown is a token that was shown in an organization. The same token in another is
// another question.
type shown struct {
	token [sha256.Size]byte
	site  tenants.SiteID
	here  tenants.OrgID
}

// said is an answer that counts until then.
type said struct {
	Answer
	question Question
	site     tenants.SiteID
	key      string // that signed the token
	until    time.Time
}

// siteState is what is known of one site.
type siteState struct {
	fetch sync.Mutex // held while its keys are fetched: the others wait for the one

	mu       sync.Mutex
	keys     map[string]key
	triedAt  time.Time
	failed   error // of the last try
	gotAt    time.Time
	forgotAt time.Time
}

// New makes an Introspector that remembers at most size answers.
func New(ask Ask, size int, now func() time.Time) (*Introspector, error) {
	answers, err := cache.NewTagged[shown](size, said.tags)
	return &Introspector{ask: ask, now: now, answers: answers, sites: map[tenants.SiteID]*siteState{}}, err
}

func siteTag(site tenants.SiteID) string { return "site " + string(site) }

func (s said) tags() []string {
	of := siteTag(s.site)
	return []string{
		of, of + " org " + string(s.question.Org), of + " session " + string(s.question.Session),
		of + " principal " + s.ID, of + " key " + s.key,
	}
}

// Judge says whom a token of site is of, that is shown in here: what site itself
// says, at most [believed] ago. A token that is not good, whatever the reason, is
// problem.Unauthenticated; where that cannot be found out it is
// problem.SiteUnreachable, for the client must keep its token.
func (i *Introspector) Judge(ctx context.Context, site tenants.SiteID, token string, t Token, here tenants.OrgID) (Answer, error) {
	k := shown{secret.Sum(token), site, here}
	if s, ok := i.answers.Get(k); ok && i.now().Before(s.until) {
		return s.result()
	}
	s, err := i.answers.Refill(ctx, k, func() (said, error) { return i.find(ctx, site, t, here) })
	if err != nil {
		return Answer{}, err
	}
	return s.result()
}

// Check does of Judge what can be done without asking about the session, and
// tells nothing.
func (i *Introspector) Check(ctx context.Context, site tenants.SiteID, t Token) {
	if k, ok, err := i.key(ctx, site, t.jose.KeyID()); err == nil && ok {
		_ = t.verify(k, i.now())
	}
}

func (s said) result() (Answer, error) {
	if !s.Active {
		return Answer{}, notGood()
	}
	return s.Answer, nil
}

func notGood() error {
	return problem.New(problem.Unauthenticated, "The token is missing, expired or not valid.")
}

// find checks the signature before it asks: nobody but who holds a token that site
// signed makes us ask.
func (i *Introspector) find(ctx context.Context, site tenants.SiteID, t Token, here tenants.OrgID) (said, error) {
	k, ok, err := i.key(ctx, site, t.jose.KeyID())
	if err != nil {
		return said{}, err
	}
	now := i.now()
	if !ok || t.verify(k, now) != nil {
		return said{}, notGood()
	}
	q := Question{Session: tenants.SessionID(t.claims.ID), Org: t.claims.Org, Here: here}
	a, err := i.question(ctx, site, q)
	if err != nil {
		return said{}, err
	}
	return said{Answer: a, question: q, site: site, key: t.jose.KeyID(), until: i.until(site, t, a, now)}, nil
}

// until counts from before the question.
func (i *Introspector) until(site tenants.SiteID, t Token, a Answer, asked time.Time) time.Time {
	if !a.Active {
		return asked.Add(refusedFor)
	}
	s := i.state(site)
	s.mu.Lock()
	defer s.mu.Unlock()
	end := asked.Add(believed)
	if i.now().Sub(s.forgotAt) < quiet {
		end = asked.Add(moment)
	}
	for _, sooner := range []time.Time{a.ExpiresAt, t.claims.ExpiresAt.Time} {
		if !sooner.IsZero() && sooner.Before(end) {
			end = sooner
		}
	}
	return end
}

func (i *Introspector) question(ctx context.Context, site tenants.SiteID, q Question) (Answer, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return Answer{}, err
	}
	text, err := i.call(ctx, site, http.MethodPost, IntrospectPath, body, maxAnswer)
	if err != nil {
		return Answer{}, err
	}
	a, err := parseAnswer(text)
	if err != nil {
		return Answer{}, unreachable(err)
	}
	return a, nil
}

// call gives the body of a 200. Everything else is a site that cannot say now.
func (i *Introspector) call(ctx context.Context, site tenants.SiteID, method, path string, body []byte, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	status, text, err := i.ask(ctx, site, method, path, body, limit+1)
	if err != nil {
		return nil, unreachable(err)
	}
	if status != http.StatusOK || int64(len(text)) > limit || len(bytes.TrimSpace(text)) == 0 {
		return nil, unreachable(errAnswer)
	}
	return text, nil
}

func unreachable(err error) error {
	p := problem.Wrap(err, problem.SiteUnreachable, "The site that issued the token cannot be asked about it now.").After(5 * time.Second)
	return p.With(problem.FactReason, problem.ReasonUnreachable)
}

func (i *Introspector) state(site tenants.SiteID) *siteState {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := i.sites[site]
	if s == nil {
		s = &siteState{}
		i.sites[site] = s
	}
	return s
}

// key is a site's key by its id. An unknown one has the keys fetched, seldom.
func (i *Introspector) key(ctx context.Context, site tenants.SiteID, id string) (key, bool, error) {
	s := i.state(site)
	if k, ok, done, err := s.known(id, i.now()); done {
		return k, ok, err
	}
	s.fetch.Lock()
	defer s.fetch.Unlock()
	if k, ok, done, err := s.known(id, i.now()); done { // another has fetched them meanwhile
		return k, ok, err
	}
	text, err := i.call(ctx, site, http.MethodGet, TokenKeysPath, nil, maxKeySet)
	var keys map[string]key
	if err == nil {
		if keys, err = parseKeySet(text); err != nil {
			err = unreachable(err)
		}
	}
	s.take(keys, err, i.now())
	k, ok, _, err := s.known(id, i.now())
	return k, ok, err
}

// known is done where the answer needs no fetching. Keys that could not be fetched
// again still count: their site has to answer the question that follows.
func (s *siteState) known(id string, now time.Time) (k key, ok, done bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok = s.keys[id]
	switch since := now.Sub(s.triedAt); {
	case s.triedAt.IsZero():
		return k, ok, false, nil
	case ok:
		return k, true, now.Sub(s.gotAt) < keysFor || since < relearn, nil
	case s.failed != nil:
		return k, false, since < moment, s.failed
	default:
		return k, false, since < relearn, nil
	}
}

func (s *siteState) take(keys map[string]key, err error, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.triedAt, s.failed = now, err
	if err == nil {
		s.keys, s.gotAt = keys, now
	}
}

// Forget drops what something at site was remembered as.
func (i *Introspector) Forget(site tenants.SiteID, what federation.Revocation) {
	i.heard(site, what.Kind == journal.KindKey)
	of := siteTag(site)
	switch what.Kind {
	case journal.KindSession:
		i.answers.ForgetTag(of + " session " + what.ID)
	case journal.KindAccount, journal.KindUser, journal.KindApp:
		i.answers.ForgetTag(of + " principal " + what.ID)
	case journal.KindOrganization:
		i.answers.ForgetTag(of + " org " + what.ID)
	case journal.KindKey:
		i.answers.ForgetTag(of + " key " + what.ID)
	default: // something that this version does not know
		i.answers.ForgetTag(of)
	}
}

// Flush drops everything that site said (I10).
func (i *Introspector) Flush(site tenants.SiteID) {
	i.heard(site, true)
	i.answers.ForgetTag(siteTag(site))
}

// heard notes that site has revoked something, maybe a key.
func (i *Introspector) heard(site tenants.SiteID, keys bool) {
	s := i.state(site)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgotAt = i.now()
	if keys {
		s.keys, s.gotAt, s.triedAt, s.failed = nil, time.Time{}, time.Time{}, nil
	}
}

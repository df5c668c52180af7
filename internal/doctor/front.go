package doctor

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"path/filepath"
	"time"

	"causeway/internal/config"
	"causeway/internal/httpapi"
	"causeway/internal/refusal"
	"causeway/internal/store"
)

// forged is an address of nobody's (RFC 5737) that a client claims to come from.
const forged = "192.0.2.77"

// front looks at the site by its public URL, through whatever stands in front.
func (e *examination) front(ctx context.Context, c *config.Config, db *store.DB) {
	authority := c.Public.Authority
	if c.Public.Certificate == "" {
		authority = filepath.Join(filepath.Dir(c.Keys.MasterFile), "ca.pem")
	}
	roots, err := trusted(authority)
	if err != nil {
		e.skip("public url", "The site's authority cannot be read: %v", err)
		return
	}
	client := e.connect(ctx, c.Public.URL, roots)
	if client == nil {
		return
	}
	if db == nil {
		e.skip("public url", "Whether %s is this site only the database could tell.", c.Public.URL)
	} else if e.sameSite(ctx, client, c, db) {
		e.source(ctx, client, c, db)
	}
	e.asClient(ctx, client, c.Public.URL, "")
	if _, port, err := net.SplitHostPort(c.Operations.Listen); err == nil {
		e.operationsHidden(ctx, c.Public.URL, port)
	}
}

// sameSite compares the keys that are published with those of the database.
func (e *examination) sameSite(ctx context.Context, client *http.Client, c *config.Config, db *store.DB) bool {
	res, err := get(ctx, client, c.Public.URL+"/oauth/provider/jwks", nil)
	if err == nil {
		err = res.want(http.StatusOK)
	}
	var shown struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	if err == nil {
		err = json.Unmarshal(res.body, &shown)
	}
	if err != nil {
		e.fail("public url", advice{"Clients and portals use this address.", "Check the balancer in front, and that a cell runs."}, "%s does not show the keys of a site: %v", c.Public.URL, err)
		return false
	}
	ours, err := signingKeys(ctx, db)
	if err != nil {
		e.skip("public url", "The database does not tell this site's keys: %v", err)
		return false
	}
	for _, k := range ours {
		for _, s := range shown.Keys {
			if k.ID == s.ID {
				e.ok("public url", "%s is this site.", c.Public.URL)
				return true
			}
		}
	}
	e.fail("public url", advice{"Links in answers lead clients to somebody else, with their tokens.", "Correct public.url, or where its name and the balancer lead."}, "%s is another site: it publishes none of this one's keys.", c.Public.URL)
	return false
}

// source compares where a request came from with where the site thinks it did.
func (e *examination) source(ctx context.Context, client *http.Client, c *config.Config, db *store.DB) {
	var from netip.Addr
	trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		if at, err := netip.ParseAddrPort(got.Conn.LocalAddr().String()); err == nil {
			from = at.Addr().Unmap()
		}
	}}
	// Of all that is refused, what a token endpoint refuses is always kept.
	res, err := ask(httptrace.WithClientTrace(ctx, trace), client, http.MethodPost, c.Public.URL+"/oauth/provider/token",
		http.Header{"X-Forwarded-For": {forged}}, "grant_type=refresh_token&refresh_token=causeway-doctor")
	if err != nil {
		e.skip("source address", "The site did not answer: %v", err)
		return
	}
	kept, err := keptRefusal(ctx, db, res.header.Get(httpapi.HeaderRequestID))
	if err != nil {
		e.skip("source address", "The site kept no trace of a request by which to tell: %v", err)
		return
	}
	seen := kept.Unmap()
	lies := advice{"Limits per source would stop everybody at once, or nobody, and the audit trail names the wrong address.",
		"Name the balancer's network in public.trusted_proxies if it sets X-Forwarded-For, or in public.proxy_protocol if it passes TCP through and sends PROXY headers; both have to be switched on there."}
	switch {
	case seen == from:
		e.ok("source address", "The site sees the true address of its clients.")
	case seen == netip.MustParseAddr(forged):
		e.fail("source address", lies, "Clients choose the address they are seen with: the site believed an X-Forwarded-For that came with a request. Have the balancer replace it or add to its end, and name no more than balancers in public.trusted_proxies.")
	default:
		e.warn("source address", lies, "A request from %v came to the site from %v: unless addresses are translated in between, a balancer hides its clients.", from, seen)
	}
}

// keptRefusal waits a moment for the refusal of a request: it is written after the
// answer.
func keptRefusal(ctx context.Context, db *store.DB, id string) (from netip.Addr, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err = db.Refusals().View(ctx, func(r refusal.Reader) error {
			org, err := r.RefusalOrg(id)
			if err != nil {
				return err
			}
			kept, err := r.Refusal(org, id)
			if err != nil {
				return err
			}
			from, err = netip.ParseAddr(kept.Address)
			return err
		})
		if err == nil {
			return from, nil
		}
		select {
		case <-ctx.Done():
			return from, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

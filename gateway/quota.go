package gateway

import (
	"context"
	"io"
	"net/http"

	"causeway/internal/httpapi"
	"causeway/ratelimit"
)

// useQuota counts a call of an instance against the quota of who makes it and
// the one of their organization, for all its principals together. Our own
// endpoints have limits instead. Without quotas it touches no lock and
// allocates nothing.
func (g *Gateway) useQuota(ctx context.Context, call httpapi.Call) (*ratelimit.Use, error) {
	who, org := call.Principal, call.Org
	if who.Org != org.ID { // a provider in a tenant's organization is still the provider's
		var err error
		if org, err = g.orgs.Organization(ctx, who.Org); err != nil {
			return nil, err
		}
	}
	var own, all ratelimit.Claim
	if q := who.Quota; q != nil {
		own = ratelimit.Claim{Key: ratelimit.Account(who.ID), Quota: q.Quota, Org: ratelimit.Org(org.ID)}
	}
	if q := org.OwnQuota; q != nil {
		all = ratelimit.Claim{Key: ratelimit.Org(org.ID), Quota: q.Quota}
	}
	return g.quotas.Begin(own, all)
}

// countedRequest counts what is read of the body. Who is not counted keeps the
// request as it is.
func countedRequest(r *http.Request, use *ratelimit.Use) *http.Request {
	if use == nil || r.Body == nil || r.Body == http.NoBody {
		return r
	}
	counted := *r
	counted.Body = countedBody{r.Body, use}
	return &counted
}

type countedBody struct {
	io.ReadCloser
	use *ratelimit.Use
}

func (b countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.use.Count(int64(n))
	return n, err
}

// countedWriter counts what is written of the answer.
func countedWriter(w http.ResponseWriter, use *ratelimit.Use) http.ResponseWriter {
	if use == nil {
		return w
	}
	return writer{w, use}
}

type writer struct {
	http.ResponseWriter
	use *ratelimit.Use
}

func (w writer) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.use.Count(int64(n))
	return n, err
}

// Unwrap lets http.ResponseController reach the connection: answers are flushed
// as they come.
func (w writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

package links

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"

	"causeway/federation"
	"causeway/federation/route"
	"causeway/internal/problem"
	"causeway/tenants"
)

// pairs are the associations of one local organization. A site may hold 100,000,
// so nothing is kept that can be had cheaply from something smaller.
type pairs struct {
	*route.Book
	more   []pairMore // of the association at the same place
	inside []string   // the organizations of this site among them
}

// pairMore comes with the key, read at the same moment: a key that is kept apart
// could outlive the association it was read from.
type pairMore struct {
	key      point
	mapUsers bool
	direct   bool
}

// pair is an association of a local organization with another.
type pair struct {
	route.Held
	*pairMore
}

func newPairs(list []federation.OrgAssociation) pairs {
	p := pairs{Book: route.NewBook(list)}
	p.more = make([]pairMore, p.Len())
	for _, a := range list {
		i, _ := p.Find(a.Location())
		p.more[i] = pairMore{key: pointOf(a.PublicKey), mapUsers: a.MapUsers, direct: a.Direct}
	}
	return p
}

// insideOf are the organizations of a site that are in a list.
func insideOf(list []federation.OrgAssociation, site tenants.SiteID) (ids []string) {
	for _, a := range list {
		if a.Site == site {
			ids = append(ids, string(a.Remote))
		}
	}
	return ids
}

// point is an uncompressed one; it begins with 0 where it could not be read.
type point [65]byte

func pointOf(text string) (p point) {
	key, err := DecodePublicKey(text)
	if err != nil {
		return p
	}
	if b, err := key.Bytes(); err == nil {
		copy(p[:], b)
	}
	return p
}

var errNoKey = errors.New("links: the association's key cannot be read")

// publicKey is the key at a point. What was read of it is the same whoever's it is.
func (x *index) publicKey(p point) (*ecdsa.PublicKey, error) {
	if p[0] == 0 {
		return nil, errNoKey
	}
	if key, ok := x.points.Get(p); ok {
		return key, nil
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), p[:])
	if err == nil {
		x.points.Add(p, key)
	}
	return key, err
}

// with finds the association with a location.
func (p pairs) with(l tenants.LocationID) (pair, bool) {
	i, ok := p.Find(l)
	if !ok {
		return pair{}, false
	}
	return pair{p.At(i), &p.more[i]}, true
}

// between is the association of two organizations, held by both sides as far as
// is known.
func (x *index) between(ctx context.Context, local tenants.OrgID, remote tenants.LocationID) (pair, error) {
	held, err := x.someAssociations(ctx, local)
	if errors.Is(err, errNoPairs) {
		return pair{}, notAssociated()
	}
	if err != nil {
		return pair{}, err
	}
	a, ok := held.with(remote)
	if !ok {
		return pair{}, notAssociated()
	}
	if !a.Complete() {
		return pair{}, problem.New(problem.Forbidden, "The association of the organizations is incomplete.").
			With(problem.FactReason, problem.ReasonIncomplete)
	}
	return a, nil
}

func notAssociated() error {
	return problem.New(problem.Forbidden, "The organizations are not associated.").With(problem.FactReason, problem.ReasonNoAssoc)
}

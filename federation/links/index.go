package links

import (
	"context"
	"crypto/ecdsa"
	"errors"

	lru "github.com/hashicorp/golang-lru/v2"

	"causeway/federation"
	"causeway/federation/peer"
	"causeway/internal/cache"
	"causeway/internal/journal"
	"causeway/internal/secret"
	"causeway/tenants"
)

// index remembers associations, keys and counterparts: what a request that
// crosses needs, without asking the database again.
type index struct {
	store        federation.Store
	self         tenants.SiteID
	keys         *secret.Keys
	sites        *cache.Cache[tenants.SiteID, sitePeer]
	orgs         *cache.Cache[tenants.OrgID, pairs]
	orgKeys      *cache.Cache[tenants.OrgID, *ecdsa.PrivateKey]
	counterparts *cache.Cache[identity, tenants.Principal]
	direct       *cache.Cache[tenants.SiteID, map[tenants.OrgID][]tenants.OrgID]
	points       *lru.Cache[point, *ecdsa.PublicKey]
	target       func(sitePeer) peer.Target
}

type sitePeer struct {
	federation.SiteAssociation
	pins peer.Pins
	keys peer.Keys
	to   *peer.Target // of all that is above; nil where it is not remembered
}

// identity is what makes two principals of associated organizations the same.
type identity struct {
	org        tenants.OrgID
	kind       tenants.PrincipalKind
	name       string
	softwareID string
	provider   string         // of a user
	home       tenants.SiteID // of an app
}

func newIndex(c Config, target func(sitePeer) peer.Target) (*index, error) {
	x := &index{store: c.Store, self: c.Self.ID, keys: c.Keys, target: target}
	size := c.Size
	var errs [6]error
	x.sites, errs[0] = cache.New[tenants.SiteID, sitePeer](size)
	x.orgs, errs[1] = cache.NewTagged[tenants.OrgID](5*size, func(p pairs) []string { return p.inside })
	x.orgKeys, errs[2] = cache.New[tenants.OrgID, *ecdsa.PrivateKey](size)
	x.counterparts, errs[3] = cache.NewTagged[identity](size, func(p tenants.Principal) []string { return []string{string(p.Org)} })
	x.direct, errs[4] = cache.New[tenants.SiteID, map[tenants.OrgID][]tenants.OrgID](size)
	x.points, errs[5] = lru.New[point, *ecdsa.PublicKey](size)
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return x, nil
}

func (x *index) site(ctx context.Context, id tenants.SiteID) (sitePeer, error) {
	return x.sites.Fill(ctx, id, func() (p sitePeer, err error) {
		var a federation.SiteAssociation
		err = x.store.View(ctx, func(r federation.Reader) error {
			a, err = r.SiteAssociation(id)
			return err
		})
		if err != nil {
			return p, err
		}
		if p, err = newSitePeer(a); err == nil {
			to := x.target(p)
			p.to = &to
		}
		return p, err
	})
}

// associations are those of an organization whose principals are here: that there
// are none is remembered, too.
func (x *index) associations(ctx context.Context, local tenants.OrgID) (pairs, error) {
	if p, ok := x.orgs.Get(local); ok {
		return p, nil
	}
	p, err := x.orgs.Fill(ctx, local, func() (pairs, error) { return x.readPairs(ctx, local) })
	if errors.Is(err, errNoPairs) { // somebody asked about them at the same time
		return newPairs(nil), nil
	}
	return p, err
}

// someAssociations are those of an organization that anybody may have named, or
// errNoPairs, of which nothing is remembered: organizations that are made up must
// not push those out that are here.
func (x *index) someAssociations(ctx context.Context, local tenants.OrgID) (pairs, error) {
	if p, ok := x.orgs.Get(local); ok {
		return p, nil
	}
	return x.orgs.Fill(ctx, local, func() (pairs, error) {
		p, err := x.readPairs(ctx, local)
		if err == nil && p.Len() == 0 {
			err = errNoPairs
		}
		return p, err
	})
}

var errNoPairs = errors.New("links: the organization has no associations")

func (x *index) readPairs(ctx context.Context, local tenants.OrgID) (p pairs, err error) {
	err = x.store.View(ctx, func(r federation.Reader) error {
		list, err := r.OrgAssociations(local)
		p = newPairs(list)
		p.inside = insideOf(list, x.self)
		return err
	})
	return p, err
}

func (x *index) orgKey(ctx context.Context, org tenants.OrgID) (*ecdsa.PrivateKey, error) {
	return x.orgKeys.Fill(ctx, org, func() (*ecdsa.PrivateKey, error) {
		sealed, err := readOrgKey(ctx, x.store, org)
		if err != nil {
			return nil, err
		}
		return openKey(x.keys, sealOrg, sealed)
	})
}

// apply forgets what the journal names.
func (x *index) apply(row journal.Row) {
	org := tenants.OrgID(row.Org)
	switch row.Subject.Kind {
	case journal.KindSite:
		x.sites.ForgetKey(tenants.SiteID(row.Subject.ID))
	case journal.KindOrgAssociation:
		x.orgs.ForgetKey(org)
		x.direct.Flush()
	case journal.KindKey:
		x.orgKeys.ForgetKey(org)
	case journal.KindAccount, journal.KindUser, journal.KindApp, journal.KindQuotaPolicy:
		x.counterparts.ForgetTag(row.Org)
	case journal.KindOrganization:
		x.counterparts.ForgetTag(row.Subject.ID)
		x.orgs.ForgetTag(row.Subject.ID) // others inside the site know it by its name
	}
}

func (x *index) flush() {
	x.sites.Flush()
	x.orgs.Flush()
	x.orgKeys.Flush()
	x.counterparts.Flush()
	x.direct.Flush()
}

// directLocals are the local organizations that take tokens of another's.
func (x *index) directLocals(ctx context.Context, home tenants.LocationID) ([]tenants.OrgID, error) {
	all, ok := x.direct.Get(home.Site)
	if ok {
		return all[home.Org], nil
	}
	all, err := x.direct.Fill(ctx, home.Site, func() (map[tenants.OrgID][]tenants.OrgID, error) {
		var held []federation.Pair
		err := x.store.View(ctx, func(r federation.Reader) (err error) {
			held, err = r.DirectPairs(home.Site)
			return err
		})
		by := map[tenants.OrgID][]tenants.OrgID{}
		for _, p := range held {
			by[p.Remote] = append(by[p.Remote], p.Local)
		}
		return by, err
	})
	return all[home.Org], err
}

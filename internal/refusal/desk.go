package refusal

import (
	"context"
	"maps"
	"strings"
	"time"

	"causeway/internal/fiql"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Fields are what lists of refusals can be filtered and sorted by, for the API and
// the portal alike.
var Fields = fiql.Fields{
	"requestId": {Column: "request_id", Kind: fiql.Text},
	"time":      {Column: "at", Kind: fiql.Time},
	"code":      {Column: "code", Kind: fiql.Text},
	"status":    {Column: "status", Kind: fiql.Int},
	"actor":     {Column: "actor_name", Kind: fiql.Text},
	"actorId":   {Column: "actor_id", Kind: fiql.Text},
	"method":    {Column: "method", Kind: fiql.Text},
	"route":     {Column: "route", Kind: fiql.Text},
}

// Desk shows refusals to those who may read an organization's audit trail. Whether
// somebody may is decided before.
type Desk struct {
	Store Store
	Orgs  *tenants.Directory
	Now   func() time.Time
}

// List shows what was refused in org, the newest first. filter is that of q, by
// which it is known how far back a list must look.
func (d *Desk) List(ctx context.Context, who tenants.Principal, org tenants.OrgID, filter fiql.Node, q tenants.Query) ([]Shown, int, error) {
	Recent(filter, d.Now(), &q)
	return d.list(ctx, who, func(r Reader) ([]Refusal, int, error) { return r.Refusals(org, q) })
}

// Newest shows the provider what was refused last, in whichever organization.
func (d *Desk) Newest(ctx context.Context, who tenants.Principal, q tenants.Query) ([]Shown, int, error) {
	if !OfProvider(who) {
		return nil, 0, problem.Hidden()
	}
	return d.list(ctx, who, func(r Reader) ([]Refusal, int, error) { return r.NewestRefusals(q) })
}

func (d *Desk) list(ctx context.Context, who tenants.Principal, read func(Reader) ([]Refusal, int, error)) ([]Shown, int, error) {
	var found []Refusal
	var total int
	err := d.Store.View(ctx, func(r Reader) (err error) {
		found, total, err = read(r)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	list := make([]Shown, 0, len(found))
	for _, r := range found {
		shown, err := d.show(ctx, r, who)
		if err != nil {
			return nil, 0, err
		}
		list = append(list, shown)
	}
	return list, total, nil
}

// Counts tells how many were refused in org, see [Reader].
func (d *Desk) Counts(ctx context.Context, org tenants.OrgID, since time.Time, span time.Duration) (list []Count, err error) {
	err = d.Store.View(ctx, func(r Reader) error {
		list, err = r.RefusalCounts(org, since, span)
		return err
	})
	return list, err
}

// Find shows the refusal of a request in org. The provider finds it in whichever
// organization it is. What is not there and what is another's look alike.
func (d *Desk) Find(ctx context.Context, who tenants.Principal, org tenants.OrgID, requestID string) (Shown, error) {
	var found Refusal
	err := d.Store.View(ctx, func(r Reader) (err error) {
		if OfProvider(who) {
			if org, err = r.RefusalOrg(requestID); err != nil {
				return err
			}
		}
		found, err = r.Refusal(org, requestID)
		return err
	})
	if problem.Has(err, problem.NotFound) {
		return Shown{}, problem.Hidden()
	}
	if err != nil {
		return Shown{}, err
	}
	return d.show(ctx, found, who)
}

// show leaves out what is only for the provider: where the provider's people
// work from, and facts about other organizations.
func (d *Desk) show(ctx context.Context, r Refusal, who tenants.Principal) (Shown, error) {
	s := Shown{
		RequestID: r.RequestID, Time: fiql.Stamp(r.At), Address: r.Address, Method: r.Method, Route: r.Route,
		Status: r.Status, Code: r.Code, Message: r.Message, Facts: maps.Clone(r.Facts),
		Actor: ShownActor{Kind: r.Actor.Kind, ID: r.Actor.ID, Name: r.Actor.Name},
	}
	var err error
	if s.Organization, err = d.ref(ctx, r.Org); err != nil {
		return s, err
	}
	provider := OfProvider(who)
	if r.Actor.Org != "" && (provider || tenants.OrgID(r.Actor.Org) == r.Org) {
		org, err := d.ref(ctx, tenants.OrgID(r.Actor.Org))
		if err != nil {
			return s, err
		}
		s.Actor.Organization = &org
	}
	if provider {
		return s, nil
	}
	if r.Actor.Org != "" && tenants.OrgID(r.Actor.Org) != r.Org {
		s.Address = ""
	}
	maps.DeleteFunc(s.Facts, func(name, _ string) bool { return strings.HasPrefix(name, problem.ForProvider) })
	return s, nil
}

// OfProvider says that who reads is the provider of this site, not of a peer.
func OfProvider(who tenants.Principal) bool { return who.Provider() && who.Via == "" }

// ref names an organization, also one that is gone.
func (d *Desk) ref(ctx context.Context, id tenants.OrgID) (Ref, error) {
	ref := Ref{ID: tenants.URN("org", id)}
	org, err := d.Orgs.Organization(ctx, id)
	if problem.Has(err, problem.NotFound) {
		return ref, nil
	}
	if err == nil {
		ref.Name = org.Name
	}
	return ref, err
}

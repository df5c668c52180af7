package tenants

import (
	"context"
	"time"

	"causeway/internal/problem"
)

// Ground is what a caller is judged by inside a transaction. Every Reader is one.
type Ground interface {
	Organization(id OrgID) (Organization, error)
	// Role reads a role that can be held in org, see RoleReader.
	Role(org OrgID, id RoleID) (Role, error)
	// PublishedRights are what the rights bundles make available to a tenant.
	PublishedRights(org OrgID) ([]Right, error)
	// User reads a person. now decides who is locked out.
	User(org OrgID, id UserID, now time.Time) (User, error)
	// LiveSession is problem.NotFound when the session has ended or expired.
	LiveSession(org OrgID, id SessionID, now time.Time) error
	// AppStands is problem.NotFound unless an app, of this site or of another, is the
	// member of org that it was at this epoch.
	AppStands(org OrgID, site SiteID, app string, epoch int64) error
	// AccountQuota is the policy of a service account, empty if it has none.
	AccountQuota(org OrgID, account string) (QuotaPolicyID, error)
}

// change runs f in a transaction in which the caller still stands.
func (s *Service) change(ctx context.Context, by Caller, f func(Tx) error) error {
	now := s.clock()
	return s.store.InTx(ctx, func(tx Tx) error {
		if err := Stands(tx, by.Principal, now); err != nil {
			return err
		}
		return f(tx)
	})
}

// Stands answers nil when p is still who asked: the session lives, and who holds
// it is there, enabled and in the same role. A request can wait long for its body
// or for a password to be hashed, and what was taken from the caller in that time
// counts no more (R4).
func Stands(g Ground, p Principal, now time.Time) error {
	err := stands(g, p, now)
	switch {
	case !problem.Has(err, problem.NotFound):
		return err
	case p.Session == "": // the session is at a peer site, and none of ours
		return problem.New(problem.Forbidden, "The caller was disabled or deleted.")
	}
	return problem.New(problem.Unauthenticated, "The session is not valid.")
}

func stands(g Ground, p Principal, now time.Time) error {
	o, err := g.Organization(p.Org)
	if err != nil {
		return err
	}
	if !o.Enabled {
		return problem.Hidden()
	}
	if p.Kind == KindApp { // its token has no row, and what it was given is for who gives
		return g.AppStands(p.Org, p.Via, p.ID, p.Epoch)
	}
	if p.Session != "" {
		if err := g.LiveSession(p.Org, p.Session, now); err != nil {
			return err
		}
	}
	if !p.Kind.OfUser() { // an account's session keeps the role that it began with
		_, err := g.AccountQuota(p.Org, p.ID)
		return err
	}
	return userStands(g, p, now)
}

func userStands(g Ground, p Principal, now time.Time) error {
	u, err := g.User(p.Org, UserID(p.ID), now)
	switch {
	case err != nil:
		return err
	case !u.Enabled:
		return problem.Hidden()
	case u.Role != p.Role:
		return problem.New(problem.Forbidden, "The caller was given another role.")
	}
	return nil
}

package links

import (
	"context"
	"crypto/ecdsa"
	"net/http"
	"time"

	"causeway/federation"
	"causeway/federation/assertion"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Receive says who a request from an associated site speaks for. The assertion
// names somebody there; who that is here, and with which role, only our own
// records say. toll is asked before they are read, and before anything is written.
func (l *Links) Receive(ctx context.Context, r *http.Request, from tenants.SiteID, toll federation.Toll) (tenants.Principal, error) {
	// A connection outlives the association that let it in.
	if err := l.speaks(ctx, from); err != nil {
		return tenants.Principal{}, err
	}
	var held pair
	var who tenants.Principal
	_, err := l.verifier.Verify(r.Header.Get(assertion.Header), assertion.Expect{
		Channel: from, Self: l.c.Self.ID, Method: r.Method, RequestURI: r.URL.RequestURI(), Now: l.c.Now(),
		KeyFor: func(channel tenants.SiteID, src, dst tenants.OrgID) (_ *ecdsa.PublicKey, err error) {
			if err := toll.Try(src); err != nil {
				return nil, err
			}
			home := tenants.LocationID{Org: src, Site: channel}
			if held, err = l.index.between(ctx, enters(src, dst), home); err != nil {
				return nil, err
			}
			return l.index.publicKey(held.key)
		},
		Admit: func(c assertion.Claims) (err error) {
			s := someone{subject: c.SubjectType, name: c.Subject, softwareID: c.SoftwareID, idp: c.IdP}
			if who, err = l.admit(ctx, c.Src, c.Dst, held, s); err != nil {
				return err
			}
			who.Via = from
			return toll.Pass(who)
		},
		Use: func(channel tenants.SiteID, id string, until time.Time) (bool, error) {
			return l.c.Store.UseAssertion(ctx, channel, id, until)
		},
	})
	if err != nil {
		return tenants.Principal{}, err
	}
	return who, nil
}

// speaks answers nil while a site may speak for its principals here.
func (l *Links) speaks(ctx context.Context, from tenants.SiteID) error {
	if !l.c.Fresh() {
		return problem.New(problem.Unavailable, "The site cannot reach its database.").After(time.Second)
	}
	site, err := l.index.site(ctx, from)
	if problem.Has(err, problem.NotFound) || (err == nil && site.Status != federation.StatusActive && site.Status != federation.Unreachable) {
		return problem.New(problem.Forbidden, "The sites are not associated.").With(problem.FactReason, problem.ReasonNoAssoc)
	}
	return err
}

// enters is the local organization through which a principal of src comes in to
// act in dst. A provider's comes in through ours, whichever tenant it is about:
// providers are associated with each other and never with tenants.
func enters(src, dst tenants.OrgID) tenants.OrgID {
	if src == tenants.SystemOrgID {
		return tenants.SystemOrgID
	}
	return dst
}

// someone is a principal of another site, as that site names it.
type someone struct {
	subject          assertion.SubjectType
	name, softwareID string
	idp              string // how a user is known there
}

// admit finds who someone of src is in dst, by the association that both sides
// hold. Whether it may do anything, its role here says.
func (l *Links) admit(ctx context.Context, src, dst tenants.OrgID, held pair, s someone) (tenants.Principal, error) {
	if dst == tenants.SystemOrgID && src != tenants.SystemOrgID {
		return tenants.Principal{}, notAssociated()
	}
	in := enters(src, dst)
	org, err := l.c.Orgs.Organization(ctx, in)
	if err != nil {
		return tenants.Principal{}, err
	}
	if !org.Enabled {
		return tenants.Principal{}, problem.New(problem.Forbidden, "The fulfilling organization is disabled.").
			With(problem.FactReason, problem.ReasonDisabled, problem.FactOrganization, org.Name)
	}
	who, err := l.counterpart(ctx, in, held, s)
	if err != nil {
		return tenants.Principal{}, err
	}
	who.Org, who.OrgName = org.ID, org.Name
	who.Home = tenants.LocationID{Org: src, Site: held.Site}
	who.RoleName, _ = org.RoleName(who.Role)
	if dst != in {
		who.ActsIn = dst
	}
	return who, nil
}

// counterpart maps by name and software id, apps by home and client id where they were added, and people by name and how they are
// known, only where people says so: a remote user called administrator must not
// become ours unasked. An association of providers says so from the start (VCD's
// rule), until somebody takes it back.
func (l *Links) counterpart(ctx context.Context, org tenants.OrgID, held pair, s someone) (tenants.Principal, error) {
	id := identity{org: org, kind: tenants.KindServiceAccount, name: s.name, softwareID: s.softwareID}
	switch s.subject {
	case assertion.App:
		id.kind, id.softwareID, id.home = tenants.KindApp, "", held.Site
		if id.home == l.c.Self.ID {
			id.home = ""
		}
	case assertion.User:
		id.kind, id.softwareID, id.provider = tenants.KindUser, "", providerOf(s.idp)
		if !held.mapUsers {
			return tenants.Principal{}, problem.New(problem.Forbidden, "The fulfilling organization does not accept people of associated organizations.").
				With(problem.FactReason, problem.ReasonNoPeople)
		}
	}
	return l.index.counterparts.Fill(ctx, id, func() (who tenants.Principal, err error) {
		switch id.kind {
		case tenants.KindUser:
			who, err = l.c.Counterparts.User(ctx, id.org, id.name, id.provider)
		case tenants.KindApp:
			who, err = l.c.Counterparts.App(ctx, id.org, id.home, id.name)
		default:
			who, err = l.c.Counterparts.Account(ctx, id.org, id.name, id.softwareID)
		}
		who.Org = id.org // by which it is forgotten
		return who, err
	})
}

// idpLocal is how assertions name users whose password their own site keeps. Other
// words name a provider as users' rows do.
const idpLocal = "local"

func providerOf(idp string) string {
	if idp == idpLocal {
		return tenants.ProviderIntegrated
	}
	return idp
}

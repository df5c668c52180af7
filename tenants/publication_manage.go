package tenants

import (
	"context"
	"maps"
	"slices"

	"causeway/internal/journal"
	"causeway/internal/problem"
)

// Publications returns a page of the provider's global roles or rights bundles,
// without their rights, and the number on all pages.
func (s *Service) Publications(ctx context.Context, kind PublicationKind, q Query) (list []Publication, total int, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		list, total, err = r.Publications(kind, q)
		return err
	})
	return list, total, err
}

// Publication returns one global role or rights bundle.
func (s *Service) Publication(ctx context.Context, kind PublicationKind, id PublicationID) (p Publication, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		p, err = r.Publication(kind, id)
		return err
	})
	return p, err
}

// CreatePublication makes a global role or rights bundle with these rights, which
// can be given later, published to every organization or to none.
func (s *Service) CreatePublication(ctx context.Context, by Caller, kind PublicationKind, text RoleText, publishAll bool, rights ...Right) (Publication, error) {
	if err := mayPublish(by); err != nil {
		return Publication{}, err
	}
	if err := text.check(kind.word()); err != nil {
		return Publication{}, err
	}
	if err := available(TenantRights(), rights); err != nil {
		return Publication{}, err
	}
	p := Publication{
		Kind: kind, ID: PublicationID(NewID()), Name: text.Name, Description: text.Description,
		BundleKey: text.BundleKey, PublishAll: publishAll, Rights: Distinct(rights),
	}
	now := s.clock()
	err := s.change(ctx, by, func(tx Tx) error {
		if err := holds(tx, by.Principal, grantable(rights)); err != nil {
			return err
		}
		if err := tx.CreatePublication(p); err != nil {
			return err
		}
		detail := rightChanges(nil, p.Rights)
		if publishAll {
			maps.Copy(detail, publishedToAll(true))
		}
		return record(tx, by, now, SystemOrgID, kind.action(journal.GlobalRoleCreated, journal.BundleCreated), p.subject(), detail)
	})
	return p, err
}

// UpdatePublication replaces how a publication is named and described, and
// whether it is published to all if publishAll says so.
func (s *Service) UpdatePublication(ctx context.Context, by Caller, kind PublicationKind, id PublicationID, text RoleText, publishAll *bool) (Publication, error) {
	if err := text.check(kind.word()); err != nil {
		return Publication{}, err
	}
	return s.changePublication(ctx, by, kind, id, kind.updated(), func(tx Tx, p *Publication) ([]map[string]string, error) {
		if err := writable(*p); err != nil {
			return nil, err
		}
		detail := p.retitle(text)
		if publishAll != nil && *publishAll != p.PublishAll {
			p.PublishAll = *publishAll
			maps.Copy(detail, publishedToAll(p.PublishAll))
		}
		return some(detail), tx.UpdatePublication(*p)
	})
}

// ReplacePublication replaces how a publication is named and described and its
// rights in one step. seen is the version that the caller looked at: of another one
// it is problem.Conflict.
func (s *Service) ReplacePublication(ctx context.Context, by Caller, kind PublicationKind, id PublicationID, seen string, text RoleText, rights []Right) (Publication, error) {
	if err := text.check(kind.word()); err != nil {
		return Publication{}, err
	}
	if err := available(TenantRights(), rights); err != nil {
		return Publication{}, err
	}
	return s.changePublication(ctx, by, kind, id, kind.updated(), func(tx Tx, p *Publication) ([]map[string]string, error) {
		if p.Version() != seen {
			return nil, changedMeanwhile(kind.word())
		}
		detail := p.retitle(text)
		more, err := regivePublished(tx, by, p, rights, func([]Right) []Right { return rights })
		if err != nil {
			return nil, err
		}
		maps.Copy(detail, more)
		return some(detail), tx.UpdatePublication(*p)
	})
}

func (p *Publication) retitle(text RoleText) map[string]string {
	detail := p.text().changes(text)
	p.Name, p.Description, p.BundleKey = text.Name, text.Description, text.BundleKey
	return detail
}

// SetPublicationRights replaces the rights of a publication.
func (s *Service) SetPublicationRights(ctx context.Context, by Caller, kind PublicationKind, id PublicationID, rights []Right) (Publication, error) {
	return s.changePublished(ctx, by, kind, id, rights, func([]Right) []Right { return rights })
}

// AddPublicationRights adds to the rights of a publication, without what they
// imply.
func (s *Service) AddPublicationRights(ctx context.Context, by Caller, kind PublicationKind, id PublicationID, rights []Right) (Publication, error) {
	return s.changePublished(ctx, by, kind, id, rights, func(before []Right) []Right {
		return slices.Concat(before, without(rights, before))
	})
}

func (s *Service) changePublished(ctx context.Context, by Caller, kind PublicationKind, id PublicationID, given []Right, become func([]Right) []Right) (Publication, error) {
	if err := available(TenantRights(), given); err != nil {
		return Publication{}, err
	}
	return s.changePublication(ctx, by, kind, id, kind.updated(), func(tx Tx, p *Publication) ([]map[string]string, error) {
		detail, err := regivePublished(tx, by, p, given, become)
		return some(detail), err
	})
}

func regivePublished(tx Tx, by Caller, p *Publication, given []Right, become func([]Right) []Right) (map[string]string, error) {
	if err := writable(*p); err != nil {
		return nil, err
	}
	if err := holds(tx, by.Principal, grantable(given)); err != nil {
		return nil, err
	}
	before := p.Rights
	p.Rights = Distinct(become(before))
	return rightChanges(before, p.Rights), tx.SetPublicationRights(p.Kind, p.ID, p.Rights)
}

// DeletePublication removes a rights bundle, or a global role that nobody
// anywhere holds; otherwise it is problem.Conflict.
func (s *Service) DeletePublication(ctx context.Context, by Caller, kind PublicationKind, id PublicationID) error {
	now := s.clock()
	return s.change(ctx, by, func(tx Tx) error {
		p, err := lockPublication(tx, by, kind, id)
		if err != nil {
			return err
		}
		if err := writable(p); err != nil {
			return err
		}
		if err := tx.DeletePublication(kind, id); err != nil {
			return err
		}
		action := kind.action(journal.GlobalRoleDeleted, journal.BundleDeleted)
		return record(tx, by, now, SystemOrgID, action, p.subject(), rightChanges(p.Rights, nil))
	})
}

// changePublication runs change while it holds a publication, and records what
// change says it did, with one row for each detail.
func (s *Service) changePublication(ctx context.Context, by Caller, kind PublicationKind, id PublicationID, action journal.Action, change func(Tx, *Publication) ([]map[string]string, error)) (p Publication, err error) {
	now := s.clock()
	err = s.change(ctx, by, func(tx Tx) error {
		if p, err = lockPublication(tx, by, kind, id); err != nil {
			return err
		}
		details, err := change(tx, &p)
		for _, detail := range details {
			if err == nil {
				err = record(tx, by, now, SystemOrgID, action, p.subject(), detail)
			}
		}
		return err
	})
	return p, err
}

// lockPublication holds a publication that the caller may change: nobody rules
// over what gives others more than they have.
func lockPublication(tx Tx, by Caller, kind PublicationKind, id PublicationID) (Publication, error) {
	if err := mayPublish(by); err != nil {
		return Publication{}, err
	}
	if err := tx.LockPublication(kind, id); err != nil {
		return Publication{}, err
	}
	p, err := tx.Publication(kind, id)
	if err != nil {
		return Publication{}, err
	}
	return p, holds(tx, by.Principal, grantable(p.Rights))
}

// grantable is the most that a tenant's roles could allow by these rights.
func grantable(rights []Right) RightSet {
	return SetOf(rights...).Intersect(TenantRights())
}

// mayPublish answers nil for the provider: tenants neither see nor change what
// is published to others.
func mayPublish(by Caller) error {
	if !by.Principal.Provider() {
		return problem.New(problem.Forbidden, "Only the provider publishes to organizations.")
	}
	return nil
}

func writable(p Publication) error {
	if p.ReadOnly {
		return problem.New(problem.Forbidden, "The %s %q is read-only.", p.Kind.word(), p.Name)
	}
	return nil
}

// some is detail as the only one, or none where nothing changed.
func some(detail map[string]string) []map[string]string {
	if len(detail) == 0 {
		return nil
	}
	return []map[string]string{detail}
}

func (k PublicationKind) updated() journal.Action {
	return k.action(journal.GlobalRoleUpdated, journal.BundleUpdated)
}

// word is what a publication is called in sentences.
func (k PublicationKind) word() string {
	if k == RightsBundle {
		return "rights bundle"
	}
	return "global role"
}

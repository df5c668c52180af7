package tenants

import (
	"context"
	"slices"
	"strconv"

	"causeway/internal/journal"
	"causeway/internal/problem"
)

// PublicationTenants returns a page of the organizations that a publication is
// published to, with their ids and names, and the number on all pages.
func (s *Service) PublicationTenants(ctx context.Context, kind PublicationKind, id PublicationID, q Query) (list []Organization, total int, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		if _, err := r.Publication(kind, id); err != nil {
			return err
		}
		list, total, err = r.PublicationTenants(kind, id, q)
		return err
	})
	return list, total, err
}

// Publish adds tenants to those that a publication is published to.
func (s *Service) Publish(ctx context.Context, by Caller, kind PublicationKind, id PublicationID, orgs []OrgID) error {
	return s.publishTo(ctx, by, kind, id, orgs, "publishedTo", func(tx Tx, _ *Publication) error {
		return tx.Publish(id, orgs)
	})
}

// Unpublish takes tenants away from those that a publication is published to.
// Where it was published to all, it is published to each of the others from now
// on, and to no later one.
func (s *Service) Unpublish(ctx context.Context, by Caller, kind PublicationKind, id PublicationID, orgs []OrgID) error {
	return s.publishTo(ctx, by, kind, id, orgs, "unpublishedFrom", func(tx Tx, p *Publication) error {
		if p.PublishAll && len(orgs) > 0 {
			if err := tx.PublishToEach(id); err != nil {
				return err
			}
			if err := setPublishAll(tx, p, false); err != nil {
				return err
			}
		}
		return tx.Unpublish(id, orgs)
	})
}

// ReplaceTenants publishes to the given tenants and to nobody else.
func (s *Service) ReplaceTenants(ctx context.Context, by Caller, kind PublicationKind, id PublicationID, orgs []OrgID) error {
	if len(orgs) == 0 {
		return s.UnpublishAll(ctx, by, kind, id)
	}
	return s.publishTo(ctx, by, kind, id, orgs, "publishedOnlyTo", func(tx Tx, p *Publication) error {
		if err := setPublishAll(tx, p, false); err != nil {
			return err
		}
		if err := tx.UnpublishFromAll(id); err != nil {
			return err
		}
		return tx.Publish(id, orgs)
	})
}

// PublishAll publishes to every organization, later ones included.
func (s *Service) PublishAll(ctx context.Context, by Caller, kind PublicationKind, id PublicationID) error {
	return s.publish(ctx, by, kind, id, func(tx Tx, p *Publication) ([]map[string]string, error) {
		return some(publishedToAll(true)), setPublishAll(tx, p, true)
	})
}

// UnpublishAll publishes to nobody any more.
func (s *Service) UnpublishAll(ctx context.Context, by Caller, kind PublicationKind, id PublicationID) error {
	return s.publish(ctx, by, kind, id, func(tx Tx, p *Publication) ([]map[string]string, error) {
		if err := setPublishAll(tx, p, false); err != nil {
			return nil, err
		}
		return some(map[string]string{"unpublishedFromAll": "true"}), tx.UnpublishFromAll(id)
	})
}

func (s *Service) publish(ctx context.Context, by Caller, kind PublicationKind, id PublicationID, change func(Tx, *Publication) ([]map[string]string, error)) error {
	_, err := s.changePublication(ctx, by, kind, id, kind.action(journal.GlobalRolePublished, journal.BundlePublished), change)
	return err
}

// perRow is how many organizations one row of the journal names.
const perRow = 200

// publishTo runs change for listed tenants, and records their names under verb.
func (s *Service) publishTo(ctx context.Context, by Caller, kind PublicationKind, id PublicationID, orgs []OrgID, verb string, change func(Tx, *Publication) error) error {
	return s.publish(ctx, by, kind, id, func(tx Tx, p *Publication) ([]map[string]string, error) {
		names, err := tenantNames(tx, orgs)
		if err != nil {
			return nil, err
		}
		var details []map[string]string
		for chunk := range slices.Chunk(names, perRow) {
			detail := map[string]string{}
			list(detail, verb, chunk)
			details = append(details, detail)
		}
		return details, change(tx, p)
	})
}

// tenantNames are the names of organizations, each of which must be a tenant.
func tenantNames(tx Tx, orgs []OrgID) ([]string, error) {
	known, err := tx.OrganizationNames(orgs)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(orgs))
	for _, id := range orgs {
		name, ok := known[id]
		switch {
		case id == SystemOrgID:
			return nil, problem.New(problem.BadRequest, "The provider's own organization has every right: nothing is published to it.")
		case !ok:
			return nil, problem.New(problem.BadRequest, "There is no organization %s.", id)
		}
		names = append(names, name)
	}
	return names, nil
}

func setPublishAll(tx Tx, p *Publication, all bool) error {
	if p.PublishAll == all {
		return nil
	}
	p.PublishAll = all
	return tx.UpdatePublication(*p)
}

func publishedToAll(all bool) map[string]string {
	return map[string]string{"publishedToAll": strconv.FormatBool(all)}
}

package tenants

import "context"

// Withdrawal tells which rights nobody in org could have any more if a rights
// bundle were not published to it.
func (s *Service) Withdrawal(ctx context.Context, bundle PublicationID, org OrgID) (lost RightSet, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		p, err := r.Publication(RightsBundle, bundle)
		if err != nil {
			return err
		}
		stay, err := publishedBesides(r, bundle, org)
		lost = grantable(p.Rights).Minus(stay)
		return err
	})
	return lost, err
}

// publishedBesides are the rights that the other bundles publish to org.
func publishedBesides(r Reader, bundle PublicationID, org OrgID) (rights RightSet, err error) {
	for q := (Query{Page: 1, PageSize: 100}); ; q.Page++ {
		others, total, err := r.Publications(RightsBundle, q)
		if err != nil {
			return rights, err
		}
		for _, other := range others {
			given, err := publishedIn(r, other, org)
			if err != nil {
				return rights, err
			}
			if other.ID != bundle {
				rights = rights.Union(given)
			}
		}
		if q.Page*q.PageSize >= total {
			return rights, nil
		}
	}
}

// publishedIn are the rights that a bundle publishes to org.
func publishedIn(r Reader, p Publication, org OrgID) (RightSet, error) {
	_, published, err := r.PublicationTenants(p.Kind, p.ID, Query{Where: "id = ?", Args: []any{string(org)}, Page: 1, PageSize: 1})
	if err != nil || published == 0 {
		return RightSet{}, err
	}
	p, err = r.Publication(p.Kind, p.ID)
	return grantable(p.Rights), err
}

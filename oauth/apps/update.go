package apps

import (
	"cmp"
	"context"
	"encoding/json"
	"reflect"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// Change is what an owner wants otherwise. It is made of the app as it is: what the
// owner does not mention stays.
type Change struct {
	DisplayName string
	Description string
	Settings
}

// Update changes an app by what change makes of it. Bounds that are drawn closer
// count at once, in every organization.
func (s *Service) Update(ctx context.Context, by tenants.Caller, org tenants.OrgID, id ID, change func(*Change) error) (App, error) {
	return s.edit(ctx, by, org, id, func(e editing) (journal.Action, map[string]string, error) {
		a := e.app
		before := *a
		c := Change{DisplayName: a.DisplayName, Description: a.Description, Settings: a.Settings}
		if err := change(&c); err != nil {
			return "", nil, err
		}
		c.Settings = c.Settings.whole()
		if err := c.check(); err != nil {
			return "", nil, err
		}
		if before.OwnerOnlyRotation != c.OwnerOnlyRotation && !e.r.Is(services.OrgOwner) {
			return "", nil, problem.New(problem.Forbidden, "Only an Organization Owner says who may change the app's secret.")
		}
		a.DisplayName, a.Description, a.Settings = c.DisplayName, c.Description, c.Settings
		if err := cmp.Or(e.mayReach(*a), e.mayBound(before.Ceiling, a.Ceiling)); err != nil {
			return "", nil, err
		}
		if reflect.DeepEqual(before, *a) {
			return "", nil, nil
		}
		return journal.AppUpdated, before.difference(*a), rebound(e.tx, by, before, *a, e.now)
	})
}

func (c Change) check() error {
	if err := checkText(c.DisplayName, c.Description); err != nil {
		return err
	}
	return c.Settings.check()
}

// rebound has the accounts in service instances follow other bounds.
func rebound(tx Tx, by tenants.Caller, before, after App, now time.Time) error {
	if reflect.DeepEqual(before.Ceiling, after.Ceiling) {
		return nil
	}
	if err := checkServices(tx, after.Ceiling, before.Ceiling); err != nil {
		return err
	}
	orgs, err := tx.MemberOf(after.ID)
	if err != nil {
		return err
	}
	// What settles reads the bounds that are stored.
	if err := tx.UpdateApp(after); err != nil {
		return err
	}
	for _, org := range orgs {
		err := tx.LockHolder(org, holder(after.ID))
		if problem.Has(err, problem.NotFound) { // removed meanwhile, and settled then
			continue
		}
		if err != nil {
			return err
		}
		if err := services.Settle(tx, org, holder(after.ID), by, now); err != nil {
			return err
		}
	}
	return nil
}

// difference is what changed, for the audit trail.
func (a App) difference(b App) map[string]string {
	return tenants.Changed(map[string][2]string{
		"displayName":             {a.DisplayName, b.DisplayName},
		"description":             {a.Description, b.Description},
		"grantTypes":              {asJSON(a.GrantTypes), asJSON(b.GrantTypes)},
		"allowedScopes":           {asJSON(a.Ceiling), asJSON(b.Ceiling)},
		"accessTokenTTL":          {a.AccessTTL.String(), b.AccessTTL.String()},
		"refreshTokenTTL":         {a.RefreshTTL.String(), b.RefreshTTL.String()},
		"ownerOnlySecretRotation": {asJSON(a.OwnerOnlyRotation), asJSON(b.OwnerOnlyRotation)},
		"rotationOverlap":         {a.RotationOverlap.String(), b.RotationOverlap.String()},
		"other":                   {asJSON(a.Echo), asJSON(b.Echo)},
	})
}

func asJSON(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

package apps

import (
	"context"
	"slices"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/services"
	"causeway/tenants"
)

// Draft is an app to be.
type Draft struct {
	ID          string // empty: one is made
	DisplayName string
	Description string
	Settings
	Secret secret.Text // empty: one is made
}

// Create makes an app and returns its secret, which nobody can see again. It has no
// access anywhere until an organization adds it (CSP-14, CSP-33).
func (s *Service) Create(ctx context.Context, by tenants.Caller, org tenants.OrgID, d Draft) (App, secret.Text, error) {
	d = d.whole()
	if err := d.check(); err != nil {
		return App{}, "", err
	}
	now := s.clock()
	a := App{
		ID: ID(d.ID), Org: org, DisplayName: d.DisplayName, Description: d.Description, Settings: d.Settings,
		Secret:    Secret{Digest: s.digest(d.Secret.Reveal()), Version: 1},
		CreatedAt: now, CreatedBy: by.Principal.Name, UpdatedAt: now, UpdatedBy: by.Principal.Name,
	}
	err := s.asManager(ctx, by, org, func(tx Tx, _ services.Standing) error {
		if err := checkServices(tx, a.Ceiling, services.Ceiling{}); err != nil {
			return err
		}
		if err := tx.CreateApp(a); err != nil {
			return taken(err)
		}
		return tx.Record(a.entry(now, by, org, journal.AppCreated, map[string]string{"allowedScopes": asJSON(a.Ceiling)}))
	})
	if err != nil {
		return App{}, "", err
	}
	return a, d.Secret, nil
}

// whole is d with what is left to us.
func (d Draft) whole() Draft {
	if d.ID == "" {
		d.ID = tenants.NewID()
	}
	if d.Secret == "" {
		d.Secret = NewSecret()
	}
	d.Settings = d.Settings.whole()
	return d
}

func (s Settings) whole() Settings {
	if s.AccessTTL == 0 {
		s.AccessTTL = DefaultTTL
	}
	s.GrantTypes = slices.Compact(slices.Sorted(slices.Values(s.GrantTypes)))
	return s
}

// Check judges d by itself, for who asks in several steps: what only the database
// knows is judged when the app is made.
func (d Draft) Check() error { return d.whole().check() }

// NewSecret makes a secret for an app.
func NewSecret() secret.Text { return secret.Text(secret.Base62(secretLength)) }

func (d Draft) check() error {
	if !ValidID(d.ID) {
		return problem.New(problem.BadRequest, "id must be %d to %d characters of A-Z a-z 0-9 - _", minID, maxID)
	}
	if err := checkText(d.DisplayName, d.Description); err != nil {
		return err
	}
	if err := checkSecret(d.Secret); err != nil {
		return err
	}
	return d.Settings.check()
}

// taken is one answer for every id that cannot be had, whoever has or had it.
func taken(err error) error {
	if problem.Has(err, problem.Conflict) || problem.Has(err, problem.DuplicateName) {
		return problem.New(problem.Conflict, "This id cannot be used; choose another, or leave it out.")
	}
	return err
}

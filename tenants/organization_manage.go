package tenants

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
)

// Organizations lists the organizations that can be seen from scope: from the
// provider's every one, from a tenant's itself alone.
func (s *Service) Organizations(ctx context.Context, scope OrgID, q Query) (list []ListedOrganization, total int, err error) {
	switch {
	case scope != SystemOrgID:
		q.Where, q.Args = oneOrganization(scope, q)
	case q.Where == "":
		if q.Total, err = s.orgs.Count(ctx); err != nil {
			return nil, 0, err
		}
	}
	err = s.store.View(ctx, func(r Reader) error {
		list, total, err = r.OrganizationPage(q)
		return err
	})
	return list, total, err
}

// EveryOrganization is all of them at once, System first, for the one list of VCD
// that has no pages. It is the provider's.
func (s *Service) EveryOrganization(ctx context.Context) (list []Organization, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		list, err = r.Organizations()
		return err
	})
	return list, err
}

func oneOrganization(id OrgID, q Query) (string, []any) {
	where, args := "id = ?", []any{string(id)}
	if q.Where != "" {
		where, args = where+" AND ("+q.Where+")", append(args, q.Args...)
	}
	return where, args
}

// Organization is an organization with what lists count of it.
func (s *Service) Organization(ctx context.Context, id OrgID) (ListedOrganization, error) {
	list, _, err := s.Organizations(ctx, id, Query{Where: "id = ?", Args: []any{string(id)}, Page: 1, PageSize: 1})
	switch {
	case err != nil:
		return ListedOrganization{}, err
	case len(list) == 0:
		return ListedOrganization{}, problem.Hidden()
	}
	return list[0], nil
}

// CreateOrganization makes an organization of o's names, description, settings
// and whether it is enabled. The right to create it is for all that it starts with.
func (s *Service) CreateOrganization(ctx context.Context, by Caller, o Organization) (Organization, error) {
	now := s.clock()
	o.ID, o.CreatedAt, o.Quota = OrgID(NewID()), now, ""
	if err := o.check(); err != nil {
		return Organization{}, err
	}
	return o, s.change(ctx, by, func(tx Tx) error {
		if err := tx.CreateOrganization(o); err != nil {
			return err
		}
		return record(tx, by, now, o.ID, journal.OrganizationCreated, o.subject(), map[string]string{"enabled": strconv.FormatBool(o.Enabled)})
	})
}

// UpdateOrganization changes an organization by change, which may be called more
// than once and is given the organization as it is. What is changed decides which
// of [OrganizationEditRights] it takes. A tenant changes its own and there
// everything but the name and whether it is enabled; for others it is
// problem.NotFound.
func (s *Service) UpdateOrganization(ctx context.Context, by Caller, id OrgID, change func(*Organization)) (o Organization, err error) {
	if !by.Principal.Provider() && by.Principal.Org != id {
		return Organization{}, problem.Hidden()
	}
	now := s.clock()
	err = s.change(ctx, by, func(tx Tx) error {
		if err := tx.LockOrganization(id); err != nil {
			return err
		}
		old, err := tx.Organization(id)
		if err != nil {
			return err
		}
		o = old
		change(&o)
		o.ID, o.CreatedAt, o.Quota = old.ID, old.CreatedAt, old.Quota
		var looser error
		if o.Settings.Tokens, looser = o.Settings.Tokens.changedBy(by.Principal.Provider(), old.Settings.Tokens, s.rotation); o == old {
			return nil
		}
		own, err := ownReach(tx, by.Principal)
		if err != nil {
			return err
		}
		if err := mayBecome(by, own.now, old, o); err != nil {
			return err
		}
		if looser != nil {
			return looser
		}
		if err := tx.UpdateOrganization(o); err != nil {
			return err
		}
		return recordChange(tx, by, now, old, o)
	})
	return o, err
}

// RotationOf is how refresh tokens of o's service accounts rotate: as o has set it,
// and otherwise as the site has.
func (s *Service) RotationOf(o Organization) Rotation { return o.Settings.Tokens.Over(s.rotation) }

// recordChange journals what became of old, and ends the organization's sessions
// where it is enabled or disabled: who was logged in before has to log in again,
// and no session outlives the time in which it was not to be used. Refresh tokens
// stay: the organization's apps go on when it is enabled again.
func recordChange(tx Tx, by Caller, now time.Time, old, o Organization) error {
	if detail := old.changes(o); len(detail) > 0 {
		if err := record(tx, by, now, o.ID, journal.OrganizationUpdated, o.subject(), detail); err != nil {
			return err
		}
	}
	if o.Enabled == old.Enabled {
		return nil
	}
	action := journal.OrganizationDisabled
	if o.Enabled {
		action = journal.OrganizationEnabled
	}
	if err := tx.EndSessions(o.ID, now); err != nil {
		return err
	}
	return record(tx, by, now, o.ID, action, o.subject(), nil)
}

// changes says what changed, old and new. Settings are many and say little one
// by one.
func (o Organization) changes(after Organization) map[string]string {
	detail := Changed(map[string][2]string{
		"name": {o.Name, after.Name}, "displayName": {o.DisplayName, after.DisplayName}, "description": {o.Description, after.Description},
	})
	if o.Settings != after.Settings {
		var groups []string
		for _, g := range o.Settings.differ(after.Settings) {
			groups = append(groups, g.name)
		}
		detail["settings"] = strings.Join(groups, " ")
	}
	if was, is := o.Settings.Tokens, after.Settings.Tokens; was != is {
		maps.Copy(detail, Changed(map[string][2]string{
			"retryWindowSeconds":   {was.RetryWindow.String(), is.RetryWindow.String()},
			"foreignWindowSeconds": {was.GraceWindow.String(), is.GraceWindow.String()},
			"maxRetries":           {was.MaxRetries.String(), is.MaxRetries.String()},
			"maxAgeSeconds":        {was.MaxAge.String(), is.MaxAge.String()},
		}))
	}
	return detail
}

// EnableOrganization lets an organization be used again.
func (s *Service) EnableOrganization(ctx context.Context, by Caller, id OrgID) error {
	return s.setEnabled(ctx, by, id, true)
}

// DisableOrganization ends an organization's sessions, and until it is enabled
// again nobody of it logs in and no token of it is exchanged.
func (s *Service) DisableOrganization(ctx context.Context, by Caller, id OrgID) error {
	return s.setEnabled(ctx, by, id, false)
}

func (s *Service) setEnabled(ctx context.Context, by Caller, id OrgID, enabled bool) error {
	_, err := s.UpdateOrganization(ctx, by, id, func(o *Organization) { o.Enabled = enabled })
	return err
}

// DeleteOrganization removes a disabled organization with everything in it. The
// task stands in the provider's list, for the organization has none any more.
func (s *Service) DeleteOrganization(ctx context.Context, by Caller, id OrgID) (task Task, err error) {
	if !by.Principal.Provider() {
		return Task{}, problem.Hidden()
	}
	now := s.clock()
	err = s.change(ctx, by, func(tx Tx) error {
		if err := tx.LockOrganization(id); err != nil {
			return err
		}
		o, err := tx.Organization(id)
		if err != nil {
			return err
		}
		if o.Enabled { // as System always is
			return problem.New(problem.BadRequest, "The organization must be disabled before it is deleted.")
		}
		if err := tx.DeleteOrganization(id, now); err != nil {
			return err
		}
		task = DoneTask(by, SystemOrgID, now, "orgDelete", "Deleted organization "+o.Name, TaskEntity{Kind: "org", ID: string(id), Name: o.Name})
		if err := tx.CreateTask(task); err != nil {
			return err
		}
		return record(tx, by, now, SystemOrgID, journal.OrganizationDeleted, o.subject(), nil)
	})
	return task, err
}

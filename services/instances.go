package services

import (
	"context"
	"strconv"
	"strings"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// Draft is what a provider says of an instance.
type Draft struct {
	Name    string
	Mode    Mode
	Prefix  string
	Hosts   []string
	Enabled bool
	InstanceSettings
	HookSecret secret.Text // empty keeps what there is, or makes one
}

// sealHook keeps sealed hook secrets apart from others.
const sealHook = "instance-hook"

func (d Draft) of(in ServiceInstance) ServiceInstance {
	in.Name, in.Mode, in.Prefix, in.Hosts, in.Enabled, in.InstanceSettings = d.Name, d.Mode, d.Prefix, d.Hosts, d.Enabled, d.InstanceSettings
	return in
}

// hookSecret makes in's secret from what the draft says. What was made is shown once.
func (s *Service) hookSecret(in *ServiceInstance, d Draft) (made secret.Text, err error) {
	given := d.HookSecret.Reveal()
	switch {
	case in.HookURL == "" && given != "":
		return "", badInstance("A hook's secret needs a hook.").In("hookSecret")
	case in.HookURL == "":
		in.HookSecret = nil
	case given != "":
		if len(given) < minSecret || len(given) > 256 {
			return "", badInstance("The hook's secret must have %d to 256 bytes.", minSecret).In("hookSecret")
		}
		in.HookSecret = s.keys.Seal(sealHook, []byte(given))
	case len(in.HookSecret) == 0:
		made = secret.Text(secret.URLSafe(32))
		in.HookSecret = s.keys.Seal(sealHook, []byte(made.Reveal()))
	}
	return made, nil
}

// CreateInstance makes an instance in an organization. The secret of its hook is
// returned if it was made here, and never again.
func (s *Service) CreateInstance(ctx context.Context, by tenants.Caller, org tenants.OrgID, of DefinitionID, d Draft) (ServiceInstance, secret.Text, error) {
	now := s.clock()
	in := d.of(ServiceInstance{ID: InstanceID(tenants.NewID()), Org: org, Definition: of, CreatedAt: now, UpdatedAt: now})
	if err := s.check(in); err != nil {
		return ServiceInstance{}, "", err
	}
	made, err := s.hookSecret(&in, d)
	if err != nil {
		return ServiceInstance{}, "", err
	}
	err = s.change(ctx, by, now, func(tx Tx) error {
		if err := tx.LockOrganization(org); err != nil {
			return err
		}
		if _, err := tx.Definition(of); err != nil {
			return unknownDefinition(err)
		}
		if err := tx.CreateInstance(in); err != nil {
			return err
		}
		if err := tx.Record(entry(by, now, org, journal.InstanceCreated, in.subject(), in.facts())); err != nil {
			return err
		}
		return settleInstance(tx, in, by, now)
	})
	return in, made, err
}

func unknownDefinition(err error) error {
	if problem.Has(err, problem.NotFound) {
		return badInstance("There is no such service definition.").In("serviceDefinitionId")
	}
	return err
}

// UpdateInstance replaces what a provider says of an instance.
func (s *Service) UpdateInstance(ctx context.Context, by tenants.Caller, org tenants.OrgID, id InstanceID, d Draft) (in ServiceInstance, made secret.Text, err error) {
	now := s.clock()
	if err := s.check(d.of(ServiceInstance{})); err != nil {
		return ServiceInstance{}, "", err
	}
	err = s.change(ctx, by, now, func(tx Tx) error {
		before, err := lockInstance(tx, org, id)
		if err != nil {
			return err
		}
		in = d.of(before)
		in.UpdatedAt = now
		if made, err = s.hookSecret(&in, d); err != nil {
			return err
		}
		if err := tx.UpdateInstance(in); err != nil {
			return err
		}
		if err := tx.Record(entry(by, now, org, journal.InstanceUpdated, in.subject(), changes(before, in))); err != nil {
			return err
		}
		return settleInstance(tx, in, by, now)
	})
	return in, made, err
}

// lockInstance holds an organization and one of its instances.
func lockInstance(tx Tx, org tenants.OrgID, id InstanceID) (ServiceInstance, error) {
	if err := tx.LockOrganization(org); err != nil {
		return ServiceInstance{}, err
	}
	if err := tx.LockInstance(org, id); err != nil {
		return ServiceInstance{}, err
	}
	return tx.ServiceInstance(org, id)
}

// DeleteInstance ends the accounts in an instance and takes it away, with the roles
// that were given on it alone.
func (s *Service) DeleteInstance(ctx context.Context, by tenants.Caller, org tenants.OrgID, id InstanceID) error {
	now := s.clock()
	return s.change(ctx, by, now, func(tx Tx) error {
		in, err := lockInstance(tx, org, id)
		if err != nil {
			return err
		}
		live, err := liveAccounts(tx, in)
		if err != nil {
			return err
		}
		for _, a := range live {
			if err := endAccount(tx, a, nil, by, now); err != nil {
				return err
			}
		}
		if err := tx.DeleteInstance(org, id); err != nil {
			return err
		}
		return tx.Record(entry(by, now, org, journal.InstanceDeleted, in.subject(), in.facts()))
	})
}

// Instances lists an organization's instances; see Reader.ServiceInstances.
func (s *Service) Instances(ctx context.Context, org tenants.OrgID, q tenants.Query) (list []ServiceInstance, total int, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		list, total, err = r.ServiceInstances(org, q)
		return err
	})
	return list, total, err
}

// EveryInstance lists those of all organizations. Provider only.
func (s *Service) EveryInstance(ctx context.Context) (list []ServiceInstance, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		list, err = r.EveryInstance()
		return err
	})
	return list, err
}

// Instance reads one.
func (s *Service) Instance(ctx context.Context, org tenants.OrgID, id InstanceID) (in ServiceInstance, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		in, err = r.ServiceInstance(org, id)
		return err
	})
	return in, err
}

// InstanceOrg tells whose an instance is. Provider only.
func (s *Service) InstanceOrg(ctx context.Context, id InstanceID) (org tenants.OrgID, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		org, err = r.InstanceOrg(id)
		return err
	})
	return org, err
}

func (in ServiceInstance) subject() journal.Subject {
	return journal.Subject{Kind: journal.KindServiceInstance, ID: string(in.ID), Name: in.Name}
}

// facts are what the audit trail tells of an instance: no secret is among them.
func (in ServiceInstance) facts() map[string]string {
	return map[string]string{
		"definition": string(in.Definition), "mode": string(in.Mode), "prefix": in.Prefix, "hosts": strings.Join(in.Hosts, " "),
		"enabled": strconv.FormatBool(in.Enabled), "upstreams": strings.Join(in.Upstreams, " "), "timeout": in.Timeout.String(),
		"healthPath": in.Health.Path, "healthInterval": in.Health.Interval.String(), "healthTimeout": in.Health.Timeout.String(),
		"hook": in.HookURL, "name": in.Name, "healthCounts": strconv.Itoa(in.Health.Healthy) + "/" + strconv.Itoa(in.Health.Unhealthy),
	}
}

func changes(before, after ServiceInstance) map[string]string {
	pairs, now := map[string][2]string{}, after.facts()
	for name, old := range before.facts() {
		pairs[name] = [2]string{old, now[name]}
	}
	changed := tenants.Changed(pairs)
	if string(before.HookSecret) != string(after.HookSecret) {
		changed["hookSecret"] = "replaced"
	}
	return changed
}

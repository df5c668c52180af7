package services

import (
	"slices"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// everyPage is how many rows one read takes where all are wanted.
const everyPage = 1000

// Settle makes the accounts of an app in the instances of an organization agree with
// what it holds there now: one for each instance in which it has a service role, and
// none elsewhere (CSP-18, CSP-21). It is called after each change of what h holds, in
// the same transaction and after h was locked. Users have accounts of their own.
func Settle(tx Tx, org tenants.OrgID, h Holder, by tenants.Caller, now time.Time) error {
	if h.Kind != tenants.KindApp {
		return nil
	}
	held, err := tx.Held(org, h)
	if err != nil && !problem.Has(err, problem.NotFound) { // one that was removed holds nothing
		return err
	}
	instances, err := instancesOf(tx, org)
	if err != nil {
		return err
	}
	wanted, err := whereHeld(tx, held, instances, now)
	if err != nil {
		return err
	}
	live, err := tx.LiveAccounts(org, h)
	if err != nil {
		return err
	}
	s := settling{tx: tx, org: org, app: h, name: accountName(held, h), by: by, now: now}
	return s.run(instances, wanted, live)
}

// instancesOf are all instances of an organization.
func instancesOf(r Reader, org tenants.OrgID) (all []ServiceInstance, err error) {
	for page := 1; ; page++ {
		some, total, err := r.ServiceInstances(org, tenants.Query{Page: page, PageSize: everyPage})
		if err != nil {
			return nil, err
		}
		if all = append(all, some...); len(all) >= total || len(some) == 0 {
			return all, nil
		}
	}
}

// whereHeld are the instances in which an app has a service role.
func whereHeld(r Reader, h Held, instances []ServiceInstance, now time.Time) ([]InstanceID, error) {
	definitions := map[DefinitionID]Definition{}
	var found []InstanceID
	for _, in := range instances {
		if !in.takesApps() {
			continue
		}
		d, ok := definitions[in.Definition]
		if !ok {
			var err error
			if d, err = r.Definition(in.Definition); err != nil {
				return nil, err
			}
			definitions[in.Definition] = d
		}
		if len(h.ServiceRoles(d, in.ID, now)) > 0 {
			found = append(found, in.ID)
		}
	}
	return found, nil
}

// settling is one run of Settle.
type settling struct {
	tx   Tx
	org  tenants.OrgID
	app  Holder
	name string
	by   tenants.Caller
	now  time.Time
}

func (s settling) run(instances []ServiceInstance, wanted []InstanceID, live []InstanceAccount) error {
	for _, a := range live {
		if !slices.Contains(wanted, a.Instance) {
			if err := s.end(a, instances); err != nil {
				return err
			}
		}
	}
	for _, in := range instances {
		has := slices.ContainsFunc(live, func(a InstanceAccount) bool { return a.Instance == in.ID })
		if has || !slices.Contains(wanted, in.ID) {
			continue
		}
		if err := s.begin(in); err != nil {
			return err
		}
	}
	return nil
}

func (s settling) begin(in ServiceInstance) error {
	a := InstanceAccount{
		Org: s.org, ID: tenants.NewID(), Instance: in.ID, App: s.app, Name: s.name, CreatedAt: s.now, Hook: in.newHook(s.now),
	}
	if err := s.tx.CreateAccount(a); err != nil {
		return err
	}
	return s.tx.Record(entry(s.by, s.now, s.org, journal.InstAccountCreated, a.subject(), a.detail()))
}

func (s settling) end(a InstanceAccount, instances []ServiceInstance) error {
	return endAccount(s.tx, a, instances, s.by, s.now)
}

// endAccount ends a live account, and has its instance told.
func endAccount(tx Tx, a InstanceAccount, instances []ServiceInstance, by tenants.Caller, now time.Time) error {
	hook := Hook{State: HookNone}
	if i := slices.IndexFunc(instances, func(in ServiceInstance) bool { return in.ID == a.Instance }); i >= 0 {
		hook = instances[i].newHook(now)
	}
	ended, err := tx.EndAccount(a.Org, a.ID, now, hook)
	if err != nil || !ended {
		return err
	}
	return tx.Record(entry(by, now, a.Org, journal.InstAccountEnded, a.subject(), a.detail()))
}

// newHook is that of a change in an account of in.
func (in ServiceInstance) newHook(now time.Time) Hook {
	if in.HookURL == "" {
		return Hook{State: HookNone}
	}
	return Hook{State: HookPending, Key: tenants.NewID(), Next: now}
}

// accountName is what people know an app by.
func accountName(held Held, h Holder) string {
	switch {
	case held.Name != "":
		return held.Name
	case h.Site != "":
		return h.ID + "@" + string(h.Site)
	}
	return h.ID
}

// Manual reports whether a was made by hand.
func (a InstanceAccount) Manual() bool { return a.App == Holder{} }

func (a InstanceAccount) subject() journal.Subject {
	return journal.Subject{Kind: journal.KindInstanceAccount, ID: a.ID, Name: a.Name}
}

// The names in the details of journal rows about accounts; followers read them.
const (
	detailInstance = "instance"
	detailApp      = "app"
	detailSite     = "site"
)

func (a InstanceAccount) detail() map[string]string {
	d := map[string]string{detailInstance: string(a.Instance)}
	if a.App.ID != "" {
		d[detailApp] = a.App.ID
	}
	if a.App.Site != "" {
		d[detailSite] = string(a.App.Site)
	}
	return d
}

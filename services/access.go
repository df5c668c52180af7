package services

import (
	"context"
	"time"

	"causeway/internal/cache"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Access answers what somebody may do in a service instance, from memory. It holds a
// bounded number of answers and forgets them when the journal says so, or when a
// grant ends.
type Access struct {
	store       Store
	definitions *cache.Cache[DefinitionID, *Compiled]
	effects     *cache.Cache[effectKey, *Effect]
}

type effectKey struct {
	instance InstanceID
	holder   Holder
}

// definitionsKept are more than a site has.
const definitionsKept = 1024

// NewAccess remembers at most size holders in instances.
func NewAccess(store Store, size int) (*Access, error) {
	definitions, err := cache.New[DefinitionID, *Compiled](definitionsKept)
	if err != nil {
		return nil, err
	}
	effects, err := cache.NewTagged[effectKey](size, func(e *Effect) []string { return e.tags })
	if err != nil {
		return nil, err
	}
	return &Access{store: store, definitions: definitions, effects: effects}, nil
}

// Effect is what a holder has in an instance now. It never changes.
type Effect struct {
	Roles       []string // service roles that count; without one there is nothing
	Permissions string   // divided by spaces, for X-Causeway-Permissions
	Account     string   // of an app in the instance
	AccountName string

	set   permissionSet
	of    *Compiled
	until time.Time
	tags  []string
}

// Verdict is how a call that may be made is handed to its instance.
type Verdict struct {
	*Effect
	Permission Permission // that the call needed; empty where a role was enough
	WebSocket  bool       // the call may become one
}

// Judge answers whether who may make a call in an instance. path is canonical and
// begins where the instance does, after its prefix; method is [WebSocket] for a call
// that would become one. The refusal is problem.Forbidden.
func (a *Access) Judge(ctx context.Context, who tenants.Principal, in *ServiceInstance, method, path string, now time.Time) (Verdict, error) {
	e, err := a.Permissions(ctx, who, in, now)
	if err != nil {
		return Verdict{}, err
	}
	route := e.of.routes.match(method, path)
	if route == nil {
		return Verdict{}, refused(in, problem.ReasonNoRouteRight, "The service "+in.Name+" has no such call, or it may not be made through the gateway.")
	}
	if len(e.Roles) == 0 {
		return Verdict{}, refused(in, problem.ReasonNoServiceRole, "There is no service role in the service "+in.Name+" for the caller.")
	}
	v := Verdict{Effect: e, WebSocket: method == WebSocket}
	if route.permission >= 0 {
		v.Permission = e.of.Definition.Permissions[route.permission].Name
	}
	if e.set.has(route.permission) || route.people && who.Kind.OfUser() {
		return v, nil
	}
	return Verdict{}, lacksPermission(in, v.Permission)
}

// Permissions are what who has in an instance. Who cannot have anything there is
// problem.Forbidden; who has nothing gets an Effect that says so.
func (a *Access) Permissions(ctx context.Context, who tenants.Principal, in *ServiceInstance, now time.Time) (*Effect, error) {
	switch {
	case who.Org != in.Org:
		return nil, problem.New(problem.Forbidden, "Access to the resource is forbidden.").
			With(problem.FactReason, problem.ReasonOtherOrg, problem.FactInstance, string(in.ID))
	case who.Kind == tenants.KindApp && !in.takesApps():
		return nil, refused(in, problem.ReasonOriginal, "The service "+in.Name+" is an original subscription, which takes no tokens of server-to-server apps: "+
			"use a service account of its own (/csp/gateway/am/api/orgs/"+string(in.Org)+"/service-instances/"+string(in.ID)+"/service-accounts).")
	case who.Kind != tenants.KindApp && !who.Kind.OfUser():
		return nil, refused(in, problem.ReasonNoServiceRole, "The service "+in.Name+" is for people and server-to-server apps.")
	}
	key := effectKey{in.ID, HolderOf(who)}
	if e, ok := a.effects.Get(key); ok && e.holds(now) {
		return e, nil
	}
	return a.read(ctx, key, in, now)
}

func (e *Effect) holds(now time.Time) bool { return e.until.IsZero() || now.Before(e.until) }

func (a *Access) read(ctx context.Context, key effectKey, in *ServiceInstance, now time.Time) (*Effect, error) {
	for {
		e, err := a.effects.Fill(ctx, key, func() (*Effect, error) { return a.load(ctx, key, in, now) })
		if err != nil || e.holds(now) {
			return e, err
		}
		a.effects.ForgetKey(key)
	}
}

func (a *Access) load(ctx context.Context, key effectKey, in *ServiceInstance, now time.Time) (*Effect, error) {
	c, err := a.Definition(ctx, in.Definition)
	if err != nil {
		return nil, err
	}
	var held Held
	var custom []CustomRole
	var accounts []InstanceAccount
	err = a.store.View(ctx, func(r Reader) (err error) {
		held, err = r.Held(in.Org, key.holder)
		if problem.Has(err, problem.NotFound) {
			held, err = Held{Holder: key.holder, Org: in.Org}, nil
		}
		if err != nil {
			return err
		}
		if custom, err = customOf(r, held, now); err != nil || key.holder.Kind != tenants.KindApp {
			return err
		}
		accounts, err = r.LiveAccounts(in.Org, key.holder)
		return err
	})
	if err != nil {
		return nil, err
	}
	found := c.effective(held, custom, in.ID, now)
	e := &Effect{Roles: found.roles, Permissions: c.text(found.set), set: found.set, of: c, until: found.until, tags: tagsOf(key, in)}
	for _, account := range accounts {
		if account.Instance == in.ID && len(e.Roles) > 0 {
			e.Account, e.AccountName = account.ID, account.Name
		}
	}
	return e, nil
}

// customOf are the custom roles that h holds.
func customOf(r Reader, h Held, now time.Time) ([]CustomRole, error) {
	for _, g := range h.Grants {
		if g.Kind == GrantCustom && g.Live(now) {
			return r.CustomRoles(h.Org)
		}
	}
	return nil, nil
}

// Definition is a definition ready to judge by.
func (a *Access) Definition(ctx context.Context, id DefinitionID) (*Compiled, error) {
	return a.definitions.Fill(ctx, id, func() (c *Compiled, err error) {
		err = a.store.View(ctx, func(r Reader) error {
			d, err := r.Definition(id)
			c = Compile(d)
			return err
		})
		return c, err
	})
}

// The tags by which answers are forgotten.
const (
	tagOrg        = "org:"
	tagApp        = "app:"
	tagUser       = "user:"
	tagDefinition = "definition:"
	tagInstance   = "instance:"
)

func tagsOf(key effectKey, in *ServiceInstance) []string {
	tags := []string{tagOrg + string(in.Org), tagDefinition + string(in.Definition), tagInstance + string(in.ID)}
	if key.holder.Kind != tenants.KindApp {
		return append(tags, tagUser+key.holder.ID)
	}
	tags = append(tags, tagApp+key.holder.ID)
	if key.holder.Site != "" { // however the journal names it
		tags = append(tags, tagApp+key.holder.ID+"@"+string(key.holder.Site))
	}
	return tags
}

// Apply implements journal.Follower. Definitions go first: an answer that was made of
// one before is then not kept either.
func (a *Access) Apply(row journal.Row) {
	switch id := row.Subject.ID; row.Subject.Kind {
	case journal.KindDefinition:
		a.definitions.ForgetKey(DefinitionID(id))
		a.effects.ForgetTag(tagDefinition + id)
	case journal.KindServiceInstance:
		a.effects.ForgetTag(tagInstance + id)
	case journal.KindInstanceAccount:
		a.effects.ForgetTag(tagInstance + row.Detail[detailInstance])
	case journal.KindApp:
		a.effects.ForgetTag(tagApp + id)
	case journal.KindUser:
		a.effects.ForgetTag(tagUser + id)
	case journal.KindCustomRole:
		a.effects.ForgetTag(tagOrg + row.Org)
	case journal.KindOrganization:
		a.effects.ForgetTag(tagOrg + id)
	}
}

// Flush implements journal.Follower.
func (a *Access) Flush() {
	a.definitions.Flush()
	a.effects.Flush()
}

func refused(in *ServiceInstance, reason, detail string) *problem.Problem {
	return problem.New(problem.Forbidden, "%s", detail).
		With(problem.FactReason, reason, problem.FactInstance, string(in.ID), problem.FactInstanceName, in.Name)
}

func lacksPermission(in *ServiceInstance, p Permission) error {
	if p == "" { // a task of people
		return refused(in, problem.ReasonMachine, "This call of the service "+in.Name+" is for people.")
	}
	return refused(in, problem.ReasonPermission, "The call needs the permission "+string(p)+" in the service "+in.Name+".").
		With(problem.FactPermission, string(p))
}

package apps

import (
	"slices"
	"strings"
	"time"

	"causeway/internal/problem"
	domain "causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// anyRole as the name of a role is each that there is or will be, in what an app may
// be given at most.
const anyRole = "*"

// key is how forms name a role: o/name, c/name or s/definition/instance/name, with *
// for every instance.
func key(g services.Grant) string {
	switch g.Kind {
	case services.GrantOrganization:
		return "o/" + g.Role
	case services.GrantCustom:
		return "c/" + g.Role
	}
	resource := g.Resource
	if resource == "" {
		resource = "*"
	}
	return "s/" + string(g.Definition) + "/" + resource + "/" + g.Role
}

// parseKey reads a key. Whether there is such a role is for the domain to say.
func parseKey(text string) (services.Grant, error) {
	refused := problem.New(problem.BadRequest, "%.200q names no role.", text)
	kind, rest, _ := strings.Cut(text, "/")
	g := services.Grant{Role: rest}
	switch kind {
	case "o":
		g.Kind = services.GrantOrganization
	case "c":
		g.Kind = services.GrantCustom
	case "s":
		parts := strings.SplitN(rest, "/", 3)
		if len(parts) < 3 {
			return g, refused
		}
		id, err := tenants.ParseUUID(parts[0])
		if err != nil {
			return g, refused
		}
		g = services.Grant{Kind: services.GrantService, Definition: services.DefinitionID(id), Role: parts[2]}
		if parts[1] == "*" {
			break
		}
		if g.Resource, err = tenants.ParseUUID(parts[1]); err != nil {
			return g, refused
		}
	default:
		return g, refused
	}
	if !tenants.ValidName(g.Role) {
		return g, refused
	}
	return g, nil
}

// mostKeys is how many roles a form names: more than anybody can hold or be given,
// and few enough to be compared with each other.
const mostKeys = 1000

func tooMany(texts []string) error {
	if len(texts) <= mostKeys {
		return nil
	}
	return problem.New(problem.BadRequest, "A form names at most %d roles or permissions.", mostKeys)
}

// parseKeys reads several, each once.
func parseKeys(texts []string) (list []services.Grant, err error) {
	if err := tooMany(texts); err != nil {
		return nil, err
	}
	for _, text := range texts {
		g, err := parseKey(text)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(list, g.Same) {
			list = append(list, g)
		}
	}
	return list, nil
}

func keys(list []services.Grant) []string {
	texts := make([]string, 0, len(list))
	for _, g := range list {
		texts = append(texts, key(g))
	}
	return texts
}

// without are those of list that are not in other.
func without(list, other []services.Grant) []services.Grant {
	return slices.DeleteFunc(slices.Clone(list), func(g services.Grant) bool { return slices.ContainsFunc(other, g.Same) })
}

// difference leads from the roles that a form showed as held to those that are
// chosen on it. What others changed meanwhile stays as they left it. Roles that are
// added end at until, unless that is zero.
func difference(had, chosen, held []services.Grant, until time.Time) (c domain.RoleChange) {
	c.Remove = without(had, chosen)
	for _, g := range without(chosen, had) {
		g.ExpiresAt = until
		c.Add = append(c.Add, g)
	}
	// Who takes a role from everywhere takes it from each instance, too; where it
	// is to stay it is given back as it was.
	for _, g := range held {
		if g.Resource == "" || !slices.ContainsFunc(chosen, g.Same) || !slices.ContainsFunc(had, g.Same) {
			continue
		}
		everywhere := g
		everywhere.Resource = ""
		if slices.ContainsFunc(c.Remove, everywhere.Same) {
			c.Add = append(c.Add, g)
		}
	}
	return c
}

// ending is list with an end.
func ending(list []services.Grant, until time.Time) []services.Grant {
	list = slices.Clone(list)
	for i := range list {
		list[i].ExpiresAt = until
	}
	return list
}

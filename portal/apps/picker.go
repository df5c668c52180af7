package apps

import (
	"slices"
	"strconv"
	"strings"

	"causeway/portal/ui"
	"causeway/services"
	"causeway/tenants"
)

// picker is the part "roles": what there is to choose from, in groups that open.
type picker struct {
	Name   string // of the boxes
	Find   string // what the search says
	Legend string
	Note   string
	Groups []pickGroup
	// Instances is the field by which instances are searched for, where there are more
	// than a page holds.
	Instances *ui.Field
}

const fieldFind = "instances"

// findOf is what instances are searched for by, no longer than a name.
func findOf(form ui.Values) string {
	text := form.Text(fieldFind)
	return strings.ToValidUTF8(text[:min(len(text), tenants.MaxName)], "")
}

type pickGroup struct {
	ID, Title, Hint string
	Picks           []pick
}

type pick struct {
	Value, Label, Name, About string
	Chosen                    bool
}

// Chosen counts what is.
func (g pickGroup) Chosen() (n int) {
	for _, p := range g.Picks {
		if p.Chosen {
			n++
		}
	}
	return n
}

// Text is what a search looks at.
func (p pick) Text() string { return strings.Join([]string{p.Label, p.Name, p.About}, " ") }

// offer says which roles a picker has.
type offer struct {
	organization, custom bool
	any                  bool // each that there is or will be, too
}

// picker offers roles, of which some are chosen. What is chosen and not offered, since
// it is of a service that is gone, stands in a group of its own.
func (c catalog) picker(o offer, chosen []services.Grant) picker {
	c = c.including(chosen)
	p := picker{Name: "role", Find: c.words("apps.findrole"), Legend: c.words("apps.roles")}
	left := slices.Clone(chosen)
	group := func(title, hint string, list []services.Grant) {
		if len(list) == 0 {
			return
		}
		g := pickGroup{ID: "roles-" + strconv.Itoa(len(p.Groups)), Title: title, Hint: hint}
		for _, one := range list {
			v := c.view(one)
			g.Picks = append(g.Picks, pick{Value: key(one), Label: v.Label, Name: v.Name, About: v.About, Chosen: slices.ContainsFunc(chosen, one.Same)})
			left = slices.DeleteFunc(left, one.Same)
		}
		p.Groups = append(p.Groups, g)
	}
	for _, d := range c.definitions {
		for _, in := range c.instances {
			if in.Definition == d.ID {
				group(c.words("apps.group.instance", d.Name, in.Name), c.words("apps.group.instance.hint", in.Name), ofService(d, string(in.ID), false))
			}
		}
		group(c.words("apps.group.everywhere", d.Name), c.words("apps.group.everywhere.hint", d.Name), ofService(d, "", o.any))
	}
	if o.custom {
		group(c.words("apps.group.custom"), c.words("apps.group.custom.hint"), c.customGrants())
	}
	if o.organization {
		group(c.words("apps.group.organization"), c.words("apps.group.organization.hint"), organizationGrants(o.any))
	}
	group(c.words("apps.group.other"), c.words("apps.group.other.hint"), left)
	if c.more > 0 {
		p.Note = c.words("apps.moreinstances", c.more)
	}
	if c.more > 0 || c.find != "" {
		p.Instances = &ui.Field{Name: fieldFind, Label: c.words("apps.findinstance"), Value: c.find, Max: tenants.MaxName, Bare: true}
	}
	return p
}

func ofService(d services.Definition, instance string, any bool) (list []services.Grant) {
	if any {
		list = append(list, services.Grant{Kind: services.GrantService, Definition: d.ID, Role: anyRole})
	}
	for _, r := range d.Roles {
		list = append(list, services.Grant{Kind: services.GrantService, Definition: d.ID, Resource: instance, Role: r.Name})
	}
	return list
}

func organizationGrants(any bool) (list []services.Grant) {
	if any {
		list = append(list, services.Grant{Kind: services.GrantOrganization, Role: anyRole})
	}
	for _, r := range services.OrgRoles() {
		list = append(list, services.Grant{Kind: services.GrantOrganization, Role: string(r.Name)})
	}
	return list
}

func (c catalog) customGrants() (list []services.Grant) {
	for _, r := range c.custom {
		list = append(list, services.Grant{Kind: services.GrantCustom, Role: r.Name})
	}
	return list
}

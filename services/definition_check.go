package services

import (
	"regexp"
	"slices"
	"strings"

	"causeway/internal/problem"
	"causeway/tenants"
)

// The bounds of a definition. A role of each permission and one of each pair is far
// from them.
const (
	maxRoles  = 256
	maxRoutes = 1000
	maxPath   = 256
)

var (
	definitionPrefix = regexp.MustCompile(`^[a-z][a-zA-Z0-9-]{0,31}$`)
	permissionName   = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9._-]{0,63}$`)
	pathSegment      = regexp.MustCompile(`^[A-Za-z0-9._~:@!$&'(),=+-]+$`)
	pathParameter    = regexp.MustCompile(`^\{[A-Za-z][A-Za-z0-9]*\}$`)
)

// CheckDefinition is problem.BadRequest for a definition that does not hang together.
func CheckDefinition(d Definition) error {
	if d.ID != "" {
		if id, err := tenants.ParseUUID(string(d.ID)); err != nil || id != string(d.ID) {
			return badDefinition("its id must be a UUID in lower case")
		}
	}
	switch {
	case !tenants.ValidName(d.Name) || len(d.Name) > 128:
		return badDefinition("its name must have 1 to 128 bytes and no control characters")
	case !definitionPrefix.MatchString(d.Prefix):
		return badDefinition("its prefix must be a lower-case letter and up to 31 letters, digits and dashes")
	case d.Version < 0:
		return badDefinition("its version must not be negative")
	case len(d.Permissions) > maxPermissions || len(d.Roles) > maxRoles || len(d.Routes) > maxRoutes:
		return badDefinition("it has at most %d permissions, %d roles and %d routes", maxPermissions, maxRoles, maxRoutes)
	case len(d.Roles) == 0:
		return badDefinition("it needs a role")
	}
	if err := checkTexts(d.Description); err != nil {
		return err
	}
	if err := d.checkPermissions(); err != nil {
		return err
	}
	if err := d.checkRoles(); err != nil {
		return err
	}
	return d.checkRoutes()
}

func (d Definition) checkPermissions() error {
	seen := map[Permission]bool{}
	for _, p := range d.Permissions {
		if err := d.checkName("permission", string(p.Name)); err != nil {
			return err
		}
		if seen[p.Name] {
			return badDefinition("the permission %q is there twice", p.Name)
		}
		seen[p.Name] = true
		if err := checkTexts(p.DisplayName, p.Description); err != nil {
			return err
		}
	}
	return nil
}

func (d Definition) checkRoles() error {
	seen := map[string]bool{}
	for _, r := range d.Roles {
		if err := d.checkName("role", r.Name); err != nil {
			return err
		}
		if seen[r.Name] {
			return badDefinition("the role %q is there twice", r.Name)
		}
		seen[r.Name] = true
		if r.All && len(r.Permissions) > 0 {
			return badDefinition("the role %q has all permissions, and lists some", r.Name)
		}
		for _, p := range r.Permissions {
			if !d.Has(p) {
				return badDefinition("the role %q has the permission %q, which is not one of the service's", r.Name, p)
			}
		}
		if err := checkTexts(r.DisplayName, r.Description); err != nil {
			return err
		}
	}
	return nil
}

// Has reports whether p is a permission of the service.
func (d Definition) Has(p Permission) bool {
	return slices.ContainsFunc(d.Permissions, func(i PermissionInfo) bool { return i.Name == p })
}

func (d Definition) checkName(kind, name string) error {
	bare, ok := strings.CutPrefix(name, d.Prefix+":")
	if !ok || !permissionName.MatchString(bare) {
		return badDefinition("the %s %.80q must be %s: and up to 64 letters, digits, dots, dashes and underscores", kind, name, d.Prefix)
	}
	return nil
}

func (d Definition) checkRoutes() error {
	for _, r := range d.Routes {
		if err := checkRoutePath(r.Path); err != nil {
			return err
		}
		if len(r.Methods) == 0 {
			return badDefinition("the route %q names no method", r.Path)
		}
		for _, m := range r.Methods {
			if methodBits[m] == 0 {
				return badDefinition("the route %q has the method %.20q, which is none", r.Path, m)
			}
		}
		if r.Permission == "" && !r.People {
			return badDefinition("the route %q needs a permission, or must be for people", r.Path)
		}
		if r.Permission != "" && !d.Has(r.Permission) {
			return badDefinition("the route %q needs the permission %q, which is not one of the service's", r.Path, r.Permission)
		}
	}
	return nil
}

// checkRoutePath wants the one form in which paths are judged: what is not canonical
// would match nothing.
func checkRoutePath(path string) error {
	segments := strings.Split(path, "/")
	if len(path) > maxPath || len(segments) < 2 || segments[0] != "" {
		return badDefinition("the path %.80q must begin with a slash and have at most %d bytes", path, maxPath)
	}
	for i, s := range segments[1:] {
		last := i == len(segments)-2
		switch {
		case s == "" && last, s == "*" && last, pathParameter.MatchString(s):
		case !pathSegment.MatchString(s), s == ".", s == "..":
			return badDefinition("the path %.80q must be of names, {names} and a last *", path)
		}
	}
	return nil
}

func checkTexts(texts ...string) error {
	for _, t := range texts {
		if len(t) > 1024 || strings.ContainsFunc(t, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }) {
			return badDefinition("a text in it is longer than 1024 bytes or has control characters")
		}
	}
	return nil
}

func badDefinition(format string, args ...any) error {
	p := problem.New(problem.BadRequest, format, args...)
	p.Detail = "The service definition is wrong: " + p.Detail + "."
	return p
}

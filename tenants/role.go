package tenants

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"causeway/internal/journal"
	"causeway/internal/problem"
)

// Role is a named set of rights that users and service accounts of one
// organization can hold: its own, or a global role published to it.
type Role struct {
	ID          RoleID
	Org         OrgID // where it can be held
	Name        string
	Description string
	BundleKey   string // localization key, as the client gave it
	ReadOnly    bool
	Global      bool    // published by the provider, who alone can change it
	Rights      []Right // as stored: what it allows also depends on what is published
}

// PublicationKind tells the two kinds of right sets that a provider publishes.
type PublicationKind string

const (
	// GlobalRole is a role that every organization it is published to can give
	// its users and accounts.
	GlobalRole PublicationKind = "globalRole"
	// RightsBundle makes rights available: in an organization no role allows
	// what no bundle published to it holds.
	RightsBundle PublicationKind = "rightsBundle"
)

// PublicationID identifies a global role or rights bundle. In an organization a
// global role is the role with the same UUID.
type PublicationID string

// Publication is a set of rights that the provider publishes to organizations.
// The provider's own organization needs none: it has every right.
type Publication struct {
	Kind        PublicationKind
	ID          PublicationID
	Name        string // unique among its kind
	Description string
	BundleKey   string
	ReadOnly    bool
	PublishAll  bool // to every organization, later ones included
	Rights      []Right
}

func (r Role) subject() journal.Subject {
	return journal.Subject{Kind: journal.KindRole, ID: string(r.ID), Name: r.Name}
}

func (p Publication) subject() journal.Subject {
	kind := journal.KindGlobalRole
	if p.Kind == RightsBundle {
		kind = journal.KindRightsBundle
	}
	return journal.Subject{Kind: kind, ID: string(p.ID), Name: p.Name}
}

// action picks the journal's word for what was done to a publication.
func (k PublicationKind) action(globalRole, bundle journal.Action) journal.Action {
	if k == RightsBundle {
		return bundle
	}
	return globalRole
}

// RoleText is how a role or publication is named and described.
type RoleText struct {
	Name        string
	Description string
	BundleKey   string
}

func (t RoleText) check(what string) error {
	if err := checkRoleName(what, t.Name); err != nil {
		return err
	}
	for name, text := range map[string]string{"description": t.Description, "bundle key": t.BundleKey} {
		if err := checkText(name+" of a "+what, text); err != nil {
			return err
		}
	}
	return nil
}

// changes lists the old and the new value of what an edit changes.
func (t RoleText) changes(after RoleText) map[string]string {
	return Changed(map[string][2]string{
		"name": {t.Name, after.Name}, "description": {t.Description, after.Description}, "bundleKey": {t.BundleKey, after.BundleKey},
	})
}

func (r Role) text() RoleText { return RoleText{r.Name, r.Description, r.BundleKey} }

func (p Publication) text() RoleText { return RoleText{p.Name, p.Description, p.BundleKey} }

// Version tells whether a role is as somebody saw it before.
func (r Role) Version() string { return versionOf(r.text(), r.Rights) }

// Version is that of a role, see [Role.Version].
func (p Publication) Version() string { return versionOf(p.text(), p.Rights) }

func versionOf(text RoleText, rights []Right) string {
	all, _ := json.Marshal([]any{text, Distinct(rights)}) // strings always marshal
	sum := sha256.Sum256(all)
	return hex.EncodeToString(sum[:])
}

func changedMeanwhile(what string) error {
	return problem.New(problem.Conflict, "The %s was changed by somebody else meanwhile.", what)
}

// UndefinedBundleKey is VCD's localization key of what has no localized text.
const UndefinedBundleKey = "com.vmware.vcloud.undefined.key"

// checkRoleName allows what other names may not hold: clients name roles in
// URNs, percent-encoded (VCD-23), and by identifier everywhere else.
func checkRoleName(what, name string) error {
	if !ValidName(name) {
		return problem.New(problem.BadRequest, "The name of a %s has 1 to %d bytes, no control characters and no space around it.", what, MaxName)
	}
	return nil
}

// Roles are the roles that can be held in the organization, by name and without
// what else is known of them.
func (s *Snapshot) Roles() []Role {
	roles := make([]Role, 0, len(s.roles))
	for id, r := range s.roles {
		roles = append(roles, Role{ID: id, Org: s.ID, Name: r.name})
	}
	slices.SortFunc(roles, func(a, b Role) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return roles
}

// rightChanges lists by name what a set of rights gained and lost.
func rightChanges(before, after []Right) map[string]string {
	detail := map[string]string{}
	list(detail, "added", without(after, before))
	list(detail, "removed", without(before, after))
	return detail
}

func without(rights, less []Right) (rest []Right) {
	for _, r := range rights {
		if !slices.Contains(less, r) {
			rest = append(rest, r)
		}
	}
	return rest
}

// list puts names under key, as JSON: names of rights hold commas.
func list[T ~string](detail map[string]string, key string, names []T) {
	if len(names) > 0 {
		text, _ := json.Marshal(names) // strings always marshal
		detail[key] = string(text)
	}
}

package tenants

import "causeway/internal/journal"

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

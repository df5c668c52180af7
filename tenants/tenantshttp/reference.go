package tenantshttp

import (
	"causeway/tenants"
)

const (
	mediaRole  = "application/vnd.vmware.admin.role+xml"
	mediaRight = "application/vnd.vmware.admin.right+xml"
)

// reference names an entity in XML. Clients take the identifier out of the href.
type reference struct {
	Href string `xml:"href,attr" json:"href"`
	ID   string `xml:"id,attr" json:"id"`
	Name string `xml:"name,attr" json:"name"`
	Type string `xml:"type,attr" json:"type"`
}

type roleReferences struct {
	List []reference `xml:"RoleReference" json:"roleReference"`
}

type rightReferences struct {
	List []reference `xml:"RightReference" json:"rightReference"`
}

func (h *Handler) roleReference(id tenants.RoleID, name string) reference {
	return reference{Href: h.PublicURL + "/api/admin/role/" + string(id), ID: tenants.URN("role", id), Name: name, Type: mediaRole}
}

func (h *Handler) rightReference(r tenants.RightInfo) reference {
	return reference{Href: h.PublicURL + "/api/admin/right/" + r.ID(), ID: tenants.URN("right", r.ID()), Name: string(r.Name), Type: mediaRight}
}

// roleReferences are the roles that can be held in org, by name.
func (h *Handler) roleReferences(org *tenants.Snapshot) roleReferences {
	list := []reference{}
	for _, role := range org.Roles() {
		list = append(list, h.roleReference(role.ID, role.Name))
	}
	return roleReferences{list}
}

// rightReferences are the rights of a set in catalog order.
func (h *Handler) rightReferences(rights tenants.RightSet) rightReferences {
	list := []reference{}
	for _, right := range tenants.Catalog() {
		if rights.HasIndex(right.Index) {
			list = append(list, h.rightReference(right))
		}
	}
	return rightReferences{list}
}

package tenantshttp

import (
	"causeway/internal/httpapi"
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

// roleReference names a role of org. The short address is one of the organization
// in which the caller acts; a provider at home reaches others by the long one.
func (h *Handler) roleReference(call httpapi.Call, org tenants.OrgID, id tenants.RoleID, name string) reference {
	r := h.entity("role", string(id), name)
	if org != call.Org.ID {
		r.Href = h.adminOrgHref(org) + "/role/" + string(id)
	}
	return r
}

func (h *Handler) rightReference(r tenants.RightInfo) reference {
	return reference{Href: h.PublicURL + "/api/admin/right/" + r.ID(), ID: tenants.URN("right", r.ID()), Name: string(r.Name), Type: mediaRight}
}

// roleReferences are the roles that can be held in org, by name.
func (h *Handler) roleReferences(call httpapi.Call, org *tenants.Snapshot) roleReferences {
	list := []reference{}
	for _, role := range org.Roles() {
		list = append(list, h.roleReference(call, org.ID, role.ID, role.Name))
	}
	return roleReferences{list}
}

// rightReferences are the rights of a set in catalog order.
func (h *Handler) rightReferences(rights tenants.RightSet) rightReferences {
	list := []reference{}
	for _, right := range rights.Infos() {
		list = append(list, h.rightReference(right))
	}
	return rightReferences{list}
}

package tenantshttp

import "causeway/tenants"

// maxPageSize is VCD's largest page of anything but service accounts.
const maxPageSize = 128

// places is where entities are found below the public URL, and of what type, by
// the kind in their URN.
var places = map[string]struct{ path, media string }{
	"org":            {"/api/org/", mediaOrg},
	"user":           {"/api/admin/user/", mediaUser},
	"role":           {"/api/admin/role/", mediaRole},
	"right":          {"/api/admin/right/", mediaRight},
	"task":           {"/api/task/", mediaTask},
	"site":           {"/api/site/associations/", mediaSiteAssociation},
	"serviceAccount": {"/cloudapi/1.0.0/serviceAccounts/urn:vcloud:serviceAccount:", "application/json"},
	"globalRole":     {"/cloudapi/1.0.0/globalRoles/urn:vcloud:globalRole:", "application/json"},
	"rightsBundle":   {"/cloudapi/1.0.0/rightsBundles/urn:vcloud:rightsBundle:", "application/json"},
	"quotaPolicy":    {quotaPolicies + "/urn:vcloud:quotaPolicy:", "application/json"},
}

// entity refers to anything by its kind, bare identifier and name. What has no
// address has no href.
func (h *Handler) entity(kind, id, name string) reference {
	r := reference{Name: name}
	if id == "" {
		return r
	}
	r.ID = tenants.URN(kind, id)
	if place, ok := places[kind]; ok {
		r.Href, r.Type = h.PublicURL+place.path+id, place.media
	}
	return r
}

package httpapi

import (
	"net/url"
	"strings"

	"causeway/internal/problem"
	"causeway/tenants"
)

// IDFromHref is the UUID that ends the path of a reference such as
// https://host/api/admin/role/<uuid>: clients name a user's role like this and no
// other way. The address is only read, never fetched, and its host does not
// count: behind a load balancer a client may know us by another name.
func IDFromHref(href string) (string, error) {
	refused := problem.New(problem.BadRequest, "The reference's href does not end with a UUID.")
	u, err := url.Parse(href)
	if err != nil {
		return "", refused
	}
	path := u.EscapedPath()
	id, err := tenants.ParseUUID(path[strings.LastIndexByte(path, '/')+1:])
	if err != nil {
		return "", refused
	}
	return id, nil
}

package route

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"causeway/internal/problem"
	"causeway/tenants"
)

// The two context headers. go-vcloud-director sends both with nearly every call
// for an organization, so their presence says nothing about another site.
const (
	AuthContextHeader   = "X-Vmware-Vcloud-Auth-Context"
	TenantContextHeader = "X-Vmware-Vcloud-Tenant-Context"
)

// maxContext bounds a header value, in bytes: twice the longest name.
const maxContext = 255

// Contexts reads the two headers. A header sent twice with different values is
// refused: two readers of the request could each believe another one.
func Contexts(h http.Header) (auth, tenant string, err error) {
	if auth, err = single(h.Values(AuthContextHeader)); err != nil {
		return "", "", err
	}
	if tenant, err = single(h.Values(TenantContextHeader)); err != nil {
		return "", "", err
	}
	return auth, tenant, nil
}

func single(values []string) (string, error) {
	for _, v := range values {
		if v != values[0] {
			return "", problem.New(problem.BadRequest, "A context header was sent twice with different values.")
		}
	}
	if len(values) == 0 {
		return "", nil
	}
	return values[0], nil
}

// contexts are the two headers, understood.
type contexts struct {
	hasAuth, hasTenant, isLocation bool

	name     string // folded
	location tenants.LocationID
	tenant   tenants.OrgID
}

func readContext(auth, tenant string) (contexts, error) {
	var c contexts
	var err error
	if auth, err = clean(auth); err != nil {
		return c, err
	}
	if tenant, err = clean(tenant); err != nil {
		return c, err
	}
	if c.hasTenant = tenant != ""; c.hasTenant {
		if c.tenant, err = tenants.ParseID[tenants.OrgID]("org", tenant); err != nil {
			return c, err
		}
	}
	c.hasAuth = auth != ""
	c.name = tenants.FoldName(auth)
	c.location, c.isLocation = tenants.ParseLocationID(auth)
	return c, nil
}

// clean trims and checks a header value. Percent signs mean themselves, and
// names may be any UTF-8 text.
func clean(v string) (string, error) {
	v = strings.Trim(v, " \t")
	if len(v) > maxContext || !utf8.ValidString(v) || strings.ContainsFunc(v, unicode.IsControl) {
		return "", problem.New(problem.BadRequest, "A context header is not a name or an identifier.")
	}
	return v, nil
}

// tenantAt understands System@site beside a TENANT-CONTEXT, as a provider's client
// sends it that chose a location and then a tenant there: the two name one
// organization together.
func (c contexts) tenantAt(s Session) (tenants.LocationID, bool) {
	if !s.Provider || !c.hasTenant || c.location.Org != tenants.SystemOrgID {
		return tenants.LocationID{}, false
	}
	return tenants.LocationID{Org: c.tenant, Site: c.location.Site}, true
}

// agreesWith reports whether neither header says anything else than t.
func (c contexts) agreesWith(t target) bool {
	if c.hasTenant && c.tenant != t.Org {
		return false
	}
	if !c.hasAuth || c.name == tenants.FoldName(t.name) {
		return true
	}
	return c.isLocation && c.location == t.LocationID
}

// agreed decides for t, which one of the headers chose, if the other agrees.
func (c contexts) agreed(t target, row Row, self tenants.SiteID) Decision {
	if !c.agreesWith(t) {
		return refuse(row, problem.New(problem.BadRequest, "The two context headers name different organizations."))
	}
	return t.decide(row, self)
}

// Names reports whether the context headers name an organization and nothing else.
func Names(auth, tenant string, l tenants.LocationID, name string) (bool, error) {
	c, err := readContext(auth, tenant)
	if err != nil {
		return false, err
	}
	return (c.hasAuth || c.hasTenant) && c.agreesWith(target{l, name}), nil
}

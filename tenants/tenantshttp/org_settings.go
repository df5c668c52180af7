package tenantshttp

import (
	"encoding/xml"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/tenants"
)

// A settingsDoc is a group of an organization's settings that has an address of
// its own.
type settingsDoc interface {
	at(href, media string)
	show(tenants.OrgSettings)
	apply(*tenants.OrgSettings)
}

type settingsGroup struct {
	path, media string // below /settings
	new         func() settingsDoc
}

var settingsGroups = []settingsGroup{
	{"", mediaOrgSettings, func() settingsDoc { return new(settingsRoot) }},
	{"/general", "application/vnd.vmware.admin.organizationGeneralSettings+xml", func() settingsDoc { return new(generalRoot) }},
	{"/vAppLeaseSettings", "application/vnd.vmware.admin.vAppLeaseSettings+xml", func() settingsDoc { return new(leaseRoot) }},
	{"/vAppTemplateLeaseSettings", "application/vnd.vmware.admin.vAppTemplateLeaseSettings+xml", func() settingsDoc { return new(templateLeaseRoot) }},
	{"/ldap", "application/vnd.vmware.admin.organizationLdapSettings+xml", func() settingsDoc { return new(ldapRoot) }},
	{"/passwordPolicy", "application/vnd.vmware.admin.organizationPasswordPolicySettings+xml", func() settingsDoc { return new(passwordsRoot) }},
}

func (h *Handler) settingsRoutes() []httpapi.Route {
	var routes []httpapi.Route
	for _, g := range settingsGroups {
		path := "/api/admin/org/:id/settings" + g.path
		routes = append(routes,
			httpapi.Route{Method: http.MethodGet, Path: path, Rights: viewOrganization, Do: h.settingsGet(g)},
			httpapi.Route{Method: http.MethodPut, Path: path, Rights: changeOrganization, Do: h.settingsPut(g)},
		)
	}
	return routes
}

func (h *Handler) settingsGet(g settingsGroup) func(*gin.Context, httpapi.Call) error {
	return func(c *gin.Context, call httpapi.Call) error {
		org, err := h.orgOf(c, call)
		if err != nil {
			return err
		}
		h.writeSettings(c, g, org.Organization)
		return nil
	}
}

func (h *Handler) settingsPut(g settingsGroup) func(*gin.Context, httpapi.Call) error {
	return func(c *gin.Context, call httpapi.Call) error {
		org, err := h.orgOf(c, call)
		if err != nil {
			return err
		}
		given := g.new()
		if err := httpapi.ParseBody(c.Request, given); err != nil {
			return err
		}
		o, err := h.Tenants.UpdateOrganization(c.Request.Context(), call.Caller, org.ID, func(o *tenants.Organization) {
			given.apply(&o.Settings)
		})
		if err != nil {
			return err
		}
		h.writeSettings(c, g, o)
		return nil
	}
}

func (h *Handler) writeSettings(c *gin.Context, g settingsGroup, o tenants.Organization) {
	doc := g.new()
	doc.at(h.adminOrgHref(o.ID)+"/settings"+g.path, g.media)
	doc.show(o.Settings)
	write(c, g.media, doc)
}

const mediaOrgSettings = "application/vnd.vmware.admin.orgSettings+xml"

// located is what a group says of itself where it is the whole document.
type located struct {
	Href string `xml:"href,attr" json:"href"`
	Type string `xml:"type,attr" json:"type"`
}

func (l *located) at(href, media string) { *l = located{href, media} }

// orgSettings are all groups. Those that a body leaves out stay as they are; in
// one that is there, what is left out is false or 0. Answers have each: SDKs
// look into them unasked.
type orgSettings struct {
	located
	General       *general       `xml:"OrgGeneralSettings" json:"orgGeneralSettings"`
	Lease         *lease         `xml:"VAppLeaseSettings" json:"vAppLeaseSettings"`
	TemplateLease *templateLease `xml:"VAppTemplateLeaseSettings" json:"vAppTemplateLeaseSettings"`
	LDAP          *ldap          `xml:"OrgLdapSettings" json:"orgLdapSettings"`
	Passwords     *passwords     `xml:"OrgPasswordPolicySettings" json:"orgPasswordPolicySettings"`
}

func (s *orgSettings) show(from tenants.OrgSettings) {
	s.General, s.Lease, s.TemplateLease = new(general), new(lease), new(templateLease)
	s.LDAP, s.Passwords = new(ldap), new(passwords)
	s.General.show(from)
	s.Lease.show(from)
	s.TemplateLease.show(from)
	s.LDAP.show(from)
	s.Passwords.show(from)
}

func (s *orgSettings) apply(to *tenants.OrgSettings) {
	if s.General != nil {
		s.General.apply(to)
	}
	if s.Lease != nil {
		s.Lease.apply(to)
	}
	if s.TemplateLease != nil {
		s.TemplateLease.apply(to)
	}
	if s.LDAP != nil {
		s.LDAP.apply(to)
	}
	if s.Passwords != nil {
		s.Passwords.apply(to)
	}
}

type settingsRoot struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 OrgSettings" json:"-"`
	orgSettings
}

type generalRoot struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 OrgGeneralSettings" json:"-"`
	located
	general
}

type leaseRoot struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 VAppLeaseSettings" json:"-"`
	located
	lease
}

type templateLeaseRoot struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 VAppTemplateLeaseSettings" json:"-"`
	located
	templateLease
}

type ldapRoot struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 OrgLdapSettings" json:"-"`
	located
	ldap
}

type passwordsRoot struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 OrgPasswordPolicySettings" json:"-"`
	located
	passwords
}

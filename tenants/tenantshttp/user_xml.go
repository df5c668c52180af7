package tenantshttp

import (
	"encoding/xml"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

const mediaUser = "application/vnd.vmware.admin.user+xml"

// userXMLBody is a user as XML shows it. GroupReferences is there always: SDKs
// follow it without looking.
type userXMLBody struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 User" json:"-"`
	reference
	OperationKey string `xml:"operationKey,attr" json:"operationKey"`
	userTexts
	Role   reference       `xml:"Role" json:"role"`
	Groups groupReferences `xml:"GroupReferences" json:"groupReferences"`
}

type groupReferences struct {
	List []reference `xml:"GroupReference" json:"groupReference"`
}

// userTexts is what XML takes and shows of a user. Absent is false, 0 and empty.
type userTexts struct {
	Description     string `xml:"Description" json:"description"`
	FullName        string `xml:"FullName" json:"fullName"`
	EmailAddress    string `xml:"EmailAddress" json:"emailAddress"`
	Telephone       string `xml:"Telephone" json:"telephone"`
	IsEnabled       bool   `xml:"IsEnabled" json:"isEnabled"`
	IsLocked        bool   `xml:"IsLocked" json:"isLocked"`
	IM              string `xml:"IM" json:"im"`
	NameInSource    string `xml:"NameInSource" json:"nameInSource"`
	IsExternal      bool   `xml:"IsExternal" json:"isExternal"`
	ProviderType    string `xml:"ProviderType" json:"providerType"`
	IsGroupRole     bool   `xml:"IsGroupRole" json:"isGroupRole"`
	StoredVMQuota   int    `xml:"StoredVmQuota" json:"storedVmQuota"`
	DeployedVMQuota int    `xml:"DeployedVmQuota" json:"deployedVmQuota"`
}

func (h *Handler) newUserXML(call httpapi.Call, org *tenants.Snapshot, u tenants.User) userXMLBody {
	role, _ := org.RoleName(u.Role)
	body := userXMLBody{
		reference: h.entity("user", string(u.ID), u.Name), Role: h.roleReference(call, org.ID, u.Role, role), Groups: groupReferences{[]reference{}},
		userTexts: userTexts{
			Description: u.Description, FullName: u.FullName, EmailAddress: u.Email, Telephone: u.Profile.Telephone, IsEnabled: u.Enabled,
			IsLocked: u.Locked, IM: u.Profile.IM, NameInSource: u.Profile.NameInSource, IsExternal: u.Profile.External,
			ProviderType: u.ProviderType, IsGroupRole: u.Profile.GroupRole, StoredVMQuota: u.Profile.StoredVMQuota,
			DeployedVMQuota: u.Profile.DeployedVMQuota,
		},
	}
	if u.ProviderType == tenants.ProviderLDAP { // XML has no word of its own for it
		body.ProviderType, body.IsExternal = tenants.ProviderIntegrated, true
	}
	return body
}

func (h *Handler) writeUser(c *gin.Context, call httpapi.Call, status int, org *tenants.Snapshot, u tenants.User) {
	writeStatus(c, status, mediaUser, h.newUserXML(call, org, u))
}

// userXMLInput is what clients send. They name the role by its href alone.
type userXMLInput struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 User" json:"-"`
	Name    string   `xml:"name,attr" json:"name"`
	userTexts
	Password secret.Text `xml:"Password" json:"password"`
	Role     *reference  `xml:"Role" json:"role"`

	role tenants.RoleID
}

func parseUserXML(r *http.Request) (in userXMLInput, err error) {
	if err := httpapi.ParseBody(r, &in); err != nil || in.Role == nil {
		return in, err
	}
	id, err := httpapi.IDFromHref(in.Role.Href)
	in.role = tenants.RoleID(id)
	return in, err
}

// provider is who knows the user's password. VCD's XML writes users of a
// directory as INTEGRATED and external.
func (in userXMLInput) provider(is string) string {
	switch given := in.ProviderType; {
	case given == "" && is != "" && is != tenants.ProviderIntegrated:
		return is
	case given != "" && given != tenants.ProviderIntegrated:
		return given
	case in.IsExternal:
		return tenants.ProviderLDAP
	}
	return tenants.ProviderIntegrated
}

// change replaces what XML shows of a user; what OpenAPI alone knows stays.
func (in userXMLInput) change(u *tenants.User) {
	if in.Name != "" {
		u.Name = in.Name
	}
	if in.role != "" {
		u.Role = in.role
	}
	u.FullName, u.Description, u.Email, u.Enabled = in.FullName, in.Description, in.EmailAddress, in.IsEnabled
	u.ProviderType = in.provider(u.ProviderType)
	p := &u.Profile
	p.Telephone, p.IM, p.NameInSource, p.External, p.GroupRole = in.Telephone, in.IM, in.NameInSource, in.IsExternal, in.IsGroupRole
	p.StoredVMQuota, p.DeployedVMQuota = in.StoredVMQuota, in.DeployedVMQuota
}

func (h *Handler) userXML(c *gin.Context, call httpapi.Call) error {
	org, u, err := h.readUser(c, call)
	if err != nil {
		return err
	}
	h.writeUser(c, call, http.StatusOK, org, u)
	return nil
}

func (h *Handler) createUserXML(c *gin.Context, call httpapi.Call) error {
	org, err := h.orgOf(c, call)
	if err != nil {
		return err
	}
	in, err := parseUserXML(c.Request)
	if err != nil {
		return err
	}
	if in.role == "" {
		return problem.New(problem.BadRequest, "A user needs a Role with an href.")
	}
	var u tenants.User
	in.change(&u)
	if u, err = h.Tenants.CreateUser(c.Request.Context(), call.Caller, org, u, in.Password); err != nil {
		return err
	}
	c.Header("Location", h.entity("user", string(u.ID), u.Name).Href)
	h.writeUser(c, call, http.StatusCreated, org, u)
	return nil
}

// updateUserXML unlocks unless the body says that the user is locked: clients
// leave out what is false.
func (h *Handler) updateUserXML(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.userTarget(c, call)
	if err != nil {
		return err
	}
	in, err := parseUserXML(c.Request)
	if err != nil {
		return err
	}
	u, err := h.Tenants.UpdateUser(c.Request.Context(), call.Caller, org, id, tenants.UserEdit{
		Change: in.change, Password: in.Password, Unlock: !in.IsLocked,
	})
	if err != nil {
		return err
	}
	h.writeUser(c, call, http.StatusOK, org, u)
	return nil
}

func (h *Handler) takeOwnership(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.userTarget(c, call)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.Tenants.TakeOwnership(c.Request.Context(), call.Caller, org, id))
}

// actOnUser is an edit that needs no body.
func (h *Handler) actOnUser(edit tenants.UserEdit) func(*gin.Context, httpapi.Call) error {
	return func(c *gin.Context, call httpapi.Call) error {
		org, id, err := h.userTarget(c, call)
		if err != nil {
			return err
		}
		_, err = h.Tenants.UpdateUser(c.Request.Context(), call.Caller, org, id, edit)
		return httpapi.NoContent(c, err)
	}
}

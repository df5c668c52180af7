package tenantshttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

const usersPath = "/cloudapi/1.0.0/users"

// userRoutes are people in both dialects. Everybody may read their own user and
// change their own password; the handlers see to that.
func (h *Handler) userRoutes() []httpapi.Route {
	anyone := []tenants.Right{httpapi.AnySession}
	manage := []tenants.Right{tenants.RightUserManage}
	const admin = "/api/admin/user/:id"
	routes := []httpapi.Route{
		{Method: http.MethodGet, Path: usersPath, Rights: viewUsers, List: httpapi.Pages{}, Do: h.users},
		{Method: http.MethodPost, Path: usersPath, Rights: manage, Do: h.createUser},
		{Method: http.MethodGet, Path: usersPath + "/:id", Rights: anyone, Do: h.user},
		{Method: http.MethodPut, Path: usersPath + "/:id", Rights: manage, Do: h.updateUser},
		{Method: http.MethodDelete, Path: usersPath + "/:id", Rights: manage, Do: h.deleteUser},
		{Method: http.MethodPost, Path: usersPath + "/:id/changePassword", Rights: anyone, Do: h.changePassword},

		{Method: http.MethodPost, Path: "/api/admin/org/:id/users", Rights: manage, Do: h.createUserXML},
		{Method: http.MethodGet, Path: admin, Rights: anyone, Do: h.userXML},
		{Method: http.MethodPut, Path: admin, Rights: manage, Do: h.updateUserXML},
		{Method: http.MethodDelete, Path: admin, Rights: manage, Do: h.deleteUser},
		{Method: http.MethodPost, Path: admin + "/action/takeOwnership", Rights: manage, Do: h.takeOwnership},
	}
	for action, edit := range map[string]tenants.UserEdit{
		"unlock":  {Unlock: true},
		"enable":  {Change: func(u *tenants.User) { u.Enabled = true }},
		"disable": {Change: func(u *tenants.User) { u.Enabled = false }},
	} {
		routes = append(routes, httpapi.Route{Method: http.MethodPost, Path: admin + "/action/" + action, Rights: manage, Do: h.actOnUser(edit)})
	}
	return routes
}

// userTarget finds the user that the path names, by UUID or URN. SDKs send no
// context header here, so a provider reaches every organization's users by id.
func (h *Handler) userTarget(c *gin.Context, call httpapi.Call) (*tenants.Snapshot, tenants.UserID, error) {
	ctx := c.Request.Context()
	id, err := tenants.ParseID[tenants.UserID]("user", c.Param("id"))
	if err != nil {
		return nil, "", err
	}
	owner, err := h.owner(call, func() (tenants.OrgID, error) { return h.Tenants.UserOrg(ctx, id) })
	if err != nil || owner == call.Org.ID {
		return call.Org, id, err
	}
	org, err := h.Orgs.Organization(ctx, owner)
	return org, id, err
}

// readUser is the user that the path names for who may see users, and for
// oneself.
func (h *Handler) readUser(c *gin.Context, call httpapi.Call) (*tenants.Snapshot, tenants.User, error) {
	ctx := c.Request.Context()
	org, id, err := h.readTarget(c, call)
	if err != nil {
		return nil, tenants.User{}, err
	}
	u, err := h.Tenants.User(ctx, org.ID, id)
	return org, u, err
}

func (h *Handler) readTarget(c *gin.Context, call httpapi.Call) (*tenants.Snapshot, tenants.UserID, error) {
	id, err := tenants.ParseID[tenants.UserID]("user", c.Param("id"))
	if err != nil {
		return nil, "", err
	}
	if self(call.Principal, id) {
		org, err := h.Orgs.Organization(c.Request.Context(), call.Principal.Org)
		return org, id, err
	}
	if err := h.Orgs.Require(c.Request.Context(), call.Principal, call.Org.ID, viewUsers...); err != nil {
		return nil, "", err
	}
	return h.userTarget(c, call)
}

// self reports whether p is the user. Identifiers are used once at a site.
func self(p tenants.Principal, id tenants.UserID) bool {
	return p.Kind == tenants.KindUser && p.ID == string(id)
}

func (h *Handler) users(c *gin.Context, call httpapi.Call) error {
	q, err := httpapi.ParseList(c.Request, tenants.UserFields, maxPageSize)
	if err != nil {
		return err
	}
	list, total, err := h.Tenants.Users(c.Request.Context(), call.Org.ID, q)
	if err != nil {
		return err
	}
	values := make([]userBody, 0, len(list))
	for _, u := range list {
		values = append(values, newUserBody(call.Org, u))
	}
	httpapi.WritePage(c, h.PublicURL, "VcdUsers", httpapi.NewPage(values, total, q.Page, q.PageSize))
	return nil
}

func (h *Handler) user(c *gin.Context, call httpapi.Call) error {
	org, u, err := h.readUser(c, call)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newUserBody(org, u))
	return nil
}

func (h *Handler) createUser(c *gin.Context, call httpapi.Call) error {
	in, err := parseUser(c.Request)
	if err != nil {
		return err
	}
	u := tenants.User{Enabled: true}
	in.change(&u)
	u, err = h.Tenants.CreateUser(c.Request.Context(), call.Caller, call.Org, u, in.Password)
	if err != nil {
		return err
	}
	h.created(c, usersPath, tenants.URN("user", u.ID), newUserBody(call.Org, u))
	return nil
}

func (h *Handler) updateUser(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.userTarget(c, call)
	if err != nil {
		return err
	}
	in, err := parseUser(c.Request)
	if err != nil {
		return err
	}
	u, err := h.Tenants.UpdateUser(c.Request.Context(), call.Caller, org, id, tenants.UserEdit{
		Change: in.change, Password: in.Password, Unlock: in.Locked != nil && !*in.Locked,
	})
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, newUserBody(org, u))
	return nil
}

func (h *Handler) deleteUser(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.userTarget(c, call)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.Tenants.DeleteUser(c.Request.Context(), call.Caller, org, id))
}

// changePassword is for oneself.
func (h *Handler) changePassword(c *gin.Context, call httpapi.Call) error {
	id, err := tenants.ParseID[tenants.UserID]("user", c.Param("id"))
	if err != nil {
		return err
	}
	if !self(call.Principal, id) {
		return problem.Hidden()
	}
	var body struct {
		Current secret.Text `json:"currentPassword"`
		New     secret.Text `json:"newPassword"`
	}
	if err := httpapi.ParseJSON(c.Request, &body); err != nil {
		return err
	}
	return httpapi.NoContent(c, h.ChangePassword(c, call, body.Current, body.New))
}

// ChangePassword gives whoever asks another password. It spends from the limit of
// logins: it answers whether a password is right.
func (h *Handler) ChangePassword(c *gin.Context, call httpapi.Call, current, password secret.Text) error {
	p := call.Principal
	try := h.Limits.TakeLogin(httpapi.ClientAddr(c), account(p.Name, p.OrgName))
	if err := try.Err(); err != nil {
		return err
	}
	err := h.Tenants.ChangePassword(c.Request.Context(), call.Caller, current, password)
	if err == nil {
		try.Succeeded()
	}
	return err
}

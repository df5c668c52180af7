package apps

import (
	"net/http"
	"slices"
	"strconv"

	"causeway/internal/fiql"
	"causeway/internal/problem"
	domain "causeway/oauth/apps"
	"causeway/portal/ui"
	"causeway/services"
	"causeway/tenants"
)

type customList struct {
	List  *ui.List
	Roles []customRow
	New   string // empty: who looks may make none
}

type customRow struct {
	services.CustomRole
	Path string
}

// customFields are those of a list that is in memory: an organization has few.
var customFields = fiql.Fields{"name": {Column: "name"}, "displayName": {Column: "display_name"}, "description": {Column: "description"}}

func customShown(r services.CustomRole, selector string) string {
	switch selector {
	case "name":
		return r.Name
	case "displayName":
		return r.DisplayName
	}
	return r.Description
}

func (p Pages) customRoles(s *ui.Screen) error {
	l, err := s.List(ui.ListOf{Fields: customFields, Search: []string{"name", "displayName", "description"}, Sort: "displayName"})
	if err != nil {
		return err
	}
	list, err := p.Services.CustomRoles(s.Request.Context(), s.By(), s.Org().ID)
	if err != nil {
		return err
	}
	page := customList{List: l}
	if s.Can(giveRoles...) {
		page.New = s.Path(customPath, "new")
	}
	for _, r := range ui.Rows(l, list, customShown) {
		page.Roles = append(page.Roles, customRow{r, s.Path(customPath, "named", r.Name)})
	}
	return s.Show("apps/customroles", "customroles.title", page)
}

func customTrail(s *ui.Screen, r *services.CustomRole) []ui.Crumb {
	way := []ui.Crumb{{Text: s.T("customroles.title"), Path: s.Path(customPath)}}
	if r != nil {
		way = append(way, ui.Crumb{Text: r.DisplayName, Path: s.Path(customPath, "named", r.Name)})
	}
	return way
}

func (p Pages) customOf(s *ui.Screen) (services.CustomRole, error) {
	return p.Services.CustomRole(s.Request.Context(), s.By(), s.Org().ID, s.Param("role"))
}

type customPage struct {
	Role         services.CustomRole
	Services     []customService
	Holders      []memberRow
	Total        int
	Apps         bool // who looks may see the apps
	Edit, Delete string
}

// customService is what a role allows in one service.
type customService struct {
	Name        string
	Permissions []services.PermissionInfo
}

func (p Pages) customRole(s *ui.Screen) error {
	r, err := p.customOf(s)
	if err != nil {
		return err
	}
	page := customPage{Role: r}
	if page.Services, err = p.allowedBy(s, r); err != nil {
		return err
	}
	if page.Holders, page.Total, page.Apps, err = p.holders(s, r.Name); err != nil {
		return err
	}
	if s.Can(giveRoles...) {
		page.Edit, page.Delete = s.Path(customPath, "named", r.Name, "edit"), s.Path(customPath, "named", r.Name, "delete")
	}
	return s.ShowFrame(http.StatusOK, "apps/customrole", ui.Frame{D: page, Title: r.DisplayName, Trail: customTrail(s, nil)})
}

// allowedBy are the permissions of a role, by service. One that its service has no
// more is shown by its name.
func (p Pages) allowedBy(s *ui.Screen, r services.CustomRole) (list []customService, err error) {
	definitions, err := p.Services.Definitions(s.Request.Context())
	if err != nil {
		return nil, err
	}
	at := map[services.DefinitionID]int{}
	for _, sp := range r.Permissions {
		i, ok := at[sp.Definition]
		d := definitionOf(definitions, sp.Definition)
		if !ok {
			i, at[sp.Definition] = len(list), len(list)
			list = append(list, customService{Name: d.Name})
		}
		info := services.PermissionInfo{Name: sp.Permission, DisplayName: string(sp.Permission)}
		if j := slices.IndexFunc(d.Permissions, func(i services.PermissionInfo) bool { return i.Name == sp.Permission }); j >= 0 {
			info = d.Permissions[j]
		}
		list[i].Permissions = append(list[i].Permissions, info)
	}
	return list, nil
}

func definitionOf(list []services.Definition, id services.DefinitionID) services.Definition {
	for _, d := range list {
		if d.ID == id {
			return d
		}
	}
	return services.Definition{ID: id, Name: string(id)}
}

// mostHolders is how many of those who hold a role a page names.
const mostHolders = 25

// holders are the apps that hold a custom role, for who may see them.
func (p Pages) holders(s *ui.Screen, role string) (rows []memberRow, total int, may bool, err error) {
	search := domain.Search{Roles: []domain.RoleTerm{{Kind: services.GrantCustom, Role: role}}}
	list, total, err := p.Apps.SearchMembers(s.Request.Context(), s.By(), s.Org().ID, search, tenants.Query{Page: 1, PageSize: mostHolders})
	if problem.Has(err, problem.Forbidden) {
		return nil, 0, false, nil
	}
	if err != nil {
		return nil, 0, false, err
	}
	for _, m := range list {
		rows = append(rows, memberRow{Client: domain.ClientName(m.Holder), Name: nameOf(m.Held)})
	}
	return rows, total, true, nil
}

// customForm is the page that makes a role or changes one.
type customForm struct {
	Heading string
	Form    ui.Form
	Picker  picker
}

func (p Pages) newCustomRole(s *ui.Screen) error {
	return p.drawCustom(s, s.T("customroles.new.title"), roleForm(s, services.CustomRole{}, true), nil, customTrail(s, nil))
}

// roleForm asks for what a role is called; its name is asked for once.
func roleForm(s *ui.Screen, r services.CustomRole, isNew bool) ui.Form {
	f := ui.Form{Submit: s.T("customroles.edit.submit"), Cancel: s.Path(customPath, "named", r.Name)}
	if isNew {
		f.Submit, f.Cancel = s.T("customroles.new.submit"), s.Path(customPath)
		f.Fields = append(f.Fields, ui.Field{Name: "name", Label: s.T("customroles.name"), Hint: s.T("customroles.name.hint"), Required: true, Max: 30, Mono: true, Focus: true})
	}
	f.Fields = append(f.Fields,
		ui.Field{Name: "displayName", Label: s.T("customroles.displayname"), Hint: s.T("customroles.displayname.hint"), Value: r.DisplayName, Required: true, Max: 100},
		ui.Field{Kind: ui.Area, Name: "description", Label: s.T("customroles.description"), Value: r.Description, Max: 256, Rows: 3},
	)
	return f
}

func (p Pages) drawCustom(s *ui.Screen, heading string, f ui.Form, chosen []string, way []ui.Crumb) error {
	definitions, err := p.Services.Definitions(s.Request.Context())
	if err != nil {
		return err
	}
	page := customForm{Heading: heading, Form: f, Picker: permissionPicker(s, definitions, chosen)}
	return s.ShowFrame(f.Status(), "apps/customform", ui.Frame{D: page, Title: heading, Trail: way})
}

// permissionPicker offers the permissions of each service. What is chosen and gone
// from its service can be taken away.
func permissionPicker(s *ui.Screen, definitions []services.Definition, chosen []string) picker {
	p := picker{Name: "permission", Find: s.T("customroles.find"), Legend: s.T("customroles.permissions")}
	left := slices.Clone(chosen)
	for i, d := range definitions {
		g := pickGroup{ID: "permissions-" + strconv.Itoa(i), Title: d.Name, Hint: d.Description}
		for _, info := range d.Permissions {
			value := services.ServicePermission{Definition: d.ID, Permission: info.Name}.String()
			g.Picks = append(g.Picks, pick{
				Value: value, Label: info.DisplayName, Name: string(info.Name), About: info.Description, Chosen: slices.Contains(chosen, value),
			})
			left = slices.DeleteFunc(left, func(s string) bool { return s == value })
		}
		p.Groups = append(p.Groups, g)
	}
	if len(left) > 0 {
		g := pickGroup{ID: "permissions-gone", Title: s.T("customroles.gone"), Hint: s.T("customroles.gone.hint")}
		for _, value := range left {
			g.Picks = append(g.Picks, pick{Value: value, Label: value, Chosen: true})
		}
		p.Groups = append(p.Groups, g)
	}
	return p
}

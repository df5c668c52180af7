package apps

import (
	"embed"
	"io/fs"
	"net/http"
	"time"

	domain "causeway/oauth/apps"
	"causeway/portal/ui"
	"causeway/services"
	"causeway/tenants"
)

//go:embed all:templates
var files embed.FS

// Pages are the group.
type Pages struct {
	Apps      *domain.Service
	Services  *services.Service
	Tenants   *tenants.Service
	Orgs      *tenants.Directory
	SiteName  func() string
	PublicURL string // https://host[:port], from configuration only
	Now       func() time.Time
}

// Name is the group's.
func (p Pages) Name() string { return "apps" }

// Files are the templates.
func (p Pages) Files() fs.FS { return files }

// The API asks no right of who comes, and the domain what they are in the
// organization. Here the same decides; the rights are those by which a role makes
// somebody that, so that nobody else has the pages in the menu.
var (
	manage    = []tenants.Right{tenants.RightOrgOwner, tenants.RightOrgAdministrator, tenants.RightOrgDeveloper}
	seeRoles  = []tenants.Right{tenants.RightOrgOwner, tenants.RightOrgAdministrator, tenants.RightOrgMember}
	giveRoles = []tenants.Right{tenants.RightOrgOwner, tenants.RightOrgAdministrator}
	readAudit = []tenants.Right{tenants.RightAuditView, tenants.RightAdministratorView}
)

// Where the pages are. Client ids have five characters or more, so that shorter
// words beside them are free.
const (
	appsPath   = "/applications/apps"
	accessPath = "/applications/access"
	customPath = "/applications/custom-roles"
	peoplePath = "/applications/people"
)

// Pages lists them.
func (p Pages) Pages() []ui.Page {
	get := func(path string, rights []tenants.Right, do func(*ui.Screen) error) ui.Page {
		return ui.Page{Path: path, Rights: rights, Do: do}
	}
	post := func(path string, rights []tenants.Right, do func(*ui.Screen) error) ui.Page {
		return ui.Page{Method: http.MethodPost, Path: path, Rights: rights, Do: do}
	}
	entry := func(page ui.Page, key, icon string, order int) ui.Page {
		page.Menu = &ui.Menu{Section: ui.Applications, Key: key, Icon: icon, Order: order}
		return page
	}
	app, client, role, user := appsPath+"/:app", accessPath+"/:client", customPath+"/named/:role", peoplePath+"/:user"
	return []ui.Page{
		entry(get(appsPath, manage, p.list), "apps", "app", 1),
		get(appsPath+"/new", manage, p.startApp),
		post(appsPath+"/new", manage, p.makeApp),
		get(appsPath+"/drop", manage, p.askDrop),
		post(appsPath+"/drop", manage, p.drop),
		get(app, manage, p.app),
		get(app+"/edit", manage, p.showSettings),
		post(app+"/edit", manage, p.saveSettings),
		get(app+"/bounds", manage, p.showBounds),
		post(app+"/bounds", manage, p.saveBounds),
		get(app+"/regenerate", manage, p.askRegenerate),
		post(app+"/regenerate", manage, p.regenerate),
		get(app+"/rotate", manage, p.askRotate),
		post(app+"/rotate", manage, p.rotate),
		get(app+"/end-overlap", manage, p.askEndOverlap),
		post(app+"/end-overlap", manage, p.endOverlap),

		entry(get(accessPath, manage, p.members), "appaccess", "key", 2),
		get(accessPath+"/add", manage, p.showAdd),
		post(accessPath+"/add", manage, p.add),
		get(accessPath+"/drop", manage, p.askRemove),
		post(accessPath+"/drop", manage, p.remove),
		get(client, manage, p.member),
		get(client+"/roles", manage, p.showMemberRoles),
		post(client+"/roles", manage, p.changeMemberRoles),

		entry(get(customPath, seeRoles, p.customRoles), "customroles", "bundle", 3),
		get(customPath+"/new", giveRoles, p.newCustomRole),
		post(customPath+"/new", giveRoles, p.createCustomRole),
		get(role, seeRoles, p.customRole),
		get(role+"/edit", giveRoles, p.editCustomRole),
		post(role+"/edit", giveRoles, p.saveCustomRole),
		get(role+"/delete", giveRoles, p.askDeleteCustomRole),
		post(role+"/delete", giveRoles, p.deleteCustomRole),

		entry(get(peoplePath, seeRoles, p.people), "servicepeople", "users", 4),
		get(user, seeRoles, p.person),
		get(user+"/roles", giveRoles, p.showPersonRoles),
		post(user+"/roles", giveRoles, p.changePersonRoles),
	}
}

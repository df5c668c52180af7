package machines

import (
	"embed"
	"io/fs"
	"net/http"
	"time"

	"causeway/internal/httpapi"
	"causeway/oauth"
	"causeway/portal/ui"
	"causeway/tenants"
)

//go:embed all:templates
var files embed.FS

// Pages are the pages.
type Pages struct {
	OAuth   *oauth.Service
	Tenants *tenants.Service
	Now     func() time.Time
}

// Name is the group's.
func (p *Pages) Name() string { return "machines" }

// Files are the group's templates.
func (p *Pages) Files() fs.FS { return files }

var (
	view       = []tenants.Right{tenants.RightAccountsView, tenants.RightAccountsLimitedView, tenants.RightAccountsManage}
	manage     = []tenants.Right{tenants.RightAccountsManage}
	ownTokens  = []tenants.Right{tenants.RightTokenManage}
	allTokens  = []tenants.Right{tenants.RightTokenManageAll}
	seeQuota   = []tenants.Right{tenants.RightQuotaView, tenants.RightQuotaManage}
	giveQuota  = []tenants.Right{tenants.RightQuotaManage}
	readAudit  = []tenants.Right{tenants.RightAuditView, tenants.RightAdministratorView}
	anySession = []tenants.Right{httpapi.AnySession}
)

// Where the pages are. Identifiers of accounts are UUIDs, so that words beside them
// are free.
const (
	accountsPath = oauth.AccountsPage
	accountPath  = accountsPath + "/:id"
	reviewPath   = accountsPath + "/review"
	tokensPath   = "/own/api-tokens"
	sessionsPath = "/own/sessions"
	// Those of the whole organization.
	everyTokenPath   = "/administration/access-control/api-tokens"
	everySessionPath = "/administration/access-control/sessions"
)

// Pages lists them.
func (p *Pages) Pages() []ui.Page {
	pages := []ui.Page{
		{Path: accountsPath, Rights: view, Do: p.list, Menu: &ui.Menu{Section: ui.AccessControl, Key: "machines", Order: 10, Icon: "machine"}},
		{Path: accountPath, Rights: view, Do: p.show},
		{Path: reviewPath, Rights: manage, Do: p.enter, Menu: &ui.Menu{Section: ui.AccessControl, Key: "approval", Order: 11, Icon: "review"}},
		{Method: http.MethodPost, Path: reviewPath, Rights: manage, Do: p.lookUp},
		{Method: http.MethodPost, Path: reviewPath + "/grant", Rights: manage, Do: p.grant},
		{Method: http.MethodPost, Path: reviewPath + "/deny", Rights: manage, Do: p.deny},
		{Path: accountPath + "/granted", Rights: manage, Do: p.granted},
		{Method: http.MethodPost, Path: accountPath + "/take-ownership", Rights: manage, Do: p.takeOwnership},
	}
	pages = append(pages, both(accountsPath+"/new", manage, p.begin, p.step)...)
	pages = append(pages, both(accountPath+"/edit", manage, p.edit, p.save)...)
	pages = append(pages, both(accountPath+"/revoke", manage, p.askRevoke, p.revoke)...)
	pages = append(pages, both(accountPath+"/delete", manage, p.askDelete, p.remove)...)
	pages = append(pages, p.tokenPages()...)
	return append(pages, p.sessionPages()...)
}

// both are a page with a form and where the form is sent.
func both(path string, rights []tenants.Right, show, send func(*ui.Screen) error) []ui.Page {
	return []ui.Page{{Path: path, Rights: rights, Do: show}, {Method: http.MethodPost, Path: path, Rights: rights, Do: send}}
}

func (p *Pages) tokenPages() []ui.Page {
	pages := []ui.Page{
		{Path: tokensPath, Rights: ownTokens, Do: p.ownTokens, Menu: &ui.Menu{Section: ui.Own, Key: "tokens", Order: 20, Icon: "key"}},
		{Path: everyTokenPath, Rights: allTokens, Do: p.everyToken, Menu: &ui.Menu{Section: ui.AccessControl, Key: "alltokens", Order: 50, Icon: "key"}},
	}
	pages = append(pages, both(tokensPath+"/new", ownTokens, p.newToken, p.createToken)...)
	for base, rights := range map[string][]tenants.Right{tokensPath: ownTokens, everyTokenPath: allTokens} {
		t := tokenPages{p, base}
		pages = append(pages, both(base+"/:id/rename", rights, t.askRename, t.rename)...)
		pages = append(pages, both(base+"/:id/revoke", rights, t.askRevoke, t.revoke)...)
	}
	return pages
}

func (p *Pages) sessionPages() []ui.Page {
	pages := []ui.Page{
		{Path: sessionsPath, Rights: anySession, Do: p.ownSessions, Menu: &ui.Menu{Section: ui.Own, Key: "sessions", Order: 30, Icon: "session"}},
		{Path: everySessionPath, Rights: oauth.SessionWatchers, Do: p.everySession, Menu: &ui.Menu{Section: ui.AccessControl, Key: "allsessions", Order: 60, Icon: "session"}},
		{Method: http.MethodPost, Path: sessionsPath + "/:id/end", Rights: anySession, Do: p.endOwn},
	}
	return append(pages, both(everySessionPath+"/:id/end", oauth.SessionEnders, p.askEnd, p.end)...)
}

// Package monitoring is the portal's pages of what goes on: this cell's numbers, the
// audit trail with its proof and who is told of it, what was refused, and why. Nothing
// here changes anything but webhooks.
package monitoring

import (
	"embed"
	"io/fs"
	"net/http"
	"time"

	"causeway/internal/journal"
	"causeway/internal/pulse"
	"causeway/internal/receipts"
	"causeway/internal/refusal"
	"causeway/internal/relay"
	"causeway/internal/trail"
	"causeway/portal/ui"
	"causeway/tenants"
)

//go:embed all:templates
var files embed.FS

// Config wires Pages.
type Config struct {
	Pulse    *pulse.Pulse
	Trail    *trail.Service
	Webhooks *relay.Service
	Refusals *refusal.Desk
	Receipts *receipts.Service
	Examiner *journal.Examiner
	Orgs     *tenants.Directory
	SiteName func() string
	Now      func() time.Time
}

// Pages are the group.
type Pages struct{ Config }

// Name is that of the group.
func (p *Pages) Name() string { return "monitoring" }

// Files are the templates.
func (p *Pages) Files() fs.FS { return files }

// Pages lists the pages. All show what the audit trail would tell.
func (p *Pages) Pages() []ui.Page {
	rights := []tenants.Right{tenants.RightAuditView, tenants.RightAdministratorView}
	menu := func(key, icon string, order int) *ui.Menu {
		return &ui.Menu{Section: ui.Monitoring, Key: key, Order: order, Icon: icon}
	}
	return append(p.webhookPages(rights), []ui.Page{
		{Path: "/monitor/numbers", Rights: rights, Do: p.numbers, Menu: menu("numbers", "chart", 10)},
		{Path: "/monitor/audit", Rights: rights, Do: p.audit, Menu: menu("audit", "audit", 20)},
		{Path: "/monitor/audit/export", Rights: rights, Do: p.exportAudit},
		{Path: "/monitor/audit/entry/:seq", Rights: rights, Do: p.entry},
		{Path: "/monitor/audit/refusals", Rights: rights, Do: p.refusals},
		{Path: "/monitor/audit/refusals/export", Rights: rights, Do: p.exportRefusals},
		{Path: "/monitor/audit/verify", In: ui.Provider, Rights: rights, Do: p.showVerify},
		{Method: http.MethodPost, Path: "/monitor/audit/verify", In: ui.Provider, Rights: rights, Do: p.verify},
		{Path: "/monitor/explain", Rights: rights, Do: p.explain, Menu: menu("explain", "explain", 30)},
	}...)
}

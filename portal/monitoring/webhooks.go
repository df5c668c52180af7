package monitoring

import (
	"net/http"
	"time"

	"causeway/internal/relay"
	"causeway/portal/ui"
	"causeway/tenants"
)

// Webhooks are the provider's: who sets one reads all that it is told.
const webhooksPath = "/monitor/audit/webhooks"

var manageWebhooks = []tenants.Right{tenants.RightSiteManage}

func (p *Pages) webhookPages(view []tenants.Right) []ui.Page {
	const one = webhooksPath + "/:id"
	get := func(path string, rights []tenants.Right, do func(*ui.Screen) error) ui.Page {
		return ui.Page{Path: path, In: ui.Provider, Rights: rights, Do: do}
	}
	post := func(path string, do func(*ui.Screen) error) ui.Page {
		return ui.Page{Method: http.MethodPost, Path: path, In: ui.Provider, Rights: manageWebhooks, Do: do}
	}
	return []ui.Page{
		get(webhooksPath, view, p.webhooks),
		get(webhooksPath+"/new", manageWebhooks, p.newWebhook),
		post(webhooksPath+"/new", p.createWebhook),
		get(one, view, p.webhook),
		get(one+"/edit", manageWebhooks, p.editWebhook),
		post(one+"/edit", p.saveWebhook),
		post(one+"/test", p.testWebhook),
		post(one+"/redeliver", p.redeliver),
		get(one+"/secret", manageWebhooks, p.askRenew),
		post(one+"/secret", p.renew),
		get(one+"/delete", manageWebhooks, p.askDeleteWebhook),
		post(one+"/delete", p.deleteWebhook),
	}
}

// webhookShown is a webhook as pages show it.
type webhookShown struct {
	relay.Webhook
	Path, OrgName string
	Badge, State  string // how it is, as a kind and in words
}

type webhooksPage struct {
	Webhooks []webhookShown
	New      string // empty for whoever cannot make one
}

func (p *Pages) webhooks(s *ui.Screen) error {
	list, err := p.Webhooks.List(s.Request.Context())
	if err != nil {
		return err
	}
	page, names := webhooksPage{}, p.names()
	if s.Can(manageWebhooks...) {
		page.New = s.Path(webhooksPath, "new")
	}
	for _, w := range list {
		shown, err := p.shown(s, names, w)
		if err != nil {
			return err
		}
		page.Webhooks = append(page.Webhooks, shown)
	}
	return s.Show("monitoring/webhooks", "webhooks.title", page)
}

func (p *Pages) shown(s *ui.Screen, n names, w relay.Webhook) (out webhookShown, err error) {
	out = webhookShown{Webhook: w, Path: s.Path(webhooksPath, string(w.ID))}
	if out.OrgName, err = n.name(s.Request.Context(), w.Org); out.OrgName == "" {
		out.OrgName = string(w.Org) // it was deleted
	}
	switch {
	case !w.Enabled:
		out.Badge, out.State = "plain", s.T("webhooks.state.disabled")
	case !w.Failing.IsZero():
		out.Badge, out.State = "bad", s.T("webhooks.state.failing")
	case w.Delivered.IsZero():
		out.Badge, out.State = "plain", s.T("webhooks.state.new")
	default:
		out.Badge, out.State = "good", s.T("webhooks.state.well")
	}
	return out, err
}

// webhookOf is the one that the path names.
func (p *Pages) webhookOf(s *ui.Screen) (relay.Webhook, error) {
	id, err := tenants.ParseID[relay.WebhookID]("auditWebhook", s.Param("id"))
	if err != nil {
		return relay.Webhook{}, err
	}
	return p.Webhooks.Get(s.Request.Context(), id)
}

// mostDead is how many dead letters a page shows; each stands for rows in sequence.
const mostDead = 50

type webhookPage struct {
	webhookShown
	GiveUpWords   string
	Letters       []relay.Dead
	More          int          // letters that are not among these
	Tried         *relay.Tried // what came of a test; nil where there was none
	TookMS        int64
	Manage, Again bool // Again: something is put aside, and nobody has asked for it
}

func (p *Pages) webhook(s *ui.Screen) error { return p.drawWebhook(s, nil) }

func (p *Pages) drawWebhook(s *ui.Screen, tried *relay.Tried) error {
	w, err := p.webhookOf(s)
	if err != nil {
		return err
	}
	shown, err := p.shown(s, p.names(), w)
	if err != nil {
		return err
	}
	page := webhookPage{webhookShown: shown, GiveUpWords: span(s, w.GiveUp), Tried: tried, Manage: s.Can(manageWebhooks...)}
	if tried != nil {
		page.TookMS = tried.Took.Milliseconds()
	}
	if page.Letters, err = p.Webhooks.Dead(s.Request.Context(), w.ID); err != nil {
		return err
	}
	for _, d := range page.Letters {
		page.Again = page.Again || !d.Again
	}
	if more := len(page.Letters) - mostDead; more > 0 {
		page.Letters, page.More = page.Letters[:mostDead], more
	}
	return s.ShowFrame(http.StatusOK, "monitoring/webhook", ui.Frame{D: page, Title: w.Name, Trail: webhookTrail(s)})
}

func webhookTrail(s *ui.Screen, of ...relay.Webhook) []ui.Crumb {
	way := []ui.Crumb{{Text: s.T("webhooks.title"), Path: s.Path(webhooksPath)}}
	for _, w := range of {
		way = append(way, ui.Crumb{Text: w.Name, Path: s.Path(webhooksPath, string(w.ID))})
	}
	return way
}

// span is a time in the largest unit that it is a whole number of.
func span(s *ui.Screen, d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		key  string
	}{{24 * time.Hour, "webhooks.days"}, {time.Hour, "webhooks.hours"}, {time.Minute, "webhooks.minutes"}} {
		if d%u.unit == 0 {
			return s.Count(u.key, int(d/u.unit))
		}
	}
	return s.Count("webhooks.seconds", int(d.Seconds()))
}

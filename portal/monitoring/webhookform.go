package monitoring

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"causeway/internal/problem"
	"causeway/internal/relay"
	"causeway/internal/secret"
	"causeway/portal/ui"
)

// patiences are how long a webhook may take nothing before rows are put aside.
var patiences = []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour}

const usualPatience = 24 * time.Hour

func webhookForm(s *ui.Screen, w webhookShown, cancel string) ui.Form {
	list := patiences
	if !slices.Contains(list, w.GiveUp) {
		list = append([]time.Duration{w.GiveUp}, list...)
	}
	wait := ui.Field{Kind: ui.Choice, Name: "giveUpSeconds", Label: s.T("webhooks.giveup"), Hint: s.T("webhooks.giveup.hint")}
	for _, d := range list {
		wait.Options = append(wait.Options, ui.Option{Value: strconv.Itoa(int(d.Seconds())), Label: span(s, d), Chosen: d == w.GiveUp})
	}
	return ui.Form{Submit: s.T("webhooks.save"), Cancel: cancel, Fields: []ui.Field{
		{Name: "name", Label: s.T("webhooks.name"), Value: w.Name, Required: true, Max: 128, Focus: w.Name == ""},
		{Kind: ui.Address, Name: "url", Label: s.T("webhooks.url"), Hint: s.T("webhooks.url.hint"), Value: w.URL, Required: true, Max: 2048, Mono: true},
		{Name: "orgId", Label: s.T("webhooks.org"), Hint: s.T("webhooks.org.hint"), Value: w.OrgName, Max: 128},
		wait,
		{Kind: ui.Box, Name: "enabled", Label: s.T("webhooks.enabled"), Hint: s.T("webhooks.enabled.hint"), Checked: w.Enabled},
	}}
}

// draftOf reads what a form says.
func (p *Pages) draftOf(s *ui.Screen, v ui.Values) (relay.Draft, error) {
	patience, err := strconv.ParseInt(v.Get("giveUpSeconds"), 10, 32)
	if err != nil || patience <= 0 {
		return relay.Draft{}, problem.New(problem.BadRequest, "%s", s.T("webhooks.giveup.none")).In("giveUpSeconds")
	}
	d := relay.Draft{Name: v.Text("name"), URL: v.Text("url"), Enabled: v.Is("enabled"), GiveUp: time.Duration(patience) * time.Second}
	if name := v.Text("orgId"); name != "" {
		org, err := p.Orgs.ByName(s.Request.Context(), name)
		if problem.Has(err, problem.NotFound) {
			return d, problem.New(problem.BadRequest, "%s", s.T("audit.noorg", name)).In("orgId")
		}
		if err != nil {
			return d, err
		}
		d.Org = org.ID
	}
	return d, nil
}

func drawWebhookForm(s *ui.Screen, form ui.Form, title string, trail []ui.Crumb) error {
	return s.ShowFrame(form.Status(), "monitoring/webhookform", ui.Frame{D: form, Title: title, Trail: trail})
}

func newWebhookForm(s *ui.Screen) ui.Form {
	return webhookForm(s, webhookShown{Webhook: relay.Webhook{Enabled: true, GiveUp: usualPatience}}, s.Path(webhooksPath))
}

func (p *Pages) newWebhook(s *ui.Screen) error {
	return drawWebhookForm(s, newWebhookForm(s), s.T("webhooks.new"), webhookTrail(s))
}

func (p *Pages) createWebhook(s *ui.Screen) error {
	v, err := s.Form()
	if err != nil {
		return err
	}
	d, err := p.draftOf(s, v)
	if err == nil {
		var w relay.Webhook
		var made secret.Text
		if w, made, err = p.Webhooks.Create(s.Request.Context(), s.By(), d); err == nil {
			return showSecret(s, w, made, "webhooks.made.title")
		}
	}
	form := newWebhookForm(s)
	if err := s.Refused(&form, v, err); err != nil {
		return err
	}
	return drawWebhookForm(s, form, s.T("webhooks.new"), webhookTrail(s))
}

// editForm is the form of the webhook that the path names.
func (p *Pages) editForm(s *ui.Screen) (relay.Webhook, ui.Form, error) {
	w, err := p.webhookOf(s)
	if err != nil {
		return w, ui.Form{}, err
	}
	shown, err := p.shown(s, p.names(), w)
	form := webhookForm(s, shown, shown.Path)
	form.Fields = append(form.Fields, ui.Seen(w.UpdatedAt))
	return w, form, err
}

func (p *Pages) editWebhook(s *ui.Screen) error {
	w, form, err := p.editForm(s)
	if err != nil {
		return err
	}
	return drawWebhookForm(s, form, s.T("webhooks.edit", w.Name), webhookTrail(s, w))
}

func (p *Pages) saveWebhook(s *ui.Screen) error {
	w, form, err := p.editForm(s)
	if err != nil {
		return err
	}
	v, err := s.Form()
	if err != nil {
		return err
	}
	if v.Meanwhile(w.UpdatedAt) {
		form.Blame(s.Meanwhile())
		return drawWebhookForm(s, form, s.T("webhooks.edit", w.Name), webhookTrail(s, w))
	}
	d, err := p.draftOf(s, v)
	if err == nil {
		if _, err = p.Webhooks.Update(s.Request.Context(), s.By(), w.ID, d); err == nil {
			return s.Done(s.Path(webhooksPath, string(w.ID)), "webhooksaved")
		}
	}
	if err := s.Refused(&form, v, err); err != nil {
		return err
	}
	return drawWebhookForm(s, form, s.T("webhooks.edit", w.Name), webhookTrail(s, w))
}

type secretPage struct {
	relay.Webhook
	Secret, Back string
}

// showSecret shows once what nobody sees again.
func showSecret(s *ui.Screen, w relay.Webhook, made secret.Text, title string) error {
	page := secretPage{Webhook: w, Secret: made.Reveal(), Back: s.Path(webhooksPath, string(w.ID))}
	return s.ShowFrame(http.StatusOK, "monitoring/webhooksecret", ui.Frame{D: page, Title: s.T(title, w.Name), Trail: webhookTrail(s)})
}

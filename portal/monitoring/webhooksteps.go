package monitoring

import (
	"causeway/internal/problem"
	"causeway/internal/relay"
	"causeway/portal/ui"
)

// testWebhook calls it once and shows what came of it.
func (p *Pages) testWebhook(s *ui.Screen) error {
	w, err := p.webhookOf(s)
	if err != nil {
		return err
	}
	tried, err := p.Webhooks.Test(s.Request.Context(), s.By(), w.ID)
	if err != nil {
		return err
	}
	return p.drawWebhook(s, &tried)
}

// redeliver has what was put aside sent again, which takes its time.
func (p *Pages) redeliver(s *ui.Screen) error {
	w, err := p.webhookOf(s)
	if err != nil {
		return err
	}
	if err := p.Webhooks.Redeliver(s.Request.Context(), s.By(), w.ID); err != nil {
		return err
	}
	return s.Done(s.Path(webhooksPath, string(w.ID)), "webhookagain")
}

func (p *Pages) askRenew(s *ui.Screen) error {
	w, err := p.webhookOf(s)
	if err != nil {
		return err
	}
	return drawRenew(s, w, nil)
}

func drawRenew(s *ui.Screen, w relay.Webhook, fault *problem.Problem) error {
	title := s.T("webhooks.secret.title", w.Name)
	return s.Ask(ui.Frame{Title: title, Trail: webhookTrail(s, w)}, ui.Confirm{
		Question: title, Ends: []string{s.T("webhooks.secret.ends")}, Stays: []string{s.T("webhooks.secret.stays")},
		Form: ui.Form{Submit: s.T("webhooks.secret"), Cancel: s.Path(webhooksPath, string(w.ID)), Fault: fault},
	})
}

func (p *Pages) renew(s *ui.Screen) error {
	w, err := p.webhookOf(s)
	if err != nil {
		return err
	}
	renewed, made, err := p.Webhooks.Renew(s.Request.Context(), s.By(), w.ID)
	if err == nil {
		return showSecret(s, renewed, made, "webhooks.renewed.title")
	}
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	return drawRenew(s, w, fault)
}

func (p *Pages) askDeleteWebhook(s *ui.Screen) error {
	w, err := p.webhookOf(s)
	if err != nil {
		return err
	}
	return drawDeleteWebhook(s, w, nil)
}

func drawDeleteWebhook(s *ui.Screen, w relay.Webhook, fault *problem.Problem) error {
	title := s.T("webhooks.delete.title", w.Name)
	c := ui.Confirm{
		Question: title, Ends: []string{s.T("webhooks.delete.ends")}, Stays: []string{s.T("webhooks.delete.stays")},
		Form: ui.Form{Submit: s.T("webhooks.delete"), Cancel: s.Path(webhooksPath, string(w.ID)), Fault: fault},
	}
	if w.Dead > 0 {
		c.Ends = append(c.Ends, s.Count("webhooks.delete.dead", int(w.Dead)))
	}
	return s.Ask(ui.Frame{Title: title, Trail: webhookTrail(s, w)}, c)
}

func (p *Pages) deleteWebhook(s *ui.Screen) error {
	w, err := p.webhookOf(s)
	if err != nil {
		return err
	}
	if err := p.Webhooks.Delete(s.Request.Context(), s.By(), w.ID); err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return drawDeleteWebhook(s, w, fault)
	}
	return s.Done(s.Path(webhooksPath), "webhookdeleted")
}

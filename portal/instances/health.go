package instances

import (
	"time"

	"causeway/portal/ui"
	"causeway/services"
)

// health is how the upstreams of an instance are, as this cell knows it: nobody is
// asked for a page.
type health struct {
	Upstreams []upstream
	Well      int
	Checks    bool   // somebody asks them, and not calls alone tell
	Kind      string // of the badge
	Text      string
}

// upstream is one of them. Where it is and what is wrong with it the provider sees.
type upstream struct {
	URL         string
	Number      int
	Well        bool
	Why         string
	Since       time.Time
	Checked     time.Time
	Outstanding int
}

func (p *Pages) health(s *ui.Screen, in services.ServiceInstance) health {
	if !s.Can(view...) { // members learn whether it is switched on, and no more
		if in.Enabled {
			return health{Kind: "good", Text: s.T("instances.enabled")}
		}
		return health{Kind: "plain", Text: s.T("instances.disabled")}
	}
	h := health{Checks: in.Health.Path != ""}
	if p.Health != nil {
		for i, u := range p.Health.Health(in.ID) {
			one := upstream{Number: i + 1, Well: u.Well, Since: u.Since, Checked: u.Checked, Outstanding: u.Outstanding}
			if settings(s) {
				one.URL, one.Why = u.URL, u.Why
			}
			if u.Well {
				h.Well++
			}
			h.Upstreams = append(h.Upstreams, one)
		}
	}
	h.Kind, h.Text = h.badge(s, in)
	return h
}

func (h health) badge(s *ui.Screen, in services.ServiceInstance) (kind, text string) {
	switch all := len(h.Upstreams); {
	case !in.Enabled:
		return "plain", s.T("instances.disabled")
	case all == 0:
		return "busy", s.T("instances.unknown")
	case h.Well == all:
		return "good", s.T("instances.healthy", h.Well, all)
	case h.Well > 0:
		return "warn", s.T("instances.healthy", h.Well, all)
	default:
		return "bad", s.T("instances.healthy", h.Well, all)
	}
}

package orgs

import (
	"slices"
	"strconv"
	"time"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

// tokenMember is one number of a token policy. Its name is the API's, and the key of
// its texts.
type tokenMember struct {
	name        string
	of          func(*tenants.TokenPolicy) *tenants.Optional
	holds       func(tenants.Rotation) int // what counts, in seconds or a number
	span        bool                       // seconds, not a number
	least, most int
}

var tokenMembers = []tokenMember{
	{"retryWindowSeconds", func(p *tenants.TokenPolicy) *tenants.Optional { return &p.RetryWindow },
		func(r tenants.Rotation) int { return seconds(r.RetryWindow) }, true, 0, seconds(tenants.MaxRetryWindow)},
	{"foreignWindowSeconds", func(p *tenants.TokenPolicy) *tenants.Optional { return &p.GraceWindow },
		func(r tenants.Rotation) int { return seconds(r.GraceWindow) }, true, 0, seconds(tenants.MaxGraceWindow)},
	{"maxRetries", func(p *tenants.TokenPolicy) *tenants.Optional { return &p.MaxRetries },
		func(r tenants.Rotation) int { return r.MaxRetries }, false, 1, tenants.MostRetries},
	{maxAge, func(p *tenants.TokenPolicy) *tenants.Optional { return &p.MaxAge },
		func(r tenants.Rotation) int { return seconds(r.MaxAge) }, true, seconds(tenants.LeastMaxAge), seconds(tenants.MostMaxAge)},
}

const maxAge = "maxAgeSeconds" // of which 0 is no end

func seconds(d time.Duration) int { return int(d / time.Second) }

// inWords says a value of the member.
func (m tokenMember) inWords(s *ui.Screen, n int) string {
	switch {
	case !m.span:
		return strconv.Itoa(n)
	case n == 0 && m.name == maxAge:
		return s.T("settings.noend")
	}
	return words(s, time.Duration(n)*time.Second)
}

// typed is how a value stands in the form.
func (m tokenMember) typed(n int) string {
	if !m.span || n == 0 {
		return strconv.Itoa(n)
	}
	return spanText(time.Duration(n) * time.Second)
}

func (m tokenMember) parse(s *ui.Screen, text string) (tenants.Optional, error) {
	if text == "" {
		return tenants.Optional{}, nil
	}
	if n, err := strconv.Atoi(text); err == nil && (!m.span || n == 0) {
		return tenants.Just(n), nil
	}
	if d, ok := parseSpan(text); ok && m.span && d%time.Second == 0 {
		return tenants.Just(seconds(d)), nil
	}
	key := "settings.nonumber"
	if m.span {
		key = "settings.nospan"
	}
	return tenants.Optional{}, problem.New(problem.BadRequest, "%s", s.T(key)).In(m.name)
}

// tokenShown is one number of the policy as pages show it.
type tokenShown struct {
	Name, Value string
	Own         bool // the organization's, and not the site's
	ByProvider  bool
}

// tokensShown is what holds for an organization, and whose word it is.
func (p *Pages) tokensShown(s *ui.Screen, o tenants.Organization) (shown []tokenShown) {
	now, bound := p.Tenants.RotationOf(o), o.Settings.Tokens.SetByProvider()
	for _, m := range tokenMembers {
		shown = append(shown, tokenShown{
			Name: s.T("settings." + m.name), Value: m.inWords(s, m.holds(now)),
			Own: !m.of(&o.Settings.Tokens).IsZero(), ByProvider: slices.Contains(bound, m.name),
		})
	}
	return shown
}

// bound is the loosest that a tenant may choose.
func (p *Pages) bound(o tenants.Organization, m tokenMember) int {
	if slices.Contains(o.Settings.Tokens.SetByProvider(), m.name) {
		return m.holds(p.Tenants.RotationOf(o))
	}
	return m.holds(p.Tenants.RotationOf(tenants.Organization{}))
}

func (p *Pages) tokensForm(s *ui.Screen, o tenants.Organization) *ui.Form {
	form := &ui.Form{}
	site := p.Tenants.RotationOf(tenants.Organization{})
	for _, m := range tokenMembers {
		hint := s.T("settings."+m.name+".hint") + " " + s.T("settings.site", m.inWords(s, m.holds(site)))
		if !s.By().Principal.Provider() {
			hint += " " + s.T("settings.stricter", m.inWords(s, p.bound(o, m)))
		}
		field := ui.Field{Name: m.name, Label: s.T("settings." + m.name), Hint: hint, Max: 20, Bare: true}
		if own := m.of(&o.Settings.Tokens); !own.IsZero() {
			field.Value = m.typed(own.Or(0))
		}
		form.Fields = append(form.Fields, field)
	}
	return form
}

func applyTokens(s *ui.Screen, v ui.Values) (func(*tenants.Organization), error) {
	var policy tenants.TokenPolicy
	for _, m := range tokenMembers {
		given, err := m.parse(s, v.Text(m.name))
		if err != nil {
			return nil, err
		}
		*m.of(&policy) = given
	}
	return func(o *tenants.Organization) { o.Settings.Tokens = policy }, nil
}

// inWords says for people what the domain says of the API's members.
func (p *Pages) inWords(s *ui.Screen, err error) error {
	fault := problem.As(err)
	if fault == nil {
		return err
	}
	say := func(text string) error { return problem.New(fault.Code, "%s", text).In(fault.Field) }
	for _, m := range tokenMembers {
		switch {
		case m.name != fault.Field:
		case fault.Code == problem.Forbidden:
			return say(s.T("settings.looser", m.inWords(s, p.bound(s.Org().Organization, m))))
		case m.name == maxAge:
			return say(s.T("settings.range.end", m.inWords(s, m.least), m.inWords(s, m.most)))
		default:
			return say(s.T("settings.range", m.inWords(s, m.least), m.inWords(s, m.most)))
		}
	}
	switch fault.Field {
	case "invalidLogins":
		return say(s.T("settings.range", "1", "100"))
	case "lockoutIntervalMinutes":
		return say(s.T("settings.range", "1", "1440"))
	}
	return err
}

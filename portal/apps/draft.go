package apps

import (
	"strconv"
	"time"

	"causeway/internal/problem"
	domain "causeway/oauth/apps"
	"causeway/portal/ui"
	"causeway/services"
	"causeway/tenants"
)

// draft is an app to be, as the steps of its form hand it on.
type draft struct {
	ID          string // made once, so that a form that is sent twice makes one app
	Name, About string
	Life        time.Duration
	OwnerOnly   bool
	Roles       []services.Grant
	Place       string // here or later; empty before somebody has said
	Until       string // a key of lifetimes
	Find        string // which instances are offered
}

const (
	placeHere  = "here"
	placeLater = "later"
)

// defaultLife is that of access tokens unless somebody says otherwise, as the command
// line has it.
const defaultLife = 30 * time.Minute

func parseDraft(form ui.Values) (d draft, err error) {
	d = draft{
		ID: form.Get("id"), Name: form.Text("displayName"), About: form.Text("description"), Life: seconds(form.Get("accessTokenTTL")),
		OwnerOnly: form.Is("ownerOnly"), Place: form.Get("place"), Until: form.Get("until"), Find: findOf(form),
	}
	d.Roles, err = parseKeys(form.Values["role"])
	return d, err
}

// seconds reads what a choice holds; what is none is refused where it is used.
func seconds(text string) time.Duration {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return -1
	}
	return time.Duration(n) * time.Second
}

// draft is d for the domain.
func (d draft) draft() domain.Draft {
	return domain.Draft{ID: d.ID, DisplayName: d.Name, Description: d.About, Settings: domain.Settings{
		GrantTypes: []string{domain.GrantClientCredentials}, AccessTTL: d.Life, OwnerOnlyRotation: d.OwnerOnly, Ceiling: ceiling(d.Roles),
	}}
}

// check judges what was said by the second step.
func (d draft) check(s *ui.Screen) error {
	custom := func() bool {
		for _, g := range d.Roles {
			if g.Kind == services.GrantCustom {
				return true
			}
		}
		return false
	}
	switch {
	case d.Place != placeHere && d.Place != placeLater:
		return problem.New(problem.BadRequest, "%s", s.T("apps.new.noplace", s.Org().Name)).In("place")
	case d.Place == placeLater && custom():
		return problem.New(problem.BadRequest, "%s", s.T("apps.new.customlater"))
	}
	return nil
}

// hidden hands on what other steps said.
func (d draft) hidden(step string) (fields []ui.Field) {
	add := func(name, value string) { fields = append(fields, ui.Field{Kind: ui.Hidden, Name: name, Value: value}) }
	if step != stepAbout {
		add("displayName", d.Name)
		add("description", d.About)
		add("accessTokenTTL", strconv.Itoa(int(d.Life.Seconds())))
		if d.OwnerOnly {
			add("ownerOnly", "on")
		}
	}
	if step != stepRoles {
		add("place", d.Place)
		add("until", d.Until)
		for _, k := range keys(d.Roles) {
			add("role", k)
		}
	}
	add("id", d.ID)
	return fields
}

// whole gives d an id, unless it has one.
func (d draft) whole() draft {
	if !domain.ValidID(d.ID) {
		d.ID = tenants.NewID()
	}
	return d
}

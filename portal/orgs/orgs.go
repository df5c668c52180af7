// Package orgs are the pages about organizations: the provider's list of them, with
// their limits, and what an organization has of its own: settings, quota policies
// and tasks.
package orgs

import (
	"embed"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"causeway/internal/problem"
	"causeway/oauth"
	"causeway/portal/ui"
	"causeway/ratelimit"
	"causeway/tenants"
)

//go:embed all:templates
var files embed.FS

// Pages are the pages about organizations.
type Pages struct {
	Tenants   *tenants.Service
	Orgs      *tenants.Directory
	OAuth     *oauth.Service
	Limits    *ratelimit.Limiter
	PublicURL string // https://host[:port]
}

// Name is the group's.
func (p *Pages) Name() string { return "orgs" }

// Files are the templates.
func (p *Pages) Files() fs.FS { return files }

// Pages lists them.
func (p *Pages) Pages() []ui.Page {
	return slices.Concat(p.listPages(), p.limitPages(), p.settingsPages(), p.quotaPages(), p.taskPages())
}

const at = "/organizations" // where the provider's list is

// target is the organization that the path names.
func (p *Pages) target(s *ui.Screen) (*tenants.Snapshot, error) {
	id, err := tenants.ParseID[tenants.OrgID]("org", s.Param("id"))
	if err != nil {
		return nil, problem.Hidden()
	}
	org, err := p.Orgs.Organization(s.Request.Context(), id)
	if problem.Has(err, problem.NotFound) {
		err = problem.Hidden()
	}
	return org, err
}

// trail is the way to what is below the provider's list.
func trail(s *ui.Screen, org ...tenants.Organization) []ui.Crumb {
	way := []ui.Crumb{{Text: s.T("orgs.title"), Path: s.Path(at)}}
	for _, o := range org {
		way = append(way, ui.Crumb{Text: o.Name, Path: s.Path(at, string(o.ID))})
	}
	return way
}

// refused shows a form again, with what was sent and what is wrong with it.
func refused(s *ui.Screen, err error, form *ui.Form, sent ui.Values, show func() error) error {
	if err := s.Refused(form, sent, err); err != nil {
		return err
	}
	return show()
}

// grouped writes a number with its thousands apart.
func grouped[N int | int64](n N) string {
	text := strconv.FormatInt(int64(n), 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// words says a span of time in the largest unit that fits.
func words(s *ui.Screen, d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d != 0 && d%unit.of == 0 || unit.of == time.Second && d == 0 {
			return s.Count("orgs.span."+unit.name, int(d/unit.of))
		}
	}
	return d.String()
}

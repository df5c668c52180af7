package apps

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	domain "causeway/oauth/apps"
	"causeway/portal/ui"
)

// issuedPage shows a secret, this once.
type issuedPage struct {
	App    domain.App
	Secret string
	Made   bool // with the app
	Here   bool // it was to be added here
	Fault  *problem.Problem
	Old    time.Time // until when the old secret works; zero is not at all
	JSON   string    // the file of the command line, too
	File   string
	Call   string // gets a token; the secret is not in it
	Links  links
}

// links are where a page leads.
type links struct{ App, Access, List string }

func (p Pages) showIssued(s *ui.Screen, status int, page issuedPage) error {
	id := string(page.App.ID)
	file, err := json.MarshalIndent(struct {
		ID     string `json:"clientId"`
		Secret string `json:"clientSecret"`
	}{id, page.Secret}, "", "  ")
	if err != nil {
		return err
	}
	page.JSON, page.File, page.Call = string(file), fileName(page.App.DisplayName), p.tokenCall(id)
	page.Links = links{App: s.Path(appsPath, id), Access: s.Path(accessPath, id), List: s.Path(appsPath)}
	title := "apps.made.title"
	if !page.Made {
		title = "apps.fresh.title"
	}
	return s.ShowFrame(status, "apps/issued", ui.Frame{D: page, Title: s.T(title, page.App.DisplayName), Trail: trail(s, nil)})
}

// tokenCall gets a token in a shell. curl asks for the secret as a password, so that
// it stands in no history of commands.
func (p Pages) tokenCall(id string) string {
	return "curl --user " + id + " \\\n  --data grant_type=client_credentials \\\n  " + p.PublicURL + httpapi.CSPBase + "/auth/authorize"
}

// fileName is what a browser keeps credentials as, whatever the app is called.
func fileName(name string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, name)
	return strings.ToLower(strings.Trim(safe[:min(len(safe), 60)]+"-credentials", "-")) + ".json"
}

// showTwice answers a form that was sent again: what it did stays done, and the
// secret is not shown again.
func (p Pages) showTwice(s *ui.Screen, a domain.App) error {
	page := issuedPage{App: a, Links: links{App: s.Path(appsPath, string(a.ID)), List: s.Path(appsPath)}}
	return s.ShowFrame(http.StatusConflict, "apps/twice", ui.Frame{D: page, Title: s.T("apps.twice.title"), Trail: trail(s, &a)})
}

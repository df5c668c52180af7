package apps

import (
	"net/url"
	"strings"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	domain "causeway/oauth/apps"
	"causeway/portal/ui"
)

// askDrop asks before apps are deleted: those that the address names.
func (p Pages) askDrop(s *ui.Screen) error {
	given, err := httpapi.ParseQuery(s.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	return p.drawDrop(s, given, nil)
}

func (p Pages) drawDrop(s *ui.Screen, given url.Values, fault *problem.Problem) error {
	ids := chosen(given["app"])
	if len(ids) == 0 || len(ids) > domain.MostDeleted {
		return problem.New(problem.BadRequest, "%s", s.T("apps.drop.choose", domain.MostDeleted))
	}
	c := ui.Confirm{Stays: []string{s.T("apps.drop.stays")}}
	for _, id := range ids {
		a, err := p.Apps.Get(s.Request.Context(), s.By(), s.Org().ID, domain.ID(id))
		if problem.Has(err, problem.NotFound) && fault != nil { // gone meanwhile
			continue
		}
		if err != nil {
			return err
		}
		c.Ends = append(c.Ends, s.T("apps.drop.app", a.DisplayName, id))
		c.Form.Fields = append(c.Form.Fields, ui.Field{Kind: ui.Hidden, Name: "app", Value: id})
	}
	if len(c.Ends) == 0 {
		return s.Done(s.Path(appsPath), "appsdeleted")
	}
	c.Ends = append(c.Ends, s.T("apps.drop.everywhere"))
	c.Question, c.Form.Submit = s.Count("apps.drop.question", len(ids)), s.Count("apps.drop.submit", len(ids))
	c.Form.Cancel, c.Form.Fault = s.Path(appsPath), fault
	return s.Ask(ui.Frame{Title: s.T("apps.drop.title"), Trail: trail(s, nil)}, c)
}

// chosen are the client ids in list that can be some, each once.
func chosen(list []string) (ids []string) {
	seen := map[string]bool{}
	for _, id := range list {
		if name, _, _ := strings.Cut(id, "@"); domain.ValidID(name) && !seen[id] {
			seen[id], ids = true, append(ids, id)
		}
	}
	return ids
}

func (p Pages) drop(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	var ids []domain.ID
	for _, id := range chosen(form.Values["app"]) {
		ids = append(ids, domain.ID(id))
	}
	_, failed, err := p.Apps.Delete(s.Request.Context(), s.By(), s.Org().ID, ids)
	if err != nil {
		return err
	}
	if len(failed) == 0 {
		return s.Done(s.Path(appsPath), "appsdeleted")
	}
	left, fault := failures(s, "app", failed)
	return p.drawDrop(s, left, fault)
}

// failures are what did not succeed, and why, for the page that asked.
func failures(s *ui.Screen, name string, failed []domain.Failure) (url.Values, *problem.Problem) {
	left, why := url.Values{}, make([]string, 0, len(failed))
	for _, f := range failed {
		httpapi.NoteRefused(s.Context, f.Err.With(problem.FactAccount, f.ID))
		left.Add(name, f.ID)
		why = append(why, f.ID+": "+f.Err.Detail)
	}
	return left, problem.New(failed[0].Err.Code, "%s", strings.Join(why, " "))
}

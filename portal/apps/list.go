package apps

import (
	"causeway/internal/fiql"
	domain "causeway/oauth/apps"
	"causeway/portal/ui"
)

// What the lists can be searched and sorted by; the API's have neither.
var (
	appFields = fiql.Fields{
		"id":          {Column: "id", Kind: fiql.Text},
		"name":        {Column: "display_name", Kind: fiql.Text},
		"description": {Column: "description", Kind: fiql.Text},
		"created":     {Column: "created_at", Kind: fiql.Time},
		"changed":     {Column: "updated_at", Kind: fiql.Time},
	}
	memberFields = fiql.Fields{
		"client": {Column: "id", Kind: fiql.Text},
		"name":   {Column: "display_name", Kind: fiql.Text},
		"added":  {Column: "added_at", Kind: fiql.Time},
	}
)

type listPage struct {
	List *ui.List
	Apps []appRow
	Most int // how many are deleted at once
}

type appRow struct {
	domain.App
	Rotating bool
}

func (p Pages) list(s *ui.Screen) error {
	l, err := s.List(ui.ListOf{Fields: appFields, Search: []string{"name", "description", "id"}, Sort: "name"})
	if err != nil {
		return err
	}
	l.SearchLabel = s.T("apps.search")
	list, total, err := p.Apps.List(s.Request.Context(), s.By(), s.Org().ID, l.Query)
	if err != nil {
		return err
	}
	l.Total = total
	page := listPage{List: l, Most: domain.MostDeleted}
	for _, a := range list {
		page.Apps = append(page.Apps, appRow{a, !a.Secret.Rotating(p.Now()).IsZero()})
	}
	return s.Show("apps/list", "apps.title", page)
}

// trail is the way to an app's pages.
func trail(s *ui.Screen, a *domain.App) []ui.Crumb {
	way := []ui.Crumb{{Text: s.T("apps.title"), Path: s.Path(appsPath)}}
	if a != nil {
		way = append(way, ui.Crumb{Text: a.DisplayName, Path: s.Path(appsPath, string(a.ID))})
	}
	return way
}

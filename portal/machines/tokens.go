package machines

import (
	"net/http"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/portal/ui"
	"causeway/tenants"
)

type tokensPage struct {
	List *ui.List
	Rows []tokenRow
	All  bool // everybody's
	Away bool // who looks is at home in another organization
	New  string
}

type tokenRow struct {
	oauth.APIToken
	Rename, Revoke string
}

// mine are the tokens of who looks.
func mine(s *ui.Screen) oauth.Whose {
	return oauth.Whose{Owner: tenants.UserID(s.By().Principal.ID)}
}

// away reports whether who looks is at home elsewhere: nobody has tokens in another
// organization than their own.
func away(s *ui.Screen) bool { return s.By().Principal.Org != s.Org().ID }

func (p *Pages) ownTokens(s *ui.Screen) error {
	page := tokensPage{Away: away(s), New: s.Path(tokensPath, "new")}
	return p.drawTokens(s, tokensPath, page, mine(s), "name")
}

func (p *Pages) everyToken(s *ui.Screen) error {
	return p.drawTokens(s, everyTokenPath, tokensPage{All: true}, oauth.Whose{All: true}, "name", "owner.name")
}

func (p *Pages) drawTokens(s *ui.Screen, base string, page tokensPage, whose oauth.Whose, search ...string) error {
	var err error
	if page.List, err = s.List(ui.ListOf{Fields: oauth.TokenFields, Search: search, Sort: "name"}); err != nil {
		return err
	}
	list, total, err := p.OAuth.Tokens(s.Request.Context(), s.Org().ID, whose, page.List.Query)
	if err != nil {
		return err
	}
	page.List.Total = total
	for _, t := range list {
		page.Rows = append(page.Rows, tokenRow{t, s.Path(base, string(t.ID), "rename"), s.Path(base, string(t.ID), "revoke")})
	}
	title := "tokens.title"
	if page.All {
		title = "tokens.all.title"
	}
	return s.Show("machines/tokens", title, page)
}

func tokenForm(s *ui.Screen, name, submit, cancel string) ui.Form {
	return ui.Form{Submit: submit, Cancel: cancel, Fields: []ui.Field{
		{Name: "name", Label: s.T("tokens.name"), Hint: s.T("tokens.name.hint"), Value: name, Required: true, Max: tenants.MaxName, Focus: true},
	}}
}

func (p *Pages) newToken(s *ui.Screen) error { return drawNewToken(s, "", nil) }

func drawNewToken(s *ui.Screen, name string, fault *problem.Problem) error {
	form := tokenForm(s, name, s.T("tokens.create"), s.Path(tokensPath))
	if fault != nil {
		form.Blame(saidOfToken(s, fault))
	}
	return s.ShowFrame(form.Status(), "machines/newtoken", ui.Frame{
		D: form, Title: s.T("tokens.new"), Trail: []ui.Crumb{{Text: s.T("tokens.title"), Path: s.Path(tokensPath)}},
	})
}

// saidOfToken is p in words for people.
func saidOfToken(s *ui.Screen, p *problem.Problem) *problem.Problem {
	switch {
	case p.Field != "name":
		return p
	case p.Code == problem.DuplicateName:
		return problem.New(p.Code, "%s", s.T("tokens.fault.taken")).In("name")
	}
	return problem.New(p.Code, "%s", s.T("tokens.fault.name", tenants.MaxName)).In("name")
}

type madePage struct {
	oauth.APIToken
	Secret string
	File   string
	URL    string // of the token endpoint
	Tokens string
}

// createToken makes a token and fetches it for its owner, who proves to be the owner by
// the session that the browser keeps. It is shown in this answer alone.
func (p *Pages) createToken(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	ctx, name := s.Request.Context(), form.Text("name")
	t, err := p.OAuth.RegisterToken(ctx, s.By(), s.Org(), name)
	if err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return drawNewToken(s, name, fault)
	}
	tokens, err := p.OAuth.FetchToken(ctx, s.By(), s.Org(), t.ID, secret.Text(httpapi.SessionToken(s.Request)))
	if err != nil {
		return err
	}
	return s.ShowFrame(http.StatusOK, "machines/madetoken", ui.Frame{
		D: madePage{
			APIToken: t, Secret: tokens.RefreshToken.Reveal(), File: "api-token.txt",
			URL: p.OAuth.Issuer(s.Org().Organization) + "/token", Tokens: s.Path(tokensPath),
		},
		Title: s.T("tokens.made.title", t.Name), Trail: []ui.Crumb{{Text: s.T("tokens.title"), Path: s.Path(tokensPath)}},
	})
}

// tokenPages are those about one token, of who looks or of anybody.
type tokenPages struct {
	*Pages
	base string
}

func (p tokenPages) whose(s *ui.Screen) oauth.Whose {
	if p.base == everyTokenPath {
		return oauth.Whose{All: true}
	}
	return mine(s)
}

func (p tokenPages) token(s *ui.Screen) (oauth.APIToken, error) {
	id, err := tenants.ParseUUID(s.Param("id"))
	if err != nil {
		return oauth.APIToken{}, problem.Hidden()
	}
	return p.OAuth.Token(s.Request.Context(), s.Org().ID, p.whose(s), oauth.ClientID(id))
}

func (p tokenPages) askRename(s *ui.Screen) error {
	t, err := p.token(s)
	if err != nil {
		return err
	}
	return p.drawRename(s, t, t.Name, nil)
}

func (p tokenPages) drawRename(s *ui.Screen, t oauth.APIToken, name string, fault *problem.Problem) error {
	form := tokenForm(s, name, s.T("tokens.save"), s.Path(p.base))
	if fault != nil {
		form.Blame(saidOfToken(s, fault))
	}
	return s.ShowFrame(form.Status(), "machines/rename", ui.Frame{D: form, Title: s.T("tokens.rename.title", t.Name), Trail: p.trail(s)})
}

func (p tokenPages) trail(s *ui.Screen) []ui.Crumb {
	title := "tokens.title"
	if p.base == everyTokenPath {
		title = "tokens.all.title"
	}
	return []ui.Crumb{{Text: s.T(title), Path: s.Path(p.base)}}
}

func (p tokenPages) rename(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	t, err := p.token(s)
	if err != nil {
		return err
	}
	if _, err := p.OAuth.RenameToken(s.Request.Context(), s.By(), s.Org().ID, p.whose(s), t.ID, form.Text("name")); err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return p.drawRename(s, t, form.Text("name"), fault)
	}
	return s.Done(s.Path(p.base), "tokenrenamed")
}

func (p tokenPages) askRevoke(s *ui.Screen) error {
	t, err := p.token(s)
	if err != nil {
		return err
	}
	c := ui.Confirm{
		Question: s.T("tokens.revoke.question", t.Name),
		Ends:     []string{s.T("tokens.revoke.token"), s.T("tokens.revoke.sessions"), s.T("tokens.revoke.clients")},
		Stays:    []string{s.T("tokens.revoke.owner", t.OwnerName)},
		Form:     ui.Form{Submit: s.T("tokens.revoke"), Cancel: s.Path(p.base), Danger: true},
	}
	return s.Ask(ui.Frame{Title: c.Question, Trail: p.trail(s)}, c)
}

func (p tokenPages) revoke(s *ui.Screen) error {
	t, err := p.token(s)
	if err != nil {
		return err
	}
	if err := p.OAuth.DeleteToken(s.Request.Context(), s.By(), s.Org().ID, p.whose(s), t.ID); err != nil {
		return err
	}
	return s.Done(s.Path(p.base), "tokenrevoked")
}

package apps

import (
	"net/http"
	"strconv"
	"time"

	"causeway/internal/problem"
	domain "causeway/oauth/apps"
	"causeway/portal/ui"
)

// appOf is the app of the path, of this organization.
func (p Pages) appOf(s *ui.Screen) (domain.App, error) {
	id := s.Param("app")
	if !domain.ValidID(id) {
		return domain.App{}, problem.Hidden()
	}
	return p.Apps.Get(s.Request.Context(), s.By(), s.Org().ID, domain.ID(id))
}

// version is which secret a page was about, so that a form which is sent twice does
// not end what it has just made.
func version(a domain.App) ui.Field {
	return ui.Field{Kind: ui.Hidden, Name: "version", Value: strconv.FormatInt(a.Secret.Version, 10)}
}

func sentVersion(form ui.Values) (int64, error) {
	n, err := strconv.ParseInt(form.Get("version"), 10, 64)
	if err != nil {
		return 0, problem.New(problem.BadRequest, "The form does not say which secret it is about.")
	}
	return n, nil
}

// secretForm reads a form about the secret of the app of the path.
func (p Pages) secretForm(s *ui.Screen) (a domain.App, form ui.Values, from int64, err error) {
	if form, err = s.Form(); err != nil {
		return a, form, 0, err
	}
	if from, err = sentVersion(form); err != nil {
		return a, form, 0, err
	}
	a, err = p.appOf(s)
	return a, form, from, err
}

func (p Pages) askRegenerate(s *ui.Screen) error {
	a, err := p.appOf(s)
	if err != nil {
		return err
	}
	return p.drawRegenerate(s, a, nil)
}

func (p Pages) drawRegenerate(s *ui.Screen, a domain.App, fault *problem.Problem) error {
	ends := []string{s.T("apps.regenerate.secret"), s.T("apps.regenerate.tokens")}
	if until := a.Secret.Rotating(p.Now()); !until.IsZero() {
		ends = append(ends, s.T("apps.regenerate.overlap"))
	}
	return s.Ask(ui.Frame{Title: s.T("apps.regenerate.title"), Trail: trail(s, &a)}, ui.Confirm{
		Question: s.T("apps.regenerate.question", a.DisplayName),
		First:    []string{s.T("apps.regenerate.first"), s.T("apps.regenerate.better")},
		Ends:     ends, Stays: []string{s.T("apps.regenerate.stays")},
		Form: ui.Form{Fields: []ui.Field{version(a)}, Submit: s.T("apps.regenerate.submit"), Cancel: s.Path(appsPath, string(a.ID)), Fault: fault},
	})
}

func (p Pages) regenerate(s *ui.Screen) error {
	a, _, from, err := p.secretForm(s)
	if err != nil {
		return err
	}
	fresh, err := p.Apps.RegenerateFrom(s.Request.Context(), s.By(), s.Org().ID, a.ID, from)
	if problem.Has(err, problem.Conflict) {
		return p.showTwice(s, a)
	}
	if err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return p.drawRegenerate(s, a, fault)
	}
	return p.showIssued(s, http.StatusOK, issuedPage{App: a, Secret: fresh.Reveal()})
}

func (p Pages) askRotate(s *ui.Screen) error {
	a, err := p.appOf(s)
	if err != nil {
		return err
	}
	return p.drawRotate(s, a, "0", nil)
}

func (p Pages) drawRotate(s *ui.Screen, a domain.App, chosen string, fault *problem.Problem) error {
	zero := s.T("apps.rotate.default")
	if a.RotationOverlap > 0 {
		zero = s.T("apps.rotate.own", span(s, a.RotationOverlap))
	}
	f := ui.Form{Action: "", Submit: s.T("apps.rotate.submit"), Cancel: s.Path(appsPath, string(a.ID)), Fault: fault, Fields: []ui.Field{
		version(a),
		{Kind: ui.Choice, Name: "overlap", Label: s.T("apps.rotate.overlap"), Hint: s.T("apps.rotate.overlap.hint"), Options: spans(s, overlaps, max(0, seconds(chosen)), zero)},
	}}
	return s.ShowFrame(f.Status(), "apps/rotate", ui.Frame{
		D: struct {
			App   domain.App
			Until time.Time
			Form  ui.Form
			End   string
		}{a, a.Secret.Rotating(p.Now()), f, s.Path(appsPath, string(a.ID), "end-overlap")},
		Title: s.T("apps.rotate.title"), Trail: trail(s, &a),
	})
}

func (p Pages) rotate(s *ui.Screen) error {
	a, form, from, err := p.secretForm(s)
	if err != nil {
		return err
	}
	if a.Secret.Version != from { // two at once cannot be: while one lasts there is no other
		return p.showTwice(s, a)
	}
	ctx, fresh := s.Request.Context(), domain.NewSecret()
	err = p.Apps.Rotate(ctx, s.By(), s.Org().ID, a.ID, fresh, seconds(form.Get("overlap")))
	if err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return p.drawRotate(s, a, form.Get("overlap"), fault)
	}
	page := issuedPage{App: a, Secret: fresh.Reveal()}
	if a, err = p.appOf(s); err == nil { // the secret is shown in any case
		page.App, page.Old = a, a.Secret.Rotating(p.Now())
	}
	return p.showIssued(s, http.StatusOK, page)
}

func (p Pages) askEndOverlap(s *ui.Screen) error {
	a, err := p.appOf(s)
	if err != nil {
		return err
	}
	return p.drawEndOverlap(s, a, nil)
}

func (p Pages) drawEndOverlap(s *ui.Screen, a domain.App, fault *problem.Problem) error {
	return s.Ask(ui.Frame{Title: s.T("apps.endoverlap.title"), Trail: trail(s, &a)}, ui.Confirm{
		Question: s.T("apps.endoverlap.question", a.DisplayName),
		First:    []string{s.T("apps.endoverlap.first")},
		Ends:     []string{s.T("apps.endoverlap.secret"), s.T("apps.endoverlap.tokens")},
		Stays:    []string{s.T("apps.endoverlap.stays")},
		Form: ui.Form{
			Fields: []ui.Field{version(a)}, Submit: s.T("apps.endoverlap.submit"), Cancel: s.Path(appsPath, string(a.ID)), Fault: fault,
		},
	})
}

func (p Pages) endOverlap(s *ui.Screen) error {
	a, _, from, err := p.secretForm(s)
	if err != nil {
		return err
	}
	if a.Secret.Version != from { // the overlap of another secret than was shown
		err = problem.New(problem.Conflict, "%s", s.T("apps.endoverlap.meanwhile"))
	} else {
		err = p.Apps.EndRotation(s.Request.Context(), s.By(), s.Org().ID, a.ID)
	}
	if err == nil {
		return s.Done(s.Path(appsPath, string(a.ID)), "appoverlapended")
	}
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	return p.drawEndOverlap(s, a, fault)
}

package instances

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/services"
)

type documentPage struct {
	Title string
	New   bool
	Form  ui.Form
	Fault *problem.Problem
	Near  []nearLine // of the fault, where the document could not be read
}

// nearLine is a line of a document near its fault.
type nearLine struct {
	Number int
	Text   string
	Fault  bool
}

// around is how many lines are shown before and after that of a fault.
const around = 2

// near are the lines of text about the one that could not be read.
func near(text string, err error) (list []nearLine) {
	at, ok := errors.AsType[services.Misread](err)
	if !ok {
		return nil
	}
	lines := strings.Split(text, "\n")
	for n := max(1, at.Line-around); n <= min(len(lines), at.Line+around); n++ {
		list = append(list, nearLine{n, cut(lines[n-1], 200), n == at.Line})
	}
	return list
}

func cut(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most]) + "…"
}

// plain has the ends of lines that documents have; browsers send others.
func plain(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

func (p *Pages) documentNew(s *ui.Screen) error { return p.drawDocument(s, nil, "", nil) }

// drawDocument shows the form for the document of a new definition, or of d's next.
func (p *Pages) drawDocument(s *ui.Screen, d *services.Definition, text string, fault error) error {
	page := documentPage{Title: s.T("definitions.document.new"), New: d == nil, Form: ui.Form{
		Submit: s.T("definitions.document.check"), Cancel: s.Path(definitions), Files: true, Wide: true,
		Fields: []ui.Field{
			{Kind: ui.Area, Name: "text", Label: s.T("definitions.document.text"), Hint: s.T("definitions.document.texthint"), Value: text, Mono: true, Rows: 24},
			{Kind: ui.Upload, Name: "file", Label: s.T("definitions.document.file"), Hint: s.T("definitions.document.filehint")},
		},
	}}
	frame := ui.Frame{Trail: definitionTrail(s)}
	if d != nil {
		page.Title, page.Form.Submit, page.Form.Cancel = s.T("definitions.document.edit", d.Name), s.T("definitions.document.compare"), s.Path(definitions, string(d.ID))
		page.Form.Action = s.Path(definitions, string(d.ID), "edit")
		frame.Trail = definitionTrail(s, crumb(s, *d))
	}
	if fault != nil {
		shown, err := s.Fault(fault)
		if err != nil {
			return err
		}
		page.Form.Blame(shown)
		page.Near = near(text, fault)
	}
	status := page.Form.Status()
	page.Fault, page.Form.Fault = page.Form.Fault, nil // which stands before the lines about it
	frame.Title, frame.D = page.Title, page
	return s.ShowFrame(status, "instances/document", frame)
}

// sent is the document that a form brings along, typed or as a file.
func sent(s *ui.Screen) (v ui.Values, text string, err error) {
	v, err = s.Form()
	if err != nil {
		return v, "", err
	}
	if text = v.File("file"); strings.TrimSpace(text) == "" {
		text = v.Get("text")
	}
	return v, plain(text), nil
}

// documentCreate makes a definition. A document whose id is that of another one is
// shown as a change of it, as the command line replaces that.
func (p *Pages) documentCreate(s *ui.Screen) error {
	_, text, err := sent(s)
	if err != nil {
		return err
	}
	d, err := services.ParseDefinition([]byte(text))
	if err != nil {
		return p.drawDocument(s, nil, text, err)
	}
	if d.ID != "" {
		before, err := p.Services.Definition(s.Request.Context(), d.ID)
		if err == nil {
			return p.drawReview(s, before, d, text, nil)
		}
		if !problem.Has(err, problem.NotFound) {
			return err
		}
	}
	made, err := p.Services.CreateDefinition(s.Request.Context(), s.By(), d)
	if err != nil {
		return p.drawDocument(s, nil, text, err)
	}
	return s.Done(s.Path(definitions, string(made.ID)), "definitioncreated")
}

func (p *Pages) documentEdit(s *ui.Screen) error {
	d, err := p.ownDefinition(s)
	if err != nil {
		return err
	}
	text, err := write(d)
	if err != nil {
		return err
	}
	return p.drawDocument(s, &d, string(text), nil)
}

// documentReview shows what a document would change.
func (p *Pages) documentReview(s *ui.Screen) error {
	before, text, after, err := p.next(s)
	if err != nil || after == nil {
		return err
	}
	return p.drawReview(s, before, *after, text, nil)
}

// next reads a form with the next document of a definition. One that is wrong was
// answered, and is nil.
func (p *Pages) next(s *ui.Screen) (before services.Definition, text string, after *services.Definition, err error) {
	if before, err = p.ownDefinition(s); err != nil {
		return before, "", nil, err
	}
	v, text, err := sent(s)
	if err != nil {
		return before, "", nil, err
	}
	d, err := services.ParseDefinition([]byte(text))
	if err == nil && d.ID != "" && d.ID != before.ID {
		err = problem.New(problem.BadRequest, "%s", s.T("definitions.document.otherid", before.Name))
	}
	if err != nil {
		return before, text, nil, p.drawDocument(s, &before, text, err)
	}
	d.ID = before.ID
	if v.Is("again") {
		return before, text, nil, p.drawDocument(s, &before, text, nil)
	}
	if seen := v.Get("seen"); seen != "" && seen != stamp(before.UpdatedAt) {
		return before, text, nil, p.drawReview(s, before, d, text, problem.New(problem.Conflict, "%s", s.T("definitions.review.changed")))
	}
	return before, text, &d, nil
}

// stamp tells one state of a definition from another.
func stamp(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }

type reviewPage struct {
	Name    string
	Changes difference
	Uses    []usedBy
	Losses  []string
	Bereft  int // holders that lose a role
	Form    ui.Form
	Back    string // where the document is changed again
	Text    string
	Seen    string
}

func (p *Pages) drawReview(s *ui.Screen, before, after services.Definition, text string, fault *problem.Problem) error {
	if before.BuiltIn {
		return p.drawDocument(s, nil, text, problem.New(problem.Forbidden, "%s", s.T("definitions.notours", before.Name)))
	}
	uses, err := p.Services.DefinitionUses(s.Request.Context(), before.ID)
	if err != nil {
		return err
	}
	in := words{Nothing: s.T("definitions.review.nothing"), All: s.T("definitions.one.all"), People: s.T("definitions.one.people")}
	page := reviewPage{Name: before.Name, Changes: in.compare(before, after), Text: text, Seen: stamp(before.UpdatedAt)}
	if page.Uses, err = p.named(s, uses.Instances); err != nil {
		return err
	}
	for _, role := range page.Changes.Lost() {
		page.Bereft += uses.Holders[role]
		page.Losses = append(page.Losses, s.Count("definitions.review.lost", uses.Holders[role], role))
	}
	at := []string{definitions, string(before.ID)}
	page.Back = s.Path(append(at, "edit")...)
	page.Form = ui.Form{Action: s.Path(append(at, "replace")...), Danger: len(page.Losses) > 0, Fault: fault, Submit: s.T("definitions.review.replace")}
	return s.ShowFrame(page.Form.Status(), "instances/review", ui.Frame{
		Title: s.T("definitions.review.title", before.Name), Trail: definitionTrail(s, crumb(s, before)), D: page,
	})
}

// documentReplace changes a definition as it was shown in the review.
func (p *Pages) documentReplace(s *ui.Screen) error {
	before, text, after, err := p.next(s)
	if err != nil || after == nil {
		return err
	}
	made, err := p.Services.ReplaceDefinition(s.Request.Context(), s.By(), *after)
	if err != nil {
		return p.drawDocument(s, &before, text, err)
	}
	return s.Done(s.Path(definitions, string(made.ID)), "definitionreplaced")
}

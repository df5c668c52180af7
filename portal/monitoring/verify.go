package monitoring

import (
	"strings"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/portal/ui"
)

// verifyPage shows the proof that runs at this cell, or ran last.
type verifyPage struct {
	journal.Examination
	Form  ui.Form
	Parts int64 // of 100 that are done
}

func (p *Pages) showVerify(s *ui.Screen) error { return p.drawVerify(s, p.verifyForm(s)) }

func (p *Pages) verifyForm(s *ui.Screen) ui.Form {
	return ui.Form{Submit: s.T("audit.verify.submit"), Action: s.Path("monitor/audit/verify"), Fields: []ui.Field{
		{Name: "head", Label: s.T("audit.verify.noted"), Hint: s.T("audit.verify.notedhint"), Mono: true, Max: mostAsked},
	}}
}

func (p *Pages) drawVerify(s *ui.Screen, form ui.Form) error {
	page := verifyPage{Examination: p.Examiner.Last(), Form: form}
	if page.Of > 0 {
		page.Parts = min(100, page.Rows*100/page.Of)
	}
	return s.ShowStatus(form.Status(), "monitoring/verify", "audit.verify.title", page)
}

// verify begins a proof, and does not wait for it.
func (p *Pages) verify(s *ui.Screen) error {
	sent, err := s.Form()
	if err != nil {
		return err
	}
	var expect journal.Head
	if noted := strings.TrimSpace(sent.Text("head")); noted != "" {
		if expect, err = journal.ParseHead(noted); err != nil {
			form := p.verifyForm(s)
			form.Fill(sent)
			form.Blame(problem.New(problem.BadRequest, "%s", s.T("audit.verify.nohead")))
			form.Fields[0].Error = form.Fault.Detail
			return p.drawVerify(s, form)
		}
	}
	p.Examiner.Begin(s.Request.Context(), expect)
	s.Go(s.Path("monitor/audit/verify"))
	return nil
}

// Failed reports whether the proof could not be made.
func (v verifyPage) Failed() bool { return v.Err != nil }

// Done reports whether there is a result.
func (v verifyPage) Done() bool { return v.Known() && !v.Running() && v.Err == nil }

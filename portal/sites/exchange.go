package sites

import (
	"strings"

	"causeway/internal/problem"
	"causeway/portal/ui"
)

// An association is made in three steps: a document is brought, its key is compared
// with what the other side reads out, and only then is it trusted. The document
// goes from step to step in the form itself: nothing of it is kept here before.

// uploadPage asks for a document.
type uploadPage struct {
	Title, About string
	Steps        []step
	Form         ui.Form
}

// reviewPage shows what a document says before it is trusted.
type reviewPage struct {
	Title, About, Warning string
	Steps                 []step
	Facts                 []fact
	TheirsLabel, Theirs   string // fingerprints
	OursLabel, Ours       string
	Form                  ui.Form
}

type fact struct {
	Label, Text string
	Mono        bool
}

type step struct {
	Text string
	Here bool
}

func steps(s *ui.Screen, here int) []step {
	list := []step{{Text: s.T("sites.step.document")}, {Text: s.T("sites.step.compare")}, {Text: s.T("sites.step.wait")}}
	list[here].Here = true
	return list
}

const (
	fileField     = "file"
	documentField = "document"
	comparedField = "compared"
)

// uploadForm takes a document as a file, or pasted.
func uploadForm(s *ui.Screen, action, cancel, hint string) ui.Form {
	return ui.Form{
		Action: action, Cancel: cancel, Submit: s.T("sites.upload.submit"), Files: true, Wide: true,
		Fields: []ui.Field{
			{Kind: ui.Upload, Name: fileField, Label: s.T("sites.upload.file"), Hint: hint},
			{Kind: ui.Area, Name: documentField, Label: s.T("sites.upload.paste"), Mono: true, Rows: 10},
		},
	}
}

// document is what was uploaded or pasted.
func document(v ui.Values) string {
	if file := strings.TrimSpace(v.File(fileField)); file != "" {
		return file
	}
	return v.Text(documentField)
}

// given is document, which must be there.
func given(s *ui.Screen, v ui.Values) (string, error) {
	text := document(v)
	if text == "" {
		return "", problem.New(problem.BadRequest, "%s", s.T("sites.upload.missing"))
	}
	return text, nil
}

// again shows the form with what was brought: as text, also what was a file.
func again(f ui.Form, v ui.Values, fault *problem.Problem) ui.Form {
	f.Fields[1].Value = document(v)
	f.Blame(fault)
	return f
}

// trustForm carries the document on, and asks whether its key was compared.
func trustForm(s *ui.Screen, action, cancel, text string) ui.Form {
	return ui.Form{
		Action: action, Cancel: cancel, Submit: s.T("sites.review.submit"),
		Fields: []ui.Field{
			{Kind: ui.Hidden, Name: documentField, Value: text},
			{Kind: ui.Box, Name: comparedField, Label: s.T("sites.review.compared"), Required: true},
		},
	}
}

// compared refuses who did not say that the keys are alike.
func compared(s *ui.Screen, v ui.Values) error {
	if v.Is(comparedField) {
		return nil
	}
	return problem.New(problem.BadRequest, "%s", s.T("sites.review.missing"))
}

func showUpload(s *ui.Screen, trail []ui.Crumb, page uploadPage) error {
	return s.ShowFrame(page.Form.Status(), "sites/upload", ui.Frame{D: page, Title: page.Title, Trail: trail})
}

func showReview(s *ui.Screen, trail []ui.Crumb, page reviewPage) error {
	return s.ShowFrame(page.Form.Status(), "sites/review", ui.Frame{D: page, Title: page.Title, Trail: trail})
}

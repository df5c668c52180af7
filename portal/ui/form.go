package ui

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"causeway/internal/problem"
)

// maxForm bounds what a form sends, in bytes: the longest are rights, of which a
// role can have some hundreds, and documents that are uploaded.
const maxForm = 1 << 20

// Values are what a form sent. Nothing of them comes from the URL.
type Values struct {
	url.Values
	files map[string]string
}

// Text is a field without the white space around it.
func (v Values) Text(name string) string { return strings.TrimSpace(v.Get(name)) }

// Is reports whether a box was ticked.
func (v Values) Is(name string) bool { return v.Get(name) != "" }

// File is what an uploaded file says, or empty.
func (v Values) File(name string) string { return v.files[name] }

// Form reads what a form sent. Too much of it is problem.TooLarge, and what no
// browser sends problem.BadRequest.
func (s *Screen) Form() (Values, error) {
	r := s.Request
	r.Body = http.MaxBytesReader(s.Writer, r.Body, maxForm)
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	v := Values{Values: url.Values{}, files: map[string]string{}}
	switch media {
	case "application/x-www-form-urlencoded":
		if err := r.ParseForm(); err != nil {
			return v, unreadable(err)
		}
		v.Values = r.PostForm
	case "multipart/form-data":
		if err := v.readParts(r); err != nil {
			return v, unreadable(err)
		}
	default:
		return v, problem.New(problem.BadRequest, "A form is sent as application/x-www-form-urlencoded or multipart/form-data.")
	}
	for name, list := range v.Values {
		for _, value := range append(list, name) {
			if !utf8.ValidString(value) {
				return v, problem.New(problem.BadRequest, "The form is not valid UTF-8.")
			}
		}
	}
	return v, nil
}

// readParts reads a form with files, all of it in memory.
func (v Values) readParts(r *http.Request) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return err
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		if part.FileName() != "" {
			if !utf8.Valid(body) {
				return problem.New(problem.BadRequest, "The file is not text.")
			}
			v.files[part.FormName()] = string(body)
			continue
		}
		v.Add(part.FormName(), string(body))
	}
}

func unreadable(err error) error {
	var long *http.MaxBytesError
	switch {
	case problem.As(err) != nil:
		return err
	case errors.As(err, &long):
		return problem.New(problem.TooLarge, "The form is longer than %d bytes.", maxForm)
	}
	return problem.New(problem.BadRequest, "The form cannot be read.")
}

// Kind is how a field of a form looks.
type Kind string

const (
	TextField Kind = "text"
	Secret    Kind = "password"
	Address   Kind = "url"
	Number    Kind = "number"
	Area      Kind = "area"
	Choice    Kind = "select"
	Radio     Kind = "radio"
	Boxes     Kind = "boxes" // several of Options
	Box       Kind = "box"   // yes or no
	Upload    Kind = "file"
	Hidden    Kind = "hidden"
)

// Field is a field of a form. Label and Hint are words, not keys of texts.
type Field struct {
	Name, Label, Hint string
	Kind              Kind // empty is TextField
	Value             string
	Options           []Option
	Checked           bool
	Required          bool
	Bare              bool   // not required, and not worth a word
	Max               int    // characters; 0 is without bound
	Auto              string // autocomplete; empty is off
	Mono              bool   // for identifiers and documents
	Error             string
	// Generate names what the script can fill the field with: "uuid".
	Generate, GenerateLabel string
	Focus                   bool
	Rows                    int      // of an Area; 0 is 8
	Suggest                 []string // offered while somebody types
}

// Option is one of several to choose from.
type Option struct {
	Value, Label, Hint string
	Chosen             bool
}

// Type is the input's type.
func (f Field) Type() Kind {
	if f.Kind == "" {
		return TextField
	}
	return f.Kind
}

// ID is the field's in the page.
func (f Field) ID() string { return "f-" + f.Name }

// Described lists what tells more about the field, for screen readers.
func (f Field) Described() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.ID()+"-hint")
	}
	if f.Error != "" {
		ids = append(ids, f.ID()+"-error")
	}
	return strings.Join(ids, " ")
}

// Form is a form to draw with the part "form".
type Form struct {
	Action string // where it is sent; empty is the page's own address
	Fields []Field
	Submit string // what the button says
	Cancel string // address of the link beside it; empty is none
	Danger bool   // the button ends something
	Wide   bool   // for documents
	// Fault is what was wrong with what was sent.
	Fault *problem.Problem
	Files bool // it uploads some
}

// Fill puts what somebody sent back into the fields. Secrets are not shown again.
func (f *Form) Fill(v Values) {
	for i := range f.Fields {
		field := &f.Fields[i]
		if !v.Has(field.Name) && field.Kind != Box && field.Kind != Boxes {
			continue
		}
		switch field.Kind {
		case Secret, Upload:
		case Box:
			field.Checked = v.Is(field.Name)
		case Choice, Radio, Boxes:
			for j := range field.Options {
				field.Options[j].Chosen = contains(v.Values[field.Name], field.Options[j].Value)
			}
		default:
			field.Value = v.Get(field.Name)
		}
	}
}

func contains(list []string, one string) bool {
	for _, s := range list {
		if s == one {
			return true
		}
	}
	return false
}

// Blame makes p the form's fault, and writes it beside the field that it names.
func (f *Form) Blame(p *problem.Problem) {
	f.Fault = p
	for i := range f.Fields {
		if p.Field != "" && f.Fields[i].Name == p.Field {
			f.Fields[i].Error = p.Detail
		}
	}
}

// Status is that of the page that shows f: of its fault, if any.
func (f *Form) Status() int {
	if f.Fault != nil {
		return f.Fault.Code.Row().Status
	}
	return http.StatusOK
}

// Confirm is a page that asks before something ends: what ends is said in Ends,
// each with a point of its own, and in First what is better done before.
type Confirm struct {
	Question string
	First    []string // what to do before
	Ends     []string
	Stays    []string
	Form     Form
}

// Ask shows c.
func (s *Screen) Ask(f Frame, c Confirm) error {
	c.Form.Danger = len(c.Ends) > 0
	f.D = c
	return s.ShowFrame(c.Form.Status(), "ui/confirm", f)
}

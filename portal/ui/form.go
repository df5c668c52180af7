package ui

import (
	"net/http"
	"slices"
	"strings"

	"causeway/internal/problem"
)

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
				field.Options[j].Chosen = slices.Contains(v.Values[field.Name], field.Options[j].Value)
			}
		default:
			field.Value = v.Get(field.Name)
		}
	}
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

// Refused makes f the answer to who sent v: it shows that again, and what is wrong
// with it. What no form can show, as Fault has it, is an error still.
func (s *Screen) Refused(f *Form, v Values, err error) error {
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	f.Fill(v)
	f.Blame(fault)
	return nil
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

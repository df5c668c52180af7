package httpapi

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"

	"causeway/internal/problem"
)

const (
	// maxXMLDepth is four times the depth of an organization, the deepest that
	// VCD's clients send.
	maxXMLDepth = 32
	// maxXMLAttributes is well above the ten of VCD's richest element.
	maxXMLAttributes = 64
)

// declaration is what may stand behind <?xml. We read UTF-8 only: whoever
// declares anything else would have us read another text than they wrote.
var declaration = regexp.MustCompile(`^version\s*=\s*(?:"1\.0"|'1\.0')` +
	`(?:\s+encoding\s*=\s*(?:"(?i:utf-8)"|'(?i:utf-8)'))?` +
	`(?:\s+standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)'))?\s*$`)

// xmlGuard hands on the tokens of a document that is no trap. encoding/xml reads
// past a DOCTYPE, text around the element, more elements behind it and attributes
// that come twice; each of them has another parser see another document.
type xmlGuard struct {
	in     *xml.Decoder
	root   string
	depth  int
	begun  bool   // something stood in the document, so no declaration may follow
	rooted bool   // the one element has begun
	last   string // the element that began or ended last
}

func newXMLGuard(body []byte, root string) *xmlGuard {
	// No Entity and no CharsetReader: nothing but XML's five entities is defined.
	return &xmlGuard{in: xml.NewDecoder(bytes.NewReader(body)), root: root}
}

// Token is the next token without namespaces, or a Problem.
func (g *xmlGuard) Token() (xml.Token, error) {
	token, err := g.in.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.As(err, new(*xml.SyntaxError)):
		return nil, g.refuse("The body is not valid XML")
	case err != nil:
		return nil, g.refuse("The XML declaration is not for version 1.0 in UTF-8")
	}
	defer func() { g.begun = true }()
	switch t := token.(type) {
	case xml.StartElement:
		return g.start(t)
	case xml.EndElement:
		g.depth--
		g.last = t.Name.Local
		return xml.EndElement{Name: xml.Name{Local: t.Name.Local}}, nil
	case xml.CharData:
		if g.depth == 0 && len(bytes.Trim(t, " \t\r\n")) > 0 {
			return nil, g.refuse("There is text around the XML element")
		}
	case xml.Directive:
		return nil, g.refuse("A DOCTYPE is not accepted")
	case xml.ProcInst:
		if err := g.instruction(t); err != nil {
			return nil, err
		}
	}
	return token, nil
}

func (g *xmlGuard) start(t xml.StartElement) (xml.Token, error) {
	if g.depth == 0 {
		if g.rooted || t.Name.Local != g.root {
			return nil, g.refuse("The body must be one XML element " + g.root)
		}
		g.rooted = true
	}
	if g.depth++; g.depth > maxXMLDepth {
		return nil, g.refuse("The XML is nested too deeply")
	}
	if len(t.Attr) > maxXMLAttributes {
		return nil, g.refuse("An element has too many attributes")
	}
	for i, a := range t.Attr {
		if slices.ContainsFunc(t.Attr[:i], func(b xml.Attr) bool { return a.Name == b.Name }) {
			return nil, g.refuse("An element has an attribute twice")
		}
	}
	g.last = t.Name.Local
	t.Name.Space = ""
	t.Attr = slices.DeleteFunc(t.Attr, func(a xml.Attr) bool { return a.Name.Space != "" || a.Name.Local == "xmlns" })
	return t, nil
}

func (g *xmlGuard) instruction(t xml.ProcInst) error {
	switch {
	case t.Target != "xml" || g.begun:
		return g.refuse("Processing instructions are not accepted")
	case !declaration.Match(t.Inst):
		return g.refuse("The XML declaration is not for version 1.0 in UTF-8")
	}
	return nil
}

func (g *xmlGuard) refuse(why string) error {
	return problem.New(problem.BadRequest, "%s, at byte %d.", why, g.in.InputOffset())
}

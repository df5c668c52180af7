package fanout

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"causeway/internal/problem"
	"causeway/tenants"
)

// A cursor says how far each location has been read. It is what a page's link to
// the next one holds, with a MAC over it and over what the list is: whoever makes
// one up is told so, instead of getting rows twice.
const (
	// maxCursor bounds a cursor's text. Beyond it, and that is some 250 locations,
	// links have the number of the page only.
	maxCursor = 4096
	tagSize   = 8
)

// tag is short for a location, as a URL has no room for hundreds of identifiers.
func tag(l tenants.LocationID) string {
	sum := sha256.Sum256([]byte(l.String()))
	return string(sum[:tagSize])
}

// cursor is the text that leads on from where r ends, or empty where it is too
// long.
func (f *Fanout) cursor(r *run) string {
	b := binary.AppendUvarint(nil, uint64(r.Page+1))
	b = binary.AppendUvarint(b, uint64(r.size))
	for _, s := range r.sources {
		b = append(b, tag(s.LocationID)...)
		b = binary.AppendUvarint(b, uint64(s.offset))
		b = binary.AppendUvarint(b, uint64(s.total-s.offset))
		status, code := 0, ""
		if s.gone != nil {
			status, code = s.gone.Status, s.gone.Code
		}
		b = binary.AppendUvarint(b, uint64(status))
		b = binary.AppendUvarint(b, uint64(len(code)))
		b = append(b, code...)
	}
	text := base64.RawURLEncoding.EncodeToString(b)
	text += "." + base64.RawURLEncoding.EncodeToString(f.mac(text, r.For))
	if len(text) > maxCursor {
		return ""
	}
	return text
}

func (f *Fanout) mac(text, what string) []byte { return f.MAC(text + "\x00" + what) }

// resume puts the sources where the cursor says. A location that is not in it has
// been added since, and does not join in the middle of a list.
func (f *Fanout) resume(r *run) error {
	positions, ok := f.open(r)
	if !ok {
		return problem.New(problem.InvalidMultisiteArgs, "assocOffsets is not from a link to the next page of this list.")
	}
	kept := r.sources[:0]
	for _, s := range r.sources {
		p, ok := positions[tag(s.LocationID)]
		if !ok {
			continue
		}
		s.offset, s.size = p.offset, r.size
		if s.gone != nil {
			s.lose(s.gone)
		} else {
			s.total = p.offset + p.left
		}
		if p.gone != nil {
			s.lose(missing(s.LocationID, p.gone))
		}
		kept = append(kept, s)
	}
	r.sources = kept
	return nil
}

// position is one location's in a cursor.
type position struct {
	offset, left int
	gone         *Missing
}

func (f *Fanout) open(r *run) (map[string]position, bool) {
	text, sum, _ := strings.Cut(r.Cursor, ".")
	given, err := base64.RawURLEncoding.DecodeString(sum)
	if err != nil || len(r.Cursor) > maxCursor || !hmac.Equal(given, f.mac(text, r.For)) {
		return nil, false
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, false
	}
	c := reader{b: b}
	page, size := c.number(), c.number()
	positions := map[string]position{}
	for len(c.b) > 0 && !c.bad {
		at := c.text(tagSize)
		p := position{offset: c.number(), left: c.number()}
		if status, code := c.number(), c.text(c.number()); status > 0 {
			p.gone = &Missing{Status: status, Code: code}
		}
		positions[at] = p
	}
	if c.bad || page != r.Page || size < 1 {
		return nil, false
	}
	r.size, r.ask = size, size
	return positions, true
}

// reader reads what cursor wrote.
type reader struct {
	b   []byte
	bad bool
}

func (c *reader) number() int {
	n, used := binary.Uvarint(c.b)
	if used <= 0 || n > maxTotal {
		c.b, c.bad = nil, true
		return 0
	}
	c.b = c.b[used:]
	return int(n)
}

func (c *reader) text(n int) string {
	if n > len(c.b) {
		c.b, c.bad = nil, true
		return ""
	}
	s := string(c.b[:n])
	c.b = c.b[n:]
	return s
}

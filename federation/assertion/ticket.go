package assertion

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	keySize = 32 // of an introduction's key, in bytes
	idSize  = 16 // of a ticket's identifier, in bytes
)

// ticket is what an introduced site says for one request: issue time, identifier
// and body, and a MAC over these, the method, the URI and the introduction.
type ticket struct {
	iat  int64
	id   string
	body string
	mac  [sha256.Size]byte
	said string // what the MAC is over, of the ticket itself
}

// seal makes a ticket for a request.
func seal(key []byte, introduction [sha256.Size]byte, c Claims) string {
	said := strconv.FormatInt(c.IssuedAt.Unix(), 10) + "." + c.ID + "." + c.Body
	return said + "." + encode(mac(key, introduction, said, c.Method, c.RequestURI))
}

// mac covers everything that makes the request what it is. None of the parts can
// hold a line end: neither method nor URI could have been sent with one.
func mac(key []byte, introduction [sha256.Size]byte, said, method, uri string) []byte {
	over := make([]byte, 0, 512)
	over = append(over, introduction[:]...)
	for _, part := range [...]string{said, method, uri} {
		over = append(append(over, '\n'), part...)
	}
	h := hmac.New(sha256.New, key)
	h.Write(over)
	return h.Sum(over[:0])
}

func parseTicket(text string) (t ticket, err error) {
	if strings.Count(text, ".") != 3 {
		return ticket{}, errors.New("the ticket has not four parts")
	}
	end := strings.LastIndexByte(text, '.')
	t.said = text[:end]
	at, rest, _ := strings.Cut(t.said, ".")
	t.id, t.body, _ = strings.Cut(rest, ".")
	if t.iat, err = strconv.ParseInt(at, 10, 64); err != nil || t.iat < 0 {
		return ticket{}, errors.New("the ticket's time is none")
	}
	var id [idSize]byte
	if !decode(id[:], t.id) || !decode(t.mac[:], text[end+1:]) || t.body == "" {
		return ticket{}, errors.New("the ticket's identifier, body or code has another size")
	}
	return t, nil
}

// fits compares the ticket with the request at hand and the introduction.
func (t ticket) fits(w met, introduction [sha256.Size]byte, e Expect) error {
	if !hmac.Equal(t.mac[:], mac(w.secret[:], introduction, t.said, e.Method, e.RequestURI)) {
		return refused(ErrRequest)
	}
	wantBody := e.Body
	if wantBody == "" {
		wantBody = Stream
	}
	if t.body != wantBody && t.body != Stream {
		return refused(ErrRequest)
	}
	if t.iat < w.Iat || t.iat >= w.Exp {
		return refused(ErrTime)
	}
	return within(time.Unix(t.iat, 0), time.Unix(t.iat, 0).Add(lifetime), e.Now)
}

func newID() string { return random(idSize) }

func random(size int) string {
	b := make([]byte, size)
	rand.Read(b) // never fails: crypto/rand ends the process first
	return encode(b)
}

var encoding = base64.RawURLEncoding.Strict()

func encode(b []byte) string { return encoding.EncodeToString(b) }

// decode reports whether s is as many bytes as dst has, in the one spelling we write,
// and puts them there.
func decode(dst []byte, s string) bool {
	var text [64]byte // enough for a key
	if len(s) != encoding.EncodedLen(len(dst)) || len(s) > len(text) {
		return false
	}
	n, err := encoding.Decode(dst, text[:copy(text[:], s)])
	return err == nil && n == len(dst)
}

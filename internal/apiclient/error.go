package apiclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"causeway/internal/httpapi"
)

// maxMessage bounds what is shown of a message, in bytes.
const maxMessage = 2000

// Error is a refused request as the site answered it.
type Error struct {
	Status    int
	Code      string // VCD's minorErrorCode
	Message   string
	RequestID string // by which `causeway explain` finds it
}

func (e *Error) Error() string {
	text := fmt.Sprintf("the site answered %d", e.Status)
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

// Refused reports whether err is a refusal with this HTTP status.
func Refused(err error, status int) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == status
}

func refusal(res *http.Response, body []byte) *Error {
	e := &Error{Status: res.StatusCode, RequestID: Printable(res.Header.Get(httpapi.HeaderRequestID))}
	var said struct {
		Minor   string `json:"minorErrorCode"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &said) == nil {
		e.Code = Printable(said.Minor)
		// The id stands in front already, as VCD's clients want it.
		e.Message = Printable(strings.TrimPrefix(said.Message, "[ "+e.RequestID+" ] "))
	}
	return e
}

// Printable is a server's words as a terminal may show them: it must not be
// steered, nor a text turned round.
func Printable(s string) string {
	if len(s) > maxMessage {
		s = s[:maxMessage] + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

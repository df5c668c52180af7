package ui

import (
	"io"
	"mime"
	"net/http"
	"time"
)

// patience is how long a browser may take for a part of a file.
const patience = 30 * time.Second

// Attach begins an answer that is a file, which write writes in parts: next begins
// each of them, and has those before sent. After the first part nothing can be said
// of an error any more: the connection is cut, so that nobody takes half a file for
// the whole of it.
func (s *Screen) Attach(name, media string, write func(w io.Writer, next func()) error) error {
	guard(s.Context)
	h := s.Writer.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	sent := http.NewResponseController(s.Writer)
	err := write(s.Writer, func() {
		_ = sent.SetWriteDeadline(time.Now().Add(patience)) // a writer without deadlines has none to move
		_ = sent.Flush()
	})
	if err != nil && s.Writer.Written() {
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		h.Del("Content-Disposition")
	}
	return err
}

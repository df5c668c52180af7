package http1

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// body is an answer's. Closing it ends a Read that waits.
type body struct {
	io.ReadCloser
	done  func(whole bool)
	state atomic.Int32
}

const (
	under int32 = iota // way
	whole
	broken
)

func (b *body) Read(p []byte) (int, error) {
	switch b.state.Load() {
	case whole:
		return 0, io.EOF
	case broken: // or it would look whole
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.end(whole)
	case err != nil:
		b.end(broken)
	}
	return n, err
}

// Close does not close what it is made of: that would wait for a Read.
func (b *body) Close() error {
	b.end(broken)
	return nil
}

func (b *body) end(as int32) {
	if b.state.CompareAndSwap(under, as) {
		b.done(as == whole)
	}
}

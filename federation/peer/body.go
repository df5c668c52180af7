package peer

import (
	"io"
	"net/http"
	"time"
)

// guarded is an answer's body: it ends when the peer is silent for too long, and
// drops trailers, which could plant the headers that were removed from the answer.
type guarded struct {
	io.ReadCloser
	res  *http.Response
	idle time.Duration
	stop *time.Timer
}

func newGuarded(res *http.Response, idle time.Duration) *guarded {
	res.Trailer = nil
	g := &guarded{ReadCloser: res.Body, res: res, idle: idle}
	// Closing ends a Read that waits.
	g.stop = time.AfterFunc(idle, func() { g.ReadCloser.Close() })
	return g
}

func (g *guarded) Read(p []byte) (int, error) {
	n, err := g.ReadCloser.Read(p)
	// The time the client takes to read what came is not the peer's silence, but
	// a client that never reads should not hold the peer's stream for ever either.
	g.stop.Reset(g.idle)
	if err != nil {
		g.stop.Stop()
	}
	return n, err
}

func (g *guarded) Close() error {
	g.stop.Stop()
	err := g.ReadCloser.Close()
	g.res.Trailer = nil // the transport filled it in at the end
	return err
}

package hop

import (
	"context"
	"io"
	"log"
	"sync"
)

// Silent is for reverse proxies that return their errors: the proxy's own lines
// could hold anything.
var Silent = log.New(io.Discard, "", 0)

// Buffers lends reverse proxies their copy buffers.
type Buffers struct{}

const bufferSize = 32 << 10

var pool = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// Get is a buffer of 32 KB.
func (Buffers) Get() []byte { return pool.Get().(*[bufferSize]byte)[:] }

// Put takes a buffer back; one that was not ours is left to the collector.
func (Buffers) Put(b []byte) {
	if cap(b) >= bufferSize {
		pool.Put((*[bufferSize]byte)(b[:bufferSize]))
	}
}

// Quiet hides a context's values from a transport. The reverse proxy puts a hook
// there that would copy every header of an interim (1xx) answer to the client,
// unfiltered and over our own, and that lifts the transport's bound on them.
func Quiet(ctx context.Context) context.Context { return quiet{ctx} }

type quiet struct{ context.Context }

func (quiet) Value(any) any { return nil }

// AfterFunc spares whoever derives a context from q the goroutine that contexts of
// others cost.
func (q quiet) AfterFunc(f func()) func() bool { return context.AfterFunc(q.Context, f) }

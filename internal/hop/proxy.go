package hop

import (
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

package journal

import (
	"context"
	"sync/atomic"
)

// Receipt is the place in the journal of what a request has changed. Whoever
// begins a request puts one into its context, and the store fills it at the
// commit; methods in between need not hand anything up.
type Receipt struct{ seq atomic.Int64 }

type receiptKey struct{}

// WithReceipt makes a receipt for what is done with the context.
func WithReceipt(ctx context.Context) (context.Context, *Receipt) {
	r := &Receipt{}
	return context.WithValue(ctx, receiptKey{}, r), r
}

// Committed notes that a transaction of ctx has written the journal up to seq.
func Committed(ctx context.Context, seq int64) {
	r, ok := ctx.Value(receiptKey{}).(*Receipt)
	if !ok {
		return
	}
	for {
		old := r.seq.Load()
		if seq <= old || r.seq.CompareAndSwap(old, seq) {
			return
		}
	}
}

// Seq is the last sequence that was written, 0 if nothing was.
func (r *Receipt) Seq() int64 { return r.seq.Load() }

package associations

import (
	"context"
	"sync/atomic"
	"time"

	"causeway/federation"
	"causeway/internal/journal"
)

// Name is what this site is called, followed through the journal. Make one with
// [NewName].
type Name struct {
	store federation.Store
	known atomic.Pointer[string]
}

// NewName begins with the name that the site has.
func NewName(store federation.Store, name string) *Name {
	n := &Name{store: store}
	n.known.Store(&name)
	return n
}

// readName is how long Get may take to read the name again.
const readName = time.Second

// Get is the name; the last one known where the database cannot be read.
func (n *Name) Get() string { return *n.known.Load() }

// Apply takes in that the site was renamed.
func (n *Name) Apply(row journal.Row) {
	if name := row.Subject.Name; row.Action == journal.SiteUpdated && name != "" {
		n.known.Store(&name)
	}
}

// Flush reads the name again: rows may have been missed.
func (n *Name) Flush() {
	ctx, cancel := context.WithTimeout(context.Background(), readName)
	defer cancel()
	_ = n.store.View(ctx, func(r federation.Reader) error { // a name that is out of date harms nobody
		self, err := r.Self()
		if err == nil {
			n.known.Store(&self.Name)
		}
		return err
	})
}

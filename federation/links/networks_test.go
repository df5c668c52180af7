package links

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
)

// TestTarget_R9_ToldAddresses: no site has us knock inside our own networks by what
// it says of itself, while one that is there with all it has can be reached.
func TestTarget_R9_ToldAddresses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var mu sync.Mutex
		var dialed []string
		l := newLinksOver(t, db, func(_ context.Context, _, addr string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			dialed = append(dialed, addr)
			return nil, errors.New("nobody is there")
		}, association(t, there, "https://198.51.100.7/api", newRoot(t)), association(t, inside, "https://10.0.0.5/api", newRoot(t)))
		_, _, err := l.Ask(t.Context(), there, http.MethodGet, "/", nil, 1)
		if want := []string{"198.51.100.7:443"}; err == nil || !slices.Equal(dialed, want) {
			t.Errorf("dialed %v (%v), want %v", dialed, err, want)
		}
		if _, _, err = l.Ask(t.Context(), inside, http.MethodGet, "/", nil, 1); err == nil || !slices.Contains(dialed, told) {
			t.Errorf("dialed %v (%v), want %s", dialed, err, told)
		}
	})
}

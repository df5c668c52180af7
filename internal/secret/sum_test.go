package secret_test

import (
	"crypto/sha256"
	"strings"
	"sync"
	"testing"

	"causeway/internal/secret"
)

func TestSum_IsOfTheTokenAlone(t *testing.T) {
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for _, n := range []int{700, 0, 3, 64 << 10, 1, 1200} {
				token := strings.Repeat("a", n)
				if secret.Sum(token) != sha256.Sum256([]byte(token)) {
					t.Errorf("%d bytes", n)
				}
			}
		})
	}
	wait.Wait()
}

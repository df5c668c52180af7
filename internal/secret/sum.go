package secret

import (
	"crypto/sha256"
	"sync"
)

// Sum is the SHA-256 of a token, to find what is remembered of it. Each request has
// one, so the bytes it is computed from are not made anew each time.
func Sum(token string) [sha256.Size]byte {
	room, _ := rooms.Get().(*[]byte)
	if room == nil {
		room = new([]byte)
	}
	*room = append((*room)[:0], token...)
	sum := sha256.Sum256(*room)
	clear(*room)
	if cap(*room) <= maxRoom {
		rooms.Put(room)
	}
	return sum
}

var rooms sync.Pool

// maxRoom is longer than tokens are.
const maxRoom = 16 << 10

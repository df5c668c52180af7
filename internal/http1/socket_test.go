package http1

import "testing"

func TestRecords(t *testing.T) {
	for _, size := range []int{1, 2, 3, 7, 100} {
		var r records
		stream := append([]byte{23, 3, 3, 0, 3, 'a', 'b', 'c', 23, 3, 3, 1, 4}, make([]byte, 260)...)
		ends := map[int]bool{0: true, 8: true, 273: true}
		for at := 0; at < len(stream); {
			n := min(size, len(stream)-at)
			r.see(stream[at : at+n])
			if at += n; r.whole() != ends[at] {
				t.Errorf("by %d, after %d bytes: whole %t", size, at, r.whole())
			}
		}
	}
}

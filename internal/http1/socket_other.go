//go:build !unix

package http1

// readOnce cannot look into a socket here without waiting: what the other end sends unasked
// shows when the next answer is read.
func readOnce(uintptr, []byte) (int, error) { return 0, errNothing }

//go:build !unix

package peer

// readOnce cannot look into a socket here without waiting: what a peer sends unasked
// shows when the next answer is read.
func readOnce(uintptr, []byte) (int, error) { return 0, errNothing }

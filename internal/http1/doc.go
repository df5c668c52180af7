// Package http1 speaks HTTP/1.1 as a client (RFC 9112), one exchange at a time on a
// connection, written and read by whoever asks: net/http's transport lets two
// goroutines of its own do that, and each change between them costs as much as a
// small request. Framing is net/http's all the same, by [http.ReadResponse] and, but for
// the simplest heads, [http.Request.Write].
package http1

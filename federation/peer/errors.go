package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"causeway/federation/route"
	"causeway/internal/problem"
)

var (
	errOpen   = errors.New("peer: the breaker is open")
	errSilent = errors.New("peer: the connection has gone quiet")
)

// dialError says that no connection could be made: nothing was sent.
type dialError struct{ err error }

func (e *dialError) Error() string { return fmt.Sprintf("peer: connect: %v", e.err) }
func (e *dialError) Unwrap() error { return e.err }

// judge says what a call's end tells about its peer. A client that left tells
// nothing, whatever the call was doing; nor does a connection that broke: the
// next call has to dial, and that will tell.
func judge(ctx context.Context, err error) outcome {
	var dial *dialError
	switch {
	case err == nil:
		return success
	case ctx.Err() == nil && errors.As(err, &dial):
		return failure
	default:
		return neutral
	}
}

// explain turns a transport's error into what the client is told. Never a 502:
// the VCD clients drop its body.
func explain(ctx context.Context, err error) error {
	var dial *dialError
	var tooLarge *http.MaxBytesError
	var slow net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled // nobody is left to tell
	case errors.As(err, &tooLarge):
		return problem.Wrap(err, problem.TooLarge, "The request body is too large.")
	case errors.As(err, &dial):
		return unreachable(err, 0)
	case ctx.Err() != nil, errors.As(err, &slow) && slow.Timeout():
		return problem.Wrap(err, problem.GatewayTimeout, "The site of this organization did not answer in time.")
	default:
		return unreachable(err, 0)
	}
}

func unreachable(err error, wait time.Duration) error {
	return problem.Wrap(err, problem.SiteUnreachable, "The site of this organization cannot be reached now.").
		After(route.ClampRetry(wait))
}

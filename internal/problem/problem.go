package problem

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// Code names one way a request can fail. Callers branch on it; clients see the
// row that belongs to it (see [Row]).
type Code string

// The codes, grouped as a reader meets them: OAuth, access, input, sites, limits.
const (
	InvalidRequest       Code = "invalid_request"
	InvalidClient        Code = "invalid_client"
	InvalidGrant         Code = "invalid_grant"
	Replayed             Code = "replayed"
	UnsupportedGrantType Code = "unsupported_grant_type"
	UnauthorizedClient   Code = "unauthorized_client"
	InvalidScope         Code = "invalid_scope"
	AuthorizationPending Code = "authorization_pending"
	SlowDown             Code = "slow_down"
	AccessDenied         Code = "access_denied"
	ExpiredToken         Code = "expired_token"

	Unauthenticated Code = "unauthenticated"
	Forbidden       Code = "forbidden"
	NotFound        Code = "not_found"
	UnknownPath     Code = "unknown_path"
	UnknownUserCode Code = "unknown_user_code"

	BadRequest           Code = "bad_request"
	MethodNotAllowed     Code = "method_not_allowed"
	NotAcceptable        Code = "not_acceptable"
	TooLarge             Code = "too_large"
	DuplicateName        Code = "duplicate_name"
	Conflict             Code = "conflict"
	AmbiguousAuthContext Code = "ambiguous_auth_context"
	// InvalidMultisiteArgs: what Accept or a page's link says of several locations
	// cannot be read. InvalidMultisiteScope: it cannot be served.
	InvalidMultisiteArgs  Code = "invalid_multisite_query_args"
	InvalidMultisiteScope Code = "invalid_multisite_scope"

	SiteUnreachable Code = "site_unreachable"
	GatewayTimeout  Code = "gateway_timeout"
	Misdirected     Code = "misdirected"
	LoopDetected    Code = "loop_detected"

	TooManyRequests Code = "too_many_requests"
	Unavailable     Code = "unavailable"
	Internal        Code = "internal"
)

// Row is what a client sees of a [Code]: the HTTP status, VCD's minorErrorCode
// and the RFC 6749 §5.2 / RFC 8628 §3.5 error word.
type Row struct {
	Status int
	Minor  string
	OAuth  string
}

// rows keeps to statuses that VCD clients can decode: never 422, 501 or 502,
// whose bodies the SDK throws away. NotFound is a 403 on purpose: the SDK turns
// only a 403 into "entity not found", and absence must look like prohibition.
var rows = map[Code]Row{
	InvalidRequest:       {http.StatusBadRequest, "invalid_request", "invalid_request"},
	InvalidClient:        {http.StatusBadRequest, "invalid_client", "invalid_client"},
	InvalidGrant:         {http.StatusBadRequest, "invalid_grant", "invalid_grant"},
	Replayed:             {http.StatusBadRequest, "invalid_grant", "invalid_grant"},
	UnsupportedGrantType: {http.StatusBadRequest, "unsupported_grant_type", "unsupported_grant_type"},
	UnauthorizedClient:   {http.StatusBadRequest, "unauthorized_client", "unauthorized_client"},
	InvalidScope:         {http.StatusBadRequest, "invalid_scope", "invalid_scope"},
	AuthorizationPending: {http.StatusBadRequest, "authorization_pending", "authorization_pending"},
	SlowDown:             {http.StatusBadRequest, "slow_down", "slow_down"},
	AccessDenied:         {http.StatusBadRequest, "access_denied", "access_denied"},
	ExpiredToken:         {http.StatusBadRequest, "expired_token", "expired_token"},

	Unauthenticated: {http.StatusUnauthorized, "UNAUTHORIZED", "invalid_token"},
	Forbidden:       {http.StatusForbidden, "ACCESS_TO_RESOURCE_IS_FORBIDDEN", "access_denied"},
	NotFound:        {http.StatusForbidden, "ACCESS_TO_RESOURCE_IS_FORBIDDEN", "access_denied"},
	UnknownPath:     {http.StatusNotFound, "NOT_FOUND", "invalid_request"},
	UnknownUserCode: {http.StatusNotFound, "NOT_FOUND", "invalid_request"},

	BadRequest:           {http.StatusBadRequest, "BAD_REQUEST", "invalid_request"},
	MethodNotAllowed:     {http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "invalid_request"},
	NotAcceptable:        {http.StatusNotAcceptable, "NOT_ACCEPTABLE", "invalid_request"},
	TooLarge:             {http.StatusRequestEntityTooLarge, "BAD_REQUEST", "invalid_request"},
	DuplicateName:        {http.StatusBadRequest, "DUPLICATE_NAME", "invalid_request"},
	Conflict:             {http.StatusConflict, "CONFLICT", "invalid_request"},
	AmbiguousAuthContext: {http.StatusBadRequest, "AMBIGUOUS_AUTH_CONTEXT", "invalid_request"},

	InvalidMultisiteArgs:  {http.StatusBadRequest, "INVALID_MULTISITE_QUERY_ARGS", "invalid_request"},
	InvalidMultisiteScope: {http.StatusBadRequest, "INVALID_MULTISITE_SCOPE", "invalid_request"},

	SiteUnreachable: {http.StatusServiceUnavailable, "SITE_UNREACHABLE", "temporarily_unavailable"},
	GatewayTimeout:  {http.StatusGatewayTimeout, "GATEWAY_TIMEOUT", "temporarily_unavailable"},
	Misdirected:     {http.StatusMisdirectedRequest, "NEW_LOCATION", "temporarily_unavailable"},
	LoopDetected:    {http.StatusLoopDetected, "LOOP_DETECTED", "temporarily_unavailable"},

	TooManyRequests: {http.StatusTooManyRequests, "TOO_MANY_REQUESTS", "slow_down"},
	Unavailable:     {http.StatusServiceUnavailable, "SERVICE_NOT_READY", "temporarily_unavailable"},
	Internal:        {http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", "server_error"},
}

// Codes are all there are, sorted.
func Codes() []Code { return slices.Sorted(maps.Keys(rows)) }

// Row is the client's view of c. An unknown code is an internal error: a client
// must never get a status that nobody chose.
func (c Code) Row() Row {
	if r, ok := rows[c]; ok {
		return r
	}
	return rows[Internal]
}

// Problem is the one error of the gateway. Detail is safe to show to the
// client; Err is the cause and only ever reaches the log.
type Problem struct {
	Code   Code
	Detail string
	// RetryAfter is how long the client should wait, sent in whole seconds
	// rounded up (RFC 9110 §10.2.3); zero sends nothing.
	RetryAfter time.Duration
	Err        error
	// Facts say what decided, for the audit trail; see [Problem.With].
	Facts map[string]string
	// Field is the member of what was sent that is at fault, where it is one alone:
	// forms say what is wrong beside it.
	Field string
}

// New makes a Problem whose detail is formatted for the client's eyes.
func New(code Code, format string, args ...any) *Problem {
	return &Problem{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Wrap makes a Problem that keeps err for the log and shows only detail.
func Wrap(err error, code Code, detail string) *Problem {
	return &Problem{Code: code, Detail: detail, Err: err}
}

// After sets RetryAfter and returns p.
func (p *Problem) After(d time.Duration) *Problem {
	p.RetryAfter = d
	return p
}

// In sets Field and returns p.
func (p *Problem) In(field string) *Problem {
	p.Field = field
	return p
}

func (p *Problem) Error() string {
	if p.Err != nil {
		return fmt.Sprintf("%s: %s: %v", p.Code, p.Detail, p.Err)
	}
	return fmt.Sprintf("%s: %s", p.Code, p.Detail)
}

func (p *Problem) Unwrap() error { return p.Err }

// Has reports whether a Problem in err's chain carries code.
func Has(err error, code Code) bool {
	p := As(err)
	return p != nil && p.Code == code
}

// As returns the Problem in err's chain, or nil.
func As(err error) *Problem {
	p, _ := errors.AsType[*Problem](err)
	return p
}

// From returns err's Problem, or an Internal one that hides err's text.
func From(err error) *Problem {
	if p := As(err); p != nil {
		return p
	}
	return Wrap(err, Internal, "The server met an unexpected condition.")
}

// Hidden is the answer about what does not exist and what is not the caller's
// business alike.
func Hidden() *Problem { return New(NotFound, "Access to the resource is forbidden.") }

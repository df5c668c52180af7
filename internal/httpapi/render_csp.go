package httpapi

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"causeway/internal/problem"
)

// cspModule is the moduleCode of every error: the one that CSP's own sign-on answers
// with. A string, or none, breaks a client.
const cspModule = 540

// cspError is CspErrorResponse, and RFC 6749's members beside: clients read one, the
// other, or both.
type cspError struct {
	Status      int     `json:"statusCode"`
	Module      int     `json:"moduleCode"`
	Message     string  `json:"message"`
	Code        string  `json:"errorCode"`
	CSPCode     string  `json:"cspErrorCode"`
	RequestID   string  `json:"requestId"`
	TraceID     string  `json:"traceId"`
	Metadata    *string `json:"metadata"`
	Error       string  `json:"error"`
	Description string  `json:"error_description"`
}

// cspStatuses are where CSP's clients are told otherwise than VCD's, which cannot
// read some statuses.
var cspStatuses = map[problem.Code]int{
	problem.InvalidClient:   http.StatusUnauthorized,
	problem.AccessDenied:    http.StatusForbidden,
	problem.NotFound:        http.StatusNotFound,
	problem.DuplicateName:   http.StatusConflict,
	problem.UnknownUserCode: http.StatusNotFound,
}

// cspWords are the codes whose message begins with OAuth's word for them: one client
// looks for "invalid_grant: Invalid refresh token".
var cspWords = map[problem.Code]bool{
	problem.InvalidRequest: true, problem.InvalidClient: true, problem.InvalidGrant: true, problem.Replayed: true,
	problem.UnsupportedGrantType: true, problem.UnauthorizedClient: true, problem.InvalidScope: true, problem.AccessDenied: true,
}

func cspStatus(code problem.Code) int {
	if status, ok := cspStatuses[code]; ok {
		return status
	}
	return code.Row().Status
}

func failCSP(c *gin.Context, p *problem.Problem) {
	status, row := cspStatus(p.Code), p.Code.Row()
	switch {
	case p.Code == problem.InvalidClient:
		c.Header("WWW-Authenticate", `Basic realm="causeway"`) // RFC 6749 §5.2
	case status == http.StatusUnauthorized:
		c.Header("WWW-Authenticate", `Bearer error="`+row.OAuth+`"`) // RFC 6750 §3
	}
	message := p.Detail
	if cspWords[p.Code] {
		message = row.OAuth + ": " + message
	}
	JSON(c, status, cspError{
		Status: status, Module: cspModule, Message: message, Code: row.Minor,
		CSPCode:   strconv.Itoa(cspModule) + "." + strconv.Itoa(status),
		RequestID: RequestID(c), TraceID: RequestID(c), Error: row.OAuth, Description: p.Detail,
	})
}
